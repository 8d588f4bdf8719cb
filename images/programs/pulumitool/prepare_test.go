package pulumitool

import (
	"context"
	"encoding/json"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"kiln.dev/programs/child"
	"kiln.dev/programs/moduleprotocol"
	"kiln.dev/programs/moduletool"
)

// prepared prepares a module that has files, and returns what stands in the stack's config file, and what the CLI was given to read.
func prepared(t *testing.T, job moduletool.Job, files map[string]string) (config string, inputs []string) {
	t.Helper()
	job.Module, job.Room = t.TempDir(), t.TempDir()
	files["Pulumi.yaml"] = "name: web\nruntime: yaml\n"
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(job.Module, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	bin := t.TempDir()
	if err := os.WriteFile(filepath.Join(bin, "pulumi"), nil, 0o700); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PATH", bin)
	job.Environment, job.Tell = []string{"KILN_TOOL_VERSION=3.253.0", "HOME=" + job.Room}, &told{}
	job.Run = func(_ context.Context, c child.Command) (child.Result, error) {
		if slices.Contains(c.Arguments, "config") {
			text, err := io.ReadAll(c.Input)
			inputs = append(inputs, string(text))
			return child.Result{}, err
		}
		return child.Result{}, nil
	}
	tool := New(job)
	if err := tool.Prepare(t.Context()); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(tool.config)
	if err != nil {
		t.Fatal(err)
	}
	return string(text), inputs
}

// TestConfigOfAQualifiedStack: its file is called after the last part of its name.
func TestConfigOfAQualifiedStack(t *testing.T) {
	const own = "config:\n  web:region: here\n"
	config, _ := prepared(t, moduletool.Job{Stack: "acme/web/prod", StateMode: moduleprotocol.Remote, Create: true},
		map[string]string{"Pulumi.prod.yaml": own})
	if config != own {
		t.Errorf("the module's own config is lost: %q", config)
	}
}

// TestLineEnds: `config set` takes one line end off what it reads; the value's own stay.
func TestLineEnds(t *testing.T) {
	for _, value := range []string{"text", "line\n", "lines\n\n", ""} {
		raw, err := json.Marshal(value)
		if err != nil {
			t.Fatal(err)
		}
		_, inputs := prepared(t, moduletool.Job{Stack: "dev", StateMode: moduleprotocol.Carried, Inputs: map[string]json.RawMessage{"v": raw}},
			map[string]string{"Pulumi.dev.yaml": "config:\n  web:region: here\n"})
		if len(inputs) != 1 || strings.TrimSuffix(inputs[0], "\n") != value {
			t.Errorf("%q becomes %q", value, inputs)
		}
	}
}

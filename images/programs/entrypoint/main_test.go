package main

import (
	"encoding/json"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"kiln.dev/programs/moduleprotocol"
)

func TestCommandLine(t *testing.T) {
	for arguments, want := range map[string]struct {
		code           int
		stdout, stderr string
	}{
		"--help":       {0, usage, ""},
		"--version":    {0, "kiln-entrypoint dev exec/v1\n", ""},
		"--lost":       {2, "", "--lost"},
		"apply":        {2, "", `there is no command "apply"`},
		"capabilities": {0, `{"actions":["preview","apply","refresh","destroy","import"],"api_version":"exec/v1","tools":["pulumi","opentofu"],"version":"dev"}` + "\n", ""},
	} {
		var out, errs lockedBuffer
		code := run([]string{arguments}, strings.NewReader(""), &out, &errs)
		if code != want.code || out.String() != want.stdout || !strings.Contains(errs.String(), strings.TrimPrefix(want.stderr, "--")) {
			t.Errorf("%s: %d %q %q", arguments, code, out.String(), errs.String())
		}
	}
	var errs lockedBuffer
	if code := run([]string{"--input", "/dev/null", "--output", "/no/such/folder/x"}, strings.NewReader(""), &lockedBuffer{}, &errs); code != 1 || errs.String() == "" {
		t.Error(code, errs.String())
	}
}

func TestUnwritten(t *testing.T) {
	if said := unwritten(&fs.PathError{Op: "open", Path: "/workspace/x", Err: fs.ErrPermission}); !strings.Contains(said, "docker run --user") {
		t.Error(said)
	}
	if said := unwritten(io.ErrShortWrite); said != io.ErrShortWrite.Error() {
		t.Error(said)
	}
}

// TestPublishedResponse: the fields of the published interface are there by their names.
func TestPublishedResponse(t *testing.T) {
	t.Parallel()
	c := newContainer(t, "opentofu")
	c.succeed(request("apply"), "")
	var document map[string]any
	must(t, json.Unmarshal([]byte(readFile(c.workspace, "output.json")), &document))
	change := document["changes"].([]any)[0].(map[string]any)
	output := document["outputs"].(map[string]any)["answer"]
	if document["success"] != true || document["action"] != "apply" || !reflect.DeepEqual(output, map[string]any{"value": 42.0}) ||
		change["resource"] == "" || change["action"] != "create" || change["after"] == nil {
		t.Error(document)
	}
	if summary := document["summary"]; !reflect.DeepEqual(summary, map[string]any{"create": 1.0, "update": 0.0, "delete": 0.0, "replace": 0.0, "same": 0.0}) {
		t.Error(summary)
	}
}

func TestStateMode(t *testing.T) {
	module := t.TempDir()
	must(t, os.WriteFile(filepath.Join(module, "main.tf"), []byte("terraform {\n  backend \"s3\" {}\n}\n"), 0o600))
	empty := t.TempDir()
	state := json.RawMessage(`{"format":"x"}`)
	for _, c := range []struct {
		request      moduleprotocol.Request
		tool, module string
		environment  []string
		want         string
	}{
		{moduleprotocol.Request{}, "pulumi", empty, nil, "carried"},
		{moduleprotocol.Request{}, "pulumi", empty, []string{"PULUMI_BACKEND_URL=s3://b"}, "remote"},
		{moduleprotocol.Request{}, "pulumi", empty, []string{"PULUMI_BACKEND_URL="}, "carried"},
		{moduleprotocol.Request{State: state}, "pulumi", empty, []string{"PULUMI_BACKEND_URL=s3://b"}, "carried"},
		{moduleprotocol.Request{Backend: &moduleprotocol.Backend{Type: "s3"}}, "opentofu", empty, nil, "remote"},
		{moduleprotocol.Request{Backend: &moduleprotocol.Backend{Type: "local"}}, "opentofu", module, nil, "carried"},
		{moduleprotocol.Request{Backend: &moduleprotocol.Backend{Type: "local"}}, "pulumi", empty, nil, "carried"},
		{moduleprotocol.Request{Backend: &moduleprotocol.Backend{Type: "local", Config: map[string]string{"path": "/state"}}}, "pulumi", empty, nil, "remote"},
		{moduleprotocol.Request{}, "opentofu", module, nil, "remote"},
		{moduleprotocol.Request{StateMode: "ephemeral"}, "opentofu", module, nil, "ephemeral"},
		{moduleprotocol.Request{}, "opentofu", empty, []string{"PULUMI_BACKEND_URL=s3://b"}, "carried"},
	} {
		if got, err := stateMode(c.request, c.tool, c.module, c.environment); err != nil || got != c.want {
			t.Errorf("%+v: %s %v", c, got, err)
		}
	}
}

// TestEnvironment: the request's variables come after the image's, the secret ones last; files are for the tool alone.
func TestEnvironment(t *testing.T) {
	t.Setenv("KILN_SECRETS", "stdin")
	t.Setenv("HOME", "/proc")
	room := t.TempDir()
	environment, err := toolEnvironment(room, moduleprotocol.Request{Environment: map[string]string{"A": "request"}}, moduleprotocol.Secrets{
		Environment: map[string]string{"A": "secret"}, Files: map[string]moduleprotocol.SecretFile{"F": {Name: "/x/k.json", Content: []byte("k")}}})
	must(t, err)
	path := filepath.Join(room, "files", "F", "k.json")
	for _, want := range []string{"F=" + path, "HOME=" + filepath.Join(room, "home"), "PULUMI_HOME=/proc/.pulumi", "USER=kiln"} {
		if !slices.Contains(environment, want) {
			t.Error("there is no", want)
		}
	}
	t.Setenv("USER", "somebody")
	named, err := toolEnvironment(room, moduleprotocol.Request{}, moduleprotocol.Secrets{})
	must(t, err)
	if slices.Index(named, "USER=somebody") < slices.Index(named, "USER=kiln") {
		t.Error("the name of a user who has one is not its USER")
	}
	if slices.Contains(environment, "A=request") || !slices.Contains(environment, "A=secret") || slices.Contains(environment, "KILN_SECRETS=stdin") {
		t.Error(environment)
	}
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o400 {
		t.Error(info, err)
	}
}

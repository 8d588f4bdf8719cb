package tofutool

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"kiln.dev/programs/child"
	"kiln.dev/programs/moduletool"
)

// initArguments prepares a module and returns the command line of init.
func initArguments(t *testing.T) []string {
	t.Helper()
	bin := t.TempDir()
	if err := os.WriteFile(filepath.Join(bin, "tofu"), nil, 0o700); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PATH", bin)
	var ran []child.Command
	tool := New(moduletool.Job{Module: t.TempDir(), Room: t.TempDir(), Tell: &told{}, Create: true,
		Run: func(_ context.Context, c child.Command) (child.Result, error) {
			ran = append(ran, c)
			return child.Result{}, nil
		}})
	if err := tool.Prepare(t.Context()); err != nil || len(ran) != 1 || ran[0].Arguments[0] != "init" {
		t.Fatalf("%v %+v", err, ran)
	}
	return ran[0].Arguments
}

// TestProvidersOfTheImage: they are found whatever TF_CLI_CONFIG_FILE says; an image without them is left to it.
func TestProvidersOfTheImage(t *testing.T) {
	former := providersFolder
	defer func() { providersFolder = former }()
	providersFolder = t.TempDir()
	if arguments := initArguments(t); !slices.Contains(arguments, "-plugin-dir="+providersFolder) {
		t.Errorf("%q", arguments)
	}
	providersFolder = filepath.Join(providersFolder, "none")
	if arguments := initArguments(t); !slices.Equal(arguments, []string{"init", "-json", "-no-color"}) {
		t.Errorf("%q", arguments)
	}
}

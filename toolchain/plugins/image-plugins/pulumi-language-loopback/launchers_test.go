package main

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
	"google.golang.org/protobuf/types/known/structpb"
)

// request is a run of the program in a folder, with runtime options.
func request(t *testing.T, folder string, options map[string]any) *pulumirpc.RunRequest {
	t.Helper()
	given, err := structpb.NewStruct(options)
	if err != nil {
		t.Fatal(err)
	}
	return &pulumirpc.RunRequest{
		Project: "p", Stack: "s", Pwd: folder, DryRun: true, MonitorAddress: "monitor:1", Parallel: 4,
		Config: map[string]string{"p:a": "1"}, ConfigSecretKeys: []string{"p:a"},
		Info: &pulumirpc.ProgramInfo{RootDirectory: folder, ProgramDirectory: folder, Options: given},
	}
}

func makeFile(t *testing.T, file string) string {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, nil, 0o755); err != nil {
		t.Fatal(err)
	}
	return file
}

func TestNameDecides(t *testing.T) {
	for _, name := range []string{"pulumi-language-nodejs", "pulumi-language-python", "pulumi-language-go"} {
		if _, err := launcherOf(name); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	for _, name := range []string{"pulumi-language-loopback", "pulumi-language-java", ""} {
		if _, err := launcherOf(name); err == nil {
			t.Errorf("%q is taken for a host", name)
		}
	}
}

func TestNodeTakesSdkOfTheProgram(t *testing.T) {
	folder := t.TempDir()
	inner := filepath.Join(folder, "src/program")
	launcher := makeFile(t, filepath.Join(folder, "node_modules/@pulumi/pulumi/cmd/run/index.js"))
	asked := request(t, inner, map[string]any{"typescript": false})
	asked.Args = []string{"extra"}
	command, err := nodejs(program{engine: "engine:1", request: asked})
	if err != nil {
		t.Fatal(err)
	}
	arguments := strings.Join(command.Args, " ")
	want := "node " + launcher + " --monitor=monitor:1 --engine=engine:1 --project=p --root-directory=" + inner +
		" --stack=s --pwd=" + inner + " --parallel=4 --dry-run . extra"
	if arguments != want {
		t.Errorf("command is\n%s, not\n%s", arguments, want)
	}
	if slices.Contains(command.Env, "PULUMI_NODEJS_TYPESCRIPT=true") {
		t.Error("the program is compiled against its option")
	}
	compiled, err := nodejs(program{request: request(t, inner, nil)})
	if err != nil || !slices.Contains(compiled.Env, "PULUMI_NODEJS_TYPESCRIPT=true") {
		t.Error("a program is not compiled by default", err)
	}
	if _, err := nodejs(program{request: request(t, t.TempDir(), nil)}); err == nil {
		t.Error("no SDK, and no error")
	}
}

func TestPythonOfTheEnvironment(t *testing.T) {
	for _, one := range []struct {
		options map[string]any
		want    string
	}{
		{nil, "python3"},
		{map[string]any{"virtualenv": "venv"}, "/app/venv/bin/python"},
		{map[string]any{"virtualenv": "/opt/venv"}, "/opt/venv/bin/python"},
	} {
		command, err := python(program{request: request(t, "/app", one.options)})
		if err != nil || command.Args[0] != one.want || command.Args[len(command.Args)-1] != "/app" {
			t.Errorf("%v gives %v %v", one.options, command.Args, err)
		}
	}
}

func TestGoWantsPrebuiltProgram(t *testing.T) {
	folder := t.TempDir()
	built := makeFile(t, filepath.Join(folder, "kiln-module"))
	t.Setenv("PATH", folder)
	command, err := golang(program{request: request(t, "/app", map[string]any{"binary": "kiln-module"})})
	if err != nil || command.Path != built {
		t.Fatal(command, err)
	}
	for _, options := range []map[string]any{nil, {"binary": ""}, {"binary": "other"}, {"binary": 3}} {
		if _, err := golang(program{request: request(t, "/app", options)}); err == nil {
			t.Errorf("%v gives a program", options)
		}
	}
}

func TestEnvironmentOfPrograms(t *testing.T) {
	environment, err := programEnvironment("engine:1", request(t, "/app", nil))
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		`PULUMI_CONFIG={"p:a":"1"}`, `PULUMI_CONFIG_SECRET_KEYS=["p:a"]`, "PULUMI_DRY_RUN=true",
		"PULUMI_STACK=s", "PULUMI_PROJECT=p", "PULUMI_MONITOR=monitor:1", "PULUMI_ENGINE=engine:1", "PULUMI_PARALLEL=4",
	} {
		if !slices.Contains(environment, want) {
			t.Errorf("no %s", want)
		}
	}
}

func TestEnvironmentWithoutConfiguration(t *testing.T) {
	environment, err := programEnvironment("engine:1", &pulumirpc.RunRequest{})
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"PULUMI_CONFIG={}", "PULUMI_CONFIG_SECRET_KEYS=[]"} {
		if !slices.Contains(environment, want) {
			t.Errorf("no %s", want)
		}
	}
}

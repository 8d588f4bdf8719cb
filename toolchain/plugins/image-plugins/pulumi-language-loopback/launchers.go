package main

import (
	_ "embed"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"

	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
)

// launchers are by runtime, as project files name it.
var launchers = map[string]launcher{"nodejs": nodejs, "python": python, "go": golang}

//go:embed launch.py
var pythonLauncher string

// nodejs starts the SDK's own launcher, of the SDK that the program has.
func nodejs(program program) (*exec.Cmd, error) {
	launcher, err := above(programDirectory(program.request), "node_modules/@pulumi/pulumi/cmd/run/index.js")
	if err != nil {
		return nil, err
	}
	arguments := append([]string{launcher}, options(program)...)
	if program.request.GetDryRun() {
		arguments = append(arguments, "--dry-run")
	}
	arguments = append(arguments, entryPoint(program.request))
	command := exec.Command("node", append(arguments, program.request.GetArgs()...)...)
	// Without the option a program is compiled when it runs, which Node itself does not do.
	if compiles, isSet := program.request.GetInfo().GetOptions().AsMap()["typescript"].(bool); !isSet || compiles {
		command.Env = []string{"PULUMI_NODEJS_TYPESCRIPT=true"}
	}
	return command, nil
}

// python starts a launcher of ours, because the SDK's own stands beside the official host and not in the SDK.
func python(program program) (*exec.Cmd, error) {
	interpreter := "python3"
	options := program.request.GetInfo().GetOptions().AsMap()
	if folder, isText := options["virtualenv"].(string); isText && folder != "" {
		if !filepath.IsAbs(folder) {
			folder = filepath.Join(program.request.GetInfo().GetRootDirectory(), folder)
		}
		interpreter = filepath.Join(folder, "bin/python")
	}
	return exec.Command(interpreter, "-u", "-c", pythonLauncher, entryPath(program.request)), nil
}

// golang starts the prebuilt program that the runtime option names, from PATH: images have no Go.
func golang(program program) (*exec.Cmd, error) {
	binary, isText := program.request.GetInfo().GetOptions().AsMap()["binary"].(string)
	if !isText || binary == "" {
		return nil, errors.New("the project file names no prebuilt program in runtime.options.binary")
	}
	found, err := exec.LookPath(binary)
	if err != nil {
		return nil, fmt.Errorf("prebuilt program: %w", err)
	}
	return exec.Command(found), nil
}

// options are those of the Node SDK's launcher.
func options(program program) []string {
	request := program.request
	var given []string
	for _, option := range [][2]string{
		{"monitor", request.GetMonitorAddress()},
		{"engine", program.engine},
		{"organization", request.GetOrganization()},
		{"project", request.GetProject()},
		{"root-directory", request.GetInfo().GetRootDirectory()},
		{"stack", request.GetStack()},
		{"pwd", request.GetPwd()},
		{"parallel", strconv.Itoa(int(request.GetParallel()))},
	} {
		if option[1] != "" {
			given = append(given, "--"+option[0]+"="+option[1])
		}
	}
	return given
}

func programDirectory(request *pulumirpc.RunRequest) string {
	if directory := request.GetInfo().GetProgramDirectory(); directory != "" {
		return directory
	}
	return request.GetPwd()
}

func entryPoint(request *pulumirpc.RunRequest) string {
	if entry := request.GetInfo().GetEntryPoint(); entry != "" {
		return entry
	}
	return "."
}

func entryPath(request *pulumirpc.RunRequest) string {
	if entry := entryPoint(request); filepath.IsAbs(entry) {
		return entry
	}
	return filepath.Join(programDirectory(request), entryPoint(request))
}

// above looks for a file in a folder and in those above it, as Node looks for packages.
func above(folder, file string) (string, error) {
	for at := folder; ; at = filepath.Dir(at) {
		candidate := filepath.Join(at, file)
		if _, err := os.Stat(candidate); err == nil {
			return candidate, nil
		}
		if at == filepath.Dir(at) {
			return "", fmt.Errorf("no %s in %s or above: is @pulumi/pulumi a dependency?", file, folder)
		}
	}
}

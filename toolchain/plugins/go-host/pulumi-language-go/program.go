package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strconv"

	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
)

// The program has told the engine what is wrong; nothing is to be added (constant.ExitStatusLoggedError).
const exitAfterMessage = 32

// compileProgram builds as the host of Pulumi 3.247 and later does: the flags enter Go's action IDs, the fresh path
// makes Go link again.
func compileProgram(ctx context.Context, directory string) (string, error) {
	file, err := os.CreateTemp("", "pulumi-go.*")
	if err != nil {
		return "", err
	}
	if err := file.Close(); err != nil {
		return "", err
	}
	build := exec.CommandContext(ctx, "go", "build", "-buildvcs=false", "-o", file.Name(), "-trimpath", "-ldflags", "-w -s")
	build.Dir = directory
	build.Stdout, build.Stderr = os.Stderr, os.Stderr
	if err := build.Run(); err != nil {
		os.Remove(file.Name())
		return "", fmt.Errorf("go build in %s: %w", directory, err)
	}
	return file.Name(), nil
}

func runProgram(
	ctx context.Context, binary, engine string, request *pulumirpc.RunRequest,
) (*pulumirpc.RunResponse, error) {
	environment, err := programEnvironment(engine, request)
	if err != nil {
		return nil, err
	}
	program := exec.CommandContext(ctx, binary)
	program.Dir = request.GetPwd()
	program.Env = environment
	program.Stdout, program.Stderr = os.Stdout, os.Stderr
	err = program.Run()
	var exit *exec.ExitError
	switch {
	case err == nil:
		return &pulumirpc.RunResponse{}, nil
	case errors.As(err, &exit) && exit.ExitCode() == exitAfterMessage:
		return &pulumirpc.RunResponse{Bail: true}, nil
	default:
		return &pulumirpc.RunResponse{Error: fmt.Sprintf("the program ended with %v", err)}, nil
	}
}

// programEnvironment is what the SDK reads its run from (sdk/go/pulumi/run.go).
func programEnvironment(engine string, request *pulumirpc.RunRequest) ([]string, error) {
	config, err := json.Marshal(request.GetConfig())
	if err != nil {
		return nil, err
	}
	secretKeys, err := json.Marshal(request.GetConfigSecretKeys())
	if err != nil {
		return nil, err
	}
	environment := os.Environ()
	for _, variable := range [][2]string{
		{"PULUMI_ORGANIZATION", request.GetOrganization()},
		{"PULUMI_PROJECT", request.GetProject()},
		{"PULUMI_ROOT_DIRECTORY", request.GetInfo().GetRootDirectory()},
		{"PULUMI_STACK", request.GetStack()},
		{"PULUMI_CONFIG", string(config)},
		{"PULUMI_CONFIG_SECRET_KEYS", string(secretKeys)},
		{"PULUMI_DRY_RUN", strconv.FormatBool(request.GetDryRun())},
		{"PULUMI_PARALLEL", strconv.Itoa(int(request.GetParallel()))},
		{"PULUMI_MONITOR", request.GetMonitorAddress()},
		{"PULUMI_ENGINE", engine},
	} {
		if variable[1] != "" {
			environment = append(environment, variable[0]+"="+variable[1])
		}
	}
	return environment, nil
}

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
	"google.golang.org/protobuf/types/known/emptypb"
)

// The program has told the engine what is wrong; nothing is to be added (constant.ExitStatusLoggedError, and the same number
// in the SDKs of Node and Python).
const exitAfterMessage = 32

// launcher is the command that runs a program.
type launcher func(program program) (*exec.Cmd, error)

// program is what a run is about.
type program struct {
	engine  string
	request *pulumirpc.RunRequest
}

type languageHost struct {
	pulumirpc.UnimplementedLanguageRuntimeServer
	engine string
	launch launcher
}

func (host *languageHost) Handshake(
	_ context.Context, request *pulumirpc.LanguageHandshakeRequest,
) (*pulumirpc.LanguageHandshakeResponse, error) {
	host.engine = request.GetEngineAddress()
	return &pulumirpc.LanguageHandshakeResponse{}, nil
}

func (host *languageHost) GetPluginInfo(context.Context, *emptypb.Empty) (*pulumirpc.PluginInfo, error) {
	return &pulumirpc.PluginInfo{Version: "0.0.0-loopback"}, nil
}

// GetRequiredPackages names none: what an image holds is on PATH.
func (host *languageHost) GetRequiredPackages(
	context.Context, *pulumirpc.GetRequiredPackagesRequest,
) (*pulumirpc.GetRequiredPackagesResponse, error) {
	return &pulumirpc.GetRequiredPackagesResponse{}, nil
}

func (host *languageHost) Cancel(context.Context, *emptypb.Empty) (*emptypb.Empty, error) {
	return &emptypb.Empty{}, nil
}

// Run runs the program to its end. What goes wrong in it is in the response.
func (host *languageHost) Run(_ context.Context, request *pulumirpc.RunRequest) (*pulumirpc.RunResponse, error) {
	command, err := host.launch(program{engine: host.engine, request: request})
	if err != nil {
		return nil, err
	}
	environment, err := programEnvironment(host.engine, request)
	if err != nil {
		return nil, err
	}
	command.Env = append(command.Env, environment...)
	command.Dir = request.GetPwd()
	command.Stdout, command.Stderr = os.Stdout, os.Stderr
	err = command.Run()
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

// programEnvironment is what the SDKs read their run and its configuration from.
func programEnvironment(engine string, request *pulumirpc.RunRequest) ([]string, error) {
	settings, secrets := request.GetConfig(), request.GetConfigSecretKeys()
	// A stack without configuration has an empty one: the SDKs refuse null.
	if settings == nil {
		settings = map[string]string{}
	}
	if secrets == nil {
		secrets = []string{}
	}
	config, err := json.Marshal(settings)
	if err != nil {
		return nil, fmt.Errorf("configuration: %w", err)
	}
	secretKeys, err := json.Marshal(secrets)
	if err != nil {
		return nil, fmt.Errorf("names of secrets: %w", err)
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

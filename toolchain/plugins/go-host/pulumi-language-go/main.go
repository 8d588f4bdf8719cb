// The part of Pulumi's Go language host that a preview needs, for tests on machines that cannot get the official one.
// It asks Go for the same things, in the same order and with the same flags (pulumi/pulumi, sdk/go/pulumi-language-go);
// the protocol is pulumi/language.proto.
package main

import (
	"context"
	"fmt"
	"net"
	"os"

	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
	"google.golang.org/grpc"
	"google.golang.org/protobuf/types/known/emptypb"
	"google.golang.org/protobuf/types/known/structpb"
)

// Larger than gRPC's own limit, as the engine has it: programs hand over whole files.
const maxMessageBytes = 400 << 20

func main() {
	if err := serve(); err != nil {
		fmt.Fprintln(os.Stderr, "stand-in for pulumi-language-go:", err)
		os.Exit(1)
	}
}

func serve() error {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	server := grpc.NewServer(grpc.MaxRecvMsgSize(maxMessageBytes))
	host := &languageHost{}
	if len(os.Args) > 1 {
		host.engine = os.Args[len(os.Args)-1]
	}
	pulumirpc.RegisterLanguageRuntimeServer(server, host)
	// The engine reads the port from the first line of standard output.
	fmt.Println(listener.Addr().(*net.TCPAddr).Port)
	return server.Serve(listener)
}

type languageHost struct {
	pulumirpc.UnimplementedLanguageRuntimeServer
	engine string
}

func (host *languageHost) Handshake(
	_ context.Context, request *pulumirpc.LanguageHandshakeRequest,
) (*pulumirpc.LanguageHandshakeResponse, error) {
	host.engine = request.GetEngineAddress()
	return &pulumirpc.LanguageHandshakeResponse{}, nil
}

func (host *languageHost) GetPluginInfo(context.Context, *emptypb.Empty) (*pulumirpc.PluginInfo, error) {
	return &pulumirpc.PluginInfo{Version: "0.0.0-stand-in"}, nil
}

func (host *languageHost) Cancel(context.Context, *emptypb.Empty) (*emptypb.Empty, error) {
	return &emptypb.Empty{}, nil
}

// GetRequiredPackages names the providers of every module that go.mod requires, used or not. Where Go does not know a
// module, the list is empty, as the official host's is.
func (host *languageHost) GetRequiredPackages(
	ctx context.Context, request *pulumirpc.GetRequiredPackagesRequest,
) (*pulumirpc.GetRequiredPackagesResponse, error) {
	if _, err := goOutput(ctx, ".", nil, "version"); err != nil {
		return nil, err
	}
	packages, err := requiredPackages(ctx, request.GetInfo().GetProgramDirectory())
	if err != nil {
		fmt.Fprintln(os.Stderr, "stand-in for pulumi-language-go: no package list:", err)
		return &pulumirpc.GetRequiredPackagesResponse{}, nil
	}
	return &pulumirpc.GetRequiredPackagesResponse{Packages: packages}, nil
}

// Run runs the executable that the runtime option `binary` names, or compiles the program to a fresh path and runs that.
// What goes wrong in the program is in the response.
func (host *languageHost) Run(
	ctx context.Context, request *pulumirpc.RunRequest,
) (*pulumirpc.RunResponse, error) {
	name, err := binaryOption(request.GetInfo().GetOptions())
	if err != nil {
		return nil, err
	}
	if name != "" {
		binary, err := findExecutable(name)
		if err != nil {
			return nil, fmt.Errorf("unable to find '%s' executable: %w", name, err)
		}
		return runProgram(ctx, binary, host.engine, request)
	}
	binary, err := compileProgram(ctx, request.GetInfo().GetProgramDirectory())
	if err != nil {
		return nil, err
	}
	defer os.Remove(binary)
	return runProgram(ctx, binary, host.engine, request)
}

// binaryOption is the name of a prebuilt program; empty where the program is to be compiled.
func binaryOption(options *structpb.Struct) (string, error) {
	var binary string
	for name, value := range options.AsMap() {
		text, isText := value.(string)
		switch {
		case name != "binary":
			return "", fmt.Errorf("the stand-in for pulumi-language-go does not know the runtime option %q", name)
		case !isText:
			return "", fmt.Errorf("binary option must be a string, got %T", value)
		}
		binary = text
	}
	return binary, nil
}

package main

import (
	"context"

	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
	"google.golang.org/protobuf/types/known/emptypb"
	"google.golang.org/protobuf/types/known/structpb"
)

type provider struct {
	pulumirpc.UnimplementedResourceProviderServer
	version string
}

func (one *provider) GetPluginInfo(context.Context, *emptypb.Empty) (*pulumirpc.PluginInfo, error) {
	return &pulumirpc.PluginInfo{Version: one.version}, nil
}

func (*provider) GetSchema(context.Context, *pulumirpc.GetSchemaRequest) (*pulumirpc.GetSchemaResponse, error) {
	return &pulumirpc.GetSchemaResponse{Schema: "{}"}, nil
}

func (*provider) Parameterize(
	_ context.Context, request *pulumirpc.ParameterizeRequest,
) (*pulumirpc.ParameterizeResponse, error) {
	value := request.GetValue()
	return &pulumirpc.ParameterizeResponse{Name: value.GetName(), Version: value.GetVersion()}, nil
}

func (*provider) CheckConfig(_ context.Context, request *pulumirpc.CheckRequest) (*pulumirpc.CheckResponse, error) {
	return &pulumirpc.CheckResponse{Inputs: request.GetNews()}, nil
}

func (*provider) DiffConfig(context.Context, *pulumirpc.DiffRequest) (*pulumirpc.DiffResponse, error) {
	return &pulumirpc.DiffResponse{Changes: pulumirpc.DiffResponse_DIFF_NONE}, nil
}

func (*provider) Configure(context.Context, *pulumirpc.ConfigureRequest) (*pulumirpc.ConfigureResponse, error) {
	return &pulumirpc.ConfigureResponse{
		AcceptSecrets: true, SupportsPreview: true, AcceptResources: true, AcceptOutputs: true,
	}, nil
}

func (*provider) Check(_ context.Context, request *pulumirpc.CheckRequest) (*pulumirpc.CheckResponse, error) {
	return &pulumirpc.CheckResponse{Inputs: request.GetNews()}, nil
}

func (*provider) Diff(context.Context, *pulumirpc.DiffRequest) (*pulumirpc.DiffResponse, error) {
	return &pulumirpc.DiffResponse{Changes: pulumirpc.DiffResponse_DIFF_UNKNOWN}, nil
}

// Create answers previews only: nothing that this provider makes exists.
func (one *provider) Create(
	ctx context.Context, request *pulumirpc.CreateRequest,
) (*pulumirpc.CreateResponse, error) {
	if !request.GetPreview() {
		return one.UnimplementedResourceProviderServer.Create(ctx, request)
	}
	return &pulumirpc.CreateResponse{Properties: request.GetProperties()}, nil
}

// Invoke answers a data source with its arguments and, as far as they lack them, an id and lists long enough for
// programs that take the first three of something.
func (*provider) Invoke(_ context.Context, request *pulumirpc.InvokeRequest) (*pulumirpc.InvokeResponse, error) {
	result, err := structpb.NewStruct(map[string]any{
		"id":    "stand-in",
		"ids":   []any{"stand-in-a", "stand-in-b", "stand-in-c"},
		"names": []any{"stand-in-a", "stand-in-b", "stand-in-c"},
	})
	if err != nil {
		return nil, err
	}
	for name, value := range request.GetArgs().GetFields() {
		result.Fields[name] = value
	}
	return &pulumirpc.InvokeResponse{Return: result}, nil
}

func (*provider) Cancel(context.Context, *emptypb.Empty) (*emptypb.Empty, error) {
	return &emptypb.Empty{}, nil
}

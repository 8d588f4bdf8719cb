package main

import (
	"context"
	_ "embed"
	"errors"
	"fmt"
	"os"
	"strings"
	"sync"
	"time"

	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/emptypb"
	"google.golang.org/protobuf/types/known/structpb"
)

const version = "0.1.0"

// Where notes are when neither the provider's configuration nor the environment says it: beside a module's request.
const defaultStore = "/workspace/notes"

//go:embed schema.json
var schema string

type provider struct {
	pulumirpc.UnimplementedResourceProviderServer
	notes    store
	canceled chan struct{}
	cancel   sync.Once
}

func newProvider() *provider {
	address := os.Getenv("NOTES_STORE")
	if address == "" {
		address = defaultStore
	}
	return &provider{notes: openStore(address), canceled: make(chan struct{})}
}

func (*provider) GetPluginInfo(context.Context, *emptypb.Empty) (*pulumirpc.PluginInfo, error) {
	return &pulumirpc.PluginInfo{Version: version}, nil
}

func (*provider) GetSchema(context.Context, *pulumirpc.GetSchemaRequest) (*pulumirpc.GetSchemaResponse, error) {
	return &pulumirpc.GetSchemaResponse{Schema: schema}, nil
}

func (*provider) CheckConfig(_ context.Context, request *pulumirpc.CheckRequest) (*pulumirpc.CheckResponse, error) {
	return &pulumirpc.CheckResponse{Inputs: request.GetNews()}, nil
}

// DiffConfig finds no difference: another store is another place, and the notes there are read anew.
func (*provider) DiffConfig(context.Context, *pulumirpc.DiffRequest) (*pulumirpc.DiffResponse, error) {
	return &pulumirpc.DiffResponse{Changes: pulumirpc.DiffResponse_DIFF_NONE}, nil
}

// Configure leaves secrets to the engine: it takes their marks off inputs and puts them on the outputs of the same names.
func (one *provider) Configure(
	_ context.Context, request *pulumirpc.ConfigureRequest,
) (*pulumirpc.ConfigureResponse, error) {
	if address := request.GetArgs().GetFields()["store"].GetStringValue(); address != "" {
		one.notes = openStore(address)
	}
	return &pulumirpc.ConfigureResponse{SupportsPreview: true}, nil
}

// Check names a note after its resource where it has no name of its own.
func (*provider) Check(_ context.Context, request *pulumirpc.CheckRequest) (*pulumirpc.CheckResponse, error) {
	inputs := request.GetNews()
	if inputs.GetFields()["name"].GetStringValue() == "" {
		inputs = &structpb.Struct{Fields: cloned(inputs.GetFields())}
		inputs.Fields["name"] = structpb.NewStringValue(resourceName(request.GetUrn()))
	}
	if _, err := readNote(inputs); err != nil {
		failure := &pulumirpc.CheckFailure{Property: "name", Reason: err.Error()}
		return &pulumirpc.CheckResponse{Inputs: inputs, Failures: []*pulumirpc.CheckFailure{failure}}, nil
	}
	return &pulumirpc.CheckResponse{Inputs: inputs}, nil
}

// Diff compares what a note holds; another name is another note.
func (*provider) Diff(_ context.Context, request *pulumirpc.DiffRequest) (*pulumirpc.DiffResponse, error) {
	before, after := request.GetOlds().GetFields(), request.GetNews().GetFields()
	response := &pulumirpc.DiffResponse{Changes: pulumirpc.DiffResponse_DIFF_NONE}
	for _, name := range []string{"name", "content"} {
		if !proto.Equal(before[name], after[name]) {
			response.Changes = pulumirpc.DiffResponse_DIFF_SOME
			response.Diffs = append(response.Diffs, name)
		}
	}
	if !proto.Equal(before["name"], after["name"]) {
		response.Replaces = []string{"name"}
	}
	return response, nil
}

func (one *provider) Create(
	_ context.Context, request *pulumirpc.CreateRequest,
) (*pulumirpc.CreateResponse, error) {
	wanted, err := readNote(request.GetProperties())
	if err != nil {
		return nil, err
	}
	if request.GetPreview() {
		return &pulumirpc.CreateResponse{Properties: wanted.properties()}, nil
	}
	if err := one.write(wanted); err != nil {
		return nil, err
	}
	return &pulumirpc.CreateResponse{Id: wanted.Name, Properties: wanted.properties()}, nil
}

func (one *provider) Update(
	_ context.Context, request *pulumirpc.UpdateRequest,
) (*pulumirpc.UpdateResponse, error) {
	wanted, err := readNote(request.GetNews())
	if err != nil {
		return nil, err
	}
	if !request.GetPreview() {
		if err := one.write(wanted); err != nil {
			return nil, err
		}
	}
	return &pulumirpc.UpdateResponse{Properties: wanted.properties()}, nil
}

// Read finds what stands outside now; the answer without an identifier says that it is gone. An import asks by identifier.
func (one *provider) Read(_ context.Context, request *pulumirpc.ReadRequest) (*pulumirpc.ReadResponse, error) {
	known := note{Name: request.GetId()}
	text, err := one.notes.read(known.Name)
	if errors.Is(err, errGone) {
		return &pulumirpc.ReadResponse{}, nil
	}
	if err != nil {
		return nil, fmt.Errorf("note %s: %w", known.Name, err)
	}
	found, err := known.withDocument(text)
	if err != nil {
		return nil, err
	}
	properties := found.properties()
	return &pulumirpc.ReadResponse{Id: known.Name, Properties: properties, Inputs: properties}, nil
}

func (one *provider) Delete(_ context.Context, request *pulumirpc.DeleteRequest) (*emptypb.Empty, error) {
	if err := one.notes.remove(request.GetId()); err != nil {
		return nil, fmt.Errorf("note %s: %w", request.GetId(), err)
	}
	return &emptypb.Empty{}, nil
}

// Cancel ends the waiting of notes that take their time.
func (one *provider) Cancel(context.Context, *emptypb.Empty) (*emptypb.Empty, error) {
	one.cancel.Do(func() { close(one.canceled) })
	return &emptypb.Empty{}, nil
}

func (one *provider) write(wanted note) error {
	if wanted.Refuse != "" {
		return fmt.Errorf("note %s: %s", wanted.Name, wanted.Refuse)
	}
	select {
	case <-time.After(wanted.delay()):
	case <-one.canceled:
		return fmt.Errorf("note %s: canceled", wanted.Name)
	}
	text, err := wanted.document()
	if err != nil {
		return err
	}
	return one.notes.write(wanted.Name, text)
}

// resourceName is the last part of urn:pulumi:<stack>::<project>::<type>::<name>.
func resourceName(urn string) string {
	return urn[strings.LastIndex(urn, "::")+len("::"):]
}

func cloned(fields map[string]*structpb.Value) map[string]*structpb.Value {
	copied := make(map[string]*structpb.Value, len(fields)+1)
	for name, value := range fields {
		copied[name] = value
	}
	return copied
}

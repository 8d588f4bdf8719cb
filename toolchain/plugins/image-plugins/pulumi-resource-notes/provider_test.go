package main

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
	"google.golang.org/protobuf/types/known/structpb"
)

const urn = "urn:pulumi:test::project::notes:index:Note::greeting"

func properties(t *testing.T, fields map[string]any) *structpb.Struct {
	t.Helper()
	made, err := structpb.NewStruct(fields)
	if err != nil {
		t.Fatal(err)
	}
	return made
}

// documents is a web server that keeps what it is given.
func documents(t *testing.T) string {
	var mutex sync.Mutex
	kept := map[string][]byte{}
	server := httptest.NewServer(http.HandlerFunc(func(response http.ResponseWriter, request *http.Request) {
		mutex.Lock()
		defer mutex.Unlock()
		content, isKept := kept[request.URL.Path]
		switch {
		case request.Method == http.MethodPut:
			kept[request.URL.Path], _ = io.ReadAll(request.Body)
		case !isKept:
			http.NotFound(response, request)
		case request.Method == http.MethodDelete:
			delete(kept, request.URL.Path)
		default:
			response.Write(content)
		}
	}))
	t.Cleanup(server.Close)
	return server.URL + "/notes/"
}

func TestLifeOfNote(t *testing.T) {
	for place, address := range map[string]string{"folder": filepath.Join(t.TempDir(), "new"), "server": documents(t)} {
		t.Run(place, func(t *testing.T) {
			ctx := context.Background()
			one := newProvider()
			if _, err := one.Configure(ctx, &pulumirpc.ConfigureRequest{Args: properties(t, map[string]any{"store": address})}); err != nil {
				t.Fatal(err)
			}
			read := func() *pulumirpc.ReadResponse {
				t.Helper()
				found, err := one.Read(ctx, &pulumirpc.ReadRequest{Id: "greeting", Urn: urn})
				if err != nil {
					t.Fatal(err)
				}
				return found
			}
			content := map[string]any{"deep": []any{1.5, "x", nil, true}}
			checked, err := one.Check(ctx, &pulumirpc.CheckRequest{Urn: urn, News: properties(t, map[string]any{"content": content})})
			if err != nil || len(checked.GetFailures()) > 0 {
				t.Fatal(err, checked)
			}
			if _, err := one.Create(ctx, &pulumirpc.CreateRequest{Urn: urn, Properties: checked.GetInputs(), Preview: true}); err != nil {
				t.Fatal(err)
			}
			if found := read(); found.GetId() != "" {
				t.Fatalf("a preview made %v", found)
			}
			created, err := one.Create(ctx, &pulumirpc.CreateRequest{Urn: urn, Properties: checked.GetInputs()})
			if err != nil || created.GetId() != "greeting" {
				t.Fatal(err, created)
			}
			inputs := read().GetInputs()
			if same, err := one.Diff(ctx, &pulumirpc.DiffRequest{Olds: created.GetProperties(), News: inputs}); err != nil || len(same.GetDiffs()) > 0 {
				t.Fatalf("what was written is read as another: %v %v", same, err)
			}
			wanted := properties(t, map[string]any{"name": "greeting", "content": "changed"})
			if diff, _ := one.Diff(ctx, &pulumirpc.DiffRequest{Olds: inputs, News: wanted}); diff.GetDiffs()[0] != "content" || len(diff.GetReplaces()) > 0 {
				t.Fatalf("diff is %v", diff)
			}
			if _, err := one.Update(ctx, &pulumirpc.UpdateRequest{Id: "greeting", News: wanted}); err != nil {
				t.Fatal(err)
			}
			if now := read().GetProperties().GetFields()["content"].GetStringValue(); now != "changed" {
				t.Fatalf("content is %q", now)
			}
			for range 2 {
				if _, err := one.Delete(ctx, &pulumirpc.DeleteRequest{Id: "greeting"}); err != nil {
					t.Fatal(err)
				}
			}
			if found := read(); found.GetId() != "" {
				t.Fatalf("it is there still: %v", found)
			}
		})
	}
}

func TestAnotherNameIsAnotherNote(t *testing.T) {
	diff, err := newProvider().Diff(context.Background(), &pulumirpc.DiffRequest{
		Olds: properties(t, map[string]any{"name": "a"}), News: properties(t, map[string]any{"name": "b"}),
	})
	if err != nil || len(diff.GetReplaces()) != 1 {
		t.Fatal(err, diff)
	}
}

func TestNameIsNoPath(t *testing.T) {
	for _, name := range []string{"../outside", "a/b", ".hidden", "-flag", "a b"} {
		checked, err := newProvider().Check(context.Background(), &pulumirpc.CheckRequest{
			Urn: urn, News: properties(t, map[string]any{"name": name}),
		})
		if err != nil || len(checked.GetFailures()) != 1 {
			t.Errorf("%q is taken for a name: %v %v", name, checked, err)
		}
	}
}

func TestFailureLeavesNothing(t *testing.T) {
	folder := t.TempDir()
	t.Setenv("NOTES_STORE", folder)
	_, err := newProvider().Create(context.Background(), &pulumirpc.CreateRequest{
		Properties: properties(t, map[string]any{"name": "n", "content": "c", "refuse": "no thanks"}),
	})
	if err == nil || !strings.Contains(err.Error(), "no thanks") {
		t.Fatalf("error is %v", err)
	}
	if entries, _ := os.ReadDir(folder); len(entries) > 0 {
		t.Fatalf("left behind: %v", entries)
	}
}

func TestCancelEndsWaiting(t *testing.T) {
	t.Setenv("NOTES_STORE", t.TempDir())
	one := newProvider()
	ended := make(chan error, 1)
	go func() {
		_, err := one.Create(context.Background(), &pulumirpc.CreateRequest{
			Properties: properties(t, map[string]any{"name": "n", "content": "c", "delaySeconds": 60}),
		})
		ended <- err
	}()
	for range 2 {
		if _, err := one.Cancel(context.Background(), nil); err != nil {
			t.Fatal(err)
		}
	}
	select {
	case err := <-ended:
		if err == nil || !strings.Contains(err.Error(), "canceled") {
			t.Fatalf("error is %v", err)
		}
	case <-time.After(10 * time.Second):
		t.Fatal("it waits still")
	}
}

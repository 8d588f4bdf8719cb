package record

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"kiln.dev/programs/diskcache"
	"kiln.dev/programs/fakego"
)

func start(t *testing.T, cache diskcache.Directory, file string) (*fakego.Client, chan error) {
	t.Helper()
	fromGo, toRecord := io.Pipe()
	fromRecord, toGo := io.Pipe()
	served := make(chan error, 1)
	go func() {
		err := serve(cache, file, fromGo, toGo)
		toGo.Close()
		served <- err
	}()
	client, err := fakego.Dial(toRecord, fromRecord)
	if err != nil {
		t.Fatal(err)
	}
	return client, served
}

func TestTheLogHasOneLineARequest(t *testing.T) {
	cache, file := diskcache.Directory(t.TempDir()), filepath.Join(t.TempDir(), "log")
	os.WriteFile(file, []byte("of an earlier command\n"), 0o666)
	client, served := start(t, cache, file)
	action, output := fakego.ID{1}, sha256.Sum256([]byte("content"))
	client.Get(action)
	client.Put(action, output, []byte("content"))
	got, _ := client.Get(action)
	if content, err := os.ReadFile(got.DiskPath); err != nil || string(content) != "content" {
		t.Errorf("got %q, %v", content, err)
	}
	if err := client.Close(); err != nil {
		t.Error(err)
	}
	if err := <-served; err != nil {
		t.Error(err)
	}
	log, _ := os.ReadFile(file)
	want := fmt.Sprintf("miss %x\nput %x %x 7\nhit %x %x 7\n", action, action, output, action, output)
	if string(log) != want {
		t.Errorf("log:\n%swant:\n%s", log, want)
	}
}

func TestNoTimeOfUseChanges(t *testing.T) {
	folder := t.TempDir()
	cache := diskcache.Directory(folder)
	output := sha256.Sum256(nil)
	cache.Put(fakego.ID{1}, output, 0, strings.NewReader(""))
	long := time.Now().Add(-1000 * time.Hour).Truncate(time.Second)
	files, _ := filepath.Glob(filepath.Join(folder, "*", "*"))
	for _, f := range files {
		os.Chtimes(f, long, long)
	}
	client, _ := start(t, cache, filepath.Join(t.TempDir(), "log"))
	if r, err := client.Get(fakego.ID{1}); err != nil || r.Miss {
		t.Fatalf("%+v, %v", r, err)
	}
	client.Close()
	for _, f := range files {
		if info, err := os.Stat(f); err != nil || !info.ModTime().Equal(long) {
			t.Errorf("%s: %v, %v", f, info, err)
		}
	}
}

func TestAHangupWritesTheLog(t *testing.T) {
	file := filepath.Join(t.TempDir(), "log")
	client, served := start(t, diskcache.Directory(t.TempDir()), file)
	client.Get(fakego.ID{1})
	client.Hangup()
	if err := <-served; err != nil {
		t.Error(err)
	}
	if log, _ := os.ReadFile(file); !strings.HasPrefix(string(log), "miss 01") {
		t.Errorf("log: %q", log)
	}
}

func TestASignalWritesTheLog(t *testing.T) {
	file := filepath.Join(t.TempDir(), "log")
	client, served := start(t, diskcache.Directory(t.TempDir()), file)
	client.Get(fakego.ID{1})
	syscall.Kill(os.Getpid(), syscall.SIGTERM)
	if err := <-served; !errors.Is(err, errStopped) {
		t.Error(err)
	}
	if log, _ := os.ReadFile(file); !strings.HasPrefix(string(log), "miss 01") {
		t.Errorf("log: %q", log)
	}
}

func TestALogThatCannotBeWrittenFailsTheBuild(t *testing.T) {
	client, served := start(t, diskcache.Directory(t.TempDir()), filepath.Join(t.TempDir(), "no", "folder"))
	if err := client.Close(); err == nil {
		t.Error("closed without an error")
	}
	if err := <-served; err == nil {
		t.Error("served without an error")
	}
}

func TestUsage(t *testing.T) {
	t.Setenv("GOCACHE", "relative")
	for _, args := range [][]string{{}, {"--log"}, {"--log", "x"}, {"--log", "x", "y"}, {"--unknown"}} {
		if code := Run(args, strings.NewReader(""), io.Discard, io.Discard); code != 2 {
			t.Errorf("%v: exit code %d", args, code)
		}
	}
}

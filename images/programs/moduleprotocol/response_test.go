package moduleprotocol

import (
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

// TestWholeAtEveryMoment reads a response while it is written over and over.
func TestWholeAtEveryMoment(t *testing.T) {
	path := filepath.Join(t.TempDir(), "output.json")
	response := Response{Action: Apply, Logs: strings.Repeat("line\n", 20_000)}
	if err := response.Write(path); err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	var writing sync.WaitGroup
	writing.Go(func() {
		defer close(done)
		for range 20 {
			if err := response.Write(path); err != nil {
				t.Error(err)
			}
		}
	})
	for reading := true; reading; {
		select {
		case <-done:
			reading = false
		default:
		}
		text, err := os.ReadFile(path)
		if err != nil || !json.Valid(text) {
			t.Fatal("half a response", len(text), err)
		}
	}
	writing.Wait()
	files, _ := os.ReadDir(filepath.Dir(path))
	if len(files) != 1 {
		t.Error("files are left behind:", files)
	}
	if info, _ := os.Stat(path); info.Mode().Perm() != 0o644 {
		t.Error("the one who asked cannot read it:", info.Mode())
	}
	if err := response.Write(filepath.Join(path, "no", "folder")); err == nil {
		t.Error("written to nowhere")
	}
}

func TestSummarize(t *testing.T) {
	var changes []Change
	for _, action := range []string{Create, Create, Update, Delete, Replace, NoOp, Read, Import} {
		changes = append(changes, Change{Action: action})
	}
	got := Summarize(changes)
	if got != (Summary{2, 1, 1, 1, 1}) || !got.Differs() || Summarize(changes[5:]).Differs() {
		t.Error(got)
	}
}

func TestFailures(t *testing.T) {
	for code, want := range map[string]int{
		BadRequest: 2, UnsupportedAction: 2, PlanMoved: 3, StateMissing: 3, StateMismatch: 3, StateKeyWrong: 3,
		DeadlineExceeded: 124, Cancelled: 143, ResourceFailed: 1, Internal: 1, StateLocked: 1,
	} {
		if got := ExitCode(Fail(code, "x")); got != want {
			t.Errorf("%s: %d; wanted %d", code, got, want)
		}
	}
	if !Fail(StateLocked, "x").Retryable || Fail(ResourceFailed, "x").Retryable {
		t.Error("only a lock goes away by itself")
	}
	wrapped := errors.Join(Fail(AuthFailed, "no login"), errors.New("and more"))
	if f := FailureOf(wrapped); f.Code != AuthFailed || f.Message != "no login\nand more" {
		t.Errorf("%+v", f)
	}
	if f := FailureOf(errors.New("disk")); f.Code != Internal {
		t.Errorf("%+v", f)
	}
}

package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"kiln.dev/programs/moduleprotocol"
)

// TestTwoRunsInOneFolder: the second one does nothing, says so with a code, and leaves the first one's response and events alone.
func TestTwoRunsInOneFolder(t *testing.T) {
	bothTools(t, func(t *testing.T, c *container) {
		c.staying = true
		first := c.start(request("apply", "run_id", "r-1"), "hang")
		first.ready()
		written, events := c.response(), readFile(c.workspace, "events.ndjson")
		second := c.complete(request("apply", "run_id", "r-2", "stack_name", "other"), "")
		if second.code != 3 || second.response.RunID != "r-1" || written.RunID != "r-1" || !strings.Contains(second.stderr, "state_locked: another run is at work") {
			t.Fatalf("%d %+v %s", second.code, second.response, second.stderr)
		}
		var answer moduleprotocol.Response
		must(t, json.Unmarshal([]byte(second.stdout), &answer))
		if answer.Success || answer.RunID != "r-2" || answer.Detail == nil || answer.Detail.Code != moduleprotocol.StateLocked || !answer.Detail.Retryable {
			t.Errorf("%+v", answer)
		}
		c.environment = []string{"KILN_EVENTS=1"}
		var event struct{ Kind, Code, At string }
		must(t, json.Unmarshal([]byte(c.complete(request("apply"), "").stdout), &event))
		if event.Kind != "diagnostic" || event.Code != moduleprotocol.StateLocked || event.At == "" {
			t.Errorf("%+v", event)
		}
		if now := readFile(c.workspace, "events.ndjson"); !strings.HasPrefix(now, events) {
			t.Error("the first run's events are gone")
		}
		first.signal(syscall.SIGINT)
		if o := first.wait(); o.response.RunID != "r-1" || o.response.Detail.Code != moduleprotocol.Cancelled {
			t.Errorf("%+v", o.response)
		}
		c.environment = nil
		c.succeed(request("refresh", "state", c.response().State), "")
		entries, err := os.ReadDir(c.workspace)
		must(t, err)
		for _, entry := range entries {
			if name := entry.Name(); name != "input.json" && name != "output.json" && name != "events.ndjson" {
				t.Error("the lock left", name)
			}
		}
	})
}

// TestFolderThatCannotBeLocked is used: not every file system has locks, nor every user the right to read a folder.
func TestFolderThatCannotBeLocked(t *testing.T) {
	release, unlocked, err := takeFolder(filepath.Join(t.TempDir(), "nowhere"))
	release()
	if unlocked == nil || err != nil {
		t.Error(unlocked, err)
	}
	place := t.TempDir()
	release, unlocked, err = takeFolder(place)
	if unlocked != nil || err != nil {
		t.Fatal(unlocked, err)
	}
	if _, _, again := takeFolder(place); again != errFolderTaken {
		t.Error(again)
	}
	release()
	if release, _, again := takeFolder(place); again != nil {
		t.Error(again)
	} else {
		release()
	}
}

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

// TestMissingState: nothing to destroy is not destroyed, and nothing to look at has no drift.
func TestMissingState(t *testing.T) {
	bothTools(t, func(t *testing.T, c *container) {
		for _, action := range []string{"destroy", "refresh"} {
			c.refuse(request(action), "", moduleprotocol.StateMissing, 3)
			c.refuse(request(action, "state_mode", "ephemeral"), "", moduleprotocol.StateMissing, 3)
		}
		if c.callsText() != "" {
			t.Error("the tool was asked:", c.callsText())
		}
		c.succeed(request("destroy", "destroy", map[string]any{"allow_missing_state": true}), "")
	})
}

func TestWrongState(t *testing.T) {
	bothTools(t, func(t *testing.T, c *container) {
		state := c.succeed(request("apply"), "").response.State
		c.refuse(request("destroy", "state", state, "stack_name", "other"), "", moduleprotocol.StateMismatch, 3)
		var envelope map[string]any
		must(t, json.Unmarshal(state, &envelope))
		envelope["tool"] = map[string]string{"pulumi": "opentofu", "opentofu": "pulumi"}[envelope["tool"].(string)]
		c.refuse(request("destroy", "state", envelope), "", moduleprotocol.StateMismatch, 3)
		c.secrets["state_key"] = strings.Repeat("A", 43) + "="
		c.refuse(request("destroy", "state", state), "", moduleprotocol.StateKeyWrong, 3)
		c.refuse(request("apply", "state", map[string]any{"format": "other"}), "", moduleprotocol.BadRequest, 2)
	})
}

// TestStateInTheClear comes through the secret channel without being written to a disk: of what the run leaves, nothing has it in the
// clear, and the tool's own files are in the room.
func TestStateInTheClear(t *testing.T) {
	bothTools(t, func(t *testing.T, c *container) {
		c.succeed(request("apply"), "")
		own := map[string]any{"version": 4, "lineage": "l", "serial": 3, "thing": map[string]any{"name": "in-the-clear"},
			"checkpoint": map[string]any{"latest": map[string]any{"resources": []any{map[string]any{
				"urn": fakeURN, "type": "fake:index:Thing", "inputs": map[string]any{"name": "in-the-clear"}}}}}}
		if r := c.succeed(request("preview", "state", own), "").response; !strings.Contains(r.Logs, "is in the clear") {
			t.Error("nobody is told of the state that lies about:", r.Logs)
		}
		c.secrets["state"] = own
		c.refuse(request("apply", "state", own), "", moduleprotocol.BadRequest, 2)
		s := c.start(request("apply"), "hang")
		s.ready()
		must(t, filepath.WalkDir(filepath.Dir(c.workspace), func(path string, entry os.DirEntry, err error) error {
			inside := strings.HasPrefix(path, c.run) || strings.HasPrefix(path, c.cloud)
			if err == nil && entry.Type().IsRegular() && !inside && strings.Contains(readFile(path, ""), "in-the-clear") {
				t.Error("it is in", path)
			}
			return nil
		}))
		s.signal(syscall.SIGINT)
		r := s.wait().response
		if r.Summary.Update != 1 || serial(t, r.State) != 1 || strings.Contains(r.Logs, "is in the clear") {
			t.Errorf("%+v", r)
		}
		delete(c.secrets, "state")
		c.succeed(request("destroy", "state", r.State), "")
	})
}

// TestRemoteState: the tool's own backend keeps the state; destroying a stack that is not there is refused there, too.
func TestRemoteState(t *testing.T) {
	bothTools(t, func(t *testing.T, c *container) {
		backend := map[string]any{"type": "s3", "config": map[string]any{"bucket": "b"}}
		c.refuse(request("destroy", "backend", backend), "", moduleprotocol.StateMissing, 3)
		if strings.Contains(c.callsText(), "--create") || strings.Contains(c.callsText(), "create=true") {
			t.Error("a stack was made, to be destroyed:", c.callsText())
		}
	})
	c := newContainer(t, "opentofu")
	for _, none := range []string{"# no backend\n", "terraform {\n  backend \"local\" {\n  }\n}\n"} {
		c.declare(none)
		c.refuse(request("apply", "state_mode", "remote"), "", moduleprotocol.BadRequest, 2)
	}
	if strings.Contains(c.callsText(), "apply") {
		t.Error("something was made whose state nobody keeps:", c.callsText())
	}
	c.declare("terraform {\n  backend \"s3\" {\n  }\n}\n")
	o := c.succeed(request("apply", "state_mode", "remote"), "")
	if o.response.State != nil || string(o.response.Outputs["remote"].Value) != "true" || strings.Contains(c.callsText(), "-state=") {
		t.Errorf("%+v %s", o.response, c.callsText())
	}
	if o := c.succeed(request("destroy", "state_mode", "remote"), ""); o.response.Summary.Delete != 1 {
		t.Errorf("%+v", o.response)
	}
}

// TestPlainRun: without a secret channel a key is made beside the response, and the next run opens the state with it.
func TestPlainRun(t *testing.T) {
	bothTools(t, func(t *testing.T, c *container) {
		c.secrets = nil
		first := c.succeed(request("apply"), "")
		info, err := os.Stat(filepath.Join(c.workspace, "state.key"))
		if err != nil || info.Mode().Perm() != 0o600 || !strings.Contains(first.response.Logs, "state.key") {
			t.Fatal(info, err, first.response.Logs)
		}
		if second := c.succeed(request("destroy", "state", first.response.State), ""); second.response.Summary.Delete != 1 {
			t.Errorf("%+v", second.response)
		}
	})
}

// TestDefaultStack: a request that names no stack goes on with the one of its state.
func TestDefaultStack(t *testing.T) {
	t.Parallel()
	c := newContainer(t, "opentofu")
	state := c.succeed(request("apply"), "").response.State
	unnamed := request("destroy", "state", state)
	delete(unnamed, "stack_name")
	if r := c.succeed(unnamed, "").response; r.Summary.Delete != 1 {
		t.Errorf("%+v", r)
	}
}

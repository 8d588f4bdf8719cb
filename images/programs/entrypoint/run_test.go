package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"kiln.dev/programs/moduleprotocol"
)

// TestLife goes through preview, apply, no change, drift, refresh and destroy, the state carried from run to run.
func TestLife(t *testing.T) {
	bothTools(t, func(t *testing.T, c *container) {
		preview := c.succeed(request("preview"), "").response
		if preview.Summary != (moduleprotocol.Summary{Create: 1}) || preview.PlanDigest == "" || preview.State != nil || readFile(c.cloud, "thing.json") != "" {
			t.Fatalf("preview: %+v", preview)
		}
		apply := c.succeed(request("apply", "plan_digest", preview.PlanDigest, "run_id", "r-1"), "").response
		if apply.Summary.Create != 1 || apply.Changes[0].Action != "create" || apply.Changes[0].After == nil || apply.State == nil ||
			apply.RunID != "r-1" || apply.APIVersion != "exec/v1" || apply.Tool.Version == "" || apply.StartedAt == "" || apply.FinishedAt == "" ||
			apply.Timings["running"] <= 0 {
			t.Fatalf("apply: %+v", apply)
		}
		if got := apply.Outputs["password"]; !got.Sensitive || string(got.Value) != "null" || open(t, "password", got.Encrypted) != `"made-by-the-tool"` {
			t.Errorf("a secret output: %+v", got)
		}
		if got := apply.Outputs["answer"]; got.Sensitive || string(got.Value) != "42" {
			t.Errorf("%+v", got)
		}

		again := c.succeed(request("apply", "state", apply.State), "").response
		if again.Summary.Differs() || string(again.State) != string(apply.State) {
			t.Errorf("nothing changed, and the state did: %+v", again.Summary)
		}

		calm := c.succeed(request("refresh", "state", apply.State), "").response
		if calm.Drift == nil || *calm.Drift {
			t.Errorf("no drift was made: %+v", calm.Changes)
		}
		must(t, os.WriteFile(filepath.Join(c.cloud, "thing.json"), []byte(`{"web:name":"by hand","name":"by hand"}`), 0o600))
		drift := c.succeed(request("refresh", "state", apply.State), "").response
		if drift.Drift == nil || !*drift.Drift || drift.Summary.Update != 1 || !strings.Contains(string(drift.Changes[0].After), "by hand") {
			t.Errorf("drift: %+v", drift.Changes)
		}
		if string(drift.State) != string(apply.State) {
			t.Error("a refresh that reports changed the state")
		}
		updated := c.succeed(request("refresh", "state", apply.State, "refresh", map[string]any{"update": true}), "").response
		if serial(t, updated.State) != serial(t, apply.State)+1 || !*updated.Drift {
			t.Error("a refresh that updates did not")
		}

		destroyed := c.succeed(request("destroy", "state", updated.State), "").response
		if destroyed.Summary.Delete != 1 || readFile(c.cloud, "thing.json") != "" || len(destroyed.Outputs) != 0 {
			t.Errorf("destroy: %+v", destroyed)
		}
		if serial(t, destroyed.State) != serial(t, updated.State)+1 {
			t.Error("the state of nothing is a state")
		}
		c.succeed(request("destroy", "state", destroyed.State), "")
	})
}

func TestImport(t *testing.T) {
	bothTools(t, func(t *testing.T, c *container) {
		o := c.succeed(request("import", "import", []any{map[string]any{"address": "fake:index:Thing::thing", "id": "-by-hand"}}), "")
		if len(o.response.Changes) != 1 || o.response.Changes[0].Action != "import" || o.response.State == nil {
			t.Errorf("%+v", o.response.Changes)
		}
		published := request("import")
		published["inputs"] = map[string]any{"__import_mappings": []any{map[string]any{"address": "fake:index:Thing::thing", "id": "i"}}}
		if o := c.succeed(published, ""); len(o.response.Changes) != 1 {
			t.Errorf("%+v", o.response.Changes)
		}
	})
}

// TestFailure: error, logs, what was done, outputs and state are in the response of a failing apply.
func TestFailure(t *testing.T) {
	bothTools(t, func(t *testing.T, c *container) {
		r := c.refuse(request("apply"), "fail", moduleprotocol.ResourceFailed, 1).response
		if !strings.Contains(r.Error, "the second thing broke") || r.Detail.Phase != "running" || r.Logs == "" ||
			r.Summary.Create != 1 || string(r.Outputs["answer"].Value) != "42" || r.State == nil || r.Phase != "done" {
			t.Errorf("%+v", r)
		}
		// What is there can be destroyed with that state.
		if d := c.succeed(request("destroy", "state", r.State), ""); d.response.Summary.Delete != 1 {
			t.Errorf("%+v", d.response)
		}
	})
}

func TestLockedState(t *testing.T) {
	bothTools(t, func(t *testing.T, c *container) {
		if r := c.refuse(request("preview"), "locked", moduleprotocol.StateLocked, 1).response; !r.Detail.Retryable {
			t.Error("a lock goes away")
		}
	})
}

// TestPlanThatMoved: an apply of another plan than the one that was looked at is refused, and nothing is done.
func TestPlanThatMoved(t *testing.T) {
	bothTools(t, func(t *testing.T, c *container) {
		digest := c.succeed(request("preview"), "").response.PlanDigest
		moved := request("apply", "plan_digest", digest)
		moved["inputs"] = map[string]any{"name": "web", "size": 4}
		r := c.refuse(moved, "", moduleprotocol.PlanMoved, 3).response
		if r.PlanDigest == digest || readFile(c.cloud, "thing.json") != "" {
			t.Errorf("%+v", r)
		}
		c.environment = append(c.environment, "KILN_IMAGE_DIGEST=sha256:other")
		c.refuse(request("apply", "plan_digest", digest), "", moduleprotocol.PlanMoved, 3)
	})
}

func TestBadRequests(t *testing.T) {
	t.Parallel()
	c := newContainer(t, "pulumi")
	c.refuse(map[string]any{"action": "upgrade"}, "", moduleprotocol.UnsupportedAction, 2)
	for want, bad := range map[string]map[string]any{
		"$.inputs: has to be an object": {"action": "apply", "inputs": "x"},
		"$.stack_name":                  request("apply", "stack_name", "../../etc"),
		"$.secret_inputs[0]":            request("apply", "secret_inputs", []string{"nowhere"}),
		"$.state: goes with carried":    request("apply", "state_mode", "remote", "state", map[string]any{"format": "x"}),
		"$.backend.type: there is no":   request("apply", "backend", map[string]any{"type": "consul"}),
		"$.deadline":                    request("apply", "deadline", "soon"),
	} {
		if r := c.refuse(bad, "", moduleprotocol.BadRequest, 2).response; !strings.Contains(r.Error, want) {
			t.Errorf("%s: %s", want, r.Error)
		}
	}
	must(t, os.Remove(filepath.Join(c.workspace, "input.json")))
	if code := run([]string{"--input", filepath.Join(c.workspace, "input.json"), "--output", filepath.Join(c.workspace, "output.json")},
		strings.NewReader(""), &lockedBuffer{}, &lockedBuffer{}); code != 2 || c.response().Detail.Code != moduleprotocol.BadRequest {
		t.Error(code, c.response())
	}
}

// TestUndeclaredInput: OpenTofu would only warn.
func TestUndeclaredInput(t *testing.T) {
	t.Parallel()
	c := newContainer(t, "opentofu")
	r := request("apply")
	r["inputs"] = map[string]any{"nmae": "web"}
	if got := c.refuse(r, "", moduleprotocol.ConfigInvalid, 1).response; !strings.Contains(got.Error, "$.inputs.nmae") || readFile(c.cloud, "thing.json") != "" {
		t.Error(got.Error)
	}
}

// TestTools: what the image says decides, then the files; what is neither or both is said.
func TestTools(t *testing.T) {
	t.Parallel()
	c := newContainer(t, "pulumi")
	must(t, os.Chmod(c.module, 0o700))
	must(t, os.WriteFile(filepath.Join(c.module, "main.tofu"), nil, 0o400))
	if r := c.refuse(request("preview"), "", moduleprotocol.ModuleInvalid, 1).response; !strings.Contains(r.Error, "KILN_MODULE_TOOL") {
		t.Error(r.Error)
	}
	c.environment = []string{"KILN_MODULE_TOOL=opentofu"}
	if r := c.succeed(request("preview"), "").response; r.Tool.Name != "opentofu" {
		t.Error(r.Tool)
	}
	must(t, os.Remove(filepath.Join(c.bin, "tofu")))
	c.refuse(request("preview"), "", moduleprotocol.ToolMissing, 1)
	c.environment = nil
	must(t, os.Remove(filepath.Join(c.module, "main.tofu")))
	must(t, os.Remove(filepath.Join(c.module, "Pulumi.yaml")))
	c.refuse(request("preview"), "", moduleprotocol.ModuleInvalid, 1)
}

func readFile(folder, name string) string {
	text, _ := os.ReadFile(filepath.Join(folder, name))
	return string(text)
}

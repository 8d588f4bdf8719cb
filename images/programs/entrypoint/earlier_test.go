package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"kiln.dev/programs/moduleprotocol"
)

func (c *container) keptResponses() []string {
	kept, err := filepath.Glob(filepath.Join(c.workspace, "output.json.before-*"))
	must(c.t, err)
	return kept
}

// TestSameCommandAgain: without an executor the only copy of a state is in the response. A request that forgets it does nothing,
// however often it is repeated, and the state stays.
func TestSameCommandAgain(t *testing.T) {
	bothTools(t, func(t *testing.T, c *container) {
		c.staying = true
		state := c.succeed(request("apply"), "").response.State
		for _, action := range []string{"apply", "apply", "preview", "destroy", "refresh", "import"} {
			again := request(action, "run_id", "r-2", "import", []any{map[string]any{"address": "fake:index:Thing::thing", "id": "i"}})
			if action != "import" {
				delete(again, "import")
			}
			r := c.refuse(again, "", moduleprotocol.StateMismatch, 3).response
			if string(r.State) != string(state) || !strings.Contains(r.Error, "$.state") {
				t.Fatalf("%s: %s", action, r.Error)
			}
		}
		if kept := c.keptResponses(); len(kept) != 1 || !strings.HasSuffix(kept[0], "before-r-2") || !strings.Contains(readFile(kept[0], ""), `"answer"`) {
			t.Error("the outputs of the first run are lost:", kept)
		}
		c.refuse(map[string]any{"action": "upgrade"}, "", moduleprotocol.UnsupportedAction, 2)
		if r := c.response(); string(r.State) != string(state) {
			t.Error("a bad request loses the state")
		}
		next := c.succeed(request("apply", "state", state, "inputs", map[string]any{"name": "other"}), "").response
		if len(c.keptResponses()) != 1 || serial(t, next.State) != serial(t, state)+1 {
			t.Error("a request that has the state is not let through as it was:", c.keptResponses())
		}
		c.refuse(request("destroy", "state", state), "", moduleprotocol.StateMismatch, 3) // an older one
		if r := c.response(); string(r.State) != string(next.State) {
			t.Error("the newer state is lost")
		}
		must(t, os.Remove(filepath.Join(c.workspace, "output.json")))
		c.refuse(request("preview"), "", moduleprotocol.StateMismatch, 3)
		for _, kept := range append(c.keptResponses(), filepath.Join(c.workspace, "output.json")) {
			must(t, os.Remove(kept))
		}
		c.succeed(request("preview"), "")
	})
}

// TestOtherStackInTheSameFolder goes on, and what was there is kept.
func TestOtherStackInTheSameFolder(t *testing.T) {
	t.Parallel()
	c := newContainer(t, "opentofu")
	c.staying = true
	state := c.succeed(request("apply"), "").response.State
	c.succeed(request("preview", "stack_name", "other", "run_id", "../r"), "")
	kept := c.keptResponses()
	if len(kept) != 1 || filepath.Dir(kept[0]) != c.workspace {
		t.Fatal(kept)
	}
	var earlier moduleprotocol.Response
	must(t, json.Unmarshal([]byte(readFile(kept[0], "")), &earlier))
	if string(earlier.State) != string(state) {
		t.Error("it is another one")
	}
}

// TestStacksByTurns: in one folder, each stack finds the state that its own last run left, however many of others came between.
func TestStacksByTurns(t *testing.T) {
	bothTools(t, func(t *testing.T, c *container) {
		c.staying = true
		grown := func(stack string, size int, state any) map[string]any {
			return request("apply", "stack_name", stack, "run_id", fmt.Sprint(stack, size), "state", state, "inputs", map[string]any{"size": size})
		}
		first := c.succeed(grown("one", 1, nil), "").response.State
		second := c.succeed(grown("one", 2, first), "").response.State
		other := c.succeed(grown("two", 1, nil), "").response.State
		c.succeed(grown("two", 2, other), "")
		for name, state := range map[string]any{"none": nil, "an older one": first} {
			r := c.refuse(grown("one", 3, state), "", moduleprotocol.StateMismatch, 3).response
			if string(r.State) != string(second) || !strings.Contains(r.Error, "output.json.before-") || !strings.Contains(r.Error, "serial 2") {
				t.Errorf("%s: %s %s", name, r.Error, r.State)
			}
			c.refuse(grown("two", 3, nil), "", moduleprotocol.StateMismatch, 3)
		}
		c.refuse(map[string]any{"action": "upgrade"}, "", moduleprotocol.UnsupportedAction, 2)
		third := c.succeed(grown("one", 3, second), "").response.State
		if serial(t, third) != 3 {
			t.Error(serial(t, third))
		}
		if r := c.refuse(grown("two", 3, nil), "", moduleprotocol.StateMismatch, 3).response; serial(t, r.State) != 2 {
			t.Error("it is not the newest:", serial(t, r.State))
		}
		c.succeed(grown("three", 1, nil), "")
	})
}

// TestStateAtEveryMoment: until there is a newer one, the response has the state of the request.
func TestStateAtEveryMoment(t *testing.T) {
	bothTools(t, func(t *testing.T, c *container) {
		state := c.succeed(request("apply"), "").response.State
		bad := request("apply", "state", state, "secret_inputs", []string{"nowhere"})
		if r := c.refuse(bad, "", moduleprotocol.BadRequest, 2).response; string(r.State) != string(state) {
			t.Error("it fails before the state is opened, and loses it")
		}
	})
}

// TestPlacelessBackend: a local backend without a path would lose the state with the container; it is carried.
func TestPlacelessBackend(t *testing.T) {
	bothTools(t, func(t *testing.T, c *container) {
		local := map[string]any{"type": "local"}
		state := c.succeed(request("apply", "backend", local), "").response.State
		if state == nil {
			t.Fatal("the state is lost")
		}
		if r := c.succeed(request("destroy", "backend", local, "state", state), "").response; r.Summary.Delete != 1 {
			t.Errorf("%+v", r)
		}
		c.refuse(request("destroy", "backend", local), "", moduleprotocol.StateMissing, 3)
	})
}

// TestDriftOfAFailure: nobody knows it.
func TestDriftOfAFailure(t *testing.T) {
	bothTools(t, func(t *testing.T, c *container) {
		state := c.succeed(request("apply"), "").response.State
		update := request("refresh", "state", state, "refresh", map[string]any{"update": true})
		if r := c.refuse(update, "locked", moduleprotocol.StateLocked, 1).response; r.Drift != nil {
			t.Error("a refresh that failed says drift:", *r.Drift)
		}
	})
}

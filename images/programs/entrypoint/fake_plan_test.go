package main

import (
	"encoding/base64"
	"fmt"
	"os"
	"strings"
	"testing"

	"kiln.dev/programs/moduleprotocol"
)

// fakePlan saves a plan, or holds an update to one. A program that asks for something else the second time fails.
func fakePlan(command string, flags map[string]string) int {
	if file := flags["save-plan"]; file != "" {
		if err := os.WriteFile(file, []byte("{}"), 0o600); err != nil {
			panic(err)
		}
		fmt.Printf("info: Update plan written to '%[1]s'\nRun `pulumi up --plan='%[1]s'` to constrain the update\n", file)
	}
	if command != "up" || flags["plan"] == "" {
		return 0
	}
	if _, err := os.Stat(flags["plan"]); err != nil {
		panic(err)
	}
	if behaves("other-program") {
		fmt.Fprintln(os.Stderr, "error: resource "+fakeURN+" violates plan: properties changed: ++size[4]")
		return 4
	}
	return 0
}

// TestUpdateIsHeldToItsPlan: the program runs again in an update, and what it asks for beyond the plan is refused.
func TestUpdateIsHeldToItsPlan(t *testing.T) {
	t.Parallel()
	c := newContainer(t, "pulumi")
	preview := c.succeed(request("preview"), "").response
	if strings.Contains(c.callsText(), "plan=") {
		t.Error("a preview has no use for a plan file:", c.callsText())
	}
	wanted := request("apply", "plan_digest", preview.PlanDigest)
	c.refuse(wanted, "other-program", moduleprotocol.PlanMoved, 3)
	if readFile(c.cloud, "thing.json") != "" {
		t.Error("it was applied")
	}
	if r := c.succeed(wanted, "").response; strings.Contains(r.Logs, "--plan") {
		t.Error("people are told of a file that is gone when they read it:", r.Logs)
	}
	c.succeed(request("apply"), "other-program") // no plan was looked at
}

// TestPassingKey: a digest that no other run can make again is none, and cannot be asked for.
func TestPassingKey(t *testing.T) {
	bothTools(t, func(t *testing.T, c *container) {
		digest := c.succeed(request("preview"), "").response.PlanDigest
		c.secrets["state_key_lasting"] = false
		if r := c.succeed(request("preview"), "").response; r.PlanDigest != "" {
			t.Error("a digest that never matches:", r.PlanDigest)
		}
		if r := c.refuse(request("apply", "plan_digest", digest), "", moduleprotocol.BadRequest, 2).response; !strings.Contains(r.Error, "$.plan_digest") {
			t.Error(r.Error)
		}
		c.succeed(request("apply"), "")
		c.secrets["state_key_lasting"] = true
		if r := c.succeed(request("preview"), "").response; r.PlanDigest == "" {
			t.Error("no digest")
		}
	})
}

// TestDigestKnowsTheStack: a plan of one stack, place or set of variables is not one of another.
func TestDigestKnowsTheStack(t *testing.T) {
	bothTools(t, func(t *testing.T, c *container) {
		digest := c.succeed(request("preview"), "").response.PlanDigest
		for _, moved := range []map[string]any{
			request("apply", "plan_digest", digest, "stack_name", "other"),
			request("apply", "plan_digest", digest, "environment", map[string]any{"AWS_REGION": "eu-west-1"}),
			request("apply", "plan_digest", digest, "backend", map[string]any{"type": "local"}),
		} {
			c.refuse(moved, "", moduleprotocol.PlanMoved, 3)
		}
	})
}

// TestDigestKnowsSecretVariables: a plan that was looked at with one secret is not applied with another, whichever way it comes; only
// the logins, which each job has anew, are another matter. Nobody can guess a secret from a digest: it is made with the key.
func TestDigestKnowsSecretVariables(t *testing.T) {
	bothTools(t, func(t *testing.T, c *container) {
		give := func(variable, file, login string) {
			c.secrets["environment"] = map[string]any{"TF_VAR_password": variable, "AWS_SESSION_TOKEN": login}
			c.secrets["files"] = map[string]any{"APP_KEY_FILE": map[string]any{"name": "key", "base64": base64.StdEncoding.EncodeToString([]byte(file))},
				"KUBECONFIG": map[string]any{"name": "config", "base64": base64.StdEncoding.EncodeToString([]byte(login))}}
		}
		give("hunter22-one", "file-one", "login-one")
		preview := c.succeed(request("preview"), "").response
		wanted := request("apply", "plan_digest", preview.PlanDigest)
		give("hunter22-two", "file-one", "login-one")
		c.refuse(wanted, "", moduleprotocol.PlanMoved, 3)
		give("hunter22-one", "file-two", "login-one")
		c.refuse(wanted, "", moduleprotocol.PlanMoved, 3)
		if readFile(c.cloud, "thing.json") != "" {
			t.Error("it was applied")
		}
		give("hunter22-one", "file-one", "login-two")
		// The same value by the request itself, as where no executor divides it.
		delete(c.secrets["environment"].(map[string]any), "TF_VAR_password")
		plain := request("preview", "environment", map[string]any{"TF_VAR_password": "hunter22-one"})
		if r := c.succeed(plain, "").response; r.PlanDigest != preview.PlanDigest {
			t.Error("the way that a variable takes is a part of the plan")
		}
		give("hunter22-one", "file-one", "login-two")
		c.succeed(wanted, "")
		c.secrets["state_key"] = strings.Repeat("A", 43) + "="
		if r := c.succeed(request("preview"), "").response; r.PlanDigest == preview.PlanDigest {
			t.Error("who has no key can make the digest of a secret that is guessed")
		}
	})
}

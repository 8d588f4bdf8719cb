package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"kiln.dev/programs/moduleprotocol"
)

// A program that asks for one thing in a preview and for others in an update, as a variable of its container says.
const twofacedProgram = `
const pulumi = require("@pulumi/pulumi");
const config = new pulumi.Config();
const update = !pulumi.runtime.isDryRun();
const how = process.env.TWOFACED;
const size = update && how === "other" ? 2 : 1;
new pulumi.Stash("one", { input: size });
if (update && how === "more") new pulumi.Stash("two", { input: "unseen" });
for (const name of ["text", "number", "truth", "list"]) exports[name] = config.get(name);
exports.nothing = config.get("nothing") === undefined;
exports.hidden = [{ plain: 1 }, pulumi.secret({ inner: "made-in-a-list" })];
`

// withProgram puts a program of Node into a module, to be run by the loopback host of this project.
func withProgram(t *testing.T, program string) *container {
	t.Helper()
	c := withReal(t, "pulumi", "pulumi", "KILN_TEST_PULUMI")
	node := os.Getenv("KILN_TEST_NODE")
	if node == "" {
		t.Skip("KILN_TEST_NODE does not name a node")
	}
	root, err := filepath.Abs("../../..")
	must(t, err)
	host := filepath.Join(root, "toolchain/plugins/nodejs-host")
	if _, err := os.Stat(filepath.Join(host, "pulumi-language-nodejs")); err != nil {
		t.Skip("this module stands alone:", err)
	}
	must(t, os.WriteFile(filepath.Join(c.module, "index.js"), []byte(program), 0o400))
	must(t, os.Symlink(filepath.Join(root, "node_modules"), filepath.Join(c.module, "node_modules")))
	must(t, os.Chmod(c.module, 0o500))
	c.environment = []string{
		"PATH=" + strings.Join([]string{c.bin, filepath.Dir(node), host, "/usr/bin", "/bin"}, ":"),
		"PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION=true",
	}
	return c
}

// TestRealProgramThatMoves: a program that asks for something else in an update than in the preview is held to the plan that was looked
// at. Nothing beyond it is done, and what was refused says why.
func TestRealProgramThatMoves(t *testing.T) {
	c := withProgram(t, twofacedProgram)
	plain := c.environment
	asked := func(action, how string, more ...any) map[string]any {
		c.environment = append(plain[:len(plain):len(plain)], "TWOFACED="+how)
		r := request(action, append([]any{"stack_name", "test-plan"}, more...)...)
		r["inputs"] = map[string]any{"text": "1.10", "number": 1.5, "truth": false, "list": []any{}, "nothing": nil}
		return r
	}
	preview := c.succeed(asked("preview", ""), "").response
	if preview.PlanDigest == "" || preview.Summary.Create != 2 {
		t.Fatalf("%+v", preview)
	}
	for how, says := range map[string]string{"more": "two: create is not allowed by the plan", "other": "one"} {
		r := c.refuse(asked("apply", how, "plan_digest", preview.PlanDigest), "", moduleprotocol.PlanMoved, 3).response
		if !strings.Contains(r.Error, says) {
			t.Errorf("%s: %s", how, r.Error)
		}
		for _, change := range r.Changes {
			if change.Resource == "two" || strings.Contains(string(change.After), "2") {
				t.Errorf("%s: it was done: %+v", how, change)
			}
		}
		if r.State == nil && r.Summary.Create > 0 {
			t.Errorf("%s: what was done before is in no state: %+v", how, r.Changes)
		}
	}
	// Nobody looked at a plan: the update is what the program asks for, and the response says what was done.
	applied := c.succeed(asked("apply", "more"), "").response
	if applied.Summary.Create != 3 {
		t.Errorf("%+v", applied.Summary)
	}
	for name, want := range map[string]string{"text": `"1.10"`, "number": `"1.5"`, "truth": `"false"`, "list": `"[]"`, "nothing": "true"} {
		sameJSON(t, applied.Outputs[name].Value, want)
	}
	if out := applied.Outputs["hidden"]; !out.Sensitive || open(t, "hidden", out.Encrypted) != `[{"plain":1},{"inner":"made-in-a-list"}]` ||
		strings.Contains(readFile(c.workspace, "output.json")+readFile(c.workspace, "events.ndjson"), "made-in-a-list") {
		t.Errorf("a secret in one element of a list: %+v", out)
	}
}

package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"kiln.dev/programs/moduleprotocol"
)

// withReal puts a real tool in the place of the fake one.
func withReal(t *testing.T, tool, program, variable string) *container {
	t.Helper()
	path := os.Getenv(variable)
	if path == "" {
		t.Skipf("%s does not name a %s", variable, program)
	}
	c := newContainer(t, tool)
	must(t, os.Remove(filepath.Join(c.bin, program)))
	must(t, os.Symlink(path, filepath.Join(c.bin, program)))
	must(t, os.Chmod(c.module, 0o700))
	return c
}

const tofuModule = `
variable "any" { type = any }
variable "password" {
  type      = string
  sensitive = true
}
variable "text" { default = "unset" }
variable "number" { default = "unset" }
variable "truth" { default = "unset" }
variable "nothing" { default = "unset" }
variable "list" { default = ["unset"] }
variable "fail" {
  type    = bool
  default = false
}
resource "terraform_data" "echo" { input = var.any }
resource "terraform_data" "hidden" { input = var.password }
resource "terraform_data" "listed" { input = [{ plain = "seen" }, { hidden = sensitive("made-in-a-list") }] }
resource "terraform_data" "broken" {
  count      = var.fail ? 1 : 0
  depends_on = [terraform_data.echo]
  provisioner "local-exec" { command = "exit 7" }
}
output "any" { value = terraform_data.echo.output }
output "nothing" { value = null }
output "each" { value = [var.text, var.number, var.truth, var.nothing, var.list] }
output "password" {
  value     = var.password
  sensitive = true
}
`

// TestRealTofu goes through the life of a module with OpenTofu itself: values of every JSON type come back as they went in.
func TestRealTofu(t *testing.T) {
	c := withReal(t, "opentofu", "tofu", "KILN_TEST_TOFU")
	must(t, os.Remove(filepath.Join(c.module, "main.tf")))
	must(t, os.WriteFile(filepath.Join(c.module, "main.tf"), []byte(tofuModule), 0o400))
	must(t, os.Chmod(c.module, 0o500))
	c.environment = []string{"PATH=" + c.bin + ":/bin:/usr/bin"}
	c.secrets["inputs"] = map[string]any{"password": secretInput}
	const value = `{"big":123456789012345678901234567890,"decimal":-1.5,"empty":{},"flag":"--x","list":[1,"a",true,null,[]],"null":null,"text":"ü\n\"${x}\""}`
	inputs := func(more ...any) map[string]any {
		r := request(more[0].(string), more[1:]...)
		// Inputs of their own, and not only values within one: null and false are no defaults, "1.10" is no number.
		r["inputs"] = map[string]any{"any": json.RawMessage(value), "text": "1.10", "number": json.Number("12345678901234567890.5"),
			"truth": false, "nothing": nil, "list": []any{}}
		return r
	}

	preview := c.succeed(inputs("preview"), "").response
	apply := c.succeed(inputs("apply", "plan_digest", preview.PlanDigest), "").response
	if apply.Summary.Create != 3 || apply.Tool.Version == "" {
		t.Fatalf("%+v", apply)
	}
	sameJSON(t, apply.Outputs["any"].Value, value)
	sameJSON(t, apply.Outputs["each"].Value, `["1.10",12345678901234567890.5,false,null,[]]`)
	for _, change := range apply.Changes {
		if after := string(change.After); change.Resource == "terraform_data.listed" && !strings.Contains(after, `[{"plain":"seen"},{"hidden":"[secret]"}]`) {
			t.Error("what is secret in one element of a list:", after)
		}
	}
	if nothing, found := apply.Outputs["nothing"]; !found || string(nothing.Value) != "null" || nothing.Sensitive {
		t.Errorf("%+v", apply.Outputs)
	}
	if out := apply.Outputs["password"]; !out.Sensitive || open(t, "password", out.Encrypted) != `"`+secretInput+`"` {
		t.Errorf("%+v", out)
	}
	if again := c.succeed(inputs("apply", "state", apply.State), "").response; again.Summary.Same != 3 || string(again.State) != string(apply.State) {
		t.Errorf("%+v", again.Summary)
	}
	if calm := c.succeed(inputs("refresh", "state", apply.State), "").response; *calm.Drift {
		t.Errorf("%+v", calm.Changes)
	}
	failing := inputs("apply", "state", apply.State)
	failing["inputs"].(map[string]any)["fail"] = true
	failed := c.refuse(failing, "", moduleprotocol.ResourceFailed, 1).response
	if failed.State == nil || string(failed.State) == string(apply.State) || !strings.Contains(failed.Error, "terraform_data.broken") {
		t.Errorf("%+v", failed)
	}
	imported := c.succeed(inputs("import", "import", []any{map[string]any{"address": "terraform_data.echo", "id": "by-hand"}}), "").response
	if imported.State == nil || imported.Changes[0].Action != "import" {
		t.Errorf("%+v", imported.Changes)
	}
	if gone := c.succeed(inputs("destroy", "state", failed.State), "").response; gone.Summary.Delete != 4 {
		t.Errorf("%+v", gone.Summary)
	}
	undeclared := inputs("preview")
	undeclared["inputs"].(map[string]any)["anny"] = 1
	c.refuse(undeclared, "", moduleprotocol.ConfigInvalid, 1)
	missing := inputs("preview")
	missing["inputs"] = map[string]any{}
	c.refuse(missing, "", moduleprotocol.ConfigInvalid, 1)
	for _, name := range []string{"output.json", "events.ndjson"} {
		searchFor(t, name, readFile(c.workspace, name))
		if strings.Contains(readFile(c.workspace, name), "made-in-a-list") {
			t.Error(name, "has a secret of a list")
		}
	}
}

// TestRealPulumi needs no language host: refresh and destroy work on the state alone, and that one has the engine's own resource.
func TestRealPulumi(t *testing.T) {
	c := withReal(t, "pulumi", "pulumi", "KILN_TEST_PULUMI")
	c.environment = []string{"PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION=true"}
	const provider = "urn:pulumi:test::web::pulumi:providers:pulumi::default"
	own := map[string]any{"version": 3, "deployment": map[string]any{
		"manifest": map[string]any{"time": "2026-01-01T00:00:00Z", "magic": "", "version": ""},
		"resources": []any{
			map[string]any{"urn": "urn:pulumi:test::web::pulumi:pulumi:Stack::web-test", "type": "pulumi:pulumi:Stack",
				"outputs": map[string]any{"n": json.Number("1234567890123456"), "z": nil}},
			map[string]any{"urn": provider, "type": "pulumi:providers:pulumi", "custom": true, "id": "04da6b54-80e4-46f7-96ec-b56ff0331ba8"},
			map[string]any{"urn": "urn:pulumi:test::web::pulumi:index:Stash::s", "type": "pulumi:index:Stash", "custom": true, "id": "a",
				"inputs": map[string]any{"input": "x"}, "outputs": map[string]any{"input": "x", "output": "x"},
				"parent":   "urn:pulumi:test::web::pulumi:pulumi:Stack::web-test",
				"provider": provider + "::04da6b54-80e4-46f7-96ec-b56ff0331ba8"},
		}}}
	c.secrets["inputs"] = map[string]any{"password": secretInput}

	refreshed := c.succeed(request("refresh", "state", own, "refresh", map[string]any{"update": true}), "").response
	if *refreshed.Drift || refreshed.Summary.Same != 2 || refreshed.State == nil || refreshed.Tool.Version == "" {
		t.Fatalf("%+v", refreshed)
	}
	sameJSON(t, refreshed.Outputs["n"].Value, "1234567890123456")
	again := c.succeed(request("refresh", "state", refreshed.State), "").response
	if *again.Drift || string(again.State) != string(refreshed.State) {
		t.Errorf("%+v", again)
	}
	r := c.complete(request("preview", "state", refreshed.State), "").response
	if r.Success || r.Error == "" || r.Detail.Phase != "planning" {
		t.Errorf("there is no language host, and no error: %+v", r)
	}
	gone := c.succeed(request("destroy", "state", refreshed.State), "").response
	if gone.Summary.Delete != 2 || gone.State == nil {
		t.Errorf("%+v", gone)
	}
	for _, name := range []string{"output.json", "events.ndjson"} {
		searchFor(t, name, readFile(c.workspace, name))
	}
}

func sameJSON(t *testing.T, got json.RawMessage, want string) {
	t.Helper()
	a, err := moduleprotocol.Canonical(got)
	must(t, err)
	b, err := moduleprotocol.Canonical([]byte(want))
	must(t, err)
	if !reflect.DeepEqual(a, b) {
		t.Errorf("%s came back as %s", b, a)
	}
}

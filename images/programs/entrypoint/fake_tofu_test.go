package main

import (
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strings"
)

const fakeAddress = "fake_thing.thing"

// fakeTofu behaves as OpenTofu 1.10.6 does where the entrypoint looks: JSON lines, plan files, state files, exit codes.
func fakeTofu(arguments []string) int {
	noteCall("tofu", arguments)
	flags, words := flagsOf(arguments)
	f := fakeRun{flags: flags}
	if words[0] == "plan" || words[0] == "apply" || words[0] == "init" {
		fmt.Println(`{"@message":"OpenTofu 1.99.0","type":"version","tofu":"1.99.0"}`)
	}
	switch words[0] {
	case "sleep":
		select {}
	case "init":
		return f.init()
	case "plan":
		return f.plan()
	case "show":
		text, err := os.ReadFile(words[1])
		if err != nil {
			panic(err)
		}
		fmt.Println(string(text))
	case "apply":
		return f.apply(words[1])
	case "import":
		f.save(map[string]any{"id": words[2]})
		fmt.Println("Import successful!")
	case "state":
		if behaves("no-pull") {
			fmt.Fprintln(os.Stderr, "no such bucket")
			return 1
		}
		if state, err := os.ReadFile(remoteState()); err == nil {
			fmt.Println(string(state))
		}
	case "output":
		if outputs, found := f.state()["outputs"]; found && flags["state"] != "" {
			fmt.Println(jsonText(outputs))
			return 0
		}
		fmt.Println(`{"remote":{"value":true,"sensitive":false}}`)
	}
	return 0
}

type fakeRun struct{ flags map[string]string }

func remoteState() string { return filepath.Join(os.Getenv("KILN_FAKE_CLOUD"), "remote.tfstate") }

func (f *fakeRun) init() int {
	// OpenTofu writes its lock file beside the module.
	if err := os.WriteFile(".terraform.lock.hcl", []byte("# pins"), 0o600); err != nil {
		panic(err)
	}
	if behaves("no-providers") {
		f.diagnose("Failed to query available provider packages", "no network", "")
		return 1
	}
	return 0
}

func (f *fakeRun) diagnose(summary, detail, address string) {
	fmt.Println(jsonText(map[string]any{"@message": "Error: " + summary, "type": "diagnostic",
		"diagnostic": map[string]any{"severity": "error", "summary": summary, "detail": detail, "address": address}}))
}

func (f *fakeRun) hook(kind, action string) {
	fmt.Println(jsonText(map[string]any{"@message": fakeAddress + ": " + kind, "type": kind,
		"hook": map[string]any{"action": action, "resource": map[string]any{"addr": fakeAddress, "resource_type": "fake_thing"}}}))
}

func (f *fakeRun) statePath() string {
	if path := f.flags["state"]; path != "" {
		return path
	}
	return remoteState()
}

func (f *fakeRun) state() map[string]any {
	text, err := os.ReadFile(f.statePath())
	if err != nil {
		return map[string]any{"lineage": "tofu-lineage", "serial": 0}
	}
	return object(decrypted(text))
}

func (f *fakeRun) recorded() map[string]any {
	recorded, _ := f.state()["thing"].(map[string]any)
	return recorded
}

func (f *fakeRun) save(thing map[string]any) {
	if reflect.DeepEqual(thing, f.recorded()) {
		return
	}
	serial := 0
	fmt.Sscan(fmt.Sprint(f.state()["serial"]), &serial)
	outputs := map[string]any{}
	if thing != nil {
		outputs["answer"] = map[string]any{"value": 42}
		outputs["password"] = map[string]any{"value": "made-by-the-tool", "sensitive": true}
		for key, value := range thing {
			outputs[key] = map[string]any{"value": value}
		}
	}
	if behaves("unsaved") {
		return
	}
	state := map[string]any{"version": 4, "lineage": "tofu-lineage", "serial": serial + 1, "thing": thing, "outputs": outputs}
	if thing != nil {
		state["resources"] = []any{map[string]any{"mode": "managed", "type": "fake_thing", "name": "thing", "instances": []any{map[string]any{}}}}
	}
	if err := os.WriteFile(f.statePath(), []byte(jsonText(encrypted(state))), 0o600); err != nil {
		panic(err)
	}
}

// plan writes what `show` prints as the plan file, with what apply has to know beside it.
func (f *fakeRun) plan() int {
	if behaves("locked") {
		f.diagnose("Error acquiring the state lock", "held by somebody", "")
		return 1
	}
	text, err := os.ReadFile(f.flags["var-file"])
	if err != nil {
		panic(err)
	}
	wanted, recorded := object(text), f.recorded()
	variables := map[string]any{"name": nil, "size": nil, "password": nil, "big": nil}
	shown := map[string]any{"terraform_version": "1.99.0", "after": wanted,
		"configuration": map[string]any{"root_module": map[string]any{"variables": variables}}}
	change := func(action string, before, after any) []any {
		return []any{map[string]any{"address": fakeAddress, "type": "fake_thing",
			"change": map[string]any{"actions": []any{action}, "before": before, "after": after}}}
	}
	now := readThing()
	switch {
	case f.flags["refresh-only"] == "true":
		shown["after"] = now
		if now == nil {
			shown["resource_drift"] = change("delete", recorded, nil)
		} else if !reflect.DeepEqual(now, recorded) {
			shown["resource_drift"] = change("update", recorded, now)
		}
	case f.flags["destroy"] == "true":
		shown["after"] = nil
		if recorded != nil {
			shown["resource_changes"] = change("delete", recorded, nil)
		}
	case recorded == nil:
		shown["resource_changes"] = change("create", nil, wanted)
	case reflect.DeepEqual(recorded, wanted):
		shown["resource_changes"] = change("no-op", recorded, wanted)
	default:
		shown["resource_changes"] = change("update", recorded, wanted)
	}
	if err := os.WriteFile(f.flags["out"], []byte(jsonText(shown)), 0o600); err != nil {
		panic(err)
	}
	f.sayPlan()
	return 0
}

// sayPlan prints what both `plan` and the `apply` of its file say.
func (f *fakeRun) sayPlan() {
	fmt.Println(`{"@message":"` + fakeAddress + `: Plan to change","type":"planned_change"}`)
	fmt.Println(`{"@message":"Warning: old","type":"diagnostic","diagnostic":{"severity":"warning","summary":"old"}}`)
}

func (f *fakeRun) apply(file string) int {
	text, err := os.ReadFile(file)
	if err != nil {
		panic(err)
	}
	shown := object(text)
	f.sayPlan()
	after, _ := shown["after"].(map[string]any)
	if changes, found := shown["resource_changes"].([]any); found {
		action := changes[0].(map[string]any)["change"].(map[string]any)["actions"].([]any)[0].(string)
		f.hook("apply_start", action)
		if action == "delete" {
			os.Remove(thing())
		} else if err := os.WriteFile(thing(), []byte(jsonText(after)), 0o600); err != nil {
			panic(err)
		}
		if action != "no-op" {
			f.hook("apply_complete", action)
		}
	}
	f.save(after)
	if code := misbehave(); code != 0 {
		f.diagnose("execution halted", "", "")
		return 1
	}
	if behaves("fail") {
		f.diagnose("the second thing broke", "quota", "fake_thing.second")
		return 1
	}
	fmt.Println(strings.TrimSpace(`{"@message":"Apply complete!","type":"change_summary"}`))
	return 0
}

package main

import (
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strings"
)

const fakeURN = "urn:pulumi:test::web::fake:index:Thing::thing"

// fakePulumi behaves as Pulumi 3.253.0 does where the entrypoint looks: flags, event log, config file, file backend, exit codes.
func fakePulumi(arguments []string) int {
	noteCall("pulumi", arguments)
	flags, words := flagsOf(arguments, "C", "stack", "config-file", "event-log", "file", "color")
	switch words[0] {
	case "version":
		fmt.Println("v3.999.0")
		return 0
	case "stack", "config":
		return fakeStack(words)
	}
	log, err := os.Create(flags["event-log"])
	if err != nil {
		panic(err)
	}
	defer log.Close()
	p := fakeEngine{log: log, planning: words[0] == "preview" || flags["preview-only"] == "true"}
	p.state = filepath.Join(strings.TrimPrefix(os.Getenv("PULUMI_BACKEND_URL"), "file://"), ".pulumi/stacks/web", flags["stack"]+".json")
	if behaves("locked") {
		fmt.Fprintln(os.Stderr, "error: the stack is currently locked by 1 lock(s)")
		return 1
	}
	text, err := os.ReadFile(flags["config-file"])
	if err != nil {
		panic(err)
	}
	p.config, _ = object(text)["config"].(map[string]any)
	fmt.Println("Engine (test):", words[0])
	if code := fakePlan(words[0], flags); code != 0 {
		return code
	}
	switch words[0] {
	case "preview", "up":
		return p.up()
	case "refresh":
		return p.refresh()
	case "destroy":
		return p.destroy()
	default: // import
		return p.bring(flags["file"])
	}
}

// fakeStack is a remote backend with a stack "test" if the cloud says so.
func fakeStack(words []string) int {
	marker := filepath.Join(os.Getenv("KILN_FAKE_CLOUD"), "stack")
	_, err := os.Stat(marker)
	switch {
	case words[0] == "config":
		return 0
	case words[1] == "export":
		fmt.Println(`{"version":3,"deployment":{"resources":[{"type":"pulumi:pulumi:Stack","outputs":{"remote":true}}]}}`)
	case words[1] == "select" && err != nil && !strings.Contains(strings.Join(os.Args, " "), "--create"):
		fmt.Fprintln(os.Stderr, "error: no stack named 'test' found")
		return 6
	default:
		os.WriteFile(marker, nil, 0o600)
	}
	return 0
}

type fakeEngine struct {
	log      *os.File
	planning bool
	config   map[string]any
	state    string
}

func (p *fakeEngine) event(kind string, value any) {
	fmt.Fprintln(p.log, jsonText(map[string]any{kind: value}))
}

func (p *fakeEngine) step(kind, op string, before, after any) {
	state := func(values any) any {
		if m, isMap := values.(map[string]any); !isMap || m == nil {
			return nil
		}
		return map[string]any{"inputs": values, "outputs": values}
	}
	p.event(kind, map[string]any{"planning": p.planning, "metadata": map[string]any{
		"op": op, "urn": fakeURN, "type": "fake:index:Thing", "old": state(before), "new": state(after)}})
}

func (p *fakeEngine) op(op string, before, after any) {
	p.step("resourcePreEvent", op, before, after)
	p.step("resOutputsEvent", op, before, after)
}

// recorded is the thing in the state; nil where it is not there.
func (p *fakeEngine) recorded() map[string]any {
	text, err := os.ReadFile(p.state)
	if err != nil {
		panic(err)
	}
	latest, _ := object(text)["checkpoint"].(map[string]any)["latest"].(map[string]any)
	resources, _ := latest["resources"].([]any)
	for _, r := range resources {
		if r.(map[string]any)["urn"] == fakeURN {
			return r.(map[string]any)["inputs"].(map[string]any)
		}
	}
	return nil
}

func (p *fakeEngine) save(thing map[string]any) {
	resources := []any{}
	if thing != nil {
		outputs := map[string]any{"answer": 42, "none": nil, "list": []any{1, "x", true}}
		for key, value := range thing {
			outputs[strings.TrimPrefix(key, "web:")] = value
		}
		outputs["password"] = map[string]any{"4dabf18193072939515e22adb298388d": "1b47061264138c4ac30d75fd1eb44270", "plaintext": `"made-by-the-tool"`}
		resources = append(resources, map[string]any{"urn": fakeURN, "type": "fake:index:Thing", "inputs": thing},
			map[string]any{"urn": "urn:stack", "type": "pulumi:pulumi:Stack", "outputs": outputs})
	}
	text := jsonText(map[string]any{"version": 3, "checkpoint": map[string]any{"stack": "s", "latest": map[string]any{"resources": resources}}})
	if err := os.WriteFile(p.state, []byte(text), 0o600); err != nil {
		panic(err)
	}
}

func (p *fakeEngine) up() int {
	wanted := map[string]any{}
	for key, value := range p.config {
		if _, secret := value.(map[string]any); !secret {
			wanted[key] = value
		}
	}
	before := p.recorded()
	op := "update"
	switch {
	case before == nil:
		op = "create"
	case reflect.DeepEqual(before, wanted):
		op = "same"
	}
	if !p.planning {
		if err := os.WriteFile(thing(), []byte(jsonText(wanted)), 0o600); err != nil {
			panic(err)
		}
		p.save(wanted)
	}
	p.op(op, before, wanted)
	if p.planning {
		return 0
	}
	if code := misbehave(); code != 0 {
		p.event("diagnosticEvent", map[string]any{"message": "update canceled\n", "severity": "error"})
		return code
	}
	if behaves("fail") {
		p.event("diagnosticEvent", map[string]any{"message": "the second thing broke: quota\n", "severity": "error", "urn": "urn:second"})
		p.step("resOpFailedEvent", "create", nil, wanted)
		fmt.Println("error: update failed")
		return 4
	}
	return 0
}

func (p *fakeEngine) refresh() int {
	before, now := p.recorded(), readThing()
	switch {
	case now == nil:
		p.op("delete", before, nil)
	case reflect.DeepEqual(before, now):
		p.op("same", before, now)
	default:
		p.op("update", before, now)
	}
	if !p.planning {
		p.save(now)
	}
	return 0
}

func (p *fakeEngine) destroy() int {
	before := p.recorded()
	if before == nil {
		return 0
	}
	p.step("resourcePreEvent", "delete", before, nil)
	if code := misbehave(); code != 0 {
		return code
	}
	os.Remove(thing())
	p.step("resOutputsEvent", "delete", before, nil)
	p.save(nil)
	return 0
}

func (p *fakeEngine) bring(file string) int {
	text, err := os.ReadFile(file)
	if err != nil {
		panic(err)
	}
	imported := object(text)["resources"].([]any)[0].(map[string]any)
	p.op("import", nil, imported)
	p.save(imported)
	return 0
}

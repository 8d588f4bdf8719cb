package tofutool

import (
	"fmt"
	"reflect"
	"strings"
	"testing"

	"kiln.dev/programs/child"
	"kiln.dev/programs/moduleprotocol"
)

type told struct{ lines []string }

func (l *told) Log(line string) { l.lines = append(l.lines, "log "+line) }
func (l *told) Diagnostic(severity, resource, message string, _ bool) {
	l.lines = append(l.lines, severity+" "+resource+" "+message)
}
func (l *told) Resource(status string, change moduleprotocol.Change) {
	l.lines = append(l.lines, status+" "+change.Action+" "+change.Resource)
}

func hook(kind, action, address string) string {
	return fmt.Sprintf(`{"@message":"%s %s","type":"%s","hook":{"resource":{"addr":"%s","resource_type":"a"},"action":"%s"}}`, address, kind, kind, address, action)
}

// TestPartialApply: what was done before a failure is reported, and what was not is not.
func TestPartialApply(t *testing.T) {
	var said told
	m := &messages{tell: &said}
	for _, line := range []string{
		`{"@message":"OpenTofu 1.10.6","tofu":"1.10.6","type":"version"}`,
		hook("apply_start", "create", "a.new"), hook("apply_complete", "create", "a.new"),
		hook("apply_start", "delete", "a.moved"), hook("apply_complete", "delete", "a.moved"),
		hook("apply_complete", "delete", "a.whole"), hook("apply_complete", "create", "a.whole"),
		hook("apply_start", "update", "a.broken"), hook("apply_errored", "update", "a.broken"),
		`{"@message":"Error: no","type":"diagnostic","diagnostic":{"severity":"error","summary":"no","detail":"because","address":"a.broken"}}`,
		`not JSON`, ``,
	} {
		m.line(line)
	}
	var planned []moduleprotocol.Change
	for address, action := range map[string]string{"a.new": "create", "a.moved": "replace", "a.whole": "replace", "a.broken": "update",
		"a.never": "create", "a.same": "no-op"} {
		planned = append(planned, moduleprotocol.Change{Resource: address, Action: action})
	}
	got := map[string]string{}
	for _, c := range m.changes(planned) {
		got[c.Resource] = c.Action
	}
	want := map[string]string{"a.new": "create", "a.moved": "delete", "a.whole": "replace", "a.same": "no-op"}
	if !reflect.DeepEqual(got, want) {
		t.Error(got)
	}
	f := moduleprotocol.FailureOf(m.failure("apply", child.Result{Code: 1}))
	if m.version != "1.10.6" || f.Code != moduleprotocol.ResourceFailed || !strings.Contains(f.Message, "a.broken: no: because") {
		t.Error(m.version, f)
	}
	if text := strings.Join(said.lines, "|"); !strings.Contains(text, "failed update a.broken") || !strings.Contains(text, "error a.broken a.broken: no") ||
		!strings.Contains(text, "log not JSON") {
		t.Error(text)
	}
}

// TestNothingIsToldTwice: `apply` of a plan file repeats the plan and its warnings, and JSON has a message beside each diagnostic.
// What is being done is told each time, and an error too.
func TestNothingIsToldTwice(t *testing.T) {
	const (
		planned = `{"@message":"a.new: Plan to create","type":"planned_change"}`
		drifted = `{"@message":"a.old: Drift detected (update)","type":"resource_drift"}`
		warning = `{"@message":"Warning: small","type":"diagnostic","diagnostic":{"severity":"warning","summary":"small"}}`
		failure = `{"@message":"Error: no","type":"diagnostic","diagnostic":{"severity":"error","summary":"no"}}`
	)
	var said told
	before := map[string]bool{}
	plan, apply := &messages{tell: &said, told: before}, &messages{tell: &said, told: before}
	for _, line := range []string{drifted, planned, warning} {
		plan.line(line)
	}
	for _, line := range []string{drifted, planned, hook("apply_start", "create", "a.new"), hook("apply_complete", "create", "a.new"), warning, failure, failure} {
		apply.line(line)
	}
	want := []string{
		"log a.old: Drift detected (update)", "log a.new: Plan to create", "warning  small",
		"started create a.new", "log a.new apply_start", "done create a.new", "log a.new apply_complete", "error  no", "error  no",
	}
	if !reflect.DeepEqual(said.lines, want) {
		t.Errorf("%q", said.lines)
	}
	if !reflect.DeepEqual(apply.warnings, []string{"small"}) {
		t.Error("a warning explains a later error, told or not:", apply.warnings)
	}
}

func TestFailures(t *testing.T) {
	for said, want := range map[string]string{
		"Error acquiring the state lock: held":        moduleprotocol.StateLocked,
		"No value for required variable: name":        moduleprotocol.ConfigInvalid,
		"Invalid value for input variable: size":      moduleprotocol.ConfigInvalid,
		"Failed to query available provider packages": moduleprotocol.ProviderFailed,
		"No valid credential sources found":           moduleprotocol.AuthFailed,
		"Unsupported argument":                        moduleprotocol.ModuleInvalid,
	} {
		m := &messages{errors: []string{said}, warnings: []string{`Value for undeclared variable: "nmae"`}}
		f := moduleprotocol.FailureOf(m.failure("plan", child.Result{Code: 1}))
		if f.Code != want {
			t.Errorf("%s: %s; wanted %s", said, f.Code, want)
		}
		if want == moduleprotocol.ConfigInvalid && !strings.Contains(f.Message, "nmae") {
			t.Error("the misspelled name explains it:", f.Message)
		}
	}
}

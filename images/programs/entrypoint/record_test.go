package main

import (
	"strings"
	"testing"
)

// TestToldOnce: nothing that OpenTofu says stands twice in the log or in the events, though `apply` repeats the plan, and a
// diagnostic has a text for people, too.
func TestToldOnce(t *testing.T) {
	c := newContainer(t, "opentofu")
	c.complete(request("apply", "stack_name", "dev"), "fail")
	logs, events := c.response().Logs, readFile(c.workspace, "events.ndjson")
	for _, said := range []string{fakeAddress + ": Plan to change", "warning: old", "error: fake_thing.second: the second thing broke: quota"} {
		if n := strings.Count(logs, said+"\n"); n != 1 {
			t.Errorf("%q is %d times in the log:\n%s", said, n, logs)
		}
		message := said[strings.LastIndex(said, ": ")+2:]
		if n := strings.Count(events, message+`"`); n != 1 {
			t.Errorf("%q is %d times in the events:\n%s", message, n, events)
		}
	}
}

// TestDiagnostics: one that the tool prints among its lines is no further line, and any is one event without secrets.
func TestDiagnostics(t *testing.T) {
	var people strings.Builder
	redactor := newSession("", "", nil, nil, nil).redactor
	redactor.Add("hunter22")
	r := newRecord(redactor, t.TempDir()+"/events.ndjson", &people)
	defer r.Close()
	r.Diagnostic("error", "a.b", "no hunter22", false)
	r.Diagnostic("warning", "", "printed already", true)
	if got := people.String(); got != "error: no [secret]\n" || r.Logs() != got {
		t.Errorf("people see %q, the log has %q", got, r.Logs())
	}
	events := readFile(r.file.Name(), "")
	if strings.Count(events, `"kind":"diagnostic"`) != 2 || strings.Contains(events, `"kind":"log"`) || strings.Contains(events, "hunter22") {
		t.Error(events)
	}
}

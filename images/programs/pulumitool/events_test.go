package pulumitool

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"kiln.dev/programs/moduleprotocol"
)

// told keeps what a tool tells.
type told struct{ lines []string }

func (l *told) Log(line string) { l.lines = append(l.lines, "log "+line) }
func (l *told) Diagnostic(severity, resource, message string, _ bool) {
	l.lines = append(l.lines, severity+" "+message)
}
func (l *told) Resource(status string, change moduleprotocol.Change) {
	l.lines = append(l.lines, status+" "+change.Action+" "+change.Resource)
}

func step(kind, op, name string, before, after string) string {
	state := func(inputs string) string {
		if inputs == "" {
			return "null"
		}
		return fmt.Sprintf(`{"inputs":%s,"outputs":{"id":%s}}`, inputs, inputs)
	}
	return fmt.Sprintf(`{"sequence":1,"%s":{"metadata":{"op":"%s","urn":"urn:pulumi:s::p::t:i:T::%s","type":"t:i:T","old":%s,"new":%s}}}`,
		kind, op, name, state(before), state(after))
}

func TestChanges(t *testing.T) {
	var said told
	log := newEventLog(&said, false)
	for _, line := range []string{
		`{"sequence":0,"preludeEvent":{"config":{}}}`,
		step("resourcePreEvent", "create", "new", "", `{"n":123456789012345678901,"p":`+secretValue+`}`),
		step("resOutputsEvent", "create", "new", "", `{"n":123456789012345678901,"p":`+secretValue+`}`),
		step("resOutputsEvent", "same", "old", `{"a":1}`, `{"a":1}`),
		step("resOutputsEvent", "create-replacement", "moved", `{"a":1}`, `{"a":2}`),
		step("resOutputsEvent", "replace", "moved", `{"a":1}`, `{"a":2}`),
		step("resOutputsEvent", "delete-replaced", "moved", `{"a":1}`, ""),
		step("resOutputsEvent", "refresh", "old", `{"a":1}`, `{"a":1}`),
		step("resOutputsEvent", "read", "seen", "", `{"a":1}`),
		step("resOpFailedEvent", "update", "broken", `{"a":1}`, `{"a":3}`),
		`{"diagnosticEvent":{"message":"it broke\n","severity":"error","urn":"u"}}`,
		`{"diagnosticEvent":{"message":"nothing","severity":"debug"}}`,
		`{"resOutputsEvent":{"metadata":{"op":"create","urn":"urn:pulumi:s::p::pulumi:providers:aws::default_7_0_0","type":"pulumi:providers:aws"}}}`,
		`{"newKindOfEvent":{"a":1}}`, `{"cut off`, ``,
	} {
		log.line(line)
	}
	var got []string
	for _, c := range log.changes() {
		got = append(got, fmt.Sprintf("%s %s %s %s", c.Action, c.Resource, c.Before, c.After))
	}
	want := []string{
		`create new  {"n":123456789012345678901,"p":"[secret]"}`,
		`no-op old {"a":1} {"a":1}`,
		`replace moved {"a":1} {"a":2}`,
		`read seen  {"a":1}`,
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("%q", got)
	}
	if s := moduleprotocol.Summarize(log.changes()); s != (moduleprotocol.Summary{Create: 1, Replace: 1, Same: 1}) {
		t.Error(s)
	}
	if !log.failed || !reflect.DeepEqual(log.errors, []string{"u: it broke"}) {
		t.Error(log.failed, log.errors)
	}
	for name, made := range map[string]bool{
		"default": true, "default_7_0_0": true, "default_7_0_0_alpha_1_https_/x.y": true, "default_https_/x.y": true,
		"default-east": false, "default_east": false, "defaults": false, "aws": false,
	} {
		if isDefaultProvider(stepMetadata{Type: "pulumi:providers:aws", URN: "urn:pulumi:s::p::pulumi:providers:aws::" + name}) != made {
			t.Errorf("%s: made by the engine should be %t", name, made)
		}
	}
	if text := strings.Join(said.lines, "|"); !strings.Contains(text, "started create new|done create new") ||
		!strings.Contains(text, "failed update broken|error it broke") || strings.Contains(text, "nothing") || strings.Contains(text, "default_7_0_0") {
		t.Error(text)
	}
}

// TestDrift compares what is with what was, not what was asked for.
func TestDrift(t *testing.T) {
	log := newEventLog(&told{}, true)
	log.line(step("resOutputsEvent", "update", "moved", `{"a":1}`, `{"a":2}`))
	change := log.changes()[0]
	if string(change.Before) != `{"id":{"a":1}}` || string(change.After) != `{"id":{"a":2}}` {
		t.Errorf("%s %s", change.Before, change.After)
	}
	if text, err := json.Marshal(change); err != nil || !strings.Contains(string(text), `"urn":"urn:pulumi:s::p::t:i:T::moved"`) {
		t.Error(string(text), err)
	}
}

// TestFollow reads a file that comes late and grows by pieces of lines.
func TestFollow(t *testing.T) {
	path := filepath.Join(t.TempDir(), "events")
	stop, ended := make(chan struct{}), make(chan error)
	var lines []string
	go func() { ended <- follow(path, stop, func(line string) { lines = append(lines, line) }) }()
	time.Sleep(20 * time.Millisecond)
	file, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	for _, piece := range []string{"a", "b\nc", "d\n", "cut"} {
		file.WriteString(piece)
		time.Sleep(60 * time.Millisecond)
	}
	file.WriteString(" off\nlast\nhalf")
	close(stop)
	if err := <-ended; err != nil || !reflect.DeepEqual(lines, []string{"ab\n", "cd\n", "cut off\n", "last\n"}) {
		t.Errorf("%q %v", lines, err)
	}
}

package joboutput

import (
	"bytes"
	"encoding/json"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/quick"

	"kiln.dev/programs/jobprotocol"
	"kiln.dev/programs/redact"
)

type kept struct {
	output           jobprotocol.Output
	log, live, notes string
	events           []map[string]any
}

// keep gives chunks to standard output and returns what is left of them.
func keep(t *testing.T, limit int64, secrets []string, chunks ...string) kept {
	t.Helper()
	folder := t.TempDir()
	var live bytes.Buffer
	r, err := Open(Options{Folder: folder, Redactor: redact.New(secrets...), Limit: limit, Stdout: &live, Stderr: io.Discard})
	if err != nil {
		t.Fatal(err)
	}
	for _, chunk := range chunks {
		if n, err := r.Stdout.Write([]byte(chunk)); n != len(chunk) || err != nil {
			t.Fatal(n, err)
		}
	}
	k := kept{output: r.End(), live: live.String(), notes: strings.Join(r.Notes(), "\n")}
	if err := r.Close(); err != nil {
		t.Fatal(err)
	}
	log, _ := os.ReadFile(filepath.Join(folder, "stdout.log"))
	k.log = string(log)
	text, _ := os.ReadFile(filepath.Join(folder, "events.ndjson"))
	for line := range strings.Lines(string(text)) {
		var event map[string]any
		if err := json.Unmarshal([]byte(line), &event); err != nil || strings.Contains(line, `\u0000`) {
			t.Fatalf("%q: %v", line, err)
		}
		k.events = append(k.events, event)
	}
	return k
}

// text joins the output events as their reader would.
func (k kept) text() string {
	var out strings.Builder
	for _, event := range k.events {
		if event["kind"] == "output" {
			out.WriteString(event["text"].(string))
			if event["open"] == nil {
				out.WriteString("\n")
			}
		}
	}
	return out.String()
}

func TestBytesSurvive(t *testing.T) {
	k := keep(t, 1<<20, nil, "one\r\ntwo", " more\nnul\x00 \xff\xfe é", "\xc3", "\xa9\nprompt: ")
	want := "one\r\ntwo more\nnul\x00 \xff\xfe éé\nprompt: "
	if k.log != want || k.live != want || k.output.Stdout != (jobprotocol.Stream{Bytes: int64(len(want)), Kept: int64(len(want))}) {
		t.Errorf("%q %q %+v", k.log, k.live, k.output)
	}
	if text := k.text(); text != "one\r\ntwo more\nnul\uFFFD \uFFFD éé\nprompt: " {
		t.Errorf("%q", text)
	}
	if len(k.events) != 4 || k.events[2]["lossy"] != true || k.events[0]["lossy"] != nil || k.events[3]["open"] != true {
		t.Error(k.events)
	}
	for i, event := range k.events {
		offset, length := int(event["offset"].(float64)), int(event["bytes"].(float64))
		if event["counter"] != float64(i+1) || event["lossy"] == nil && want[offset:offset+length] != event["text"] {
			t.Error(event)
		}
	}
}

func TestLimit(t *testing.T) {
	long := strings.Repeat("0123456789\n", 100<<10)
	k := keep(t, 1000, nil, long)
	gap := len(long) - 1000 - keptEnd
	if !k.output.Stdout.Truncated || k.output.Stdout.Kept != 1000+keptEnd || k.output.Stdout.Bytes != int64(len(long)) {
		t.Errorf("%+v", k.output)
	}
	if !strings.Contains(k.log, "bytes are left out here]\n") || !strings.HasPrefix(k.log, long[:1000]+"\n[kiln: ") || !strings.HasSuffix(k.log, long[len(long)-keptEnd:]) {
		t.Error(len(k.log), gap)
	}
	if k.log != k.live || !strings.Contains(k.notes, "KILN_OUTPUT_BYTES") {
		t.Error(k.notes)
	}
	// A little more than the limit is kept whole.
	if k := keep(t, 10, nil, "0123456789abc"); k.output.Stdout.Truncated || k.log != "0123456789abc" {
		t.Errorf("%+v %q", k.output, k.log)
	}
}

func TestLongLine(t *testing.T) {
	long := strings.Repeat("é", 30<<10)
	k := keep(t, 1<<20, nil, "x"+long+"\n")
	if k.text() != "x"+long+"\n" || len(k.events) != 4 {
		t.Error(len(k.events))
	}
}

func TestSecrets(t *testing.T) {
	k := keep(t, 1<<20, []string{"hunter2-hunter2"}, "a hunter2", "-hunter2 b\n")
	if k.log != "a [secret] b\n" || k.live != k.log || k.text() != k.log {
		t.Errorf("%q", k.log)
	}
}

// TestMovedLogs: a script that takes its log away, or leads it elsewhere, changes neither that nor another file.
func TestMovedLogs(t *testing.T) {
	folder, other := t.TempDir(), filepath.Join(t.TempDir(), "other")
	os.WriteFile(other, []byte("other"), 0o600)
	os.Symlink(other, filepath.Join(folder, "stdout.log"))
	r, err := Open(Options{Folder: folder, Redactor: redact.New(), Limit: 100, Stdout: io.Discard, Stderr: io.Discard})
	if err != nil {
		t.Fatal(err)
	}
	r.Stdout.Write([]byte("kept"))
	os.Remove(filepath.Join(folder, "stdout.log"))
	os.Remove(filepath.Join(folder, "events.ndjson"))
	os.Symlink(other, filepath.Join(folder, "stdout.log"))
	r.End()
	if err := r.Close(); err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]string{filepath.Join(folder, "stdout.log"): "kept", other: "other"} {
		if text, err := os.ReadFile(path); string(text) != want {
			t.Errorf("%s: %q %v", path, text, err)
		}
	}
	if text, _ := os.ReadFile(filepath.Join(folder, "events.ndjson")); !strings.Contains(string(text), "kept") {
		t.Errorf("%q", text)
	}
}

// TestAnyBytes: whatever the script writes and however it is split, the log has it and the events are text.
func TestAnyBytes(t *testing.T) {
	property := func(chunks [][]byte) bool {
		var texts []string
		for _, chunk := range chunks {
			texts = append(texts, string(chunk))
		}
		k := keep(t, 1<<20, nil, texts...)
		return k.log == strings.Join(texts, "")
	}
	if err := quick.Check(property, &quick.Config{MaxCount: 30}); err != nil {
		t.Error(err)
	}
}

// TestShortLines: the events of many short lines take many times as much, and end; the log does not.
func TestShortLines(t *testing.T) {
	const count = 200_000
	k := keep(t, 1<<18, nil, strings.Repeat("\n", count))
	if len(k.log) != count || len(k.events) >= count || !strings.Contains(k.notes, "the logs have it") {
		t.Error(len(k.log), len(k.events), k.notes)
	}
}

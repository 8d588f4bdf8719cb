package main

import (
	"bytes"
	"encoding/json"
	"io"
	"os"
	"regexp"
	"sync"
	"time"

	"kiln.dev/programs/moduleprotocol"
	"kiln.dev/programs/redact"
)

// keptLogs is how much of the end of the log is in the response.
const keptLogs = 256 << 10

// record is all that is said during a run: lines for people and events for programs, without secrets.
type record struct {
	lock     sync.Mutex
	redactor *redact.Redactor
	// clean redacts the log as one stream: a secret with several lines is found across them.
	clean  *redact.Writer
	people io.Writer // nil where standard output is the events
	events []io.Writer
	file   *os.File
	line   bytes.Buffer
	logs   []byte
}

// newRecord writes events to a file, and events or people's lines to standard output. A file that cannot be made is said there.
func newRecord(redactor *redact.Redactor, path string, stdout io.Writer) *record {
	r := &record{redactor: redactor, people: stdout}
	r.clean = redact.NewWriter(redactor, (*cleanLog)(r))
	file, err := os.Create(path)
	if err == nil {
		r.file = file
		r.events = append(r.events, file)
	}
	if os.Getenv("KILN_EVENTS") == "1" {
		r.people, r.events = nil, append(r.events, stdout)
	}
	if err != nil {
		r.Log("no events are kept: " + err.Error())
	}
	return r
}

// Escape sequences of terminals, and NUL. Colours could stand within a secret, and hide it from the redactor.
var escapes = regexp.MustCompile("\x1b\\[[0-9;?]*[ -/]*[@-~]|\x1b\\][^\x07\x1b]*(\x07|\x1b\\\\)|\x00")

// Log takes a line for people.
func (r *record) Log(line string) {
	r.lock.Lock()
	defer r.lock.Unlock()
	io.WriteString(r.clean, escapes.ReplaceAllString(line, "")+"\n")
}

// cleanLog gets what is left of the log, and cuts it into lines.
type cleanLog record

func (c *cleanLog) Write(text []byte) (int, error) {
	r := (*record)(c)
	r.line.Write(text)
	for {
		end := bytes.IndexByte(r.line.Bytes(), '\n')
		if end < 0 {
			return len(text), nil
		}
		line := string(r.line.Next(end + 1)[:end])
		r.keep(line)
		r.write(map[string]any{"kind": "log", "message": line})
	}
}

// keep takes a clean line into the log, and shows it to people; the lock is held.
func (r *record) keep(line string) {
	r.logs = append(r.logs, line+"\n"...)
	if len(r.logs) > 2*keptLogs {
		r.logs = append([]byte(nil), r.logs[len(r.logs)-keptLogs:]...)
	}
	if r.people != nil {
		io.WriteString(r.people, line+"\n")
	}
}

// Phase says that a phase begins.
func (r *record) Phase(phase string) { r.event(map[string]any{"kind": "phase", "phase": phase}) }

// Diagnostic takes a message about a resource, or about none. It is one event; the log has it, too, where it is not logged yet.
func (r *record) Diagnostic(severity, resource, message string, logged bool) {
	message = r.redactor.String(escapes.ReplaceAllString(message, ""))
	event := map[string]any{"kind": "diagnostic", "severity": severity, "message": message}
	if resource != "" {
		event["resource"] = r.redactor.String(resource)
	}
	r.lock.Lock()
	defer r.lock.Unlock()
	if !logged {
		r.keep(severity + ": " + message)
	}
	r.write(event)
}

// Resource takes what happens to a resource.
func (r *record) Resource(status string, change moduleprotocol.Change) {
	event := map[string]any{"kind": "resource", "status": status, "resource": r.redactor.String(change.Resource), "action": change.Action}
	if change.Type != "" {
		event["type"] = change.Type
	}
	if change.URN != "" {
		event["urn"] = r.redactor.String(change.URN)
	}
	r.event(event)
}

// Summary says how the run ended.
func (r *record) Summary(success bool, summary moduleprotocol.Summary) {
	r.event(map[string]any{"kind": "summary", "success": success, "summary": summary})
}

func (r *record) event(fields map[string]any) {
	r.lock.Lock()
	defer r.lock.Unlock()
	r.write(fields)
}

// write writes an event; the lock is held. An event that cannot be written is lost: the response has all that matters.
func (r *record) write(fields map[string]any) {
	fields["at"] = now()
	var line bytes.Buffer
	encoder := json.NewEncoder(&line)
	encoder.SetEscapeHTML(false)
	if encoder.Encode(fields) != nil {
		return
	}
	for _, to := range r.events {
		to.Write(line.Bytes())
	}
}

// Logs is the end of the log, from the beginning of a line, without what became known as secret later.
func (r *record) Logs() string {
	r.lock.Lock()
	defer r.lock.Unlock()
	logs := r.logs
	if len(logs) > keptLogs {
		logs = logs[len(logs)-keptLogs:]
		logs = logs[bytes.IndexByte(logs, '\n')+1:]
	}
	return r.redactor.String(string(logs))
}

// Flush writes what was held back as the possible beginning of a secret.
func (r *record) Flush() {
	r.lock.Lock()
	defer r.lock.Unlock()
	r.clean.Close()
}

// Close flushes, and closes the events.
func (r *record) Close() {
	r.Flush()
	if r.file != nil {
		r.file.Close()
	}
}

func now() string { return time.Now().UTC().Format("2006-01-02T15:04:05.000Z") }

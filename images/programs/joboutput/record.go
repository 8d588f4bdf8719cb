// Package joboutput keeps what a script writes: live, in a log byte by byte, and as events that are always text; without
// secrets, and within limits.
package joboutput

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"kiln.dev/programs/jobprotocol"
	"kiln.dev/programs/redact"
	"kiln.dev/programs/removal"
)

// Options say where output goes.
type Options struct {
	Folder   string
	Redactor *redact.Redactor
	// Limit of bytes that are kept of a stream, without its end.
	Limit          int64
	Stdout, Stderr io.Writer
	// EventsOnStdout: standard output gets the events in place of what the script writes.
	EventsOnStdout bool
}

// Record is all that is said during a job.
type Record struct {
	// Stdout and Stderr take what the script writes.
	Stdout, Stderr *Stream
	redactor       *redact.Redactor
	lock           sync.Mutex
	counter        int
	events         []io.Writer
	file           *os.File
	notes          []string
	last           atomic.Int64
	// said is what the events of the script's output take, and may take.
	said, mostSaid int64
}

// MostEvents is how many bytes the events of both streams take at most, by the limit of one: a byte may stand as six. Of very
// short lines an event takes a hundred times as much; what is beyond that is in the logs alone.
func MostEvents(limit int64) int64 { return 2*6*limit + 4<<20 }

// Open makes the logs and the events in a folder, in place of those of an earlier job.
func Open(o Options) (*Record, error) {
	r := &Record{redactor: o.Redactor, mostSaid: MostEvents(o.Limit)}
	r.Touch()
	file, err := create(o.Folder, "events.ndjson")
	if err != nil {
		return nil, err
	}
	r.file, r.events = file, []io.Writer{file}
	liveOut, liveErr := o.Stdout, o.Stderr
	if o.EventsOnStdout {
		r.events, liveOut, liveErr = append(r.events, o.Stdout), io.Discard, io.Discard
	}
	if r.Stdout, err = r.stream("stdout", o, liveOut); err == nil {
		r.Stderr, err = r.stream("stderr", o, liveErr)
	}
	return r, err
}

// create makes a file anew: one that is there may be a link to something else.
func create(folder, name string) (*os.File, error) {
	path := filepath.Join(folder, name)
	if err := removal.All(path); err != nil {
		return nil, err
	}
	return os.OpenFile(path, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o644)
}

// Touch notes that there was a sign of life.
func (r *Record) Touch() { r.last.Store(time.Now().UnixNano()) }

// Quiet is how long there was none.
func (r *Record) Quiet() time.Duration { return time.Since(time.Unix(0, r.last.Load())) }

// Phase says that a phase begins.
func (r *Record) Phase(phase string) { r.event(map[string]any{"kind": "phase", "phase": phase}) }

// Note keeps what a person should know, for the result too.
func (r *Record) Note(format string, values ...any) {
	message := Printable(r.redactor.String(fmt.Sprintf(format, values...)))
	r.lock.Lock()
	r.notes = append(r.notes, message)
	r.lock.Unlock()
	r.event(map[string]any{"kind": "note", "message": message})
}

// Notes lists them.
func (r *Record) Notes() []string {
	r.lock.Lock()
	defer r.lock.Unlock()
	return r.notes
}

// Artifact says that one is kept.
func (r *Record) Artifact(a jobprotocol.Artifact) {
	r.event(map[string]any{"kind": "artifact", "name": a.Name, "bytes": a.Bytes, "sha256": a.SHA256})
}

// Summary says how the job ended.
func (r *Record) Summary(status string, exitCode *int, message string) {
	event := map[string]any{"kind": "summary", "status": status, "exit_code": exitCode}
	if message != "" {
		event["error"] = message
	}
	r.event(event)
}

// event writes one. One that cannot be written is lost: the result has all that matters.
func (r *Record) event(fields map[string]any) {
	r.lock.Lock()
	defer r.lock.Unlock()
	r.counter++
	fields["at"], fields["counter"] = time.Now().UTC().Format("2006-01-02T15:04:05.000Z"), r.counter
	var line bytes.Buffer
	encoder := json.NewEncoder(&line)
	encoder.SetEscapeHTML(false)
	if encoder.Encode(fields) != nil {
		return
	}
	if fields["kind"] == "output" {
		if r.said += int64(line.Len()); r.said > r.mostSaid {
			return
		}
	}
	for _, to := range r.events {
		_, _ = to.Write(line.Bytes())
	}
}

// End writes what was held back, and puts logs in place again that the script moved away. The streams take nothing after it.
func (r *Record) End() jobprotocol.Output {
	r.Stdout.end()
	r.Stderr.end()
	if r.said > r.mostSaid {
		r.Note("the events leave out what is beyond their %d bytes: the logs have it", r.mostSaid)
	}
	return jobprotocol.Output{Stdout: r.Stdout.facts, Stderr: r.Stderr.facts}
}

// Close closes the events; nothing is said after it.
func (r *Record) Close() error {
	r.lock.Lock()
	defer r.lock.Unlock()
	return errors.Join(restore(r.file), r.file.Close())
}

// restore writes an open file again where another one stands in its place, or none: a script can do that to its own log.
func restore(file *os.File) error {
	opened, err := file.Stat()
	if err != nil {
		return err
	}
	there, err := os.Lstat(file.Name())
	if err == nil && os.SameFile(opened, there) {
		return nil
	}
	again, err := create(filepath.Dir(file.Name()), filepath.Base(file.Name()))
	if err != nil {
		return err
	}
	defer again.Close()
	_, err = io.Copy(again, io.NewSectionReader(file, 0, opened.Size()))
	return err
}

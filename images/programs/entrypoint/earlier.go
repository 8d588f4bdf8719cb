package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"

	"kiln.dev/programs/moduleprotocol"
	"kiln.dev/programs/stateenvelope"
)

// earlier is the sealed state in the response of an earlier run that stands where this run writes its own, or beside it. An executor
// leaves none there; where somebody runs the container by hand, it may be the only copy.
type earlier struct {
	envelope stateenvelope.Envelope
	state    json.RawMessage
	// at is when the run began that answered so.
	at string
	// file is where the response is from now on; empty where it had nothing but the state that it carried on.
	file string
}

// Responses with these codes did nothing: they only carry on the state that they found.
var didNothing = []string{moduleprotocol.BadRequest, moduleprotocol.UnsupportedAction, moduleprotocol.StateMismatch}

// keptMark is in the names of responses that made room for another run's.
const keptMark = ".before-"

// found is what earlier runs left.
type found struct {
	// newest is the newest state of the request's stack; nil where there is none.
	newest *earlier
	// last is the state in the response that stood where this run writes its own; nil where there was none.
	last *earlier
	// moved is where that response is from now on; empty where it need not make room.
	moved string
}

// keepEarlier moves away an earlier response whose state is not the request's, and looks for the newest state of the request's stack
// in it and in those that were moved away before. Unread: nobody knows whose stack the request is about.
func keepEarlier(path string, request moduleprotocol.Request, unread bool) (f found, err error) {
	var idle bool
	if f.last, idle, err = readEarlier(path); err != nil {
		return f, fmt.Errorf("read the earlier response: %w", err)
	}
	stack := stackOf(request)
	if sent, err := stateenvelope.Parse(request.State); f.last != nil && (err != nil || sent != f.last.envelope) {
		f.last.file = ""
		if !idle || !unread && f.last.envelope.Stack != stack {
			f.moved = keptName(path, request.RunID)
			if err := os.Rename(path, f.moved); err != nil {
				return f, fmt.Errorf("keep the earlier response: %w", err)
			}
		}
	}
	for _, file := range keptFiles(path) {
		// One that cannot be read was not written by an entrypoint, or belongs to somebody else.
		if e, _, err := readEarlier(file); err == nil && e != nil && e.envelope.Stack == stack && e.newer(f.newest) {
			f.newest = e
		}
	}
	if f.last != nil && f.last.envelope.Stack == stack && f.last.newer(f.newest) {
		f.newest = f.last
	}
	return f, nil
}

// keptFiles are the responses that made room for those of other runs.
func keptFiles(path string) []string {
	folder := filepath.Dir(path)
	entries, err := os.ReadDir(folder)
	if err != nil {
		return nil // what stands there was read by its name; nothing else is known of
	}
	var files []string
	for _, entry := range entries {
		if strings.HasPrefix(entry.Name(), filepath.Base(path)+keptMark) {
			files = append(files, filepath.Join(folder, entry.Name()))
		}
	}
	return files
}

// readEarlier reads the state in a response, or nothing where there is none; idle says that its run did nothing.
func readEarlier(path string) (e *earlier, idle bool, err error) {
	text, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, false, nil
	}
	if err != nil {
		return nil, false, err
	}
	var response moduleprotocol.Response
	if json.Unmarshal(text, &response) != nil {
		return nil, false, nil
	}
	envelope, err := stateenvelope.Parse(response.State)
	if err != nil {
		return nil, false, nil
	}
	idle = response.Detail != nil && slices.Contains(didNothing, response.Detail.Code)
	return &earlier{envelope, response.State, response.StartedAt, path}, idle, nil
}

// newer: of one lineage the higher serial, otherwise what was answered later.
func (e *earlier) newer(other *earlier) bool {
	if other != nil && other.envelope.Lineage == e.envelope.Lineage {
		return e.envelope.Serial > other.envelope.Serial
	}
	return other == nil || e.at > other.at
}

var plainRun = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9_.-]{0,127}$`)

// keptName ends in the run that took the place, or else in the time.
func keptName(path, run string) string {
	name := path + keptMark + run
	if _, err := os.Lstat(name); plainRun.MatchString(run) && errors.Is(err, fs.ErrNotExist) {
		return name
	}
	return path + keptMark + time.Now().UTC().Format("20060102T150405.000000000Z")
}

// forgotten: a request goes on without the state of its stack, or with one that is older.
func (e *earlier) forgotten(request moduleprotocol.Request) bool {
	if e == nil {
		return false
	}
	sent, err := stateenvelope.Parse(request.State)
	return request.State == nil || err == nil && sent.Lineage == e.envelope.Lineage && sent.Serial < e.envelope.Serial
}

// refusal of a request that would begin anew where there is something already.
func (e *earlier) refusal(path string) error {
	also, every := "", path
	if len(keptFiles(path)) > 0 {
		every += " and " + path + keptMark + "*"
	}
	if e.file != "" {
		also = " (the whole response is in " + e.file + ")"
	}
	return moduleprotocol.Fail(moduleprotocol.StateMismatch,
		"$.state: is not the state of stack %q that an earlier run left, serial %d, and that is in %s again%s. Put that into the "+
			"request; or move %s of this stack away, where it is to begin anew", e.envelope.Stack, e.envelope.Serial, path, also, every)
}

// carryOn puts into the response the state that there was before the run: until there is a newer one, it is the newest.
func (s *session) carryOn(unread bool) {
	if _, err := stateenvelope.Parse(s.request.State); err == nil {
		s.report.saveState(s.request.State, false)
	}
	if s.earlier.moved != "" {
		s.record.Log("another run's response, with state in it, is now in " + s.earlier.moved)
	}
	switch newest, last := s.earlier.newest, s.earlier.last; {
	case unread && last != nil:
		s.report.saveState(last.state, false)
	case newest != nil && (unread || newest.forgotten(s.request)):
		s.report.saveState(newest.state, false)
	}
}

package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"regexp"
	"slices"
	"time"

	"kiln.dev/programs/moduleprotocol"
	"kiln.dev/programs/stateenvelope"
)

// earlier is the sealed state in the response of an earlier run that stands where this run writes its own. An executor leaves
// none there; where somebody runs the container by hand, it may be the only copy.
type earlier struct {
	envelope stateenvelope.Envelope
	state    json.RawMessage
	// kept is where the response is from now on; empty where it had nothing but the state that it carried on.
	kept string
}

// Responses with these codes did nothing: they only carry on the state that they found.
var didNothing = []string{moduleprotocol.BadRequest, moduleprotocol.UnsupportedAction, moduleprotocol.StateMismatch}

// keepEarlier moves away an earlier response whose state is not the request's. It returns nil where there is none.
func keepEarlier(path string, request moduleprotocol.Request) (*earlier, error) {
	text, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read the earlier response: %w", err)
	}
	var response moduleprotocol.Response
	if json.Unmarshal(text, &response) != nil {
		return nil, nil
	}
	found := earlier{state: response.State}
	if found.envelope, err = stateenvelope.Parse(response.State); err != nil {
		return nil, nil
	}
	if sent, err := stateenvelope.Parse(request.State); err == nil && sent == found.envelope {
		return nil, nil
	}
	if response.Detail == nil || !slices.Contains(didNothing, response.Detail.Code) {
		found.kept = keptName(path, request.RunID)
		if err := os.Rename(path, found.kept); err != nil {
			return nil, fmt.Errorf("keep the earlier response: %w", err)
		}
	}
	return &found, nil
}

var plainRun = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9_.-]{0,127}$`)

// keptName ends in the run that took the place, or else in the time.
func keptName(path, run string) string {
	name := path + ".before-" + run
	if _, err := os.Lstat(name); plainRun.MatchString(run) && errors.Is(err, fs.ErrNotExist) {
		return name
	}
	return path + ".before-" + time.Now().UTC().Format("20060102T150405.000000000Z")
}

// forgotten: a request goes on without the state of its stack, or with one that is older.
func (e *earlier) forgotten(request moduleprotocol.Request) bool {
	if e == nil || e.envelope.Stack != stackOf(request) {
		return false
	}
	sent, err := stateenvelope.Parse(request.State)
	return request.State == nil || err == nil && sent.Lineage == e.envelope.Lineage && sent.Serial < e.envelope.Serial
}

// refusal of a request that would begin anew where there is something already.
func (e *earlier) refusal(path string) error {
	also := ""
	if e.kept != "" {
		also = " (the whole response is in " + e.kept + ")"
	}
	return moduleprotocol.Fail(moduleprotocol.StateMismatch,
		"$.state: is not the state of stack %q that an earlier run left in %s, serial %d%s. Put that into the request; "+
			"or move the file away, where the stack is to begin anew", e.envelope.Stack, path, e.envelope.Serial, also)
}

// carryOn puts into the response the state that there was before the run: until there is a newer one, it is the newest.
func (s *session) carryOn(unread bool) {
	if _, err := stateenvelope.Parse(s.request.State); err == nil {
		s.report.saveState(s.request.State, false)
	}
	if s.earlier == nil {
		return
	}
	if s.earlier.kept != "" {
		s.record.Log("another run's response, with the state of stack " + s.earlier.envelope.Stack + ", is now in " + s.earlier.kept)
	}
	if unread || s.earlier.forgotten(s.request) {
		s.report.saveState(s.earlier.state, false)
	}
}

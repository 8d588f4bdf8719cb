package main

import (
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"path/filepath"

	"kiln.dev/programs/moduleprotocol"
	"kiln.dev/programs/moduletool"
	"kiln.dev/programs/pulumitool"
	"kiln.dev/programs/stateenvelope"
)

// carried is the state of a run that travels in request and response.
type carried struct {
	mode string
	key  []byte
	// envelope is the request's; its serial is 0 where there was none.
	envelope stateenvelope.Envelope
	// opened is the tool's own state before the run; nil where there was none.
	opened []byte
	// sent is the envelope as it came in.
	sent json.RawMessage
}

// stateKey is the key of the secret channel, or of a file beside the response, which is made where there is none. It also seals
// sensitive outputs, so that every run needs one.
func stateKey(secrets moduleprotocol.Secrets, output string, say func(string)) ([]byte, error) {
	if secrets.StateKey != nil {
		return secrets.StateKey, nil
	}
	path := filepath.Join(filepath.Dir(output), "state.key")
	key, made, err := stateenvelope.EnsureKey(path)
	if made && err == nil {
		say("made a key for state and sensitive outputs: " + path + ". Keep it, and give it to no one: the state opens with it only.")
	}
	return key, err
}

// prepareState opens the state, and refuses what needs one where there is none: nothing destroyed is no success.
func (s *session) prepareState(job *moduletool.Job, tool string) error {
	s.redactor.Add(base64.StdEncoding.EncodeToString(s.key), string(s.key))
	mode, err := stateMode(s.request, tool, job.Module, job.Environment)
	if err != nil {
		return err
	}
	if err := s.checkStack(*job, tool, mode); err != nil {
		return err
	}
	if mode == moduleprotocol.Carried && s.earlier.newest.forgotten(s.request) {
		return s.earlier.newest.refusal(s.output)
	}
	if s.state, err = openState(s.request, tool, job.Stack, mode, s.key); err != nil {
		return err
	}
	if s.state.opened != nil && s.state.sent == nil && s.secrets.State == nil {
		s.record.Log("the state in " + s.input + " is in the clear, with every secret in it: from now on it is sealed in the response. " +
			"Remove it there; the secret channel takes one without a disk")
	}
	needed := s.request.Action == moduleprotocol.Destroy || s.request.Action == moduleprotocol.Refresh
	job.StateMode, job.State, job.Create = mode, s.state.opened, !needed || s.request.AllowMissingState
	if mode != moduleprotocol.Remote && s.state.opened == nil && !job.Create {
		return moduleprotocol.Fail(moduleprotocol.StateMissing,
			"$.state: is missing: without the state of stack %q nothing is known that could be %s. "+
				"Where there is nothing indeed, set destroy.allow_missing_state", job.Stack,
			map[string]string{moduleprotocol.Destroy: "destroyed", moduleprotocol.Refresh: "refreshed"}[s.request.Action])
	}
	job.Passphrase = stateenvelope.Passphrase(s.key)
	if mode == moduleprotocol.Ephemeral {
		job.Passphrase = ephemeralPassphrase()
	}
	s.redactor.Add(job.Passphrase)
	return nil
}

func (s *session) checkStack(job moduletool.Job, tool, mode string) error {
	var project, where string
	if tool == pulumitool.Name {
		var err error
		if project, err = pulumitool.ProjectName(job.Module); err != nil {
			return err
		}
		if where, err = pulumitool.BackendURL(job); err != nil && mode == moduleprotocol.Remote {
			return err
		}
	}
	return checkStack(job.Stack, tool, mode, project, where)
}

// openState opens the state of a request. It refuses what belongs to another tool or stack before it tries the key.
func openState(request moduleprotocol.Request, tool, stack, mode string, key []byte) (*carried, error) {
	c := &carried{mode: mode, key: key, envelope: stateenvelope.Envelope{Tool: tool, Stack: stack}}
	if request.State == nil {
		c.envelope.Lineage = stateenvelope.NewLineage()
		return c, nil
	}
	if mode != moduleprotocol.Carried {
		return nil, moduleprotocol.Fail(moduleprotocol.BadRequest, "$.state: goes with carried state only, and the state of this run is %s", mode)
	}
	var form struct{ Format *string }
	if json.Unmarshal(request.State, &form) == nil && form.Format == nil {
		// The tool's own state, in the clear: taken over, and sealed from now on.
		c.opened, c.envelope.Lineage = request.State, stateenvelope.NewLineage()
		return c, nil
	}
	envelope, err := stateenvelope.Parse(request.State)
	if err != nil {
		return nil, moduleprotocol.Fail(moduleprotocol.BadRequest, "$.state: %v", err)
	}
	if envelope.Tool != tool || envelope.Stack != stack {
		return nil, moduleprotocol.Fail(moduleprotocol.StateMismatch,
			"$.state: is of stack %q of %s, and this run is stack %q of %s", envelope.Stack, envelope.Tool, stack, tool)
	}
	if c.opened, err = envelope.Open(key); err != nil {
		if errors.Is(err, stateenvelope.ErrKey) {
			return nil, moduleprotocol.Fail(moduleprotocol.StateKeyWrong, "$.state: %v", err)
		}
		return nil, moduleprotocol.Fail(moduleprotocol.BadRequest, "$.state: %v", err)
	}
	c.envelope, c.sent = envelope, request.State
	return c, nil
}

// stackOf is the stack of a request: the one that it names, or else that of the state that it brings.
func stackOf(request moduleprotocol.Request) string {
	var head struct{ Stack string }
	if request.StackName == "" && request.State != nil && json.Unmarshal(request.State, &head) == nil && head.Stack != "" {
		return head.Stack
	}
	if request.StackName == "" {
		return "default"
	}
	return request.StackName
}

// seal returns the envelope of the tool's state as it is now: the one that came in where nothing changed, and nothing where there
// is no state.
func (c *carried) seal(tool moduletool.Tool) (json.RawMessage, error) {
	if c.mode != moduleprotocol.Carried {
		return nil, nil
	}
	state, err := tool.State()
	if err != nil {
		return nil, fmt.Errorf("read the state: %w", err)
	}
	if state == nil || c.sent != nil && tool.SameState(c.opened, state) {
		return c.sent, nil
	}
	next := c.envelope
	next.Serial++
	if next, err = next.Seal(c.key, state); err != nil {
		return nil, err
	}
	return json.Marshal(next)
}

// identity names the state that a plan was made against.
func (c *carried) identity() (string, error) {
	switch {
	case c.sent != nil:
		return fmt.Sprintf("%s/%d", c.envelope.Lineage, c.envelope.Serial), nil
	case c.opened != nil:
		text, err := moduleprotocol.Canonical(c.opened)
		return "own/" + fmt.Sprintf("%x", stateenvelope.Authenticate(c.key, text)), err
	default:
		return "", nil
	}
}

// ephemeralPassphrase encrypts secrets in a state that ends with the run.
func ephemeralPassphrase() string { return rand.Text() }

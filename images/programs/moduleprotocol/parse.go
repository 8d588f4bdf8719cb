package moduleprotocol

import (
	"encoding/json"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// ParseRequest reads a request. Unknown fields are ignored; a field of the wrong type is refused with its JSON path.
// The request is returned as far as it could be read, so that a response can name its run.
func ParseRequest(text []byte) (Request, error) {
	r, err := readObject(text)
	if err != nil {
		return Request{}, err
	}
	q := Request{
		Action:            r.text("action"),
		Inputs:            map[string]json.RawMessage{},
		Environment:       r.texts("environment"),
		StackName:         r.text("stack_name"),
		APIVersion:        r.text("api_version"),
		RunID:             r.text("run_id"),
		StateMode:         r.text("state_mode"),
		PlanDigest:        r.text("plan_digest"),
		UpdateState:       r.flag("refresh", "update"),
		AllowMissingState: r.flag("destroy", "allow_missing_state"),
	}
	if inputs := r.take("inputs"); inputs != nil {
		q.Inputs = r.object(inputs, "$.inputs")
	}
	q.Backend = r.backend()
	q.State = r.state()
	q.Deadline = r.deadline()
	q.Imports = r.mappings(q.Inputs)
	delete(q.Inputs, ImportMappings)
	if names := r.take("secret_inputs"); names != nil {
		for i, name := range r.list(names, "$.secret_inputs") {
			q.SecretInputs = append(q.SecretInputs, r.textAt(name, fmt.Sprintf("$.secret_inputs[%d]", i)))
		}
	}
	r.check(q)
	return q, *r.err
}

// ErrAction marks a request whose action is none of those that are known.
type ErrAction struct{ Action string }

func (e ErrAction) Error() string {
	return fmt.Sprintf("$.action: there is no action %q: there are %s", e.Action, strings.Join(Actions(), ", "))
}

func (r reader) check(q Request) {
	if *r.err != nil {
		return
	}
	switch {
	case q.Action == "":
		r.refuse("$.action", "is missing: there are "+strings.Join(Actions(), ", "))
	case !slices.Contains(Actions(), q.Action):
		*r.err = ErrAction{q.Action}
	case q.APIVersion != "" && q.APIVersion != Version:
		r.refuse("$.api_version", fmt.Sprintf("is %q, and this entrypoint speaks %s", q.APIVersion, Version))
	case q.StateMode != "" && !slices.Contains([]string{Remote, Carried, Ephemeral}, q.StateMode):
		r.refuse("$.state_mode", fmt.Sprintf("is %q: there are remote, carried and ephemeral", q.StateMode))
	case q.Backend.Placeless() && q.StateMode == Remote:
		r.refuse("$.backend.config.path", "is missing: a local backend without it is carried state, but state_mode is "+Remote)
	case q.Backend.local() && q.Backend.Config["path"] != "" && !filepath.IsAbs(q.Backend.Config["path"]):
		r.refuse("$.backend.config.path", "has to begin with /: what is beside the module ends with the container, and the state with it")
	case q.Backend != nil && !q.Backend.Placeless() && q.StateMode != "" && q.StateMode != Remote:
		r.refuse("$.backend", "names a backend, but state_mode is "+q.StateMode)
	case q.PlanDigest != "" && q.Action != Apply:
		r.refuse("$.plan_digest", "goes with the action apply only")
	case q.Action == Import && len(q.Imports) == 0:
		r.refuse("$.import", "is missing: it lists what is to be imported, as {address, id}")
	}
	for name, value := range q.Environment {
		if name == "" || strings.ContainsAny(name, "=\x00") || strings.Contains(value, "\x00") {
			r.refuse(Join("$.environment", name), "is no environment variable: names have no = and neither has a NUL")
		}
	}
}

func (r reader) backend() *Backend {
	value := r.take("backend")
	if value == nil {
		return nil
	}
	inner := reader{path: "$.backend", fields: r.object(value, "$.backend"), err: r.err}
	backend := &Backend{Type: inner.text("type"), Config: inner.texts("config")}
	if backend.Type == "" {
		r.refuse("$.backend.type", "is missing")
	}
	return backend
}

// state is the state document; the published interface may send an empty object, which is none.
func (r reader) state() json.RawMessage {
	value := r.take("state")
	if value == nil || len(r.object(value, "$.state")) == 0 {
		return nil
	}
	return value
}

func (r reader) deadline() time.Time {
	text := r.text("deadline")
	if text == "" {
		return time.Time{}
	}
	at, err := time.Parse(time.RFC3339, text)
	if err != nil {
		r.refuse("$.deadline", fmt.Sprintf("has to be a time such as 2030-01-31T12:00:00Z, and is %q", text))
	}
	return at
}

// mappings are those of the request and, after them, those that the published interface puts among the inputs.
func (r reader) mappings(inputs map[string]json.RawMessage) []Mapping {
	var mappings []Mapping
	read := func(value json.RawMessage, path string) {
		if IsNull(value) {
			return
		}
		for i, entry := range r.list(value, path) {
			at := fmt.Sprintf("%s[%d]", path, i)
			inner := reader{path: at, fields: r.object(entry, at), err: r.err}
			m := Mapping{Address: inner.text("address"), ID: inner.text("id"), Type: inner.text("type"), Name: inner.text("name")}
			if m.ID == "" {
				r.refuse(at+".id", "is missing")
			}
			if m.Address == "" && (m.Type == "" || m.Name == "") {
				r.refuse(at+".address", "is missing")
			}
			mappings = append(mappings, m)
		}
	}
	read(r.fields["import"], "$.import")
	read(inputs[ImportMappings], "$.inputs."+ImportMappings)
	return mappings
}

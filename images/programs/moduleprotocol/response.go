package moduleprotocol

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
)

// Phases of a run, in their order. Reading is for outputs and state.
const (
	Starting  = "starting"
	Preparing = "preparing"
	Planning  = "planning"
	Running   = "running"
	Reading   = "reading"
	Done      = "done"
)

// What happens to a resource.
const (
	Create  = "create"
	Update  = "update"
	Delete  = "delete"
	Replace = "replace"
	NoOp    = "no-op"
	Read    = "read"
	// Import is the action's name too.
)

// Response is what the caller gets, whole at every moment.
type Response struct {
	Success    bool               `json:"success"`
	Action     string             `json:"action"`
	Outputs    map[string]Output  `json:"outputs"`
	Changes    []Change           `json:"changes"`
	Summary    Summary            `json:"summary"`
	State      json.RawMessage    `json:"state,omitempty"`
	Error      string             `json:"error,omitempty"`
	Logs       string             `json:"logs,omitempty"`
	Detail     *Failure           `json:"error_detail,omitempty"`
	APIVersion string             `json:"api_version"`
	RunID      string             `json:"run_id,omitempty"`
	Phase      string             `json:"phase"`
	Tool       Tool               `json:"tool"`
	PlanDigest string             `json:"plan_digest,omitempty"`
	Drift      *bool              `json:"drift,omitempty"`
	StartedAt  string             `json:"started_at"`
	FinishedAt string             `json:"finished_at,omitempty"`
	Timings    map[string]float64 `json:"timings"`
}

// Output is one output of a module. A sensitive one has no value, but a sealed one.
type Output struct {
	Value     json.RawMessage `json:"value"`
	Sensitive bool            `json:"sensitive,omitempty"`
	// Encrypted is base64 of nonce and ciphertext, AES-256-GCM with the state key, additional data "output:" and the name.
	Encrypted string `json:"encrypted,omitempty"`
}

// Tool names the tool that ran.
type Tool struct {
	Name    string `json:"name"`
	Version string `json:"version"`
}

// Change is what happened, or would happen, to a resource. Secrets in Before and After are "[secret]".
type Change struct {
	Resource string          `json:"resource"`
	Action   string          `json:"action"`
	Before   json.RawMessage `json:"before,omitempty"`
	After    json.RawMessage `json:"after,omitempty"`
	URN      string          `json:"urn,omitempty"`
	Type     string          `json:"type,omitempty"`
}

// Summary counts changes.
type Summary struct {
	Create  int `json:"create"`
	Update  int `json:"update"`
	Delete  int `json:"delete"`
	Replace int `json:"replace"`
	Same    int `json:"same"`
}

// Summarize counts changes. What is read or imported is neither made nor the same, and counts nowhere.
func Summarize(changes []Change) Summary {
	var s Summary
	for _, change := range changes {
		switch change.Action {
		case Create:
			s.Create++
		case Update:
			s.Update++
		case Delete:
			s.Delete++
		case Replace:
			s.Replace++
		case NoOp:
			s.Same++
		}
	}
	return s
}

// Differs: something is not as it was.
func (s Summary) Differs() bool { return s.Create+s.Update+s.Delete+s.Replace > 0 }

// Write writes the response whole or not at all: beside the place, flushed, renamed.
func (r Response) Write(path string) (err error) {
	var text bytes.Buffer
	encoder := json.NewEncoder(&text)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(r); err != nil {
		return fmt.Errorf("write response: %w", err)
	}
	file, err := os.CreateTemp(filepath.Dir(path), ".output-*.json")
	if err != nil {
		return fmt.Errorf("write response: %w", err)
	}
	defer func() {
		if err != nil {
			os.Remove(file.Name())
			err = fmt.Errorf("write response: %w", err)
		}
	}()
	// Nothing in it is secret in the clear, and who asked is often not the user of the container.
	err = file.Chmod(0o644)
	if err == nil {
		_, err = file.Write(text.Bytes())
	}
	if err == nil {
		err = file.Sync()
	}
	if closed := file.Close(); err == nil {
		err = closed
	}
	if err == nil {
		err = os.Rename(file.Name(), path)
	}
	return err
}

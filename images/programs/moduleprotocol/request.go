// Package moduleprotocol is the contract of a module container: the request that it reads, the response that it writes.
//
// The published interface {action, inputs, environment, stack_name, state, backend} is a part of it, and stays readable.
package moduleprotocol

import (
	"encoding/json"
	"time"
)

// Version is the version of the protocol that is spoken here.
const Version = "exec/v1"

// Actions of a request.
const (
	Preview = "preview"
	Apply   = "apply"
	Refresh = "refresh"
	Destroy = "destroy"
	Import  = "import"
)

// Actions lists what a request may ask for.
func Actions() []string { return []string{Preview, Apply, Refresh, Destroy, Import} }

// State modes: the tool's own backend, state that travels in request and response, or none that outlives the run.
const (
	Remote    = "remote"
	Carried   = "carried"
	Ephemeral = "ephemeral"
)

// Request is what a caller asks for. Inputs keep the text of their numbers.
type Request struct {
	Action      string
	Inputs      map[string]json.RawMessage
	Environment map[string]string
	StackName   string
	// State is nil where the request has none; otherwise an object.
	State      json.RawMessage
	Backend    *Backend
	APIVersion string
	RunID      string
	Deadline   time.Time
	StateMode  string
	PlanDigest string
	// UpdateState lets refresh write what it found into the state.
	UpdateState bool
	Imports     []Mapping
	// AllowMissingState lets destroy and refresh go on where there is no state.
	AllowMissingState bool
	// SecretInputs are the names of inputs whose values are secret; most come through the secret channel.
	SecretInputs []string
}

// Backend is where the tool keeps state by itself.
type Backend struct {
	Type   string
	Config map[string]string
}

// Placeless: a local backend that names no place. Its file would stand beside the module and end with the container, so that
// its state is carried instead.
func (b *Backend) Placeless() bool {
	return b.local() && b.Config["path"] == "" && b.Config["url"] == ""
}

func (b *Backend) local() bool { return b != nil && (b.Type == "local" || b.Type == "file") }

// Mapping names a thing that exists and the resource that it becomes.
type Mapping struct{ Address, ID, Type, Name string }

// ImportMappings is the input in which the published interface carries mappings.
const ImportMappings = "__import_mappings"

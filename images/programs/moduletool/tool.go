// Package moduletool is what the entrypoint asks of a tool that changes infrastructure, and what it gives to one.
package moduletool

import (
	"context"
	"encoding/json"

	"kiln.dev/programs/child"
	"kiln.dev/programs/moduleprotocol"
	"kiln.dev/programs/plandigest"
)

// Job is one request, ready for a tool.
type Job struct {
	// Module is the folder of the module, which may be read-only; Room a folder in memory for all that is secret.
	Module, Room string
	Stack        string
	StateMode    string
	Backend      *moduleprotocol.Backend
	Inputs       map[string]json.RawMessage
	// Secret names the inputs that the tool has to treat as secret.
	Secret map[string]bool
	// State is the tool's own state, opened; nil where there is none.
	State []byte
	// Create lets a remote stack be made where there is none. Without it that is a failure: nothing to destroy is not destroyed.
	Create bool
	// KeepPlan: a plan is followed by its execution, and not only looked at.
	KeepPlan bool
	// Passphrase encrypts secrets within the state, for tools that do so.
	Passphrase  string
	Environment []string
	// Run runs a program to its end, and stops it when the run is to stop.
	Run func(ctx context.Context, c child.Command) (child.Result, error)
	// Tell reports what happens, as it happens.
	Tell Listener
}

// Listener gets what a tool says. It redacts; tools need not.
type Listener interface {
	// Log gets a line that is meant for people.
	Log(line string)
	// Diagnostic gets a message about a resource, or about none. One that is not logged among the tool's lines for people
	// becomes such a line.
	Diagnostic(severity, resource, message string, logged bool)
	// Resource gets what happens to a resource: status is started, done or failed.
	Resource(status string, change moduleprotocol.Change)
}

// Goal is what a plan is for.
type Goal int

// Goals of plans: what the module says, nothing, or what the world says.
const (
	Apply Goal = iota
	Destroy
	Refresh
)

// Plan is what would happen.
type Plan struct {
	Changes []moduleprotocol.Change
	Steps   []plandigest.Step
}

// Tool drives one IaC tool. Errors are *moduleprotocol.Failure where the tool said what is wrong. Changes are returned with an
// error too: they are what happened before it.
type Tool interface {
	// Name is that of the response: pulumi or opentofu.
	Name() string
	// Prepare makes the module ready: files, state, backend. It needs no network where the image has all plugins.
	Prepare(ctx context.Context) error
	// Version of the tool; after Prepare.
	Version() string
	// Plan says what would happen, and changes nothing.
	Plan(ctx context.Context, goal Goal) (Plan, error)
	// Execute does it: exactly the last plan, where there is one for the same goal.
	Execute(ctx context.Context, goal Goal) ([]moduleprotocol.Change, error)
	// Import takes existing things into the state.
	Import(ctx context.Context, mappings []moduleprotocol.Mapping) ([]moduleprotocol.Change, error)
	// Outputs of the state as it is now.
	Outputs(ctx context.Context) (map[string]Output, error)
	// State is the tool's own state as it is now; nil where there is none. It is asked for while the tool runs, too.
	State() ([]byte, error)
	// SameState: two states say the same about the world.
	SameState(a, b []byte) bool
	// RemoteState names the state of a remote backend, so that a plan can tell whether it moved.
	RemoteState(ctx context.Context) (string, error)
}

// Output is a value with the text of its numbers, and whether it is secret.
type Output struct {
	Value     json.RawMessage
	Sensitive bool
}

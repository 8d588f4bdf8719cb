package pulumitool

import (
	"encoding/json"
	"regexp"
	"slices"
	"strings"

	"kiln.dev/programs/moduleprotocol"
	"kiln.dev/programs/moduletool"
	"kiln.dev/programs/plandigest"
	"kiln.dev/programs/redact"
)

// Of the engine's events (apitype.EngineEvent), those that say what happens.
type engineEvent struct {
	DiagnosticEvent *struct {
		URN, Message, Severity string
		Ephemeral              bool
	}
	ResourcePreEvent *struct {
		Metadata stepMetadata
		Planning bool
	}
	ResOutputsEvent *struct {
		Metadata stepMetadata
		Planning bool
	}
	ResOpFailedEvent *struct{ Metadata stepMetadata }
	SummaryEvent     *struct{ Result string }
}

type stepMetadata struct {
	Op, URN, Type string
	Old, New      *stepState
}

type stepState struct{ Inputs, Outputs map[string]any }

const (
	stackType    = "pulumi:pulumi:Stack"
	providerType = "pulumi:providers:"
)

// eventLog gathers changes from the lines of an event log.
type eventLog struct {
	tell moduletool.Listener
	// drift compares what is with what was; otherwise what was asked for with what was asked for before.
	drift  bool
	order  []string
	byURN  map[string]moduleprotocol.Change
	steps  []plandigest.Step
	errors []string
	// failed: an operation on a resource failed.
	failed bool
}

func newEventLog(tell moduletool.Listener, drift bool) *eventLog {
	return &eventLog{tell: tell, drift: drift, byURN: map[string]moduleprotocol.Change{}}
}

// line takes one line. The engine writes more kinds of events than are known here, and a line that is cut off when it is
// killed: what cannot be read is passed over.
func (l *eventLog) line(text string) {
	decoder := json.NewDecoder(strings.NewReader(text))
	decoder.UseNumber()
	var event engineEvent
	if decoder.Decode(&event) != nil {
		return
	}
	switch {
	case event.DiagnosticEvent != nil:
		d := event.DiagnosticEvent
		if d.Severity == "error" {
			l.errors = append(l.errors, errorOf(d.URN, strings.TrimSpace(d.Message)))
		}
		if (d.Severity == "error" || d.Severity == "warning") && !d.Ephemeral {
			l.tell.Diagnostic(d.Severity, d.URN, strings.TrimSpace(d.Message), true)
		}
	case event.ResourcePreEvent != nil && !event.ResourcePreEvent.Planning:
		if change, shown := l.change(event.ResourcePreEvent.Metadata); shown && change.Action != moduleprotocol.NoOp {
			l.tell.Resource("started", change)
		}
	case event.ResOutputsEvent != nil:
		l.done(event.ResOutputsEvent.Metadata)
	case event.ResOpFailedEvent != nil:
		l.failed = true
		if change, shown := l.change(event.ResOpFailedEvent.Metadata); shown {
			l.tell.Resource("failed", change)
		}
	}
}

// done notes a step that is complete, or planned. A replacement is several steps for one resource.
func (l *eventLog) done(m stepMetadata) {
	change, shown := l.change(m)
	if !shown {
		return
	}
	earlier, known := l.byURN[change.URN]
	if !known {
		l.order = append(l.order, change.URN)
	}
	if known && (earlier.Action == moduleprotocol.Replace || change.Action == moduleprotocol.NoOp) {
		change.Action = earlier.Action
		if change.Before == nil {
			change.Before = earlier.Before
		}
		if change.After == nil {
			change.After = earlier.After
		}
	}
	l.byURN[change.URN] = change
	l.steps = append(l.steps, plandigest.Step{Op: m.Op, Resource: m.URN, New: change.After})
	if change.Action != moduleprotocol.NoOp {
		l.tell.Resource("done", change)
	}
}

// changes in the order in which they were done.
func (l *eventLog) changes() []moduleprotocol.Change {
	changes := make([]moduleprotocol.Change, 0, len(l.order))
	for _, urn := range l.order {
		changes = append(changes, l.byURN[urn])
	}
	return changes
}

// plannedSteps are the steps that change something. The order of those of independent resources is not the plan's.
func (l *eventLog) plannedSteps() []plandigest.Step {
	return slices.DeleteFunc(l.steps, func(s plandigest.Step) bool { return actionOf(s.Op) == "" })
}

func (l *eventLog) change(m stepMetadata) (moduleprotocol.Change, bool) {
	action := actionOf(m.Op)
	if action == "" || isDefaultProvider(m) {
		return moduleprotocol.Change{}, false
	}
	change := moduleprotocol.Change{Resource: nameOf(m.URN), Action: action, URN: m.URN, Type: m.Type}
	change.Before, change.After = l.values(m.Old), l.values(m.New)
	return change, true
}

func (l *eventLog) values(state *stepState) json.RawMessage {
	if state == nil {
		return nil
	}
	values := state.Inputs
	if l.drift && len(state.Outputs) > 0 {
		values = state.Outputs
	}
	if values == nil {
		return nil
	}
	text, err := moduleprotocol.CanonicalOf(hideSecrets(values))
	if err != nil {
		return nil
	}
	return text
}

// hideSecrets replaces what the engine marks as secret by the mark of this project.
func hideSecrets(value any) any {
	switch v := value.(type) {
	case map[string]any:
		if v[signature] == secretSignature {
			return redact.Mark
		}
		for key, entry := range v {
			v[key] = hideSecrets(entry)
		}
	case []any:
		for i, entry := range v {
			v[i] = hideSecrets(entry)
		}
	}
	return value
}

// actionOf maps the engine's operations (deploy.StepOp); those that change nothing that anybody sees have none.
func actionOf(op string) string {
	switch op {
	case "create":
		return moduleprotocol.Create
	case "update":
		return moduleprotocol.Update
	case "delete":
		return moduleprotocol.Delete
	case "replace", "create-replacement", "delete-replaced":
		return moduleprotocol.Replace
	case "same":
		return moduleprotocol.NoOp
	case "read", "read-replacement":
		return moduleprotocol.Read
	case "import", "import-replacement":
		return moduleprotocol.Import
	default: // refresh, read-discard, discard-replaced, remove-pending-replace
		return ""
	}
}

// defaultName is what the engine calls a provider that it makes by itself: after its version, and the address that its plugin
// comes from (ProviderRequest.DefaultName). A program's own may be called default-east.
var defaultName = regexp.MustCompile(`^default(_\d+_\d+_\d+(_.*)?|_[a-z]+_/.*)?$`)

// isDefaultProvider: the engine does not count these either.
func isDefaultProvider(m stepMetadata) bool {
	return strings.HasPrefix(m.Type, providerType) && defaultName.MatchString(nameOf(m.URN))
}

// nameOf is the last part of urn:pulumi:stack::project::type::name.
func nameOf(urn string) string {
	parts := strings.SplitN(urn, "::", 4)
	return parts[len(parts)-1]
}

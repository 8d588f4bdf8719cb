package tofutool

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"

	"kiln.dev/programs/moduleprotocol"
	"kiln.dev/programs/moduletool"
	"kiln.dev/programs/plandigest"
	"kiln.dev/programs/redact"
)

// shownPlan is what `tofu show -json` says about a plan file; numbers stay text.
type shownPlan struct {
	Version         string           `json:"terraform_version"`
	ResourceChanges []resourceChange `json:"resource_changes"`
	ResourceDrift   []resourceChange `json:"resource_drift"`
	OutputChanges   map[string]struct {
		Actions []string
		After   any
	} `json:"output_changes"`
	Configuration struct {
		RootModule struct {
			Variables map[string]json.RawMessage
			Outputs   map[string]struct{ Sensitive bool }
		} `json:"root_module"`
	}
}

type resourceChange struct {
	Address, Mode, Type string
	Change              struct {
		Actions         []string
		Before, After   any
		AfterUnknown    any `json:"after_unknown"`
		BeforeSensitive any `json:"before_sensitive"`
		AfterSensitive  any `json:"after_sensitive"`
		Importing       *struct{ ID string }
	}
}

func parsePlan(text []byte) (shownPlan, error) {
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.UseNumber()
	var plan shownPlan
	if err := decoder.Decode(&plan); err != nil {
		return plan, fmt.Errorf("read the plan: %w", err)
	}
	return plan, nil
}

// plan says what would happen. For a refresh that is how the world differs from the state.
func (p shownPlan) plan(goal moduletool.Goal) (moduletool.Plan, error) {
	list := p.ResourceChanges
	if goal == moduletool.Refresh {
		list = p.ResourceDrift
	}
	var plan moduletool.Plan
	for _, r := range list {
		action := actionOf(r.Change.Actions)
		if action == "" {
			continue
		}
		change := moduleprotocol.Change{Resource: r.Address, Action: action, Type: r.Type}
		var err error
		if change.Before, err = shown(r.Change.Before, r.Change.BeforeSensitive); err != nil {
			return plan, err
		}
		if change.After, err = shown(r.Change.After, r.Change.AfterSensitive); err != nil {
			return plan, err
		}
		plan.Changes = append(plan.Changes, change)
		planned, err := moduleprotocol.CanonicalOf([]any{r.Change.After, r.Change.AfterUnknown, r.Change.Importing})
		if err != nil {
			return plan, err
		}
		plan.Steps = append(plan.Steps, plandigest.Step{Op: action, Resource: r.Address, New: planned})
	}
	for name, output := range p.OutputChanges {
		planned, err := moduleprotocol.CanonicalOf(output.After)
		if err != nil {
			return plan, err
		}
		plan.Steps = append(plan.Steps, plandigest.Step{Op: "output " + actionOf(output.Actions), Resource: name, New: planned})
	}
	return plan, nil
}

// actionOf reads the actions of a change; two of them are a replacement, whichever comes first.
func actionOf(actions []string) string {
	if len(actions) == 2 && slices.Contains(actions, "create") && slices.Contains(actions, "delete") {
		return moduleprotocol.Replace
	}
	if len(actions) != 1 {
		return ""
	}
	switch actions[0] {
	case "create", "update", "delete", "no-op", "read":
		return actions[0]
	default: // forget: the resource stays, and only the state loses it
		return ""
	}
}

// shown is the JSON of values, what is sensitive replaced; nothing where there is no object.
func shown(values, sensitive any) (json.RawMessage, error) {
	if _, isObject := values.(map[string]any); !isObject {
		return nil, nil
	}
	text, err := moduleprotocol.CanonicalOf(hide(values, sensitive))
	return text, err
}

// hide replaces values at the places that a second value of the same shape marks by true.
func hide(values, sensitive any) any {
	switch marks := sensitive.(type) {
	case bool:
		if marks {
			return redact.Mark
		}
	case map[string]any:
		object, isObject := values.(map[string]any)
		if !isObject {
			return values
		}
		hidden := make(map[string]any, len(object))
		for key, value := range object {
			hidden[key] = hide(value, marks[key])
		}
		return hidden
	case []any:
		list, isList := values.([]any)
		if !isList {
			return values
		}
		hidden := slices.Clone(list)
		for i := range hidden {
			if i < len(marks) {
				hidden[i] = hide(hidden[i], marks[i])
			}
		}
		return hidden
	}
	return values
}

package tofutool

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"

	"kiln.dev/programs/moduleprotocol"
	"kiln.dev/programs/moduletool"
)

var goalFlags = map[moduletool.Goal][]string{
	moduletool.Apply: nil, moduletool.Destroy: {"-destroy"}, moduletool.Refresh: {"-refresh-only"},
}

// Plan makes a plan file and reads it.
func (t *Tool) Plan(ctx context.Context, goal moduletool.Goal) (moduletool.Plan, error) {
	arguments := slices.Concat([]string{"plan", "-json", "-out=" + t.planFile(), "-var-file=" + t.variables()},
		t.stateFlag(), goalFlags[goal])
	if said, err := t.run(ctx, arguments...); err != nil {
		if said.version != "" {
			t.version = said.version
		}
		return moduletool.Plan{}, err
	}
	text, err := t.query(ctx, "show", "-json", t.planFile())
	if err != nil {
		return moduletool.Plan{}, err
	}
	shown, err := parsePlan(text)
	if err != nil {
		return moduletool.Plan{}, err
	}
	if t.version == "" {
		t.version = shown.Version
	}
	if err := checkDeclared(t.job.Inputs, shown.Configuration.RootModule.Variables); err != nil {
		return moduletool.Plan{}, err
	}
	t.declared = map[string]bool{}
	for name, output := range shown.Configuration.RootModule.Outputs {
		t.declared[name] = output.Sensitive
	}
	plan, err := shown.plan(goal)
	if err == nil {
		clear(t.planned) // there is one plan file
		t.planned[goal] = plan
	}
	return plan, err
}

// Execute applies the plan file, which is refused by OpenTofu itself where the state has moved since. Without a plan it makes one.
func (t *Tool) Execute(ctx context.Context, goal moduletool.Goal) ([]moduleprotocol.Change, error) {
	plan, found := t.planned[goal]
	if !found {
		var err error
		if plan, err = t.Plan(ctx, goal); err != nil {
			return nil, err
		}
	}
	said, err := t.run(ctx, slices.Concat([]string{"apply", "-json"}, t.stateFlag(), []string{t.planFile()})...)
	t.applied = goal == moduletool.Apply && err == nil
	if said.killed {
		err = t.withLost(ctx, err, said)
	}
	if goal == moduletool.Refresh && err == nil {
		return plan.Changes, nil
	}
	return said.changes(plan.Changes), err
}

// Import takes things into the state one by one. Import blocks would bring along an apply of everything else.
func (t *Tool) Import(ctx context.Context, mappings []moduleprotocol.Mapping) ([]moduleprotocol.Change, error) {
	var changes []moduleprotocol.Change
	for i, m := range mappings {
		if m.Address == "" {
			return changes, moduleprotocol.Fail(moduleprotocol.BadRequest, "$.import[%d].address: is missing", i)
		}
		arguments := slices.Concat([]string{"import", "-no-color", "-var-file=" + t.variables()}, t.stateFlag(),
			[]string{"--", m.Address, m.ID})
		if _, err := t.run(ctx, arguments...); err != nil {
			return changes, err
		}
		change := moduleprotocol.Change{Resource: m.Address, Action: moduleprotocol.Import, Type: m.Type}
		changes = append(changes, change)
		t.job.Tell.Resource("done", change)
	}
	return changes, nil
}

// Outputs are those of the state. It has none that are null: after an apply, what the module declares beside them is null.
func (t *Tool) Outputs(ctx context.Context) (map[string]moduletool.Output, error) {
	outputs, err := t.stateOutputs(ctx)
	if err != nil || !t.applied {
		return outputs, err
	}
	if outputs == nil {
		outputs = map[string]moduletool.Output{}
	}
	for name, sensitive := range t.declared {
		if _, found := outputs[name]; !found {
			outputs[name] = moduletool.Output{Value: json.RawMessage("null"), Sensitive: sensitive}
		}
	}
	return outputs, nil
}

func (t *Tool) stateOutputs(ctx context.Context) (map[string]moduletool.Output, error) {
	if t.job.StateMode != moduleprotocol.Remote {
		// The state has what `tofu output -json` prints, without another start of OpenTofu, unless the module encrypts it.
		text, err := t.State()
		if err != nil || text == nil {
			return nil, err
		}
		if !encrypted(text) {
			return parseOutputs(text)
		}
	}
	text, err := t.query(ctx, slices.Concat([]string{"output", "-json", "-no-color"}, t.stateFlag())...)
	if err != nil {
		return nil, err
	}
	return parseOutputs(slices.Concat([]byte(`{"outputs":`), text, []byte("}")))
}

// encrypted: OpenTofu itself encrypted a state; lineage and serial are still readable.
func encrypted(state []byte) bool {
	var file struct {
		Data json.RawMessage `json:"encrypted_data"`
	}
	return json.Unmarshal(state, &file) == nil && file.Data != nil
}

func parseOutputs(text []byte) (map[string]moduletool.Output, error) {
	var state struct {
		Outputs map[string]moduletool.Output
	}
	if err := json.Unmarshal(text, &state); err != nil {
		return nil, fmt.Errorf("read the outputs: %w", err)
	}
	for name, output := range state.Outputs {
		if output.Value == nil {
			output.Value = json.RawMessage("null")
			state.Outputs[name] = output
		}
	}
	return state.Outputs, nil
}

// State is the state file.
func (t *Tool) State() ([]byte, error) {
	text, err := os.ReadFile(t.state())
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err == nil && !json.Valid(text) {
		return nil, fmt.Errorf("%s is being written", t.state())
	}
	return text, err
}

// SameState compares lineage and serial: OpenTofu raises the serial with every change.
func (t *Tool) SameState(a, b []byte) bool {
	one, errOne := identityOf(a)
	two, errTwo := identityOf(b)
	return errOne == nil && errTwo == nil && one == two
}

type identity struct {
	Lineage string
	Serial  int64
}

func identityOf(state []byte) (identity, error) {
	var id identity
	err := json.Unmarshal(state, &id)
	return id, err
}

// RemoteState is lineage and serial of a remote backend's state.
func (t *Tool) RemoteState(ctx context.Context) (string, error) {
	text, err := t.query(ctx, "state", "pull")
	if err != nil || len(text) == 0 {
		return "", err
	}
	id, err := identityOf(text)
	return fmt.Sprintf("%s/%d", id.Lineage, id.Serial), err
}

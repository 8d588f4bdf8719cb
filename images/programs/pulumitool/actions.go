package pulumitool

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"kiln.dev/programs/moduleprotocol"
	"kiln.dev/programs/moduletool"
)

var verbs = map[moduletool.Goal]string{moduletool.Apply: "up", moduletool.Destroy: "destroy", moduletool.Refresh: "refresh"}

// Plan previews. The engine reads only; a refresh, too.
func (t *Tool) Plan(ctx context.Context, goal moduletool.Goal) (moduletool.Plan, error) {
	arguments := []string{verbs[goal], "--preview-only"}
	if goal == moduletool.Apply {
		arguments = []string{"preview"}
		if t.job.KeepPlan {
			arguments = append(arguments, "--save-plan="+t.planFile())
		}
	}
	log, err := t.operate(ctx, goal == moduletool.Refresh, arguments...)
	if err == nil && goal == moduletool.Apply && t.job.KeepPlan {
		t.plan = t.planFile()
	}
	return moduletool.Plan{Changes: log.changes(), Steps: log.plannedSteps()}, err
}

// Execute changes things. An update runs the program again: the engine holds it to the plan that was made, and fails where the
// program asks for anything beyond it. (The CLI hides --plan without PULUMI_EXPERIMENTAL, and takes it all the same.)
func (t *Tool) Execute(ctx context.Context, goal moduletool.Goal) ([]moduleprotocol.Change, error) {
	arguments := []string{verbs[goal], "--yes", "--skip-preview"}
	if goal == moduletool.Apply && t.plan != "" {
		arguments = append(arguments, "--plan="+t.plan)
	}
	log, err := t.operate(ctx, goal == moduletool.Refresh, arguments...)
	return log.changes(), err
}

func (t *Tool) planFile() string { return filepath.Join(t.job.Room, "plan.json") }

// Import takes resources into the stack, unprotected: who asked for them can also destroy them.
func (t *Tool) Import(ctx context.Context, mappings []moduleprotocol.Mapping) ([]moduleprotocol.Change, error) {
	type entry struct {
		Type string `json:"type"`
		Name string `json:"name"`
		ID   string `json:"id"`
	}
	var list struct {
		Resources []entry `json:"resources"`
	}
	for i, m := range mappings {
		kind, name := m.Type, m.Name
		if kind == "" || name == "" {
			kind, name = splitAddress(m.Address)
		}
		if kind == "" || name == "" {
			return nil, moduleprotocol.Fail(moduleprotocol.BadRequest,
				"$.import[%d].address: is %q, and has to be a URN or type::name; or give type and name", i, m.Address)
		}
		list.Resources = append(list.Resources, entry{kind, name, m.ID})
	}
	text, err := json.Marshal(list)
	if err != nil {
		return nil, err
	}
	file := filepath.Join(t.job.Room, "import.json")
	if err := os.WriteFile(file, text, 0o600); err != nil {
		return nil, err
	}
	log, err := t.operate(ctx, false, "import", "--file", file, "--yes", "--skip-preview", "--generate-code=false", "--protect=false")
	return log.changes(), err
}

// splitAddress reads the type and name from a URN or from type::name. A URN's type may be qualified by its parents' types.
func splitAddress(address string) (kind, name string) {
	parts := strings.Split(address, "::")
	if strings.HasPrefix(address, "urn:pulumi:") && len(parts) >= 4 {
		kind = parts[2]
		return kind[strings.LastIndexByte(kind, '$')+1:], strings.Join(parts[3:], "::")
	}
	kind, name, _ = strings.Cut(address, "::")
	return kind, name
}

// Outputs reads them from the state, where it is told apart what is secret: `stack output` prints "[secret]" or everything.
func (t *Tool) Outputs(ctx context.Context) (map[string]moduletool.Output, error) {
	if t.job.StateMode == moduleprotocol.Remote {
		text, err := t.query(ctx, "stack", "export", "--show-secrets", "--stack", t.job.Stack, "-C", t.job.Module, "--non-interactive")
		if err != nil {
			return nil, err
		}
		d, err := parseState([]byte(text))
		if err != nil {
			return nil, err
		}
		return d.outputs(func(string) (string, error) { return "", errors.New("a secret was not decrypted by the CLI") })
	}
	state, err := t.State()
	if err != nil || state == nil {
		return nil, err
	}
	d, err := parseState(state)
	if err != nil {
		return nil, err
	}
	return d.outputs(t.decrypterOf(d))
}

// RemoteState is a digest of the exported stack: Pulumi has no serial.
func (t *Tool) RemoteState(ctx context.Context) (string, error) {
	text, err := t.query(ctx, "stack", "export", "--stack", t.job.Stack, "-C", t.job.Module, "--non-interactive")
	if err != nil {
		return "", err
	}
	world, err := worldOf([]byte(text), nil)
	return fmt.Sprintf("sha256:%x", sha256.Sum256(world)), err
}

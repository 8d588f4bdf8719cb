package tofutool

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"kiln.dev/programs/child"
	"kiln.dev/programs/moduleprotocol"
	"kiln.dev/programs/moduletool"
)

// Name of the tool in requests, responses and states.
const Name = "opentofu"

// Tool drives OpenTofu for one job.
type Tool struct {
	job         moduletool.Job
	program     string
	version     string
	workdir     string
	environment []string
	// planned is what the plan file at planFile says, for the goal that it was made for.
	planned map[moduletool.Goal]moduletool.Plan
	// declared are the outputs of the planned module, and whether they are sensitive; applied says that they have all been made.
	declared map[string]bool
	applied  bool
	// told is what the commands so far said about the plan.
	told map[string]bool
}

// New returns OpenTofu for a job.
func New(job moduletool.Job) *Tool {
	return &Tool{job: job, planned: map[moduletool.Goal]moduletool.Plan{}, told: map[string]bool{}}
}

// Name is "opentofu".
func (t *Tool) Name() string { return Name }

// Version of OpenTofu; after Prepare.
func (t *Tool) Version() string { return t.version }

// providersFolder is where images have the providers of their module.
var providersFolder = "/opt/kiln/tofu/providers"

// pluginFlag names the providers in the image, so that init needs no network. The image's TF_CLI_CONFIG_FILE says the same, but
// the caller's own, with credentials for a registry, may stand in its place.
func pluginFlag() []string {
	if info, err := os.Stat(providersFolder); err != nil || !info.IsDir() {
		return nil
	}
	return []string{"-plugin-dir=" + providersFolder}
}

// Prepare writes state and variables, and initializes.
func (t *Tool) Prepare(ctx context.Context) error {
	var found bool
	if t.program, found = child.Find("tofu"); !found {
		return moduleprotocol.Fail(moduleprotocol.ToolMissing, "there is no tofu on PATH (%s)", os.Getenv("PATH"))
	}
	t.workdir = filepath.Join(t.job.Room, "module")
	data := filepath.Join(t.job.Room, "terraform")
	t.environment = append(t.job.Environment,
		"TF_DATA_DIR="+data,
		"TF_IN_AUTOMATION=1",
		"TF_INPUT=0",
		"CHECKPOINT_DISABLE=1",
	)
	if err := makeWorkdir(t.job.Module, t.workdir); err != nil {
		return err
	}
	if err := linkModules(t.job.Module, t.workdir, data); err != nil {
		return err
	}
	variables, err := variablesFile(t.job.Inputs)
	if err != nil {
		return err
	}
	if err := os.WriteFile(t.variables(), variables, 0o600); err != nil {
		return err
	}
	if err := t.prepareState(); err != nil {
		return err
	}
	said, err := t.run(ctx, slices.Concat([]string{"init", "-json", "-no-color"}, pluginFlag())...)
	t.version = said.version
	if err != nil {
		return err
	}
	if err := t.selectWorkspace(ctx); err != nil || t.job.Create || t.job.StateMode != moduleprotocol.Remote {
		return err
	}
	state, err := t.RemoteState(ctx)
	if err == nil && state == "" {
		err = moduleprotocol.Fail(moduleprotocol.StateMissing, "the backend has no state of stack %q", t.job.Stack)
	}
	return err
}

func (t *Tool) prepareState() error {
	if t.job.StateMode == moduleprotocol.Remote {
		if t.job.Backend == nil {
			return t.requireBackend()
		}
		return overrideBackend(t.workdir, *t.job.Backend)
	}
	declared, err := DeclaredBackend(t.job.Module)
	if err != nil {
		return err
	}
	if declared != "" {
		if err := overrideBackend(t.workdir, moduleprotocol.Backend{Type: "local"}); err != nil {
			return err
		}
	}
	if t.job.State == nil {
		return nil
	}
	return os.WriteFile(t.state(), t.job.State, 0o600)
}

// requireBackend refuses a remote state that nobody keeps: without a backend OpenTofu would write it beside the module, where it
// goes with the container.
func (t *Tool) requireBackend() error {
	declared, err := DeclaredBackend(t.job.Module)
	if err != nil || (declared != "" && declared != "local") {
		return err
	}
	return moduleprotocol.Fail(moduleprotocol.BadRequest,
		"$.state_mode: is remote, and neither the module nor the request names a backend that keeps the state: add $.backend, or leave $.state_mode out")
}

// selectWorkspace keeps stacks of one remote backend apart. A carried state is one stack's anyway.
func (t *Tool) selectWorkspace(ctx context.Context) error {
	if t.job.StateMode != moduleprotocol.Remote || t.job.Stack == "" || t.job.Stack == "default" {
		return nil
	}
	_, err := t.run(ctx, "workspace", "select", fmt.Sprintf("-or-create=%t", t.job.Create), "--", t.job.Stack)
	if err != nil && !t.job.Create {
		return moduleprotocol.Fail(moduleprotocol.StateMissing, "the backend has no stack %q: %v", t.job.Stack, err)
	}
	return err
}

func (t *Tool) variables() string { return filepath.Join(t.job.Room, "inputs.auto.tfvars.json") }
func (t *Tool) state() string     { return filepath.Join(t.job.Room, "state.tfstate") }
func (t *Tool) planFile() string  { return filepath.Join(t.job.Room, "plan.tfplan") }

// stateFlag names the file of a carried state; a remote backend has none.
func (t *Tool) stateFlag() []string {
	if t.job.StateMode == moduleprotocol.Remote {
		return nil
	}
	return []string{"-state=" + t.state()}
}

func (t *Tool) command(arguments ...string) child.Command {
	return child.Command{
		Path: t.program, Arguments: arguments, Directory: t.workdir, Environment: t.environment,
	}
}

// run runs a command that speaks JSON lines, or lines for people.
func (t *Tool) run(ctx context.Context, arguments ...string) (*messages, error) {
	said := &messages{tell: t.job.Tell, told: t.told}
	c := t.command(arguments...)
	var lines []string
	c.Stdout = said.line
	c.Stderr = func(line string) { lines = append(lines, line); t.job.Tell.Log(line) }
	result, err := t.job.Run(ctx, c)
	said.killed = result.Killed
	if err != nil || result.Code == 0 {
		return said, err
	}
	if len(said.errors) == 0 {
		said.errors = lines
	}
	return said, said.failure(arguments[0], result)
}

// query runs a command and returns what it prints. What it prints may be secret, and is not told to anybody.
func (t *Tool) query(ctx context.Context, arguments ...string) ([]byte, error) {
	c := t.command(arguments...)
	var out strings.Builder
	said := &messages{tell: t.job.Tell}
	c.Stdout = func(line string) { out.WriteString(line + "\n") }
	c.Stderr = func(line string) { said.errors = append(said.errors, line) }
	result, err := t.job.Run(ctx, c)
	if err == nil && result.Code != 0 {
		err = said.failure(arguments[0], result)
	}
	return []byte(out.String()), err
}

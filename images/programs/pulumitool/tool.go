package pulumitool

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync"

	"kiln.dev/programs/child"
	"kiln.dev/programs/moduleprotocol"
	"kiln.dev/programs/moduletool"
)

// Name of the tool in requests, responses and states.
const Name = "pulumi"

// Tool drives Pulumi for one job.
type Tool struct {
	job     moduletool.Job
	program string
	project string
	version string
	// config is the stack's config file, in the room: the module's folder may be read-only.
	config      string
	environment []string
	// plan is the plan file that the next update may not go beyond; empty where there is none.
	plan string
	// The state is compared while the engine runs, too.
	crypting sync.Mutex
	crypter  *crypter
}

// New returns Pulumi for a job.
func New(job moduletool.Job) *Tool { return &Tool{job: job} }

// Name is "pulumi".
func (t *Tool) Name() string { return Name }

// Version without its v; after Prepare.
func (t *Tool) Version() string { return t.version }

// Prepare writes state and config, and selects or makes the stack of a remote backend.
func (t *Tool) Prepare(ctx context.Context) error {
	var found bool
	if t.program, found = child.Find("pulumi"); !found {
		return moduleprotocol.Fail(moduleprotocol.ToolMissing, "there is no pulumi on PATH (%s)", os.Getenv("PATH"))
	}
	var err error
	if t.project, err = ProjectName(t.job.Module); err != nil {
		return err
	}
	t.config = filepath.Join(t.job.Room, "stack.yaml")
	if err := t.makeHome(); err != nil {
		return err
	}
	if err := t.readVersion(ctx); err != nil {
		return err
	}
	own, err := readStackFile(t.job.Module, t.configName())
	if err != nil {
		return err
	}
	if t.job.StateMode == moduleprotocol.Remote {
		err = t.prepareRemote(ctx, &own)
	} else {
		err = t.prepareCarried(&own)
	}
	if err != nil {
		return err
	}
	return t.writeConfig(ctx, own)
}

// makeHome makes a writable PULUMI_HOME that has the plugins and the login of the image's.
func (t *Tool) makeHome() error {
	home := filepath.Join(t.job.Room, "pulumi")
	if err := os.MkdirAll(home, 0o700); err != nil {
		return err
	}
	former := value(t.job.Environment, "PULUMI_HOME")
	if former == "" {
		former = filepath.Join(value(t.job.Environment, "HOME"), ".pulumi")
	}
	for _, name := range []string{"plugins", "bin", "credentials.json"} {
		from := filepath.Join(former, name)
		if _, err := os.Stat(from); err != nil {
			continue
		}
		if err := os.Symlink(from, filepath.Join(home, name)); err != nil && !errors.Is(err, os.ErrExist) {
			return err
		}
	}
	t.environment = append(t.job.Environment,
		"PULUMI_HOME="+home,
		"PULUMI_SKIP_UPDATE_CHECK=true",
		"PULUMI_DEBUG_COMMANDS=true", // --event-log exists with it only
		"PULUMI_AUTOMATION_API_SKIP_VERSION_CHECK=true",
	)
	return nil
}

func (t *Tool) readVersion(ctx context.Context) error {
	if t.version = value(t.job.Environment, "KILN_TOOL_VERSION"); t.version != "" {
		return nil
	}
	out, err := t.query(ctx, "version")
	t.version = strings.TrimPrefix(strings.TrimSpace(out), "v")
	return err
}

// prepareCarried puts the state where a file backend has it: no command has to select or make the stack.
func (t *Tool) prepareCarried(own *string) error {
	state := t.job.State
	salt := ""
	if state == nil {
		state = emptyCheckpoint(t.project, t.job.Stack)
	} else {
		d, err := parseState(state)
		if err != nil {
			return moduleprotocol.Fail(moduleprotocol.StateMismatch, "%v", err)
		}
		if d.SecretsProviders.Type == "passphrase" {
			salt = d.SecretsProviders.State.Salt
		}
		if state, err = asCheckpoint(state, t.project, t.job.Stack); err != nil {
			return err
		}
	}
	passphrase := filepath.Join(t.job.Room, "passphrase")
	for _, file := range []struct {
		path string
		text []byte
	}{
		{filepath.Join(t.backend(), "meta.yaml"), []byte("version: 1\n")},
		{t.checkpoint(), state},
		{passphrase, []byte(t.job.Passphrase)},
	} {
		if err := os.MkdirAll(filepath.Dir(file.path), 0o700); err != nil {
			return err
		}
		if err := os.WriteFile(file.path, file.text, 0o600); err != nil {
			return err
		}
	}
	t.environment = append(without(t.environment, "PULUMI_CONFIG_PASSPHRASE"),
		"PULUMI_BACKEND_URL=file://"+filepath.Dir(t.backend()),
		"PULUMI_CONFIG_PASSPHRASE_FILE="+passphrase,
		"PULUMI_DIY_BACKEND_DISABLE_CHECKPOINT_BACKUPS=true",
	)
	*own = withHead(*own, salt)
	return nil
}

func (t *Tool) backend() string { return filepath.Join(t.job.Room, "backend", ".pulumi") }

func (t *Tool) checkpoint() string {
	return filepath.Join(t.backend(), "stacks", t.project, t.job.Stack+".json")
}

// value returns the last value of a variable, as a program sees it.
func value(environment []string, name string) string {
	for i := len(environment) - 1; i >= 0; i-- {
		if text, found := strings.CutPrefix(environment[i], name+"="); found {
			return text
		}
	}
	return ""
}

func without(environment []string, name string) []string {
	var rest []string
	for _, entry := range environment {
		if !strings.HasPrefix(entry, name+"=") {
			rest = append(rest, entry)
		}
	}
	return rest
}

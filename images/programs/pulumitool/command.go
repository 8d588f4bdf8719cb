package pulumitool

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"

	"kiln.dev/programs/child"
	"kiln.dev/programs/moduleprotocol"
)

// keptLines of what the CLI printed make the error where its event log has none.
const keptLines = 20

func (t *Tool) command(arguments ...string) child.Command {
	return child.Command{Path: t.program, Arguments: arguments, Directory: t.job.Room, Environment: t.environment}
}

// query runs a command that changes no resource, and returns what it prints.
func (t *Tool) query(ctx context.Context, arguments ...string) (string, error) {
	return t.read(ctx, t.command(arguments...))
}

func (t *Tool) read(ctx context.Context, c child.Command) (string, error) {
	var out strings.Builder
	var said []string
	c.Stdout = func(line string) { out.WriteString(line + "\n") }
	c.Stderr = func(line string) { said = keep(said, line) }
	result, err := t.job.Run(ctx, c)
	if err != nil {
		return "", err
	}
	if result.Code != 0 {
		return "", failure(result, said, false)
	}
	return out.String(), nil
}

// operate runs a command of the engine and gathers its events, also when it fails.
func (t *Tool) operate(ctx context.Context, drift bool, arguments ...string) (*eventLog, error) {
	log := newEventLog(t.job.Tell, drift)
	folder, err := os.MkdirTemp(t.job.Room, "events-")
	if err != nil {
		return log, err
	}
	path := filepath.Join(folder, "events.ndjson")
	stop, followed := make(chan struct{}), make(chan error, 1)
	go func() { followed <- follow(path, stop, log.line) }()

	c := t.command(append(arguments, "--stack", t.job.Stack, "--config-file", t.config, "--event-log", path,
		"--non-interactive", "--color", "never", "-C", t.job.Module)...)
	var said []string
	tell := func(line string) {
		if !strings.Contains(line, t.planFile()) { // how to go on with the plan file: not from outside
			t.job.Tell.Log(line)
		}
	}
	c.Stdout = tell
	c.Stderr = func(line string) { said = keep(said, line); tell(line) }
	result, err := t.job.Run(ctx, c)
	close(stop)
	if following := <-followed; err == nil {
		err = following
	}
	if err != nil || result.Code == 0 {
		return log, err
	}
	if len(log.errors) > 0 {
		said = log.errors
	}
	return log, failure(result, said, log.failed)
}

func keep(lines []string, line string) []string {
	if strings.TrimSpace(line) == "" {
		return lines
	}
	if len(lines) == keptLines {
		lines = lines[1:]
	}
	return append(lines, line)
}

var (
	saysLocked = regexp.MustCompile(`(?i)stack is currently locked|another update is currently in progress|update conflict|\b409\b.*in progress`)
	saysAuth   = regexp.MustCompile(`(?i)PULUMI_ACCESS_TOKEN must be set|invalid access token|not logged in|unauthorized|no valid credential|access ?denied|expired ?token`)
	saysPlugin = regexp.MustCompile(`(?i)no (resource|language) plugin|could not load plugin|failed to load plugin|unable to (find|run) .*plugin|could not find plugin`)
	saysPlan   = regexp.MustCompile(`(?i)resource( \S+)? violates plan|is not allowed by the plan|expected resource operations for`)
	saysSecret = regexp.MustCompile(`(?i)incorrect passphrase|passphrase must be set`)
	saysConfig = regexp.MustCompile(`(?i)missing required configuration variable|configuration value .* is not`)
)

// failure turns an exit code (cmdutil/exit.go, stable since 3.225; older ones know 1 and 255) and what was said into an error.
func failure(result child.Result, said []string, resourceFailed bool) error {
	message := strings.Join(said, "\n")
	code := moduleprotocol.ModuleInvalid
	switch {
	case saysPlan.MatchString(message):
		code = moduleprotocol.PlanMoved
	case saysLocked.MatchString(message):
		code = moduleprotocol.StateLocked
	case saysSecret.MatchString(message):
		code = moduleprotocol.StateKeyWrong
	case result.Code == 3 || saysAuth.MatchString(message):
		code = moduleprotocol.AuthFailed
	case result.Code == 8:
		code = moduleprotocol.Cancelled
	case result.Code == 9:
		code = moduleprotocol.DeadlineExceeded
	case saysPlugin.MatchString(message):
		code = moduleprotocol.ProviderFailed
	case result.Code == 4 || resourceFailed:
		code = moduleprotocol.ResourceFailed
	case result.Code == 2 || saysConfig.MatchString(message):
		code = moduleprotocol.ConfigInvalid
	case result.Code == 6:
		code = moduleprotocol.StateMissing
	}
	if message == "" {
		message = "it said nothing about it"
	}
	ended := fmt.Sprintf("pulumi ended with exit code %d", result.Code)
	if result.Killed {
		ended = "pulumi was killed"
	}
	return moduleprotocol.Fail(code, "%s: %s", ended, message)
}

// errorOf names the resource that an error is about, where the message does not: the engine prints it below its name.
func errorOf(urn, message string) string {
	name := nameOf(urn)
	if urn == "" || strings.Contains(urn, "::"+stackType+"::") || strings.Contains(message, name) {
		return message
	}
	return name + ": " + message
}

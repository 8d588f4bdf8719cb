package jobrun

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strconv"
	"syscall"

	"golang.org/x/sys/unix"

	"kiln.dev/programs/child"
	"kiln.dev/programs/jobprotocol"
	"kiln.dev/programs/jobscript"
)

var interpreters = map[string]string{jobscript.Python: "python3", jobscript.PowerShell: "pwsh"}

// execute runs the script to its end, or until its time is over.
func (j *job) execute(ctx context.Context) (*int, error) {
	name := interpreters[j.script.Language]
	interpreter, found := child.Find(name)
	if !found {
		return nil, jobprotocol.Fail(jobprotocol.InterpreterMissing, "this image has no %s, which %s needs", name, filepath.Base(j.script.Path))
	}
	command, err := j.command(interpreter)
	if err != nil {
		return nil, err
	}
	if err := j.report.enter(jobprotocol.Executing); err != nil {
		return nil, err
	}
	running, stop := j.scriptTime(ctx)
	defer stop()
	if running.Err() != nil {
		return nil, context.Cause(running)
	}
	before := memoryKills()
	result, err := child.Run(running, command)
	if err != nil {
		if errors.Is(err, syscall.E2BIG) {
			return nil, jobprotocol.Fail(jobprotocol.BadRequest, "what the script is started with is too long: give large values as files of the secret channel")
		}
		return nil, err
	}
	// Not by the context: its time goes on while those that the script left behind have theirs.
	if result.Stopped != nil {
		return &result.Code, result.Stopped
	}
	return &result.Code, j.judge(result, memoryKills() > before)
}

// judge says why a script that ended by itself has failed; nil where it has not.
func (j *job) judge(result child.Result, outOfMemory bool) error {
	switch {
	case result.Code == 0 && outOfMemory:
		j.record.Note("a process of the script was killed because the container's memory was full, and the script went on")
		return nil
	case result.Code == 0:
		return nil
	case outOfMemory:
		return jobprotocol.Fail(jobprotocol.OOMKilled, "the container's memory was full, and the script was killed or failed of it (exit code %d)", result.Code)
	case result.Killed:
		return jobprotocol.Fail(jobprotocol.ScriptKilled, "the script was killed by %s", unix.SignalName(syscall.Signal(result.Code-128)))
	default:
		return jobprotocol.Fail(jobprotocol.ScriptFailed, "the script ended with exit code %d", result.Code)
	}
}

func (j *job) command(interpreter string) (child.Command, error) {
	folder := filepath.Join(j.room.Path, "parameters")
	if err := os.Mkdir(folder, 0o700); err != nil {
		return child.Command{}, err
	}
	passed, err := j.parameters.Pass(folder)
	if err != nil {
		return child.Command{}, err
	}
	environment, err := j.environment(passed)
	if err != nil {
		return child.Command{}, err
	}
	arguments := append([]string{"-u", j.script.Path}, passed.Arguments...)
	if j.script.Language == jobscript.PowerShell {
		start := filepath.Join(j.room.Path, "start")
		if err := os.Mkdir(start, 0o700); err != nil {
			return child.Command{}, err
		}
		if arguments, err = j.parameters.PowerShell(start, j.script.Path, passed.File); err != nil {
			return child.Command{}, err
		}
	}
	return child.Command{
		Path: interpreter, Arguments: arguments, Directory: j.folders.work, Environment: environment,
		RawStdout: j.record.Stdout, RawStderr: j.record.Stderr, Alone: true, Started: preferForKilling,
		Ladder: child.Ladder{Grace: j.settings.Grace, Terminate: true, Abrupt: fillingDisk}, Tell: j.tell,
	}, nil
}

// runTool runs a program that is not the script.
func (j *job) runTool(ctx context.Context, c child.Command) (child.Result, error) {
	if ctx.Err() != nil {
		return child.Result{}, context.Cause(ctx)
	}
	c.Ladder, c.Tell = child.Ladder{Grace: j.settings.Grace, Terminate: true}, j.tell
	return child.Run(ctx, c)
}

func (j *job) tell(line string) { j.record.Note("%s", line) }

// preferForKilling has the kernel take the script, and not this process, where memory is full.
func preferForKilling(pid int) {
	// It may have ended already; and where it is refused, the kernel takes the largest.
	_ = os.WriteFile(filepath.Join("/proc", strconv.Itoa(pid), "oom_score_adj"), []byte("1000"), 0o600)
}

package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"kiln.dev/programs/child"
	"kiln.dev/programs/moduleprotocol"
	"kiln.dev/programs/moduletool"
	"kiln.dev/programs/pulumitool"
	"kiln.dev/programs/redact"
	"kiln.dev/programs/room"
	"kiln.dev/programs/tofutool"
)

// session is one run, from the request to the response.
type session struct {
	input, output  string
	stdin          io.Reader
	stdout, stderr io.Writer
	redactor       *redact.Redactor
	record         *record
	report         *report
	request        moduleprotocol.Request
	secrets        moduleprotocol.Secrets
	key            []byte
	// earlier is what other runs left where this one writes.
	earlier found
	state   *carried
	tool    moduletool.Tool
}

func newSession(input, output string, stdin io.Reader, stdout, stderr io.Writer) *session {
	return &session{input: input, output: output, stdin: stdin, stdout: stdout, stderr: stderr, redactor: redact.New()}
}

// run completes the request and returns the exit code. There is a response whatever happens, but where none can be written.
func (s *session) run() int {
	ctx, ignoreSignals := watchSignals()
	defer ignoreSignals()
	release, unlocked, err := takeFolder(filepath.Dir(s.output))
	if err != nil {
		return s.refuseSecond()
	}
	defer release()
	s.record = newRecord(s.redactor, filepath.Join(filepath.Dir(s.output), "events.ndjson"), s.stdout)
	defer s.record.Close()

	if unlocked != nil {
		s.record.Log("other runs are not kept out of the folder of the response: " + unlocked.Error())
	}

	request, err := s.readRequest()
	s.request = request
	s.report = newReport(s.output, s.redactor, request)
	s.report.record = s.record
	var keeping error
	if s.earlier, keeping = keepEarlier(s.output, request, err != nil); keeping != nil {
		fmt.Fprintf(s.stderr, "kiln-entrypoint: %s\n", unwritten(keeping))
		return 1
	}
	s.carryOn(err != nil)
	s.report.enter(moduleprotocol.Starting)
	if s.report.failed != nil {
		fmt.Fprintf(s.stderr, "kiln-entrypoint: %s\n", unwritten(s.report.failed))
		return 1
	}
	if err == nil {
		var cancel context.CancelFunc
		ctx, cancel = withDeadline(ctx, request.Deadline)
		defer cancel()
		err = s.complete(ctx)
	}
	failure, code := s.verdict(ctx, err)
	s.report.finish(failure)
	if failure != nil {
		fmt.Fprintf(s.stderr, "kiln-entrypoint: %s: %s\n", failure.Code, failure.Message)
	}
	if s.report.failed != nil {
		fmt.Fprintf(s.stderr, "kiln-entrypoint: %s\n", unwritten(s.report.failed))
		return 1
	}
	return code
}

// unwritten says why there is no response, and what to do where the folder of the host is not this user's.
func unwritten(err error) string {
	if errors.Is(err, fs.ErrPermission) {
		return fmt.Sprintf("%v: uid %d has to be able to write there (chmod 777, or docker run --user)", err, os.Getuid())
	}
	return err.Error()
}

func (s *session) readRequest() (moduleprotocol.Request, error) {
	text, err := os.ReadFile(s.input)
	if err != nil {
		return moduleprotocol.Request{}, moduleprotocol.Fail(moduleprotocol.BadRequest, "no request can be read: %v", err)
	}
	request, err := moduleprotocol.ParseRequest(text)
	if unknown := (moduleprotocol.ErrAction{}); errors.As(err, &unknown) {
		return request, moduleprotocol.Fail(moduleprotocol.UnsupportedAction, "%s: %v", s.input, err)
	}
	if err != nil {
		return request, moduleprotocol.Fail(moduleprotocol.BadRequest, "%s: %v", s.input, err)
	}
	return request, nil
}

// verdict is the failure that an error stands for. Where the run was stopped, that is why it failed.
func (s *session) verdict(ctx context.Context, err error) (*moduleprotocol.Failure, int) {
	if err == nil {
		return nil, 0
	}
	if stop := (stopped{}); errors.As(context.Cause(ctx), &stop) {
		message := stop.message
		if !errors.As(err, new(stopped)) {
			message += ": " + err.Error()
		}
		return moduleprotocol.Fail(stop.code, "%s", message), stop.exit
	}
	failure := moduleprotocol.FailureOf(err)
	return failure, moduleprotocol.ExitCode(failure)
}

func (s *session) complete(ctx context.Context) error {
	var err error
	if s.secrets, err = readSecrets(ctx, s.stdin); err != nil {
		return err
	}
	if err := mergeState(&s.request, s.secrets); err != nil {
		return err
	}
	s.report.enter(moduleprotocol.Preparing)
	place, err := room.Make(s.record.Log)
	if err != nil {
		return err
	}
	defer place.Close()
	job, err := s.prepareJob(place.Path, s.secrets)
	if err != nil {
		return err
	}
	if s.key, err = stateKey(s.secrets, s.output, s.record.Log); err != nil {
		return err
	}
	toolName, err := detectTool(job.Module)
	if err != nil {
		return err
	}
	s.report.setTool(toolName, "")
	if err := s.prepareState(&job, toolName); err != nil {
		return err
	}
	if toolName == pulumitool.Name {
		s.tool = pulumitool.New(job)
	} else {
		s.tool = tofutool.New(job)
	}
	err = s.tool.Prepare(ctx)
	s.report.setTool(toolName, s.tool.Version())
	if err != nil {
		s.keepState()
		return err
	}
	return s.perform(ctx)
}

// prepareJob puts together what the request and the secret channel say, and teaches the redactor what is secret.
func (s *session) prepareJob(room string, secrets moduleprotocol.Secrets) (moduletool.Job, error) {
	names, err := mergeInputs(&s.request, secrets)
	if err != nil {
		return moduletool.Job{}, err
	}
	environment, err := toolEnvironment(room, s.request, secrets)
	if err != nil {
		return moduletool.Job{}, err
	}
	learn(s.redactor, s.request, names, secrets, environment)
	steps, err := ladder()
	if err != nil {
		return moduletool.Job{}, err
	}
	return moduletool.Job{
		Module: moduleFolder(), Room: room, Stack: stackOf(s.request), Backend: s.request.Backend, Inputs: s.request.Inputs,
		Secret: names, Environment: environment, Tell: s.record, KeepPlan: s.request.Action == moduleprotocol.Apply,
		Run: func(ctx context.Context, c child.Command) (child.Result, error) {
			if ctx.Err() != nil {
				return child.Result{}, context.Cause(ctx)
			}
			c.Ladder, c.Tell = steps, s.record.Log
			return child.Run(ctx, c)
		},
	}, nil
}

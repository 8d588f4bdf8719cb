package jobrun

import (
	"bytes"
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"kiln.dev/programs/child"
	"kiln.dev/programs/jobprotocol"
	"kiln.dev/programs/jobscript"
)

// TestMain lets the test binary be the entrypoint, and what Git asks.
func TestMain(m *testing.M) {
	if filepath.Base(os.Args[0]) == jobscript.AskName {
		os.Exit(jobscript.Answer(os.Args[1], os.Stdout))
	}
	if os.Getenv("KILN_TEST_JOB") == "1" {
		becomeUser(os.Getenv("KILN_TEST_UID"))
		if err := child.Adopt(); err != nil {
			panic(err)
		}
		os.Exit(Run(nil, os.Stdin, os.Stdout, os.Stderr))
	}
	if folder := os.Getenv("KILN_TEST_HOLD"); folder != "" {
		hold(folder)
	}
	os.Exit(m.Run())
}

// container is the file system of one job. Its python3 is a shell, which every machine has: what is tested is who starts it.
type container struct {
	t           *testing.T
	root, bin   string
	environment []string
	secrets     any
}

func newContainer(t *testing.T, script string) *container {
	t.Helper()
	c := &container{t: t, root: t.TempDir()}
	c.bin = filepath.Join(c.root, "bin")
	for _, folder := range []string{"bin", "scripts", "output", "run", "home", "work"} {
		must(t, os.Mkdir(filepath.Join(c.root, folder), 0o700))
	}
	c.write("bin/python3", "#!/bin/sh\nshift\nexec sh \"$@\"\n")
	must(t, os.Chmod(filepath.Join(c.bin, "python3"), 0o700))
	c.write("scripts/script.py", script)
	return c
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func (c *container) write(name, text string) {
	c.t.Helper()
	must(c.t, os.WriteFile(filepath.Join(c.root, name), []byte(text), 0o600))
}

func (c *container) read(name string) string {
	text, _ := os.ReadFile(filepath.Join(c.root, name))
	return string(text)
}

func (c *container) set(entries ...string) { c.environment = append(c.environment, entries...) }

type locked struct {
	lock sync.Mutex
	text bytes.Buffer
}

func (l *locked) Write(text []byte) (int, error) {
	l.lock.Lock()
	defer l.lock.Unlock()
	return l.text.Write(text)
}

func (l *locked) String() string {
	l.lock.Lock()
	defer l.lock.Unlock()
	return l.text.String()
}

type started struct {
	c           *container
	cmd         *exec.Cmd
	out, errors locked
	since       time.Time
}

func (c *container) start() *started {
	c.t.Helper()
	self, err := os.Executable()
	must(c.t, err)
	s := &started{c: c, cmd: exec.Command(self), since: time.Now()}
	at := func(name string) string { return filepath.Join(c.root, name) }
	s.cmd.Env = append([]string{
		"KILN_TEST_JOB=1", "PATH=" + c.bin + ":/usr/bin:/bin", "HOME=" + at("home"), "JOB_ID=job-1", "SCRIPT_ID=script", "KILN_GRACE_SECONDS=1",
		"KILN_SCRIPTS_DIR=" + at("scripts"), "KILN_OUTPUT_DIR=" + at("output"), "KILN_WORK_DIR=" + at("work"), "KILN_RUN_DIR=" + at("run"),
	}, c.environment...)
	if c.secrets != nil {
		document, err := json.Marshal(c.secrets)
		must(c.t, err)
		s.cmd.Env = append(s.cmd.Env, "KILN_SECRETS=stdin")
		s.cmd.Stdin = bytes.NewReader(document)
	}
	s.cmd.Stdout, s.cmd.Stderr = &s.out, &s.errors
	must(c.t, s.cmd.Start())
	return s
}

// ready waits until the script says so.
func (s *started) ready() {
	s.c.t.Helper()
	for range 1000 {
		if strings.Contains(s.out.String(), "ready") {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	s.c.t.Fatal("the script does not begin:", s.out.String(), s.errors.String())
}

type outcome struct {
	code           int
	stdout, stderr string
	result         jobprotocol.Result
	took           time.Duration
}

func (s *started) wait() outcome {
	s.c.t.Helper()
	err := s.cmd.Wait()
	if exit := (*exec.ExitError)(nil); err != nil && !errors.As(err, &exit) {
		s.c.t.Fatal(err)
	}
	o := outcome{code: s.cmd.ProcessState.ExitCode(), stdout: s.out.String(), stderr: s.errors.String(), took: time.Since(s.since)}
	text, err := os.ReadFile(filepath.Join(s.c.root, "output/result.json"))
	must(s.c.t, err)
	must(s.c.t, json.Unmarshal(text, &o.result))
	return o
}

// complete runs the job to its end, and looks after what every ending has.
func (c *container) complete() outcome {
	c.t.Helper()
	return c.start().complete()
}

func (s *started) complete() outcome {
	s.c.t.Helper()
	o := s.wait()
	r := o.result
	if r.Phase != jobprotocol.Done || r.FinishedAt == nil || r.Status == jobprotocol.Running || (r.Error == "") != (r.Status == jobprotocol.Succeeded) {
		s.c.t.Errorf("%+v %s", r, o.stderr)
	}
	if left, _ := os.ReadDir(filepath.Join(s.c.root, "run")); len(left) > 0 {
		s.c.t.Error("secrets are left behind:", left)
	}
	if !strings.Contains(s.c.read("output/events.ndjson"), `"kind":"summary"`) {
		s.c.t.Error("the events have no end")
	}
	return o
}

// expect is complete for a job that has to end in one way.
func (c *container) expect(status, code string, exit int) outcome {
	c.t.Helper()
	return c.start().expect(status, code, exit)
}

func (s *started) expect(status, code string, exit int) outcome {
	s.c.t.Helper()
	o := s.complete()
	got := ""
	if o.result.Detail != nil {
		got = o.result.Detail.Code
	}
	if o.result.Status != status || got != code || o.code != exit {
		s.c.t.Fatalf("%s %s %d; wanted %s %s %d: %s%s", o.result.Status, got, o.code, status, code, exit, o.result.Error, o.stderr)
	}
	return o
}

func (s *started) signal(number syscall.Signal) {
	s.c.t.Helper()
	s.ready()
	must(s.c.t, s.cmd.Process.Signal(number))
}

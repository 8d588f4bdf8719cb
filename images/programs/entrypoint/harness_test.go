package main

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"kiln.dev/programs/moduleprotocol"
)

// TestMain lets the test binary be, by the name that it is called by, the entrypoint and the tools that it runs.
func TestMain(m *testing.M) {
	switch filepath.Base(os.Args[0]) {
	case "kiln-entrypoint":
		main()
	case "pulumi":
		os.Exit(fakePulumi(os.Args[1:]))
	case "tofu":
		os.Exit(fakeTofu(os.Args[1:]))
	}
	os.Exit(m.Run())
}

var testKey = base64.StdEncoding.EncodeToString(bytes.Repeat([]byte{9}, 32))

// container is what a module's container is to the entrypoint: a module that may not be written, a workspace, a PATH.
type container struct {
	t                                 *testing.T
	module, workspace, run, bin, home string
	// cloud is what the fake tools change; calls are their command lines.
	cloud, calls string
	environment  []string
	secrets      map[string]any
	// staying: the response of the run before is still there, as where no executor runs the container.
	staying bool
}

// bothTools runs a test with each tool.
func bothTools(t *testing.T, test func(t *testing.T, c *container)) {
	t.Parallel()
	for _, tool := range []string{"pulumi", "opentofu"} {
		t.Run(tool, func(t *testing.T) {
			t.Parallel()
			test(t, newContainer(t, tool))
		})
	}
}

func newContainer(t *testing.T, tool string) *container {
	t.Helper()
	home := t.TempDir()
	c := &container{t: t, secrets: map[string]any{"state_key": testKey}}
	for name, folder := range map[string]*string{"app": &c.module, "workspace": &c.workspace, "run": &c.run, "home": &c.home, "bin": &c.bin, "cloud": &c.cloud} {
		*folder = filepath.Join(home, name)
		must(t, os.Mkdir(*folder, 0o700))
	}
	c.calls = filepath.Join(home, "calls")
	self, err := os.Executable()
	must(t, err)
	for _, name := range []string{"pulumi", "tofu", "kiln-entrypoint"} {
		must(t, os.Symlink(self, filepath.Join(c.bin, name)))
	}
	if tool == "pulumi" {
		must(t, os.WriteFile(filepath.Join(c.module, "Pulumi.yaml"), []byte("name: web\nruntime: nodejs\n"), 0o400))
	} else {
		must(t, os.WriteFile(filepath.Join(c.module, "main.tf"), []byte("# fake\n"), 0o400))
	}
	must(t, os.Chmod(c.module, 0o500))
	t.Cleanup(func() { os.Chmod(c.module, 0o700) })
	return c
}

// declare puts a text into the module as its backend.
func (c *container) declare(text string) {
	c.t.Helper()
	must(c.t, os.Chmod(c.module, 0o700))
	must(c.t, os.WriteFile(filepath.Join(c.module, "backend.tf"), []byte(text), 0o600))
	must(c.t, os.Chmod(c.module, 0o500))
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// outcome is all that a caller sees of a run.
type outcome struct {
	code           int
	stdout, stderr string
	response       moduleprotocol.Response
	took           time.Duration
}

// started is a run that goes on.
type started struct {
	c      *container
	cmd    *exec.Cmd
	out    lockedBuffer
	errors lockedBuffer
	since  time.Time
}

// start begins a run; fake says how the tools behave.
func (c *container) start(request map[string]any, fake string) *started {
	c.t.Helper()
	text, err := json.Marshal(request)
	must(c.t, err)
	must(c.t, os.WriteFile(filepath.Join(c.workspace, "input.json"), text, 0o600))
	if !c.staying {
		must(c.t, os.RemoveAll(filepath.Join(c.workspace, "output.json")))
	}
	s := &started{c: c, since: time.Now()}
	s.cmd = exec.Command(filepath.Join(c.bin, "kiln-entrypoint"),
		"--input", filepath.Join(c.workspace, "input.json"), "--output", filepath.Join(c.workspace, "output.json"))
	s.cmd.Env = append([]string{
		"PATH=" + c.bin, "HOME=" + c.home, "KILN_MODULE_DIR=" + c.module, "KILN_RUN_DIR=" + c.run, "KILN_GRACE_SECONDS=1",
		"KILN_FAKE=" + fake, "KILN_FAKE_CLOUD=" + c.cloud, "KILN_FAKE_CALLS=" + c.calls,
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

// signal sends a signal once the tool says that it is ready.
func (s *started) signal(signal syscall.Signal) {
	s.c.t.Helper()
	s.ready()
	must(s.c.t, s.cmd.Process.Signal(signal))
}

func (s *started) ready() {
	s.c.t.Helper()
	for range 1000 {
		if strings.Contains(s.out.String(), "ready") {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	s.c.t.Fatal("the tool does not begin:", s.out.String(), s.errors.String())
}

func (s *started) wait() outcome {
	s.c.t.Helper()
	err := s.cmd.Wait()
	if exit := (*exec.ExitError)(nil); err != nil && !errors.As(err, &exit) {
		s.c.t.Fatal(err)
	}
	o := outcome{code: s.cmd.ProcessState.ExitCode(), stdout: s.out.String(), stderr: s.errors.String(), took: time.Since(s.since)}
	o.response = s.c.response()
	return o
}

func (c *container) response() moduleprotocol.Response {
	c.t.Helper()
	text, err := os.ReadFile(filepath.Join(c.workspace, "output.json"))
	must(c.t, err)
	var response moduleprotocol.Response
	must(c.t, json.Unmarshal(text, &response))
	return response
}

// complete runs a request to its end.
func (c *container) complete(request map[string]any, fake string) outcome {
	c.t.Helper()
	return c.start(request, fake).wait()
}

// succeed is complete for what has to succeed.
func (c *container) succeed(request map[string]any, fake string) outcome {
	c.t.Helper()
	o := c.complete(request, fake)
	if o.code != 0 || !o.response.Success || o.response.Error != "" || o.response.Phase != "done" {
		c.t.Fatalf("%v: %d %s %s", request["action"], o.code, o.stderr, o.stdout)
	}
	if left, _ := os.ReadDir(c.run); len(left) > 0 {
		c.t.Error("secrets are left behind:", left)
	}
	return o
}

// refuse is complete for what has to fail with a code.
func (c *container) refuse(request map[string]any, fake, want string, exit int) outcome {
	c.t.Helper()
	o := c.complete(request, fake)
	r := o.response
	if o.code != exit || r.Success || r.Detail == nil || r.Detail.Code != want || r.Error != r.Detail.Message || r.Error == "" {
		c.t.Fatalf("%v: %d %+v %s; wanted %s", request["action"], o.code, r.Detail, o.stderr, want)
	}
	return o
}

func request(action string, more ...any) map[string]any {
	r := map[string]any{"action": action, "stack_name": "test", "inputs": map[string]any{"name": "web", "size": 3}}
	for i := 0; i < len(more); i += 2 {
		r[more[i].(string)] = more[i+1]
	}
	return r
}

func (c *container) callsText() string {
	text, _ := os.ReadFile(c.calls)
	return string(text)
}

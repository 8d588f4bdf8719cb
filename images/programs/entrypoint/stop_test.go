package main

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"kiln.dev/programs/moduleprotocol"
)

// TestCancel: the tool may finish what it does; its state, and what was done, are in the response.
func TestCancel(t *testing.T) {
	for signal, exit := range map[syscall.Signal]int{
		syscall.SIGTERM: 143, syscall.SIGINT: 130, syscall.SIGHUP: 129, syscall.SIGQUIT: 131,
	} {
		t.Run(signal.String(), func(t *testing.T) {
			bothTools(t, func(t *testing.T, c *container) {
				s := c.start(request("apply"), "slow")
				s.signal(signal)
				o := s.wait()
				r := o.response
				if o.code != exit || r.Success || r.Detail == nil || r.Detail.Code != moduleprotocol.Cancelled || r.State == nil || r.Summary.Create != 1 ||
					string(r.Outputs["answer"].Value) != "42" {
					t.Fatalf("%d %+v", o.code, r)
				}
				if !strings.Contains(r.Logs, "state saved") || strings.Contains(r.Logs, "killed") {
					t.Error("it was not let finish:", r.Logs)
				}
			})
		})
	}
}

// TestDeafTool: what does not stop by itself is killed after the grace period, and the response is written.
func TestDeafTool(t *testing.T) {
	bothTools(t, func(t *testing.T, c *container) {
		s := c.start(request("apply"), "deaf")
		s.signal(syscall.SIGTERM)
		o := s.wait()
		if o.code != 143 || o.response.Detail.Code != moduleprotocol.Cancelled || o.response.State == nil {
			t.Fatalf("%d %+v", o.code, o.response)
		}
		// A second of grace, then five.
		if o.took > 15*time.Second {
			t.Error("took", o.took)
		}
	})
}

// TestLostWithTheTool: what OpenTofu did and had not written when it was killed is named, because nobody else knows of it.
func TestLostWithTheTool(t *testing.T) {
	t.Parallel()
	for fake, named := range map[string]string{
		"deaf,unsaved": "Done, and not found in the state: " + fakeAddress, "deaf": "",
		"deaf,encrypted": "perhaps not in the state, which cannot be read (it is encrypted): " + fakeAddress,
		// A remote backend is asked what it has: there is no file of it here.
		"remote,deaf,unsaved": "Done, and not found in the state: " + fakeAddress, "remote,deaf": "",
		"remote,deaf,no-pull": "perhaps not in the state, which cannot be read (tofu state ended with exit code 1: no such bucket): " + fakeAddress,
	} {
		t.Run(fake, func(t *testing.T) {
			t.Parallel()
			c := newContainer(t, "opentofu")
			r := request("apply")
			if strings.HasPrefix(fake, "remote") {
				r["backend"] = map[string]any{"type": "s3", "config": map[string]any{"bucket": "b"}}
			}
			s := c.start(r, fake)
			s.signal(syscall.SIGTERM)
			said := s.wait().response.Error
			if !strings.Contains(said, named) || strings.Contains(said, "Done, and") != (named != "") {
				t.Error(said)
			}
		})
	}
}

func TestDeadline(t *testing.T) {
	bothTools(t, func(t *testing.T, c *container) {
		soon := time.Now().Add(2 * time.Second).UTC().Format(time.RFC3339Nano)
		o := c.refuse(request("apply", "deadline", soon), "hang", moduleprotocol.DeadlineExceeded, 124)
		if o.response.State == nil || !strings.Contains(o.response.Logs, "state saved") {
			t.Errorf("%+v", o.response)
		}
		past := time.Now().Add(-time.Hour).UTC().Format(time.RFC3339)
		c.refuse(request("apply", "deadline", past), "", moduleprotocol.DeadlineExceeded, 124)
	})
}

// TestKilled: where nothing can be finished any more, the response says so, and has the state of a moment ago.
func TestKilled(t *testing.T) {
	bothTools(t, func(t *testing.T, c *container) {
		s := c.start(request("apply"), "hang")
		s.ready()
		for range 500 {
			if c.response().State != nil {
				break
			}
			time.Sleep(10 * time.Millisecond)
		}
		must(t, s.cmd.Process.Kill())
		r := s.wait().response
		if r.Success || r.Phase != "running" || r.Error != "not finished: running" || r.State == nil {
			t.Errorf("%+v", r)
		}
	})
}

// TestOrphans: a process that the tool leaves behind, in a session of its own, does not outlive the run.
func TestOrphans(t *testing.T) {
	bothTools(t, func(t *testing.T, c *container) {
		o := c.succeed(request("apply"), "orphan")
		_, after, found := strings.Cut(o.stdout, "orphan ")
		number, _, _ := strings.Cut(after, "\n")
		pid, err := strconv.Atoi(number)
		if !found || err != nil {
			t.Fatal(o.stdout, err)
		}
		if _, err := os.Stat(filepath.Join("/proc", number)); err == nil {
			t.Errorf("%d is still there", pid)
		}
	})
}

func TestGrace(t *testing.T) {
	t.Parallel()
	c := newContainer(t, "pulumi")
	c.environment = []string{"KILN_GRACE_SECONDS=long"}
	c.refuse(request("preview"), "", moduleprotocol.BadRequest, 2)
}

package child

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"testing"
	"time"
)

func playParting(role string) {
	if role == "hasty" { // ends before a child of its group and one of its own session
		leaveTidy(&syscall.SysProcAttr{})
		leaveTidy(&syscall.SysProcAttr{Setsid: true})
		return
	}
	// tidy: ends at SIGTERM, after some work
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, syscall.SIGTERM)
	os.NewFile(3, "ready").Close()
	<-signals
	time.Sleep(100 * time.Millisecond)
	fmt.Println("tidied")
}

// leaveTidy returns when the child hears signals.
func leaveTidy(attributes *syscall.SysProcAttr) {
	reader, writer, err := os.Pipe()
	if err != nil {
		panic(err)
	}
	_, err = os.StartProcess("/proc/self/exe", []string{"tidy"}, &os.ProcAttr{
		Env: []string{"KILN_TEST_CHILD=tidy"}, Files: []*os.File{nil, os.Stdout, os.Stderr, writer}, Sys: attributes,
	})
	if err != nil {
		panic(err)
	}
	writer.Close()
	_, _ = reader.Read(make([]byte, 1))
}

// TestParting: those who outlive their program hear SIGTERM and end by themselves, in its group or fled from it.
func TestParting(t *testing.T) {
	tidied := 0
	var told []string
	c := command("hasty")
	c.Ladder.Grace = 5 * time.Second
	c.Stdout = func(line string) { tidied += strings.Count(line, "tidied") }
	c.Tell = func(line string) { told = append(told, line) }
	started := time.Now()
	if result, err := Run(t.Context(), c); err != nil || result.Code != 0 {
		t.Fatal(result, err)
	}
	if took := time.Since(started); tidied != 2 || took >= partingTime {
		t.Error(tidied, took)
	}
	if len(told) != 1 || !strings.Contains(told[0], "2 that it started") {
		t.Error(told)
	}
}

// TestPartingEnds: the deaf have a time that their program's grace bounds, and so does what the program left of its own.
func TestPartingEnds(t *testing.T) {
	for name, c := range map[string]struct {
		grace, least, most time.Duration
	}{
		"as long as the ladder": {300 * time.Millisecond, 300 * time.Millisecond, time.Second},
		"as long as any":        {time.Minute, partingTime, partingTime + time.Second},
		"none":                  {0, 0, 250 * time.Millisecond},
	} {
		t.Run(name, func(t *testing.T) {
			run := command("parent")
			run.Ladder.Grace, run.Stdout = c.grace, func(string) {}
			started := time.Now()
			if result, err := Run(t.Context(), run); err != nil || result.Code != 0 {
				t.Fatal(result, err)
			}
			if took := time.Since(started); took < c.least || took > c.most+drainTime/2 {
				t.Error(took)
			}
		})
	}
}

// TestEndedFirst: a program that ended by itself was not stopped, whatever happens while the deaf that it left have their time.
func TestEndedFirst(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	c := command("parent")
	c.Stdout, c.Tell = func(string) {}, func(string) { cancel() }
	if result, err := Run(ctx, c); err != nil || result != (Result{}) || ctx.Err() == nil {
		t.Error(result, err, ctx.Err())
	}
}

// TestAbrupt: where a grace would do harm there is none, whatever the ladder says.
func TestAbrupt(t *testing.T) {
	harm := errors.New("harm")
	ctx, cancel := context.WithCancelCause(t.Context())
	c := command("deaf")
	c.Ladder = Ladder{Grace: time.Minute, Terminate: true, Abrupt: func(cause error) bool { return errors.Is(cause, harm) }}
	c.Stdout = func(string) { cancel(harm) }
	if result, err := Run(ctx, c); err != nil || result != (Result{Code: 137, Killed: true, Stopped: harm}) {
		t.Error(result, err)
	}
}

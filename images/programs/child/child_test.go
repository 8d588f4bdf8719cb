package child

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// TestMain lets the test binary be the program that is run: it does what KILN_TEST_CHILD says.
func TestMain(m *testing.M) {
	if role := os.Getenv("KILN_TEST_CHILD"); role != "" {
		play(role)
		os.Exit(0)
	}
	if err := Adopt(); err != nil {
		panic(err)
	}
	os.Exit(m.Run())
}

func play(role string) {
	switch role {
	case "polite": // ends at SIGINT
		signals := make(chan os.Signal, 1)
		signal.Notify(signals, syscall.SIGINT)
		fmt.Println("ready")
		<-signals
		os.Exit(7)
	case "deaf": // hears SIGTERM only
		signal.Ignore(syscall.SIGINT)
		signals := make(chan os.Signal, 1)
		signal.Notify(signals, syscall.SIGTERM)
		fmt.Println("ready")
		<-signals
		os.Exit(8)
	case "stubborn": // hears nothing
		signal.Ignore(syscall.SIGINT, syscall.SIGTERM)
		fmt.Println("ready")
		if os.Getenv("KILN_TEST_READY") != "" {
			_ = os.NewFile(3, "ready").Close()
		}
		time.Sleep(time.Minute)
	case "parent": // leaves a child of its group and one of its own session, both with its output
		leave(&syscall.SysProcAttr{})
		leave(&syscall.SysProcAttr{Setsid: true})
	case "tidy", "hasty":
		playParting(role)
	case "flood":
		for i := range 20_000 {
			fmt.Println(i)
		}
		fmt.Print("no line end")
	case "echo":
		fmt.Println(strings.Join(os.Args[1:], "|"))
		fmt.Fprintln(os.Stderr, "error line")
		os.Exit(3)
	}
}

// leave starts one who hears nothing, and returns once that is so: until then a signal would end it.
func leave(attributes *syscall.SysProcAttr) {
	ready, deaf, err := os.Pipe()
	if err != nil {
		panic(err)
	}
	process, err := os.StartProcess("/proc/self/exe", []string{"left"}, &os.ProcAttr{
		Env:   []string{"KILN_TEST_CHILD=stubborn", "KILN_TEST_READY=1"},
		Files: []*os.File{nil, os.Stdout, os.Stderr, deaf}, Sys: attributes,
	})
	if err != nil {
		panic(err)
	}
	_ = deaf.Close()
	_, _ = ready.Read(make([]byte, 1))
	fmt.Println("left", process.Pid)
}

func command(role string, arguments ...string) Command {
	return Command{
		Path: "/proc/self/exe", Arguments: arguments, Environment: append(os.Environ(), "KILN_TEST_CHILD="+role),
		Ladder: Ladder{Grace: 300 * time.Millisecond, Last: 300 * time.Millisecond},
	}
}

func TestRun(t *testing.T) {
	var out, errs []string
	c := command("echo", "a b", "-c")
	c.Stdout, c.Stderr = func(l string) { out = append(out, l) }, func(l string) { errs = append(errs, l) }
	result, err := Run(t.Context(), c)
	if err != nil || result.Code != 3 || result.Killed {
		t.Error(result, err)
	}
	if !slices.Equal(out, []string{"a b|-c"}) || !slices.Equal(errs, []string{"error line"}) {
		t.Error(out, errs)
	}
	if _, err := Run(t.Context(), Command{Path: "/no/such/program"}); !errors.Is(err, os.ErrNotExist) {
		t.Error(err)
	}
}

// TestExitCodesAreNotLost: who reaps orphans takes no exit code away from who waits for it.
func TestExitCodesAreNotLost(t *testing.T) {
	var running sync.WaitGroup
	for range 4 {
		running.Go(func() {
			for range 30 {
				if result, err := Run(t.Context(), command("echo")); err != nil || result.Code != 3 {
					t.Error(result, err)
				}
			}
		})
	}
	running.Wait()
}

// TestEveryLine: the end of a program does not cut off its output, however much there is.
func TestEveryLine(t *testing.T) {
	n, last := 0, ""
	c := command("flood")
	c.Stdout = func(l string) {
		if n++; n%1000 == 0 {
			time.Sleep(10 * time.Millisecond) // slower than the program: most is still to be read when it ends
		}
		last = l
	}
	if _, err := Run(t.Context(), c); err != nil || n != 20_001 || last != "no line end" {
		t.Error(n, last, err)
	}
}

func TestLadder(t *testing.T) {
	for role, want := range map[string]struct {
		result Result
		told   int
	}{
		"polite":   {Result{Code: 7, Stopped: context.Canceled}, 1},
		"deaf":     {Result{Code: 8, Stopped: context.Canceled}, 2},
		"stubborn": {Result{Code: 137, Killed: true, Stopped: context.Canceled}, 3},
	} {
		t.Run(role, func(t *testing.T) {
			t.Parallel()
			ctx, cancel := context.WithCancel(t.Context())
			var told []string
			c := command(role)
			c.Stdout = func(line string) {
				if line == "ready" {
					cancel()
				}
			}
			c.Tell = func(line string) { told = append(told, line) }
			started := time.Now()
			result, err := Run(ctx, c)
			if err != nil || result != want.result || len(told) != want.told {
				t.Error(result, err, told)
			}
			if took := time.Since(started); took > 5*time.Second {
				t.Error("took", took)
			}
		})
	}
}

// TestNothingIsLeft: neither a child in the group nor one that fled from it outlives the program, or holds its output open.
func TestNothingIsLeft(t *testing.T) {
	var left []int
	c := command("parent")
	c.Stdout = func(line string) {
		if text, found := strings.CutPrefix(line, "left "); found {
			pid, _ := strconv.Atoi(text)
			left = append(left, pid)
		}
	}
	started := time.Now()
	if result, err := Run(t.Context(), c); err != nil || result.Code != 0 {
		t.Fatal(result, err)
	}
	if took := time.Since(started); took > drainTime {
		t.Error("took", took)
	}
	if len(left) != 2 {
		t.Fatal(left)
	}
	for _, pid := range left {
		for range 100 {
			if syscall.Kill(pid, 0) != nil {
				break
			}
			time.Sleep(10 * time.Millisecond)
		}
		if err := syscall.Kill(pid, 0); !errors.Is(err, syscall.ESRCH) {
			t.Errorf("%d is still there: %v", pid, err)
		}
	}
}

// TestTerminate: SIGTERM comes first for who asks for it, and SIGKILL after the grace.
func TestTerminate(t *testing.T) {
	for role, want := range map[string]Result{"deaf": {Code: 8}, "stubborn": {Code: 137, Killed: true}} {
		want.Stopped = context.Canceled
		ctx, cancel := context.WithCancel(t.Context())
		c := command(role)
		c.Ladder = Ladder{Grace: 300 * time.Millisecond, Terminate: true}
		c.Stdout = func(string) { cancel() }
		if result, err := Run(ctx, c); err != nil || result != want {
			t.Error(role, result, err)
		}
	}
}

// TestRaw: bytes come as they are, and the process is known before them.
func TestRaw(t *testing.T) {
	var out, errs bytes.Buffer
	pid := 0
	c := command("echo", "a\xff", "b")
	c.RawStdout, c.RawStderr = &out, &errs
	c.Started = func(p int) { pid = p }
	if result, err := Run(t.Context(), c); err != nil || result.Code != 3 || pid == 0 {
		t.Error(result, err, pid)
	}
	if out.String() != "a\xff|b\n" || errs.String() != "error line\n" {
		t.Errorf("%q %q", out.String(), errs.String())
	}
}

package child

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"sync"
	"syscall"
	"time"
)

// Command is a program to run.
type Command struct {
	Path        string
	Arguments   []string
	Directory   string
	Environment []string
	// Input is what the program reads; nothing where it is nil.
	Input io.Reader
	// Stdout and Stderr get whole lines without their ends, one at a time and not at the same time.
	Stdout, Stderr func(line string)
	// RawStdout and RawStderr get every byte as it comes, in place of lines; each on a goroutine of its own.
	RawStdout, RawStderr io.Writer
	// Started gets the program's process id before its output is read.
	Started func(pid int)
	// Alone: nothing in the container outlives the program. It counts only where this is process 1, which it mostly is.
	Alone  bool
	Ladder Ladder
	// Tell gets a line for each signal that is sent.
	Tell func(string)
}

// Result is how a program ended. Where a signal killed it, Code is 128 and the signal's number, as shells have it.
type Result struct {
	Code   int
	Killed bool
	// Stopped is why ctx ended, where it did before the program; nil where the program ended by itself. What ctx does later, while
	// those that the program left behind have their time, says nothing about the program.
	Stopped error
}

// drainTime is how long output is awaited once nobody is left who writes it, but one who fled from the group.
const drainTime = 2 * time.Second

// Run runs a program to its end. When ctx ends it is stopped by the ladder, and Run still waits for it.
// The error is about starting only: how the program ended is in the result.
func Run(ctx context.Context, c Command) (Result, error) {
	cmd := exec.Command(c.Path, c.Arguments...)
	cmd.Dir, cmd.Env, cmd.Stdin = c.Directory, c.Environment, c.Input
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}

	streams, err := openStreams(cmd, c)
	if err != nil {
		return Result{}, err
	}
	err = start(cmd)
	streams.closeWriters()
	if err != nil {
		streams.closeReaders()
		return Result{}, fmt.Errorf("start %s: %w", c.Path, err)
	}
	pid := cmd.Process.Pid
	if c.Started != nil {
		c.Started(pid)
	}

	ended := make(chan struct{})
	var climbing sync.WaitGroup
	var left parting
	var stopped error
	climbing.Go(func() { left, stopped = c.Ladder.climb(ctx, pid, ended, c.tell) })
	err = cmd.Wait()
	close(ended)
	climbing.Wait()
	forget(pid)

	// What the program left behind would hold the output open, and go on changing things that nobody watches.
	left.part(pid, c.tell)
	_ = syscall.Kill(-pid, syscall.SIGKILL)
	if c.Alone {
		killAll()
	}
	killOrphans()
	streams.drain(drainTime)
	result, err := resultOf(cmd, err)
	result.Stopped = stopped
	return result, err
}

func (c Command) tell(line string) {
	if c.Tell != nil {
		c.Tell(line)
	}
}

func resultOf(cmd *exec.Cmd, err error) (Result, error) {
	if exit := (*exec.ExitError)(nil); err != nil && !errors.As(err, &exit) {
		// The program ended, but its input could not be written: its exit code tells more.
		if cmd.ProcessState == nil {
			return Result{}, fmt.Errorf("wait for %s: %w", cmd.Path, err)
		}
	}
	if status, ok := cmd.ProcessState.Sys().(syscall.WaitStatus); ok && status.Signaled() {
		return Result{Code: 128 + int(status.Signal()), Killed: true}, nil
	}
	return Result{Code: cmd.ProcessState.ExitCode()}, nil
}

// Find returns the path of a program on PATH, and false where there is none.
func Find(name string) (string, bool) {
	path, err := exec.LookPath(name)
	return path, err == nil
}

// streams are the pipes between a program and those who read its lines. The program gets the pipes themselves, so that
// waiting for it does not wait for whoever inherited them.
type streams struct {
	readers, writers []*os.File
	reading          sync.WaitGroup
	lines            sync.Mutex
}

func openStreams(cmd *exec.Cmd, c Command) (*streams, error) {
	s := &streams{}
	for _, stream := range []struct {
		to   *io.Writer
		line func(string)
		raw  io.Writer
	}{{&cmd.Stdout, c.Stdout, c.RawStdout}, {&cmd.Stderr, c.Stderr, c.RawStderr}} {
		if stream.line == nil && stream.raw == nil {
			continue
		}
		reader, writer, err := os.Pipe()
		if err != nil {
			s.closeWriters()
			s.closeReaders()
			return nil, err
		}
		*stream.to = writer
		s.readers, s.writers = append(s.readers, reader), append(s.writers, writer)
		s.reading.Go(func() {
			if stream.raw != nil {
				_, _ = io.Copy(stream.raw, reader)
				return
			}
			readLines(reader, func(line string) {
				s.lines.Lock()
				defer s.lines.Unlock()
				stream.line(line)
			})
		})
	}
	return s, nil
}

func (s *streams) closeWriters() {
	for _, writer := range s.writers {
		writer.Close()
	}
}

func (s *streams) closeReaders() {
	for _, reader := range s.readers {
		reader.Close()
	}
}

// drain waits until all output is read, at most for a time.
func (s *streams) drain(limit time.Duration) {
	timer := time.AfterFunc(limit, s.closeReaders)
	s.reading.Wait()
	timer.Stop()
	s.closeReaders()
}

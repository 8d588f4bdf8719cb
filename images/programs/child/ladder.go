// Package child runs one program at a time to its end, as the first process of a container has to: in a process group of its
// own, stopped by a ladder of signals, with nothing left behind.
package child

import (
	"context"
	"syscall"
	"time"
)

// Ladder is how a program is stopped: SIGINT lets IaC tools finish what they do and save their state; SIGTERM comes when the
// grace is over; SIGKILL after that ends the whole group.
type Ladder struct {
	Grace, Last time.Duration
}

// DefaultGrace is the time between SIGINT and SIGTERM.
const DefaultGrace = 30 * time.Second

// LastGrace is the time between SIGTERM and SIGKILL.
const LastGrace = 5 * time.Second

// climb waits for ctx to end, then climbs from rung to rung until the program has ended.
func (l Ladder) climb(ctx context.Context, pid int, ended <-chan struct{}, tell func(string)) {
	select {
	case <-ended:
		return
	case <-ctx.Done():
	}
	rungs := []struct {
		signal syscall.Signal
		to     int
		wait   time.Duration
	}{
		{syscall.SIGINT, pid, l.Grace},
		{syscall.SIGTERM, -pid, l.Last},
		{syscall.SIGKILL, -pid, 0},
	}
	for _, rung := range rungs {
		tell("stopping: " + rung.signal.String())
		// The program may have ended just now; then there is nobody to tell.
		_ = syscall.Kill(rung.to, rung.signal)
		timer := time.NewTimer(rung.wait)
		select {
		case <-ended:
			timer.Stop()
			return
		case <-timer.C:
		}
	}
}

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
	// Terminate is for programs that know nothing of being interrupted: SIGTERM to the whole group comes first, and SIGKILL when
	// the grace is over.
	Terminate bool
	// Abrupt says of what stops the program whether SIGKILL comes first: a grace would let it go on with just that. Nil is never.
	Abrupt func(cause error) bool
}

// rung is one signal, and how long it is given.
type rung struct {
	signal syscall.Signal
	to     int
	wait   time.Duration
}

func (l Ladder) rungs(pid int, cause error) []rung {
	if l.Abrupt != nil && l.Abrupt(cause) {
		return []rung{{syscall.SIGKILL, -pid, 0}}
	}
	if l.Terminate {
		return []rung{{syscall.SIGTERM, -pid, l.Grace}, {syscall.SIGKILL, -pid, 0}}
	}
	return []rung{{syscall.SIGINT, pid, l.Grace}, {syscall.SIGTERM, -pid, l.Last}, {syscall.SIGKILL, -pid, 0}}
}

// DefaultGrace is the time between SIGINT and SIGTERM.
const DefaultGrace = 30 * time.Second

// LastGrace is the time between SIGTERM and SIGKILL.
const LastGrace = 5 * time.Second

// climb waits for ctx to end, then climbs from rung to rung until the program has ended. It returns what is left of the grace
// for those that the program leaves behind, and why ctx ended; nil where the program did first.
func (l Ladder) climb(ctx context.Context, pid int, ended <-chan struct{}, tell func(string)) (parting, error) {
	select {
	case <-ended:
		return parting{grace: min(partingTime, l.Grace)}, nil
	case <-ctx.Done():
	}
	cause := context.Cause(ctx)
	for _, rung := range l.rungs(pid, cause) {
		tell("stopping: " + rung.signal.String())
		// The program may have ended just now; then there is nobody to tell.
		_ = syscall.Kill(rung.to, rung.signal)
		over := time.Now().Add(rung.wait)
		timer := time.NewTimer(rung.wait)
		select {
		case <-ended:
			timer.Stop()
			return parting{grace: min(partingTime, time.Until(over)), told: rung.signal == syscall.SIGTERM}, cause
		case <-timer.C:
		}
	}
	return parting{}, cause
}

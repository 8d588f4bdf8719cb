package main

import (
	"context"
	"os"
	"os/signal"
	"strconv"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"kiln.dev/programs/child"
	"kiln.dev/programs/moduleprotocol"
)

// stopped is why a run was stopped.
type stopped struct {
	code    string
	message string
	exit    int
}

func (s stopped) Error() string { return s.message }

// watchSignals returns a context that ends when this process is told to stop.
func watchSignals() (context.Context, func()) {
	ctx, cancel := context.WithCancelCause(context.Background())
	signals := make(chan os.Signal, 1)
	// Each of them would end this process at once: a terminal that closes sends SIGHUP, and images may have STOPSIGNAL SIGQUIT.
	signal.Notify(signals, syscall.SIGTERM, syscall.SIGINT, syscall.SIGHUP, syscall.SIGQUIT)
	go func() {
		number := (<-signals).(syscall.Signal)
		cancel(stopped{moduleprotocol.Cancelled, "cancelled by " + unix.SignalName(number), 128 + int(number)})
	}()
	return ctx, func() { signal.Stop(signals) }
}

// withDeadline ends ctx at a time of the request; zero is none.
func withDeadline(ctx context.Context, at time.Time) (context.Context, context.CancelFunc) {
	if at.IsZero() {
		return context.WithCancel(ctx)
	}
	return context.WithDeadlineCause(ctx, at, stopped{
		moduleprotocol.DeadlineExceeded, "the deadline " + at.UTC().Format(time.RFC3339) + " has passed", 124,
	})
}

// ladder reads the grace period from the environment.
func ladder() (child.Ladder, error) {
	l := child.Ladder{Grace: child.DefaultGrace, Last: child.LastGrace}
	text := os.Getenv("KILN_GRACE_SECONDS")
	if text == "" {
		return l, nil
	}
	seconds, err := strconv.ParseFloat(text, 64)
	if err != nil || seconds < 0 || seconds > 86400 {
		return l, moduleprotocol.Fail(moduleprotocol.BadRequest, "KILN_GRACE_SECONDS is %q: it has to be a number of seconds", text)
	}
	l.Grace = time.Duration(seconds * float64(time.Second))
	l.Last = min(l.Last, l.Grace)
	return l, nil
}

package jobrun

import (
	"context"
	"errors"
	"os"
	"os/signal"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"kiln.dev/programs/jobprotocol"
)

// stopped is why a job was stopped from outside or by its clock.
type stopped struct {
	failure *jobprotocol.Failure
	exit    int
}

func (s stopped) Error() string { return s.failure.Message }

func (s stopped) Unwrap() error { return s.failure }

func stopBy(code, format string, values ...any) stopped {
	failure := jobprotocol.Fail(code, format, values...)
	return stopped{failure, jobprotocol.ExitCode(failure)}
}

// watchSignals returns a context that ends when this process is told to stop.
func watchSignals() (context.Context, func()) {
	ctx, cancel := context.WithCancelCause(context.Background())
	signals := make(chan os.Signal, 1)
	// Each of them would end this process at once.
	signal.Notify(signals, syscall.SIGTERM, syscall.SIGINT, syscall.SIGHUP, syscall.SIGQUIT)
	go func() {
		number := (<-signals).(syscall.Signal)
		stop := stopBy(jobprotocol.Canceled, "canceled by %s", unix.SignalName(number))
		stop.exit = 128 + int(number)
		cancel(stop)
	}()
	return ctx, func() { signal.Stop(signals) }
}

// jobTime ends when so much of the job's time is over that the rest is needed to stop the script and keep what it left: at most
// half of it.
func (j *job) jobTime(base context.Context) (context.Context, context.CancelFunc) {
	limit := j.settings.JobTimeout
	if limit == 0 {
		return context.WithCancel(base)
	}
	wanted := j.settings.Grace + j.settings.Finish
	kept := min(wanted, limit/2)
	if kept < wanted {
		j.settings.Grace = time.Duration(float64(j.settings.Grace) * float64(kept) / float64(wanted))
	}
	return context.WithDeadlineCause(base, j.started.Add(limit-kept), stopBy(jobprotocol.JobTimeout,
		"the job's time of %v is over: its last %v are for stopping the script and keeping what it left", limit, kept))
}

// watchTime is how often a script is looked after that has a limit to be watched.
const watchTime = 250 * time.Millisecond

// scriptTime ends when the script has run for too long, was silent for too long, or fills the disk.
func (j *job) scriptTime(ctx context.Context) (context.Context, context.CancelFunc) {
	running, stop := context.WithCancelCause(ctx)
	cancel := func() { stop(context.Canceled) }
	s := j.settings
	if s.ScriptTimeout > 0 {
		timer := time.AfterFunc(s.ScriptTimeout, func() {
			stop(stopBy(jobprotocol.ScriptTimeout, "the script ran for more than %v", s.ScriptTimeout))
		})
		cancel = func() { timer.Stop(); stop(context.Canceled) }
	}
	if s.IdleTimeout > 0 || s.DiskBytes > 0 {
		j.record.Touch()
		go j.watch(running, stop)
	}
	return running, cancel
}

func (j *job) watch(running context.Context, stop context.CancelCauseFunc) {
	s := j.settings
	var disk *diskWatch
	if s.DiskBytes > 0 {
		disk = j.watchDisk()
	}
	every := watchTime
	if s.IdleTimeout > 0 {
		every = max(min(every, s.IdleTimeout/4), time.Millisecond)
	}
	ticker := time.NewTicker(every)
	defer ticker.Stop()
	for {
		select {
		case <-running.Done():
			return
		case <-ticker.C:
		}
		if s.IdleTimeout > 0 && j.record.Quiet() > s.IdleTimeout {
			stop(stopBy(jobprotocol.IdleTimeout, "the script wrote nothing for more than %v", s.IdleTimeout))
			return
		}
		if disk == nil {
			continue
		}
		if err := disk.look(); err != nil {
			stop(err)
			return
		}
	}
}

// finishing is the time for what comes after the script: what is left of the job's, and not more than KILN_FINISH_SECONDS once
// somebody waits for the end. It does not end with the context that stopped the script.
func (j *job) finishing(base context.Context) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancel(context.Background())
	if limit := j.settings.JobTimeout; limit > 0 {
		// Also where the script's end took longer than was planned, something is kept.
		ctx, cancel = context.WithDeadline(ctx, later(j.started.Add(limit), time.Now().Add(leastFinish)))
	}
	ended := context.AfterFunc(base, func() {
		timer := time.NewTimer(j.settings.Finish)
		defer timer.Stop()
		select {
		case <-timer.C:
			cancel()
		case <-ctx.Done():
		}
	})
	return ctx, func() { ended(); cancel() }
}

const leastFinish = time.Second

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

// verdict is how a job ended and the exit code of its container: the script's own, but where it was stopped or never ran.
func verdict(base context.Context, code *int, err error) (*jobprotocol.Failure, int) {
	if err == nil {
		return nil, 0
	}
	if stop := (stopped{}); errors.As(err, &stop) || code == nil && errors.As(context.Cause(base), &stop) {
		return stop.failure, stop.exit
	}
	failure := jobprotocol.FailureOf(err)
	if code != nil && *code != 0 {
		return failure, *code
	}
	return failure, jobprotocol.ExitCode(failure)
}

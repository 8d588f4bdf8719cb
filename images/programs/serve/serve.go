// Package serve answers the go command from packed build caches (GOCACHEPROG), and keeps what it makes in the user's own.
package serve

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/signal"
	"path/filepath"
	"sync"
	"syscall"
	"time"

	"kiln.dev/programs/cacheprog"
	"kiln.dev/programs/diskcache"
	"kiln.dev/programs/gocommand"
	"kiln.dev/programs/pack"
	"kiln.dev/programs/restore"
)

const defaultPacks = "/usr/local/lib/kiln/packs"

// Run serves the packs of $KILN_PACKS and the cache $GOCACHE on stdin and stdout until the go command is done.
func Run(args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	if len(args) > 0 {
		fmt.Fprintln(stderr, "gocache serve: takes no arguments")
		return 2
	}
	s, err := begin(stderr)
	if err == nil {
		err = s.serve(stdin, stdout)
	}
	if err != nil {
		fmt.Fprintf(stderr, "gocache: %v\n", err)
		return 1
	}
	return 0
}

// session is one go command, from start to end.
type session struct {
	argv    []string
	packs   pack.Set
	own     diskcache.Directory
	scratch *scratch
	stats   *stats
	// hollow: archives may be answered with a hole. keep: what is answered has to outlive this process.
	hollow, keep bool
	// foreseen: outputs that will be read whole.
	foreseen []pack.Output
	restored []string
	stderr   io.Writer
}

// begin makes all ready, missing sources included: the go command looks for them once it hears that gocache is there.
func begin(stderr io.Writer) (*session, error) {
	s := &session{argv: gocommand.ReadParent(), stats: newStats(), stderr: stderr, own: diskcache.Directory(os.Getenv("GOCACHE"))}
	if !filepath.IsAbs(string(s.own)) {
		return nil, errors.New("GOCACHE is not an absolute path: the go command sets it when it starts a GOCACHEPROG")
	}
	var err error
	if s.packs, err = openPacks(); err != nil {
		return nil, err
	}
	// The working folder without symbolic links, and the one that the go command takes relative names from.
	real, realErr := os.Readlink("/proc/self/cwd")
	cwd, err := os.Getwd()
	if command, ok := gocommand.Parse(s.argv, os.Getenv("GOFLAGS")); ok && realErr == nil && err == nil {
		at := places{real, os.Getenv("GOROOT"), os.Getenv("GOMODCACHE")}
		s.hollow = mayBeHollow(command, at) && os.Getenv("KILN_GOCACHE_WHOLE") != "1"
		s.keep = handsOut(command)
		local := restore.Read(restore.Request{Command: command, Cwd: cwd, Environment: os.Getenv})
		s.restored = local.Missing(s.packs, stderr)
		if s.hollow && command.Name != "list" {
			s.foreseen = foresee(s.packs, local.Named())
		}
	}
	if s.scratch, err = newScratch(os.TempDir()); err != nil {
		return nil, fmt.Errorf("no folder for what builds read: %w; set TMPDIR to a folder that can be written", err)
	}
	return s, nil
}

func openPacks() (pack.Set, error) {
	folder := os.Getenv("KILN_PACKS")
	if folder == "" {
		folder = defaultPacks
	}
	if _, err := os.Stat(folder); errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	return pack.OpenSet(folder)
}

// errKilled: a signal ended this process before the go command was done.
var errKilled = errors.New("stopped by a signal")

func (s *session) serve(stdin io.Reader, stdout io.Writer) error {
	// Ctrl-C reaches the go command too, which ends as it must; a broken pipe is an error of the write.
	signal.Ignore(os.Interrupt)
	signal.Notify(make(chan os.Signal, 1), syscall.SIGPIPE)
	stop := make(chan os.Signal, 1)
	signal.Notify(stop, syscall.SIGTERM, syscall.SIGHUP)
	defer signal.Stop(stop)
	var sweeping sync.WaitGroup
	sweeping.Go(func() { sweep(s.scratch.parent) })

	objects := newObjects(s.packs, s.scratch, s.hollow)
	handler := newAnswers(s, objects)
	objects.unpackAhead(s.foreseen)
	served := make(chan error, 1)
	go func() { served <- cacheprog.Serve(stdin, stdout, handler) }()
	var err error
	select {
	case err = <-served:
	case <-stop:
		err = errKilled
	}
	objects.stop()
	sweeping.Wait()
	return errors.Join(s.ended(err), s.end(objects, err))
}

// ended explains how serving ended; a go command that just goes away is done.
func (s *session) ended(err error) error {
	switch {
	case err == nil, err == cacheprog.ErrHangup, errors.Is(err, errStopped):
		return nil
	case errors.Is(err, errScratch):
		return fmt.Errorf("cannot write to %s: %w; free space there, or set TMPDIR to a folder that has some", s.scratch.parent, err)
	default:
		return err
	}
}

// end leaves nothing behind but the line of figures.
func (s *session) end(objects *objects, served error) error {
	if damage := s.stats.firstDamage(); damage != nil && served == nil {
		fmt.Fprintf(s.stderr, "gocache: %v; made anew instead, and kept in %s\n", damage, s.own)
	}
	var failure error
	if file := os.Getenv("KILN_GOCACHE_STATS"); file != "" {
		line := s.stats.summary()
		line.Command = gocommand.String(s.argv)
		line.Hollow, line.Filled = objects.hollowed.Load(), objects.filled.Load()
		line.ScratchBytes = objects.written.Load()
		line.Foreseen = len(s.foreseen)
		line.Restored = append([]string{}, s.restored...)
		failure = line.append(file)
	}
	failure = errors.Join(failure, s.scratch.remove())
	if served == nil {
		// Only a build that ended well trims, and one that cannot does not fail for it, as with the go command itself.
		_ = s.own.Trim(time.Now())
	}
	return failure
}

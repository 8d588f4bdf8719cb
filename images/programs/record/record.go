// Package record serves a plain build cache to the go command and notes what it asked for: the exact closure of a build.
package record

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"

	"kiln.dev/programs/cacheprog"
	"kiln.dev/programs/diskcache"
)

// Run serves $GOCACHE on stdin and stdout and writes the file that --log names when the go command is done, or on SIGTERM.
func Run(args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	flags := flag.NewFlagSet("record", flag.ContinueOnError)
	flags.SetOutput(stderr)
	file := flags.String("log", "", "file that gets one line a get")
	if err := flags.Parse(args); err != nil {
		return 2
	}
	cache := os.Getenv("GOCACHE")
	if *file == "" || flags.NArg() > 0 || !filepath.IsAbs(cache) {
		fmt.Fprintln(stderr, "gocache record: needs --log FILE, and GOCACHE as an absolute path in the environment")
		return 2
	}
	if err := serve(diskcache.Directory(cache), *file, stdin, stdout); err != nil {
		fmt.Fprintf(stderr, "gocache record: %v\n", err)
		return 1
	}
	return 0
}

// errStopped: a signal ended the recording; the log holds what was asked until then.
var errStopped = errors.New("stopped by a signal")

func serve(cache diskcache.Directory, file string, stdin io.Reader, stdout io.Writer) error {
	r := &recorder{cache: cache}
	// Ctrl-C reaches the go command too, which ends as it must; a broken pipe is an error of the write.
	signal.Ignore(os.Interrupt)
	signal.Notify(make(chan os.Signal, 1), syscall.SIGPIPE)
	stop := make(chan os.Signal, 1)
	signal.Notify(stop, syscall.SIGTERM, syscall.SIGHUP)
	defer signal.Stop(stop)

	served := make(chan error, 1)
	r.close = func() error { return r.log.write(file) }
	go func() { served <- cacheprog.Serve(stdin, stdout, r) }()
	select {
	case err := <-served:
		if err == cacheprog.ErrHangup {
			return nil
		}
		return err
	case <-stop:
		return errors.Join(errStopped, r.log.write(file))
	}
}

// recorder answers from the cache as the go command itself would, and changes no time of use.
type recorder struct {
	cache diskcache.Directory
	log   log
	close func() error
}

func (r *recorder) Get(action cacheprog.ID, answer func(cacheprog.Answer)) func() {
	entry, err := r.cache.Get(action)
	if err != nil {
		r.log.miss(action)
		answer(cacheprog.Answer{Miss: true})
		return nil
	}
	r.log.found("hit", action, entry.Output, entry.Size)
	answer(cacheprog.Answer{Output: entry.Output, Size: entry.Size, Time: entry.Time, DiskPath: entry.File})
	return nil
}

func (r *recorder) Put(put cacheprog.Put) cacheprog.Answer {
	file, err := r.cache.Put(put.Action, put.Output, put.Size, put.Body)
	if err != nil {
		return cacheprog.Answer{Err: err.Error()}
	}
	r.log.found("put", put.Action, put.Output, put.Size)
	return cacheprog.Answer{Output: put.Output, Size: put.Size, DiskPath: file}
}

func (r *recorder) Close() error { return r.close() }

package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"syscall"

	"kiln.dev/programs/moduleprotocol"
)

// errFolderTaken: another run, in this container or another one of this host, writes into the folder of the response.
var errFolderTaken = errors.New("another run is at work there")

// takeFolder keeps other runs out of the folder that a response goes to: two would write one response, and one state. The lock is
// on the folder itself, so that nothing is left behind, and ends with the process, however that ends. A folder that cannot be
// locked is used all the same, and why is the second result: not every file system has locks.
func takeFolder(path string) (release func(), unlocked, err error) {
	release = func() {}
	folder, err := os.OpenFile(path, os.O_RDONLY|syscall.O_DIRECTORY, 0)
	if err != nil {
		return release, err, nil
	}
	switch err := syscall.Flock(int(folder.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); {
	case errors.Is(err, syscall.EWOULDBLOCK):
		folder.Close()
		return release, nil, errFolderTaken
	case err != nil:
		folder.Close()
		return release, &os.PathError{Op: "flock", Path: path, Err: err}, nil
	}
	return func() { folder.Close() }, nil, nil
}

// exitRefused: nothing was done, because something is not as the request has it.
const exitRefused = 3

// refuseSecond answers a request in whose folder another run is at work. The response there is that one's: this answer goes to
// standard output, as a response of one line, or as an event, and to standard error for people.
func (s *session) refuseSecond() int {
	request, _ := s.readRequest()
	failure := moduleprotocol.Fail(moduleprotocol.StateLocked,
		"another run is at work in %s: nothing was done, and the response there is that run's. Wait for its end, or give this run "+
			"a folder of its own", filepath.Dir(s.output))
	failure.Phase = moduleprotocol.Starting
	at := now()
	var answer any = moduleprotocol.Response{
		Action: request.Action, RunID: request.RunID, APIVersion: moduleprotocol.Version, Phase: moduleprotocol.Done,
		Outputs: map[string]moduleprotocol.Output{}, Changes: []moduleprotocol.Change{}, Timings: map[string]float64{},
		Error: failure.Message, Detail: failure, StartedAt: at, FinishedAt: at,
	}
	if os.Getenv("KILN_EVENTS") == "1" {
		answer = map[string]any{"kind": "diagnostic", "severity": "error", "at": at, "code": failure.Code, "message": failure.Message}
	}
	if text, err := json.Marshal(answer); err == nil {
		io.WriteString(s.stdout, string(text)+"\n")
	}
	fmt.Fprintf(s.stderr, "kiln-entrypoint: %s: %s\n", failure.Code, failure.Message)
	return exitRefused
}

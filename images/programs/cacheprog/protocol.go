// Package cacheprog speaks the protocol of GOCACHEPROG: JSON requests of the go command on standard input, answers on
// standard output. See cmd/go/internal/cacheprog of the Go source.
package cacheprog

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"time"
)

// ID is the SHA-256 that names an action or an output.
type ID = [32]byte

// Answer is what the go command is told about an action or a put.
type Answer struct {
	Miss   bool
	Output ID
	Size   int64
	// Time is when the entry was made; zero where it is not known, which the go command takes for now.
	Time time.Time
	// DiskPath is the absolute path of a file of exactly Size bytes that stays until the go command is done.
	DiskPath string
	// Err makes a put fail; the go command goes on without it where it can.
	Err string
	// Fatal ends the conversation unanswered: the go command fails.
	Fatal error
}

// Put is new content for an action. Body has Size bytes, and may be read until Handler.Put returns.
type Put struct {
	Action, Output ID
	Size           int64
	Body           io.Reader
}

const (
	commandGet   = "get"
	commandPut   = "put"
	commandClose = "close"
)

type request struct {
	ID       int64
	Command  string
	ActionID []byte
	OutputID []byte
	BodySize int64
}

type response struct {
	ID            int64
	Err           string     `json:",omitempty"`
	KnownCommands []string   `json:",omitempty"`
	Miss          bool       `json:",omitempty"`
	OutputID      []byte     `json:",omitempty"`
	Size          int64      `json:",omitempty"`
	Time          *time.Time `json:",omitempty"`
	DiskPath      string     `json:",omitempty"`
}

func (a *Answer) response(id int64) response {
	if a.Miss || a.Err != "" {
		return response{ID: id, Miss: a.Miss, Err: a.Err}
	}
	r := response{ID: id, OutputID: a.Output[:], Size: a.Size, DiskPath: a.DiskPath}
	if !a.Time.IsZero() {
		r.Time = &a.Time
	}
	return r
}

func parseRequest(line []byte) (request, error) {
	var r request
	if err := json.Unmarshal(line, &r); err != nil {
		return r, fmt.Errorf("request of the go command: %w", err)
	}
	needed := 0
	switch r.Command {
	case commandGet:
		needed = len(ID{})
	case commandPut:
		needed = len(ID{})
		if len(r.OutputID) != needed || r.BodySize < 0 {
			return r, fmt.Errorf("request %d of the go command names no output", r.ID)
		}
	}
	if len(r.ActionID) != needed {
		return r, fmt.Errorf("request %d of the go command names no action", r.ID)
	}
	return r, nil
}

// isBlank: the go command writes empty lines between requests.
func isBlank(line []byte) bool { return len(bytes.TrimSpace(line)) == 0 }

package record

import (
	"bytes"
	"fmt"
	"os"
	"sync"

	"kiln.dev/programs/cacheprog"
)

// log is what the go command asked for, a line a request, in the order of the answers.
type log struct {
	mutex sync.Mutex
	lines bytes.Buffer
}

func (l *log) miss(action cacheprog.ID) {
	l.mutex.Lock()
	defer l.mutex.Unlock()
	fmt.Fprintf(&l.lines, "miss %x\n", action)
}

func (l *log) found(how string, action, output cacheprog.ID, size int64) {
	l.mutex.Lock()
	defer l.mutex.Unlock()
	fmt.Fprintf(&l.lines, "%s %x %x %d\n", how, action, output, size)
}

// write replaces the file: a reader sees an earlier command's log or this one's, never a part.
func (l *log) write(file string) error {
	l.mutex.Lock()
	defer l.mutex.Unlock()
	part := fmt.Sprintf("%s.%d.part", file, os.Getpid())
	if err := os.WriteFile(part, l.lines.Bytes(), 0o666); err != nil {
		return err
	}
	return os.Rename(part, file)
}

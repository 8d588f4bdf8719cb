// Package diskcache reads and writes a directory of build cache entries as the go command keeps it: an entry of an action
// (xx/<action>-a, one line that names output, size and time) and its output (xx/<output>-d). The rules are those of
// cmd/go/internal/cache of the Go source, so that both can use one directory at once.
package diskcache

import (
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// ID is the SHA-256 that names an action or an output.
type ID = [32]byte

// Directory is a build cache. GOCACHE's value as it stands: the go command compares the beginning of paths with it.
type Directory string

// Entry is what an action gave.
type Entry struct {
	Output ID
	Size   int64
	Time   time.Time
	// File holds the output: the -d file, or the program inside where -d is the folder of a program.
	File string
}

// ErrMissing: the cache has no entry for the action. ErrDamaged: it has one that the go command would not use.
var (
	ErrMissing = errors.New("no entry")
	ErrDamaged = errors.New("damaged entry")
)

// Get looks an action up and changes nothing. It finds what the go command would find, content unread as there.
func (d Directory) Get(action ID) (Entry, error) {
	line, err := os.ReadFile(d.file(action, "a"))
	if errors.Is(err, fs.ErrNotExist) {
		return Entry{}, ErrMissing
	} else if err != nil {
		return Entry{}, fmt.Errorf("%w: %w", ErrDamaged, err)
	}
	entry, err := parseEntry(action, line)
	if err != nil {
		return Entry{}, fmt.Errorf("%w: %w", ErrDamaged, err)
	}
	file, size, err := d.outputFile(entry.Output)
	if err != nil {
		return Entry{}, fmt.Errorf("%w: %w", ErrDamaged, err)
	}
	if size != entry.Size {
		return Entry{}, fmt.Errorf("%w: %s has %d bytes instead of %d", ErrDamaged, file, size, entry.Size)
	}
	entry.File = file
	return entry, nil
}

func (d Directory) file(id ID, kind string) string {
	name := hex.EncodeToString(id[:])
	return filepath.Join(string(d), name[:2], name+"-"+kind)
}

// outputFile returns the file of an output and its size. What `go run` keeps is a folder with one file in it.
func (d Directory) outputFile(output ID) (string, int64, error) {
	file := d.file(output, "d")
	info, err := os.Stat(file)
	if err != nil {
		return "", 0, err
	}
	if !info.IsDir() {
		return file, info.Size(), nil
	}
	inside, err := os.ReadDir(file)
	if err != nil {
		return "", 0, err
	}
	if len(inside) != 1 {
		return "", 0, fmt.Errorf("%s holds %d files instead of one", file, len(inside))
	}
	file = filepath.Join(file, inside[0].Name())
	if info, err = os.Stat(file); err != nil {
		return "", 0, err
	}
	return file, info.Size(), nil
}

// An entry is "v1 <action> <output> <size, 20 wide> <unix nanoseconds, 20 wide>\n".
const entrySize = 2 + 1 + 64 + 1 + 64 + 1 + 20 + 1 + 20 + 1

func formatEntry(action, output ID, size int64, now time.Time) []byte {
	return fmt.Appendf(nil, "v1 %x %x %20d %20d\n", action, output, size, now.UnixNano())
}

func parseEntry(action ID, line []byte) (Entry, error) {
	var entry Entry
	if len(line) != entrySize || line[entrySize-1] != '\n' {
		return entry, fmt.Errorf("entry of %d bytes", len(line))
	}
	var separated [5]string
	rest := string(line[:entrySize-1])
	for i, width := range []int{2, 64, 64, 20, 20} {
		separated[i] = rest[:width]
		if i < 4 {
			if rest[width] != ' ' {
				return entry, errors.New("entry of another form")
			}
			rest = rest[width+1:]
		}
	}
	if separated[0] != "v1" {
		return entry, fmt.Errorf("entry of version %q", separated[0])
	}
	if id, err := hex.DecodeString(separated[1]); err != nil || ID(id) != action {
		return entry, errors.New("entry of another action")
	}
	output, err := hex.DecodeString(separated[2])
	if err != nil {
		return entry, err
	}
	entry.Output = ID(output)
	if entry.Size, err = parseNumber(separated[3]); err != nil {
		return entry, err
	}
	nanoseconds, err := parseNumber(separated[4])
	entry.Time = time.Unix(0, nanoseconds)
	return entry, err
}

func parseNumber(padded string) (int64, error) {
	n, err := strconv.ParseInt(strings.TrimLeft(padded, " "), 10, 64)
	if err == nil && n < 0 {
		err = fmt.Errorf("negative number %d", n)
	}
	return n, err
}

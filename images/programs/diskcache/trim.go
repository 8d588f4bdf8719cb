package diskcache

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

const (
	trimInterval = 24 * time.Hour
	trimLimit    = 5 * 24 * time.Hour
)

// Trim removes entries that nobody used for five days, once a day, as the go command does at the end of a build where no
// GOCACHEPROG is set. It heeds and writes the same trim.txt, under the same lock.
func (d Directory) Trim(now time.Time) error {
	if data, err := os.ReadFile(filepath.Join(string(d), "trim.txt")); err == nil && trimmedLately(data, now) {
		return nil
	}
	if due, err := d.claimTrim(now); err != nil || !due {
		return err
	}
	// A time of last use may be an interval behind.
	cutoff := now.Add(-trimLimit - usedInterval)
	for i := range 256 {
		trimFolder(filepath.Join(string(d), fmt.Sprintf("%02x", i)), cutoff)
	}
	return nil
}

func trimmedLately(data []byte, now time.Time) bool {
	seconds, err := strconv.ParseInt(strings.TrimSpace(string(data)), 10, 64)
	if err != nil {
		return false
	}
	since := now.Sub(time.Unix(seconds, 0))
	return since < trimInterval && since > -usedInterval
}

// claimTrim writes the time before the work begins, so that of several commands one trims.
func (d Directory) claimTrim(now time.Time) (bool, error) {
	file, err := os.OpenFile(filepath.Join(string(d), "trim.txt"), os.O_RDWR|os.O_CREATE, 0o666)
	if err != nil {
		return false, err
	}
	defer file.Close()
	if err := syscall.Flock(int(file.Fd()), syscall.LOCK_EX); err != nil {
		return false, err
	}
	data, err := io.ReadAll(file)
	if err != nil || trimmedLately(data, now) {
		return false, err
	}
	line := strconv.AppendInt(nil, now.Unix(), 10)
	if _, err := file.WriteAt(line, 0); err != nil {
		return false, err
	}
	return true, file.Truncate(int64(len(line)))
}

// trimFolder removes old entries, and what a killed process left half-written; nothing else.
func trimFolder(folder string, cutoff time.Time) {
	f, err := os.Open(folder)
	if err != nil {
		return
	}
	// What could be read is trimmed, whatever else failed.
	names, _ := f.Readdirnames(-1)
	f.Close()
	for _, name := range names {
		if !strings.HasSuffix(name, "-a") && !strings.HasSuffix(name, "-d") && !strings.HasPrefix(name, temporary) {
			continue
		}
		path := filepath.Join(folder, name)
		if info, err := os.Stat(path); err == nil && info.ModTime().Before(cutoff) {
			os.RemoveAll(path)
		}
	}
}

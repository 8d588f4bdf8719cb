package diskcache

import (
	"os"
	"time"
)

// usedInterval is how old a time of last use may get before it is renewed, so that not every use writes.
const usedInterval = time.Hour

// MarkUsed renews the time of last use of an entry that Get returned, as the go command does: as well as it can.
func (d Directory) MarkUsed(action ID, entry Entry) {
	now := time.Now()
	// The folder of a program carries the time, not the program inside.
	for _, file := range []string{d.file(action, "a"), d.file(entry.Output, "d")} {
		if info, err := os.Stat(file); err == nil && now.Sub(info.ModTime()) >= usedInterval {
			os.Chtimes(file, now, now)
		}
	}
}

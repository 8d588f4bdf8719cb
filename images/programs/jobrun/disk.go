package jobrun

import (
	"errors"
	"io/fs"
	"math"
	"path/filepath"
	"syscall"

	"kiln.dev/programs/joboutput"
	"kiln.dev/programs/jobprotocol"
)

// block is what st_blocks counts in.
const block = 512

// leastEntry is what a file, folder or link counts, also an empty one: a disk has an end of them too.
const leastEntry = 4096

// fillsDisk says whether the script holds more than it may, in its own folders or in that of the output, which it can write too.
func (j *job) fillsDisk() bool {
	limit := j.settings.DiskBytes
	if diskUse(limit, j.folders.work, j.folders.home, j.folders.source, j.folders.artifacts) > limit {
		return true
	}
	// The two logs and the events are not the script's.
	limit += 2*j.settings.OutputBytes + joboutput.MostEvents(j.settings.OutputBytes) + reserveBytes
	return diskUse(limit, j.settings.Output) > limit
}

// fillingDisk says whether that is why a script is stopped: in its grace it would go on with it.
func fillingDisk(cause error) bool {
	stop := stopped{}
	return errors.As(cause, &stop) && stop.failure.Code == jobprotocol.DiskLimit
}

// diskUse is how much files below some folders take, counted no further than to a limit. Files that go away meanwhile are none.
func diskUse(limit int64, folders ...string) int64 {
	var used int64
	for _, folder := range folders {
		_ = filepath.WalkDir(folder, func(_ string, entry fs.DirEntry, err error) error {
			if err != nil {
				return nil
			}
			if info, err := entry.Info(); err == nil {
				if facts, known := info.Sys().(*syscall.Stat_t); known {
					used += max(facts.Blocks*block, leastEntry)
				}
			}
			if used > limit {
				return fs.SkipAll
			}
			return nil
		})
	}
	return used
}

// leastFree is what a script leaves of the disk that the output is on; half of what there was, where that is less. A file that was
// removed and is still open takes room that no folder shows.
const leastFree = 1 << 30

// freeBytes is what is left on the disk of a folder; endless where nobody says.
func freeBytes(folder string) int64 {
	var facts syscall.Statfs_t
	if syscall.Statfs(folder, &facts) != nil {
		return math.MaxInt64
	}
	return int64(facts.Bavail) * int64(facts.Bsize)
}

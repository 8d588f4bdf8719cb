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

// leastFree is what a script leaves of the disk that the output is on; half of what there was, where that is less.
const leastFree = 1 << 30

// leastShare is the part of that which a script may still take when it is all that is left: other jobs are on the same disk, and one
// that writes a line now and then is not the one that fills it.
const leastShare = 1024

// diskWatch looks after what a script takes of the disks that it can write to: in its own folders, and in that of the output, which
// it can write too.
type diskWatch struct {
	own     []string
	output  string
	devices map[uint64]bool
	// limit is for what is the script's, and beside for what is not in the folder of the output: the two logs and the events.
	limit, beside int64
	free          func() int64
	// least is what has to stay free, and before how much the script held when there was that much for the last time.
	least, before int64
}

// watchDisk begins with what the script finds.
func (j *job) watchDisk() *diskWatch {
	s := j.settings
	w := &diskWatch{
		own: []string{j.folders.work, j.folders.home, j.folders.source, j.folders.artifacts}, output: s.Output,
		limit: s.DiskBytes, beside: 2*s.OutputBytes + joboutput.MostEvents(s.OutputBytes) + reserveBytes,
		free: func() int64 { return freeBytes(s.Output) },
	}
	w.devices = devicesOf(append(w.own, w.output)...)
	w.least = min(w.free()/2, leastFree)
	own, output, _ := w.held()
	w.before = own + output
	return w
}

// held is how much is the script's, and how much is in the folder of the output, each counted no further than to its limit; and
// whether there may be more.
func (w *diskWatch) held() (own, output int64, hidden bool) {
	own, hidden = unnamedUse(w.limit, w.devices)
	named, closed := diskUse(w.limit-own, w.own...)
	output, shut := diskUse(w.limit+w.beside, w.output)
	return own + named, output, hidden || closed || shut
}

// look returns why the script is to be stopped, nil where it is not. Of a full disk only who takes more of it is to blame, or who
// does not let it be seen.
func (w *diskWatch) look() error {
	own, output, hidden := w.held()
	if own > w.limit || output > w.limit+w.beside {
		return stopBy(jobprotocol.DiskLimit, "the script holds more than KILN_DISK_BYTES=%d in its folders, and in files without a name that it has open", w.limit)
	}
	if w.free() >= w.least {
		w.before = own + output
		return nil
	}
	if hidden || own+output-w.before > w.least/leastShare {
		return stopBy(jobprotocol.DiskLimit, "the disk of the output has less than %d bytes left, and the script takes more", w.least)
	}
	return nil
}

// fillingDisk says whether that is why a script is stopped: in its grace it would go on with it.
func fillingDisk(cause error) bool {
	stop := stopped{}
	return errors.As(cause, &stop) && stop.failure.Code == jobprotocol.DiskLimit
}

// diskUse is how much files below some folders take, counted no further than to a limit, and whether one of them cannot be looked
// into. Files that go away meanwhile are none.
func diskUse(limit int64, folders ...string) (used int64, closed bool) {
	for _, folder := range folders {
		_ = filepath.WalkDir(folder, func(_ string, entry fs.DirEntry, err error) error {
			if err != nil {
				closed = closed || errors.Is(err, fs.ErrPermission)
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
	return used, closed
}

// freeBytes is what is left on the disk of a folder; endless where nobody says.
func freeBytes(folder string) int64 {
	var facts syscall.Statfs_t
	if syscall.Statfs(folder, &facts) != nil {
		return math.MaxInt64
	}
	return int64(facts.Bavail) * int64(facts.Bsize)
}

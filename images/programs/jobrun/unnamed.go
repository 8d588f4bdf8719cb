package jobrun

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"

	"kiln.dev/programs/child"
)

// unnamed counts what takes room on some disks and is in no folder: files that were removed, or made without a name (O_TMPFILE),
// and that a process of the script has open. It looks at the table of descriptors of each: some microseconds for an entry.
//
// Out of sight stays a file that is only mapped into memory (who maps it can close it), that is on its way through a socket, or that
// a thread with a table of its own holds. What these take shows in the disk's free space alone.
type unnamed struct {
	devices map[uint64]bool
	limit   int64
	used    int64
	// hidden: a process does not let itself be looked at.
	hidden bool
	seen   map[inode]bool
}

type inode struct{ device, number uint64 }

// unnamedUse is how much they take on these disks, counted no further than to a limit, and whether there may be more.
func unnamedUse(limit int64, devices map[uint64]bool) (used int64, hidden bool) {
	u := &unnamed{devices: devices, limit: limit, seen: map[inode]bool{}}
	for _, pid := range child.Descendants() {
		u.look(pid)
		if u.used > limit {
			break
		}
	}
	return u.used, u.hidden
}

func (u *unnamed) look(pid int) {
	folder := filepath.Join("/proc", strconv.Itoa(pid))
	if u.count(folder) > 0 {
		return
	}
	// Where the first thread has ended, the others still have the table.
	threads, _ := os.ReadDir(filepath.Join(folder, "task"))
	for _, thread := range threads {
		if thread.Name() != strconv.Itoa(pid) && u.count(filepath.Join(folder, "task", thread.Name())) > 0 {
			return
		}
	}
}

// count returns how many descriptors a process or thread has; none of one that is gone.
func (u *unnamed) count(folder string) int {
	table, err := os.Open(filepath.Join(folder, "fd"))
	if err != nil {
		u.hidden = u.hidden || errors.Is(err, fs.ErrPermission) && alive(folder)
		return 0
	}
	defer table.Close()
	entries, err := table.Readdirnames(-1)
	u.hidden = u.hidden || errors.Is(err, fs.ErrPermission) && alive(folder)
	for _, entry := range entries {
		var facts unix.Stat_t
		if unix.Fstatat(int(table.Fd()), entry, &facts, 0) != nil || facts.Nlink > 0 || !u.devices[uint64(facts.Dev)] {
			continue
		}
		file := inode{uint64(facts.Dev), facts.Ino}
		if u.seen[file] {
			continue
		}
		u.seen[file] = true
		if u.used += max(facts.Blocks*block, leastEntry); u.used > u.limit {
			break
		}
	}
	return len(entries)
}

// alive: a process has memory; one that has ended has none, and shows nobody its descriptors either.
func alive(folder string) bool {
	sizes, err := os.ReadFile(filepath.Join(folder, "statm"))
	return err == nil && !strings.HasPrefix(string(sizes), "0 ")
}

// devicesOf are the disks that some folders are on.
func devicesOf(folders ...string) map[uint64]bool {
	devices := map[uint64]bool{}
	for _, folder := range folders {
		var facts unix.Stat_t
		if unix.Stat(folder, &facts) == nil {
			devices[uint64(facts.Dev)] = true
		}
	}
	return devices
}

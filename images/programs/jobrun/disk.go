package jobrun

import (
	"io/fs"
	"path/filepath"
	"syscall"
)

// block is what st_blocks counts in.
const block = 512

// ownShare is how much the two logs and the events may take, in sizes of one stream: an event may write a byte as six.
const ownShare = 2 + 2*6

// fillsDisk says whether the script holds more than it may, in its own folders or in that of the output, which it can write too.
func (j *job) fillsDisk() bool {
	limit := j.settings.DiskBytes
	if diskUse(limit, j.folders.work, j.folders.source, j.folders.artifacts) > limit {
		return true
	}
	limit += ownShare*j.settings.OutputBytes + reserveBytes
	return diskUse(limit, j.settings.Output) > limit
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
					used += facts.Blocks * block
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

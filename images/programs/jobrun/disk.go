package jobrun

import (
	"io/fs"
	"path/filepath"
	"syscall"
)

// block is what st_blocks counts in.
const block = 512

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

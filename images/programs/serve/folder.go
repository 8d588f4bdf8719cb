package serve

import (
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// Names of scratch folders: one that is being made, and one that is locked by the process whose it is.
const (
	folderPrefix    = "kiln-gocache-"
	newFolderPrefix = ".kiln-gocache-new-"
)

// folder is for the named files of one process. Whoever holds the lock on it is alive: the lock ends with the process,
// however that ends, so the next one may remove what is left. Cleaners of /tmp heed it as well.
type folder struct {
	path string
	lock *os.File
}

func newFolder(parent string) (*folder, error) {
	suffix := strconv.FormatUint(rand.Uint64(), 36)
	young, path := filepath.Join(parent, newFolderPrefix+suffix), filepath.Join(parent, folderPrefix+suffix)
	if err := os.Mkdir(young, 0o700); err != nil {
		return nil, err
	}
	lock, err := lockFolder(young)
	if err == nil {
		// Only a locked folder gets the name that others look for.
		err = os.Rename(young, path)
	}
	if err != nil {
		os.Remove(young)
		return nil, err
	}
	return &folder{path, lock}, nil
}

func lockFolder(path string) (*os.File, error) {
	folder, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	if err := syscall.Flock(int(folder.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		folder.Close()
		return nil, &fs.PathError{Op: "lock", Path: path, Err: err}
	}
	return folder, nil
}

func (f *folder) remove() error {
	defer f.lock.Close()
	return os.RemoveAll(f.path)
}

// sweep removes scratch folders of this user whose process is gone, and none of a process that lives.
func sweep(parent string) {
	entries, err := os.ReadDir(parent)
	if err != nil {
		return
	}
	for _, entry := range entries {
		name := entry.Name()
		young := strings.HasPrefix(name, newFolderPrefix)
		if !entry.IsDir() || !young && !strings.HasPrefix(name, folderPrefix) {
			continue
		}
		info, err := entry.Info()
		if err != nil || info.Sys().(*syscall.Stat_t).Uid != uint32(os.Geteuid()) {
			continue
		}
		// A folder is locked within moments of its making; one that never was is left of a kill in between.
		if young && time.Since(info.ModTime()) < time.Hour {
			continue
		}
		path := filepath.Join(parent, name)
		if lock, err := lockFolder(path); err == nil {
			os.RemoveAll(path)
			lock.Close()
		}
	}
}

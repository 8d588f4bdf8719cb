// Package room makes the folder of a run that only this user reads: for everything that is secret, in memory where the
// container has some.
package room

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
)

// Room is a folder that only this user reads, for everything that is secret. It is this process's as long as it is open.
type Room struct {
	Path   string
	folder *os.File
}

// roomName is the same in each run: the tool works below it, and a module that names path.cwd has to plan the same each time.
const roomName = "kiln-run"

// Make makes a room in KILN_RUN_DIR or /run/kiln, which is in memory where the container was made so. Where it is not, the
// memory that a container has anyway is tried before a disk; it says where secrets went.
func Make(say func(string)) (*Room, error) {
	asked := os.Getenv("KILN_RUN_DIR")
	wanted := cmp.Or(asked, "/run/kiln")
	// Where it cannot be made the room is made elsewhere.
	_ = os.MkdirAll(wanted, 0o700)
	places := []string{wanted, "/dev/shm", os.TempDir()}
	for _, onDisk := range []bool{false, true} {
		for _, place := range places {
			kept := inMemory(place)
			if !kept && !onDisk && place != asked {
				continue
			}
			made, err := claimRoom(place)
			if err != nil {
				continue
			}
			if !kept {
				say("secrets are in " + made.Path + ", which is on a disk: give the container --tmpfs /run/kiln:exec,mode=1777")
			} else if place != wanted {
				say("secrets are in " + made.Path + ", which is small and runs no programs: give the container --tmpfs /run/kiln:exec,mode=1777")
			}
			return made, nil
		}
	}
	return nil, fmt.Errorf("no folder for secrets can be made, in none of %q", places)
}

// claimRoom takes the room of a place, empty, or another one beside it where somebody else has that.
func claimRoom(place string) (*Room, error) {
	path := filepath.Join(place, roomName)
	if err := os.Mkdir(path, 0o700); err != nil && !errors.Is(err, fs.ErrExist) {
		return nil, err
	}
	if made, err := openRoom(path); err == nil {
		return made, nil
	}
	path, err := os.MkdirTemp(place, roomName+"-")
	if err != nil {
		return nil, err
	}
	return openRoom(path)
}

var errTaken = errors.New("it is somebody else's")

// openRoom takes a folder that is this user's alone and that no other process has, and removes what a run that was killed left.
func openRoom(path string) (*Room, error) {
	folder, err := os.OpenFile(path, os.O_RDONLY|syscall.O_DIRECTORY|syscall.O_NOFOLLOW, 0)
	if err != nil {
		return nil, err
	}
	err = syscall.Flock(int(folder.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
	if err == nil && !own(folder, path) {
		err = errTaken
	}
	if err == nil {
		err = empty(path)
	}
	if err != nil {
		folder.Close()
		return nil, fmt.Errorf("take %s: %w", path, err)
	}
	return &Room{path, folder}, nil
}

// own: the open folder is still the one at path, and nobody else may enter it.
func own(folder *os.File, path string) bool {
	opened, err := folder.Stat()
	if err != nil {
		return false
	}
	there, err := os.Lstat(path)
	owner, known := opened.Sys().(*syscall.Stat_t)
	return err == nil && os.SameFile(opened, there) && opened.Mode().Perm() == 0o700 && known && int(owner.Uid) == os.Geteuid()
}

func empty(folder string) error {
	entries, err := os.ReadDir(folder)
	for _, entry := range entries {
		err = errors.Join(err, os.RemoveAll(filepath.Join(folder, entry.Name())))
	}
	return err
}

// Close removes the room, and then lets go of it.
func (r *Room) Close() error { return errors.Join(os.RemoveAll(r.Path), r.folder.Close()) }

// Types of file systems that have no disk (linux/magic.h).
const (
	tmpfsMagic = 0x01021994
	ramfsMagic = 0x858458f6
)

func inMemory(place string) bool {
	var facts syscall.Statfs_t
	return syscall.Statfs(place, &facts) == nil && (int64(facts.Type) == tmpfsMagic || int64(facts.Type) == ramfsMagic)
}

// Writable says whether files can be made in a folder: rights alone do not tell of a file system that is read-only.
func Writable(folder string) bool {
	file, err := os.CreateTemp(folder, ".kiln-")
	if err != nil {
		return false
	}
	file.Close()
	return os.Remove(file.Name()) == nil
}

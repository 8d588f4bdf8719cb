package serve

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"

	"golang.org/x/sys/unix"

	"kiln.dev/programs/pack"
)

// scratch is where a process puts what it answers with. Nearly all of it has no name but that of a descriptor of this
// process, small content in memory and large on disk: a thousand files in a folder take a file system a second where as
// many were removed lately, and outlive a kill.
type scratch struct {
	parent  string
	process string // /proc/<pid>/fd, by which other processes open descriptors of this one; empty where they cannot
	highest int    // descriptor, above which files get names: others are needed as well

	mutex  sync.Mutex
	folder *folder // made when the first file needs a name
	slots  map[ID]slot
	memory int64 // what small content may still take
}

// slot is the place of an output: a descriptor, or where there is none a file with a name.
type slot struct {
	path string
	file *os.File
}

// form is what an output is to whoever reads it.
type form int

const (
	archive form = iota // read by others, whole or up to its header
	program             // moved to where it shall be, or started from here: it has a name
)

const (
	// small content stays in memory, up to mostMemory of it. Measured on the objects of three programs: of 1.1 GB in
	// 1,076 outputs, 117 are larger and make 86%.
	small      = 1 << 20
	mostMemory = 256 << 20
)

// newScratch checks that files can be made below parent, which a later need of one finds then too.
func newScratch(parent string) (*scratch, error) {
	if err := unix.Access(parent, unix.W_OK|unix.X_OK); err != nil {
		return nil, &os.PathError{Op: "write to", Path: parent, Err: err}
	}
	var limit unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &limit); err != nil {
		return nil, os.NewSyscallError("getrlimit", err)
	}
	highest := int(min(limit.Cur, 1<<20)) - 128
	return &scratch{parent: parent, process: findProcess(), highest: highest, slots: map[ID]slot{}, memory: mostMemory}, nil
}

// findProcess is empty where the files of this process cannot be opened by others: without /proc, or where the kernel
// protects this process from others of the same user.
func findProcess() string {
	path := fmt.Sprintf("/proc/%d/fd", os.Getpid())
	dumpable, err := unix.PrctlRetInt(unix.PR_GET_DUMPABLE, 0, 0, 0, 0)
	if err != nil || dumpable != 1 {
		return ""
	}
	if _, err := os.Stat(path); err != nil {
		return ""
	}
	return path
}

// create makes the place of an output and lets write fill it, with as many bytes as it says.
func (s *scratch) create(id ID, is form, bytes int64, write func(*os.File) error) (string, error) {
	file, path, err := s.file(id, is, bytes)
	if err != nil {
		return "", err
	}
	kept := slot{path, file}
	err = write(file)
	if path == file.Name() {
		kept.file = nil
		err = errors.Join(err, file.Close())
	}
	if err != nil {
		file.Close()
		return "", err
	}
	s.mutex.Lock()
	defer s.mutex.Unlock()
	s.slots[id] = kept
	return path, nil
}

// file opens a new file, and returns by which path others open it: its own, or that of its descriptor.
func (s *scratch) file(id ID, is form, bytes int64) (*os.File, string, error) {
	if s.process != "" && is == archive {
		file, err := s.unnamed(bytes)
		if err == nil && int(file.Fd()) < s.highest {
			return file, fmt.Sprintf("%s/%d", s.process, file.Fd()), nil
		}
		if err == nil {
			file.Close()
		} else if !errors.Is(err, unix.EMFILE) {
			return nil, "", err
		}
	}
	folder, err := s.named()
	if err != nil {
		return nil, "", err
	}
	path := filepath.Join(folder.path, fmt.Sprintf("%x", id))
	file, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o700)
	return file, path, err
}

// unnamed makes a file that is gone when nobody has it open any more.
func (s *scratch) unnamed(bytes int64) (*os.File, error) {
	if bytes <= small && s.takeMemory(bytes) {
		fd, err := unix.MemfdCreate("kiln-gocache", unix.MFD_CLOEXEC)
		if !errors.Is(err, unix.ENOSYS) && !errors.Is(err, unix.EPERM) {
			return os.NewFile(uintptr(fd), "memory"), os.NewSyscallError("memfd_create", err)
		}
	}
	return s.onDisk()
}

func (s *scratch) onDisk() (*os.File, error) {
	file, err := os.OpenFile(s.parent, os.O_RDWR|unix.O_TMPFILE, 0o600)
	if !errors.Is(err, unix.EOPNOTSUPP) && !errors.Is(err, unix.EISDIR) {
		return file, err
	}
	folder, err := s.named()
	if err != nil {
		return nil, err
	}
	if file, err = os.CreateTemp(folder.path, "unnamed-"); err != nil {
		return nil, err
	}
	return file, os.Remove(file.Name())
}

func (s *scratch) takeMemory(bytes int64) bool {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	if s.memory < bytes {
		return false
	}
	s.memory -= bytes
	return true
}

// named returns the folder for files with names.
func (s *scratch) named() (*folder, error) {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	if s.folder == nil {
		var err error
		if s.folder, err = newFolder(s.parent); err != nil {
			return nil, err
		}
	}
	return s.folder, nil
}

// open opens a file for the whole of an output. Whoever opens the output's path after done reads that.
func (s *scratch) open(id ID, size int64) (file *os.File, done func() error, err error) {
	s.mutex.Lock()
	at := s.slots[id]
	s.mutex.Unlock()
	if at.file == nil {
		file, err := os.OpenFile(at.path, os.O_WRONLY, 0)
		if err != nil {
			return nil, nil, err
		}
		return file, file.Close, nil
	}
	if size <= small && s.takeMemory(size) {
		return at.file, func() error { return nil }, nil
	}
	if file, err = s.onDisk(); err != nil {
		return nil, nil, err
	}
	return file, func() error {
		// The descriptor that the path names becomes that of the new file.
		err := unix.Dup3(int(file.Fd()), int(at.file.Fd()), unix.O_CLOEXEC)
		return errors.Join(os.NewSyscallError("dup3", err), file.Close())
	}, nil
}

// remove gives back what has a name. The rest goes with the process.
func (s *scratch) remove() error {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	if s.folder == nil {
		return nil
	}
	return s.folder.remove()
}

// hasRoom: outputs fit twice. What is unpacked ahead is not always asked for, and must not take the place of what is.
func (s *scratch) hasRoom(outputs []pack.Output) bool {
	var bytes uint64
	for _, output := range outputs {
		if !output.Beside {
			bytes += uint64(output.Size)
		}
	}
	var free unix.Statfs_t
	err := unix.Statfs(s.parent, &free)
	return err == nil && free.Bavail*uint64(free.Bsize)/2 >= bytes
}

package child

import (
	"os"
	"os/exec"
	"os/signal"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// own are the children that somebody waits for. The lock is held while one is started, so that none ends unknown.
var own = struct {
	sync.Mutex
	pids map[int]bool
}{pids: map[int]bool{}}

func start(cmd *exec.Cmd) error {
	own.Lock()
	defer own.Unlock()
	err := cmd.Start()
	if err == nil {
		own.pids[cmd.Process.Pid] = true
	}
	return err
}

func forget(pid int) {
	own.Lock()
	defer own.Unlock()
	delete(own.pids, pid)
}

// Adopt makes this process the parent of every descendant whose own parent ends, as process 1 is, and reaps them. It does so
// until the process ends.
func Adopt() error {
	if err := unix.Prctl(unix.PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0); err != nil {
		return err
	}
	ended := make(chan os.Signal, 16)
	signal.Notify(ended, syscall.SIGCHLD)
	go func() {
		for range ended {
			reap()
		}
	}()
	return nil
}

// reap ends the zombies among the adopted children. Each is named: waiting for any child would take away the exit code of one
// that somebody else waits for.
func reap() {
	for _, pid := range children() {
		own.Lock()
		if !own.pids[pid] {
			_, _ = syscall.Wait4(pid, nil, syscall.WNOHANG, nil)
		}
		own.Unlock()
	}
}

// killOrphans ends adopted children that fled from their group, and the ones that they leave behind in turn.
func killOrphans() {
	for range 20 {
		alive := 0
		for _, pid := range children() {
			own.Lock()
			mine := own.pids[pid]
			if !mine {
				_ = syscall.Kill(pid, syscall.SIGKILL)
				if reaped, _ := syscall.Wait4(pid, nil, syscall.WNOHANG, nil); reaped != pid {
					alive++
				}
			}
			own.Unlock()
		}
		if alive == 0 {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
}

// killAll ends every other process of the container at once, before a fork bomb makes more. What is not in a container of its
// own is left alone.
func killAll() {
	if os.Getpid() == 1 {
		_ = syscall.Kill(-1, syscall.SIGKILL)
	}
}

// children lists the processes whose parent is this one, dead or alive.
func children() []int {
	var list []int
	self := os.Getpid()
	for _, p := range processes() {
		if p.parent == self {
			list = append(list, p.pid)
		}
	}
	return list
}

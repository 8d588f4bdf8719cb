package jobrun

import (
	"os"
	"runtime"
	"testing"
)

func TestReserveThreads(t *testing.T) {
	// One processor, so that no goroutine needs another thread to run beside the others.
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	wanted := threads(t) + spareThreads
	reserveThreads(wanted)
	if got := threads(t); got < wanted {
		t.Errorf("%d threads after reserving %d", got, wanted)
	}
}

func threads(t *testing.T) int {
	t.Helper()
	tasks, err := os.ReadDir("/proc/self/task")
	if err != nil {
		t.Fatal(err)
	}
	return len(tasks)
}

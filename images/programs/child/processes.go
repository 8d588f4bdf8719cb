package child

import (
	"os"
	"slices"
	"strconv"
	"strings"
)

// process is what the kernel says of one.
type process struct {
	pid, parent, group int
	// zombie: it has ended, and its parent has not asked how.
	zombie bool
}

// processes lists all that this one sees. One that ends meanwhile may be missing.
func processes() []process {
	entries, err := os.ReadDir("/proc")
	if err != nil {
		return nil
	}
	var list []process
	for _, entry := range entries {
		pid, err := strconv.Atoi(entry.Name())
		if err != nil {
			continue
		}
		stat, err := os.ReadFile("/proc/" + entry.Name() + "/stat")
		if err != nil {
			continue
		}
		// pid (name) state parent group …: the name may hold anything, a parenthesis too.
		fields := strings.Fields(string(stat[strings.LastIndexByte(string(stat), ')')+1:]))
		if len(fields) < 3 {
			continue
		}
		parent, _ := strconv.Atoi(fields[1])
		group, _ := strconv.Atoi(fields[2])
		list = append(list, process{pid, parent, group, fields[0] == "Z" || fields[0] == "X"})
	}
	return list
}

// Descendants lists the processes that this one started, and those that they did, at any depth. One that has ended is there until
// somebody asks how: of a program the first thread can have ended, and others not.
func Descendants() []int {
	started := map[int][]int{}
	for _, p := range processes() {
		started[p.parent] = append(started[p.parent], p.pid)
	}
	list := slices.Clone(started[os.Getpid()])
	for i := 0; i < len(list); i++ {
		list = append(list, started[list[i]]...)
	}
	return list
}

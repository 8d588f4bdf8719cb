package jobrun

import (
	"os"
	"strconv"
	"strings"
)

// Where a container sees its own cgroup: version 2, then version 1.
var memoryFiles = []string{"/sys/fs/cgroup/memory.events", "/sys/fs/cgroup/memory/memory.oom_control"}

// memoryKills is how many processes of the container were killed because its memory was full; 0 where nobody says.
func memoryKills() int {
	for _, path := range memoryFiles {
		if text, err := os.ReadFile(path); err == nil {
			return killsIn(string(text))
		}
	}
	return 0
}

func killsIn(text string) int {
	for line := range strings.Lines(text) {
		if number, found := strings.CutPrefix(line, "oom_kill "); found {
			count, err := strconv.Atoi(strings.TrimSpace(number))
			if err == nil {
				return count
			}
		}
	}
	return 0
}

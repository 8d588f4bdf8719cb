package child

import (
	"fmt"
	"os"
	"syscall"
	"time"
)

// partingTime is the longest that those whom a program leaves behind have between SIGTERM and SIGKILL.
const partingTime = 2 * time.Second

// partingStep is how often they are looked after.
const partingStep = 20 * time.Millisecond

// parting is the end of those who outlive the program that started them.
type parting struct {
	// grace is none where the program itself had to be killed.
	grace time.Duration
	// told: its group has had SIGTERM already.
	told bool
}

// part has them end by themselves: SIGTERM to each, once, and the grace. Who is still there is killed by who calls this.
func (p parting) part(group int, tell func(string)) {
	over := time.Now().Add(p.grace)
	told := map[int]bool{}
	if p.told {
		for _, one := range left(group) {
			told[one.pid] = one.group == group
		}
	}
	for time.Now().Before(over) {
		remaining := left(group)
		if len(remaining) == 0 {
			return
		}
		if len(told) == 0 {
			tell(fmt.Sprintf("the program has ended, and %d that it started have not: %s", len(remaining), syscall.SIGTERM))
		}
		// One that ends may leave others behind in turn.
		for _, one := range remaining {
			if !told[one.pid] {
				told[one.pid] = true
				_ = syscall.Kill(one.pid, syscall.SIGTERM)
			}
		}
		time.Sleep(partingStep)
	}
}

// left are the living of a group, and the adopted who fled from theirs.
func left(group int) []process {
	own.Lock()
	defer own.Unlock()
	self := os.Getpid()
	var list []process
	for _, p := range processes() {
		if !p.zombie && (p.group == group || p.parent == self && !own.pids[p.pid]) {
			list = append(list, p)
		}
	}
	return list
}

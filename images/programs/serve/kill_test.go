package serve

import (
	"bytes"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// killBuilds kills gocache or the go command at a random moment of n builds. Either the build fails, and says so, or it
// gives the right bytes; the next build is right, and nothing is left in TMPDIR after it.
func killBuilds(t *testing.T, n int, seed uint64) {
	p := newPacked(t)
	e := newEditor(p, seed)
	loose := goCommand{folder: p.folder, cache: p.fixture.loose}
	pidFile := filepath.Join(filepath.Dir(p.folder), "pid")
	killed := p
	killed.variables = append(append([]string{}, p.variables...), "KILN_TEST_PID="+pidFile)
	failures := 0
	for i := range n {
		what := "nothing"
		if i%3 > 0 {
			var err error
			if what, err = e.edit(); err != nil {
				t.Fatal(err)
			}
			e.args, e.flags = []string{"."}, nil
		}
		want := buildReference(t, loose)
		out := filepath.Join(t.TempDir(), "program")
		os.Remove(pidFile)
		cmd := killed.command(append([]string{"build", "-o", out}, append(pulumiFlags, ".")...)...)
		var said bytes.Buffer
		cmd.Stderr = &said
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		self := awaitPid(t, pidFile)
		time.Sleep(time.Duration(e.random.IntN(400_000)) * time.Microsecond)
		victim := self
		if e.random.IntN(4) == 0 {
			victim = cmd.Process.Pid
		}
		syscall.Kill(victim, syscall.SIGKILL)
		if err := cmd.Wait(); err != nil {
			failures++
			if victim == self && said.Len() == 0 {
				t.Errorf("build %d, edited %s: failed and said nothing", i, what)
			}
		} else if got, err := os.ReadFile(out); err != nil || !bytes.Equal(got, want) {
			t.Errorf("build %d, edited %s: succeeded with other bytes than a loose cache gives, %v", i, what, err)
		}
		if got, _ := p.build(t); !bytes.Equal(got, want) {
			t.Errorf("build %d, edited %s: the next build gives other bytes than a loose cache", i, what)
		}
	}
	t.Logf("%d of %d builds failed", failures, n)
	awaitNoScratch(t, p)
}

func awaitPid(t *testing.T, file string) int {
	t.Helper()
	for range 3000 {
		if text, err := os.ReadFile(file); err == nil && len(text) > 0 {
			pid, err := strconv.Atoi(string(text))
			if err != nil {
				t.Fatal(err)
			}
			return pid
		}
		time.Sleep(time.Millisecond)
	}
	t.Fatal("the go command did not start its GOCACHEPROG")
	return 0
}

// awaitNoScratch: a gocache whose go command was killed needs a moment to see that. The go command's own folders stay.
func awaitNoScratch(t *testing.T, p packed) {
	t.Helper()
	var left []string
	for range 100 {
		left = nil
		entries, err := os.ReadDir(p.temp)
		if err != nil {
			t.Fatal(err)
		}
		for _, entry := range entries {
			if !strings.HasPrefix(entry.Name(), "go-build") {
				left = append(left, entry.Name())
			}
		}
		if len(left) == 0 {
			return
		}
		time.Sleep(20 * time.Millisecond)
	}
	t.Errorf("left in TMPDIR: %v", left)
}

func TestAKillAtAnyMoment(t *testing.T) { killBuilds(t, 6, rand.Uint64()) }

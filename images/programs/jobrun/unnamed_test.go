package jobrun

import (
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"kiln.dev/programs/jobprotocol"
)

// hold is a program with a file of 2 MB that never had a name, and what it takes to keep that to itself where it is asked to.
func hold(folder string) {
	fd, err := unix.Open(folder, unix.O_TMPFILE|unix.O_RDWR, 0o600)
	if err != nil {
		panic(err)
	}
	file := os.NewFile(uintptr(fd), "held")
	if _, err := file.Write(make([]byte, 2_000_000)); err != nil {
		panic(err)
	}
	if os.Getenv("KILN_TEST_HIDE") == "1" {
		if err := unix.Prctl(unix.PR_SET_DUMPABLE, 0, 0, 0, 0); err != nil {
			panic(err)
		}
	}
	fmt.Println("ready")
	_, _ = io.Copy(io.Discard, os.Stdin)
	file.Close()
	os.Exit(0)
}

// holding starts a program, and returns when it says something.
func holding(t testing.TB, cmd *exec.Cmd) {
	input, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	output, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { input.Close(); _ = cmd.Wait() })
	if _, err := output.Read(make([]byte, 1)); err != nil {
		t.Fatal(err)
	}
}

// TestUnnamedUse: a file counts once, whoever has it open and however often, on the disks that are asked for.
func TestUnnamedUse(t *testing.T) {
	folder := t.TempDir()
	devices := devicesOf(folder, filepath.Join(folder, "none"))
	if used, hidden := unnamedUse(1<<30, devices); used != 0 || hidden || len(devices) != 1 {
		t.Fatal(used, hidden, devices)
	}
	removed := exec.Command("sh", "-c", "exec 3> removed 4>&3 5> named; rm removed; head -c 3000000 /dev/zero >&3; head -c 3000000 /dev/zero >&5; echo ready; (cat; :); :")
	removed.Dir = folder
	holding(t, removed)
	if used, hidden := unnamedUse(1<<30, devices); used < 3_000_000 || used > 3_500_000 || hidden {
		t.Error(used, hidden)
	}
	never := exec.Command(os.Args[0])
	never.Env = append(os.Environ(), "KILN_TEST_HOLD="+folder)
	holding(t, never)
	if used, _ := unnamedUse(1<<30, devices); used < 5_000_000 || used > 5_500_000 {
		t.Error(used)
	}
	if used, _ := unnamedUse(1<<30, devicesOf("/proc")); used != 0 {
		t.Error("what is on another disk counts:", used)
	}
}

// TestUnnamedFiles: what a script holds in files that it has removed counts as what is in its folders does.
func TestUnnamedFiles(t *testing.T) {
	t.Parallel()
	c := newContainer(t, leave+`for n in 3 4 5 6 7 8; do eval "exec $n> $OUT/f; rm $OUT/f; head -c 8000000 /dev/zero >&$n"; done
echo ready; sleep 30
`)
	c.set("OUT="+filepath.Join(c.root, "output"), "KILN_DISK_BYTES=1000000")
	hasArtifact(t, c, c.expect("failed", jobprotocol.DiskLimit, 1))
}

// TestBlame: of a full disk is to blame who takes more of it.
func TestBlame(t *testing.T) {
	folder := t.TempDir()
	file := filepath.Join(folder, "file")
	must(t, os.WriteFile(file, make([]byte, 1<<20), 0o600))
	free := int64(1 << 30)
	w := &diskWatch{own: []string{folder}, limit: 1 << 30, free: func() int64 { return free }, least: 64 << 20}
	for _, e := range []struct {
		free, size int64
		blamed     bool
	}{
		{1 << 30, 4 << 20, false}, {1 << 20, 4 << 20, false}, {1 << 20, 4<<20 + 8192, false}, {1 << 20, 5 << 20, true},
		{1 << 30, 5 << 20, false}, {1 << 20, 5 << 20, false}, {1 << 20, 1 << 20, false},
	} {
		free = e.free
		must(t, os.WriteFile(file, make([]byte, e.size), 0o600))
		if err := w.look(); (err != nil) != e.blamed {
			t.Errorf("%+v: %v", e, err)
		}
	}
}

// TestNeighbour: a job is not ended because another one fills the disk that both are on, unless it hides what it does.
func TestNeighbour(t *testing.T) {
	for name, e := range map[string]struct {
		script, status, code string
		exit                 int
	}{
		"quiet":  {"echo ready; for n in 1 2 3 4 5 6 7 8 9 10 11 12; do echo line $n; sleep 0.25; done", "succeeded", "", 0},
		"closed": {"mkdir $OUT/own; chmod 300 $OUT/own; echo ready; sleep 30", "failed", jobprotocol.DiskLimit, 1},
		"hidden": {"sleep 30 | KILN_TEST_HIDE=1 KILN_TEST_HOLD=$OUT hold", "failed", jobprotocol.DiskLimit, 1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := newContainer(t, leave+e.script+"\n")
			disk := filepath.Join(c.root, "disk")
			must(t, os.Mkdir(disk, 0o700))
			if err := syscall.Mount("tmpfs", disk, "tmpfs", 0, "size=64m"); err != nil {
				t.Skip("no small disk can be mounted here:", err)
			}
			t.Cleanup(func() { must(t, syscall.Unmount(disk, syscall.MNT_DETACH)) })
			program, err := os.ReadFile(os.Args[0])
			must(t, err)
			must(t, os.WriteFile(filepath.Join(c.bin, "hold"), program, 0o700))
			must(t, os.Mkdir(disk+"/output", 0o700))
			must(t, os.RemoveAll(filepath.Join(c.root, "output")))
			must(t, os.Symlink(disk+"/output", filepath.Join(c.root, "output")))
			c.set("OUT="+disk+"/output", "KILN_OUTPUT_DIR="+disk+"/output", "KILN_DISK_BYTES=200000000")
			c.ownedBy(65534)
			s := c.start()
			s.ready()
			time.Sleep(time.Second)
			must(t, os.WriteFile(filepath.Join(disk, "of another job"), make([]byte, 40<<20), 0o600))
			o := s.expect(e.status, e.code, e.exit)
			if e.code != "" && !strings.Contains(o.result.Error, "less than") {
				t.Error(o.result.Error)
			}
			hasArtifact(t, c, o)
		})
	}
}

// BenchmarkUnnamedUse: of none, of one with ten files, of 20 with 100 each.
func BenchmarkUnnamedUse(b *testing.B) {
	for _, e := range []struct{ programs, files int }{{0, 0}, {1, 10}, {20, 100}} {
		b.Run(fmt.Sprintf("%d programs with %d files", e.programs, e.files), func(b *testing.B) { benchmarkUnnamedUse(b, e.programs, e.files) })
	}
}

func benchmarkUnnamedUse(b *testing.B, programs, files int) {
	folder := b.TempDir()
	open := ""
	for n := range files {
		open += fmt.Sprintf("exec %d> f; ", 10+n)
	}
	for range programs {
		cmd := exec.Command("bash", "-c", open+"echo ready; read x")
		cmd.Dir = folder
		holding(b, cmd)
	}
	devices := devicesOf(folder)
	for b.Loop() {
		unnamedUse(1<<40, devices)
	}
}

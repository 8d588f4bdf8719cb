package serve

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// damage changes bytes in the middle of the pack's blocks, and leaves its index as it is.
func damage(t *testing.T, p *packed, from, to float64) {
	t.Helper()
	pack, err := os.ReadFile(filepath.Join(p.fixture.packs, "all.pack"))
	if err != nil {
		t.Fatal(err)
	}
	for i := int(float64(len(pack)) * from); i < int(float64(len(pack))*to); i += 997 {
		pack[i] ^= 0xff
	}
	folder := t.TempDir()
	if err := os.WriteFile(filepath.Join(folder, "all.pack"), pack, 0o666); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(filepath.Join(p.fixture.packs, "objects"), filepath.Join(folder, "objects")); err != nil {
		t.Fatal(err)
	}
	p.variables = append(p.variables, "KILN_PACKS="+folder)
}

func TestADamagedPackIsNamedAndNeverBuiltFrom(t *testing.T) {
	for name, c := range map[string]struct {
		from, to float64
		edit     bool
	}{
		"all, nothing edited": {0.01, 0.8, false},
		"all, main edited":    {0.01, 0.8, true},
		"archives":            {0.3, 0.5, true},
	} {
		t.Run(name, func(t *testing.T) {
			p := newPacked(t)
			e := newEditor(p, 1)
			if c.edit {
				if err := e.rewrite("main.go", "\nvar edited = 1\n"); err != nil {
					t.Fatal(err)
				}
			}
			want := buildReference(t, goCommand{folder: p.folder, cache: p.fixture.loose})
			damage(t, &p, c.from, c.to)
			out := filepath.Join(t.TempDir(), "program")
			cmd := p.command(append([]string{"build", "-o", out}, pulumiFlags...)...)
			said, err := cmd.CombinedOutput()
			if !strings.Contains(string(said), "all.pack") || !strings.Contains(string(said), "damaged") {
				t.Errorf("said %q", said)
			}
			if got, readErr := os.ReadFile(out); err == nil && (readErr != nil || string(got) != string(want)) {
				t.Errorf("built %d other bytes, %v", len(got), readErr)
			}
			awaitNoScratch(t, p)
		})
	}
}

func TestAFileBesideThePackThatIsNotThereIsMadeAnew(t *testing.T) {
	p := newPacked(t)
	e := newEditor(p, 1)
	if err := e.rewrite("main.go", "\nvar edited = 1\n"); err != nil {
		t.Fatal(err)
	}
	want := buildReference(t, goCommand{folder: p.folder, cache: p.fixture.loose})
	pack, err := os.ReadFile(filepath.Join(p.fixture.packs, "all.pack"))
	if err != nil {
		t.Fatal(err)
	}
	folder := t.TempDir()
	if err := os.WriteFile(filepath.Join(folder, "all.pack"), pack, 0o666); err != nil {
		t.Fatal(err)
	}
	p.variables = append(p.variables, "KILN_PACKS="+folder)
	out := filepath.Join(t.TempDir(), "program")
	said, err := p.command(append([]string{"build", "-o", out}, pulumiFlags...)...).CombinedOutput()
	if err != nil || !strings.Contains(string(said), "made anew") || !strings.Contains(string(said), "objects/") {
		t.Errorf("said %q, %v", said, err)
	}
	if got, err := os.ReadFile(out); err != nil || string(got) != string(want) {
		t.Errorf("built %d other bytes, %v", len(got), err)
	}
	awaitNoScratch(t, p)
}

func TestAnIndexThatIsDamagedStopsTheBuild(t *testing.T) {
	p := newPacked(t)
	damage(t, &p, 0.95, 0.999)
	err := p.run("build", "-o", filepath.Join(t.TempDir(), "program"))
	if err == nil || !strings.Contains(err.Error(), "all.pack") {
		t.Errorf("said %v", err)
	}
}

func TestDamageInTheUsersOwnCacheIsAMiss(t *testing.T) {
	p := newPacked(t)
	e := newEditor(p, 1)
	if err := e.rewrite("a/a.go", "\nvar edited = 1\n"); err != nil {
		t.Fatal(err)
	}
	want, first := p.build(t)
	if first.Puts.Compile == 0 || first.Linked != 1 {
		t.Errorf("figures: %+v", first)
	}
	own, _ := filepath.Glob(filepath.Join(p.cache, "*", "*-d"))
	for _, file := range own {
		os.Truncate(file, 1)
	}
	got, second := p.build(t)
	if string(got) != string(want) || second.Causes.OwnDamaged == 0 || second.Puts.Compile != first.Puts.Compile {
		t.Errorf("figures: %+v", second)
	}
	got, third := p.build(t)
	if string(got) != string(want) || third.Puts.Compile != 0 || third.Hits.Own == 0 || third.Linked != 1 {
		t.Errorf("figures: %+v", third)
	}
}

func TestACacheThatCannotBeWrittenIsNoFault(t *testing.T) {
	p := newPacked(t)
	e := newEditor(p, 1)
	if err := e.rewrite("b/b.go", "\nvar edited = 1\n"); err != nil {
		t.Fatal(err)
	}
	want := buildReference(t, goCommand{folder: p.folder, cache: p.fixture.loose})
	// The folders are there, as in an image.
	for i := range 256 {
		os.Mkdir(filepath.Join(p.cache, fmt.Sprintf("%02x", i)), 0o777)
	}
	out := filepath.Join(filepath.Dir(p.folder), "program")
	cmd := p.command(append([]string{"build", "-o", out}, pulumiFlags...)...)
	if said, err := inNamespace(t, cmd, `mount --bind "$1" "$1" && mount -o remount,bind,ro "$1"`, p.cache).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, said)
	}
	if got, err := os.ReadFile(out); err != nil || string(got) != string(want) {
		t.Errorf("%d bytes that differ from the %d of a loose cache, %v", len(got), len(want), err)
	}
	p.wantNoScratch(t)
}

func TestAFullDiskStopsTheBuildAndSaysWhere(t *testing.T) {
	p := newPacked(t)
	e := newEditor(p, 1)
	if err := e.rewrite("main.go", "\nvar edited = 1\n"); err != nil {
		t.Fatal(err)
	}
	work := filepath.Join(filepath.Dir(p.folder), "work")
	if err := os.Mkdir(work, 0o777); err != nil {
		t.Fatal(err)
	}
	out := filepath.Join(filepath.Dir(p.folder), "program")
	// The go command works elsewhere; descriptors for nothing in memory leave all to the disk.
	p.variables = append(p.variables, "GOTMPDIR="+work)
	cmd := p.command(append([]string{"build", "-o", out}, pulumiFlags...)...)
	said, err := inNamespace(t, cmd, `mount -t tmpfs -o size=1m tmpfs "$1" && ulimit -n 150`, p.temp).CombinedOutput()
	if err == nil || !strings.Contains(string(said), p.temp) || !strings.Contains(string(said), "no space left") {
		t.Errorf("%v: %s", err, said)
	}
	if _, err := os.Stat(out); err == nil {
		t.Error("something was built")
	}
}

func TestListedArchivesOutliveTheCommand(t *testing.T) {
	p := newPacked(t)
	listed, err := p.output("list", "-deps", "-export", "-trimpath", "-f", "{{.Export}}", ".")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range strings.Fields(listed) {
		if content, err := os.ReadFile(file); err != nil || !strings.HasPrefix(string(content), "!<arch>\n") {
			t.Fatalf("%s: %.20q, %v", file, content, err)
		}
	}
	p.wantNoScratch(t)
}

// inNamespace runs a command after a script that mounts, which nobody else sees.
func inNamespace(t *testing.T, cmd *exec.Cmd, script, folder string) *exec.Cmd {
	t.Helper()
	args := []string{"-m", "--propagation", "private"}
	if os.Geteuid() != 0 {
		args = append(args, "-r")
	}
	if err := exec.Command("unshare", append(args, "true")...).Run(); err != nil {
		t.Skipf("mounts need a namespace of their own: %v", err)
	}
	args = append(args, "sh", "-euc", script+`; shift; cd "$PWD"; exec "$@"`, "sh", folder)
	mounted := exec.Command("unshare", append(args, cmd.Args...)...)
	mounted.Dir, mounted.Env = cmd.Dir, cmd.Env
	return mounted
}

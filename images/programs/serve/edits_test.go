package serve

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"sync"
	"testing"
)

// editor changes the source and the flags as people do, at random, and always into something that compiles.
type editor struct {
	random  *rand.Rand
	root    string
	baked   string
	counter int
	added   []string
	flags   []string
	args    []string
}

func newEditor(p packed, seed uint64) *editor {
	return &editor{random: rand.New(rand.NewPCG(seed, 6)), root: p.folder, baked: p.fixture.root, args: []string{"."}}
}

var libraries = []string{"a", "b", "c", "d"}

// edit makes one change and says what.
func (e *editor) edit() (string, error) {
	e.counter++
	e.args = []string{"."}
	library := libraries[e.random.IntN(len(libraries))]
	switch e.random.IntN(10) {
	case 0, 1:
		return "edit main", e.rewrite("main.go", fmt.Sprintf("\nvar edited%d = %q\n", e.counter, e.text()))
	case 2, 3:
		name := library + "/" + library + ".go"
		return "edit " + name, e.rewrite(name, fmt.Sprintf("\nfunc Edited%d() string { return %q }\n", e.counter, e.text()))
	case 4:
		name := fmt.Sprintf("%s/added%d.go", library, e.counter)
		e.added = append(e.added, name)
		return "add " + name, writeSource(e.root, name, fmt.Sprintf("package %s\n\nvar Added%d = %q\n", library, e.counter, e.text()))
	case 5:
		if len(e.added) == 0 {
			return "change nothing", nil
		}
		i := e.random.IntN(len(e.added))
		name := e.added[i]
		e.added = append(e.added[:i], e.added[i+1:]...)
		return "remove " + name, os.Remove(filepath.Join(e.root, name))
	case 6:
		flags := [][]string{nil, {"-ldflags=-w"}, {"-ldflags="}, {"-tags=one"}, {"-gcflags=-l"}, {"-trimpath=false"},
			{"-ldflags=-X main.version=" + e.text()}}
		e.flags = flags[e.random.IntN(len(flags))]
		return fmt.Sprint("flags ", e.flags), nil
	case 7:
		e.args = []string{"./" + library}
		return "an archive of " + library, nil
	default:
		return "back to what was warmed", e.reset()
	}
}

func (e *editor) text() string { return fmt.Sprint(e.random.IntN(1000)) }

// rewrite sets a file to what was warmed, and one line more: an edit of an edit would only grow.
func (e *editor) rewrite(name, more string) error {
	content, err := os.ReadFile(filepath.Join(e.baked, name))
	if err != nil {
		return err
	}
	return writeSource(e.root, name, string(content)+more)
}

func (e *editor) reset() error {
	e.flags, e.added = nil, nil
	if err := os.RemoveAll(e.root); err != nil {
		return err
	}
	return os.CopyFS(e.root, os.DirFS(e.baked))
}

// compareBuilds makes n random edits, and after each one builds from the packs and from a loose cache: what comes out is
// the same, byte for byte. Now and then several builds run at once, and the user's own cache is emptied.
func compareBuilds(t *testing.T, n int, seed uint64) {
	p := newPacked(t)
	e := newEditor(p, seed)
	loose := goCommand{folder: p.folder, cache: p.fixture.loose}
	for i := range n {
		what, err := e.edit()
		if err != nil {
			t.Fatalf("edit %d, %s: %v", i, what, err)
		}
		if e.random.IntN(8) == 0 {
			os.RemoveAll(p.cache)
			os.Mkdir(p.cache, 0o777)
		}
		atOnce := 1
		if e.random.IntN(10) == 0 {
			atOnce = 3
		}
		flags := append(append([]string{}, e.flags...), e.args...)
		want := buildReference(t, loose, flags...)
		var group sync.WaitGroup
		for worker := range atOnce {
			group.Go(func() {
				out := filepath.Join(p.temp, fmt.Sprint("built", worker))
				defer os.Remove(out)
				if err := p.run(append(append([]string{"build", "-o", out}, pulumiFlags...), flags...)...); err != nil {
					t.Errorf("edit %d, %s: %v", i, what, err)
				} else if got, err := os.ReadFile(out); err != nil || string(got) != string(want) {
					t.Errorf("edit %d, %s: %d bytes that differ from the %d of a loose cache, %v", i, what, len(got), len(want), err)
				}
			})
		}
		group.Wait()
		if t.Failed() {
			return
		}
	}
	p.wantNoScratch(t)
}

func TestRandomEditsBuildWhatALooseCacheBuilds(t *testing.T) { compareBuilds(t, 12, 1) }

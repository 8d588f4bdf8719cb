package serve

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// packed is a user of the packed fixture: an empty cache of their own, a copy of the source, scratch of their own.
type packed struct {
	goCommand
	fixture *fixture
	temp    string
	stats   string
}

func newPacked(t *testing.T) packed {
	t.Helper()
	f := warmed(t)
	folder := t.TempDir()
	p := packed{fixture: f, temp: filepath.Join(folder, "tmp"), stats: filepath.Join(folder, "stats")}
	p.goCommand = goCommand{folder: filepath.Join(folder, "source"), cache: filepath.Join(folder, "own"), role: "serve"}
	p.variables = []string{"KILN_PACKS=" + f.packs, "KILN_GOCACHE_STATS=" + p.stats, "TMPDIR=" + p.temp}
	for _, made := range []string{p.temp, p.cache} {
		if err := os.MkdirAll(made, 0o777); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.CopyFS(p.folder, os.DirFS(f.root)); err != nil {
		t.Fatal(err)
	}
	return p
}

// build builds as Pulumi does, to a new file, and returns what was built and the figures.
func (p packed) build(t *testing.T, flags ...string) ([]byte, summary) {
	t.Helper()
	out := filepath.Join(t.TempDir(), "program")
	if err := p.run(append(append([]string{"build", "-o", out}, pulumiFlags...), flags...)...); err != nil {
		t.Fatal(err)
	}
	built, err := os.ReadFile(out)
	if err != nil {
		t.Fatal(err)
	}
	return built, p.lastStats(t)
}

func (p packed) lastStats(t *testing.T) summary {
	t.Helper()
	text, err := os.ReadFile(p.stats)
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(strings.TrimSpace(string(text)), "\n")
	var last summary
	if err := json.Unmarshal([]byte(lines[len(lines)-1]), &last); err != nil {
		t.Fatal(err)
	}
	return last
}

// wantNoScratch: nothing is left where scratch was.
func (p packed) wantNoScratch(t *testing.T) {
	t.Helper()
	left, err := os.ReadDir(p.temp)
	if err != nil || len(left) > 0 {
		t.Errorf("left in TMPDIR: %v, %v", left, err)
	}
}

func TestAnUnmodifiedProgramIsNeitherLinkedNorUnpacked(t *testing.T) {
	p := newPacked(t)
	built, got := p.build(t)
	loose := goCommand{folder: p.folder, cache: p.fixture.loose}
	reference := buildReference(t, loose)
	if string(built) != string(reference) {
		t.Error("another program than a loose cache gives")
	}
	if got.Puts.Compile != 0 || got.Linked != 0 || got.Filled != 0 || got.Hollow == 0 || got.Misses != got.Puts.Index {
		t.Errorf("figures: %+v", got)
	}
	if !strings.Contains(got.Command, "build -o ") || got.Hits.Pack == 0 || got.Causes.NotShipped != got.Misses {
		t.Errorf("figures: %+v", got)
	}
	p.wantNoScratch(t)
}

func buildReference(t *testing.T, c goCommand, flags ...string) []byte {
	t.Helper()
	out := filepath.Join(t.TempDir(), "program")
	if err := c.run(append(append([]string{"build", "-o", out}, pulumiFlags...), flags...)...); err != nil {
		t.Fatal(err)
	}
	built, err := os.ReadFile(out)
	if err != nil {
		t.Fatal(err)
	}
	os.Remove(out)
	return built
}

func TestOtherCommands(t *testing.T) {
	p := newPacked(t)
	if said, err := p.output("run", "-trimpath", "."); err != nil || said != "1a11b11d1\n" {
		t.Errorf("go run: %q, %v", said, err)
	}
	if err := p.run("vet", "-trimpath", "./..."); err != nil {
		t.Errorf("go vet: %v", err)
	}
	if got := p.lastStats(t); got.Hollow != 0 || got.Hits.Pack == 0 {
		t.Errorf("figures of go vet: %+v", got)
	}
	if err := p.run("list", "-trimpath", "-f", "{{.Stale}}", "./..."); err != nil {
		t.Errorf("go list: %v", err)
	}
	p.variables = append(p.variables, "KILN_GOCACHE_WHOLE=1")
	built, got := p.build(t)
	if want := buildReference(t, goCommand{folder: p.folder, cache: p.fixture.loose}); string(built) != string(want) || got.Hollow != 0 {
		t.Errorf("whole: %d bytes, figures %+v", len(built), got)
	}
	p.wantNoScratch(t)
}

package restore

import (
	"bytes"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"

	"kiln.dev/programs/gocommand"
	"kiln.dev/programs/pack"
)

// shop is a module cache of which some packages are in a pack only, and a program beside it.
type shop struct {
	cache, program string
	packs          pack.Set
}

// packedFiles are what the pack holds, by module; looseFiles what stands in the module cache.
var (
	packedFiles = map[string]map[string]string{
		"example.com/sdk@v1.0.0": {
			"one/other_windows.go": "package one\n\nimport _ \"example.com/sdk/far\"\n",
			"two/two.go":           "package two\n\nimport (\n\t_ \"example.com/sdk/one\"\n\t_ \"example.com/sdk/two/three\"\n\t_ \"os\"\n)\n",
			"two/notes.txt":        "notes",
			"two/three/three.go":   "package three\n\nimport _ \"example.com/!other/x\"\n",
			"two/three/four.s":     "TEXT",
			"art/art.go":           "package art\n\nimport _ \"embed\"\n\n//go:embed files\nvar files string\n",
			"art/files/deep/a.txt": "a",
			"far/far.go":           "package far\n",
			"top.go":               "package sdk\n",
		},
		"example.com/!other@v2.1.0": {
			"x/x.go":     "package x\n\nimport _ \"example.com/sdk/far\"\n",
			"y/y.go":     "package y\n\nimport _ \"example.com/sdk/art\"\n",
			"doc/README": "text",
		},
		"example.com/sdk/nested@v0.1.0": {"p/p.go": "package p\n"},
	}
	looseFiles = map[string]string{
		"example.com/sdk@v1.0.0/go.mod":        "module example.com/sdk\n",
		"example.com/sdk@v1.0.0/one/one.go":    "package one\n",
		"example.com/!other@v2.1.0/go.mod":     "module example.com/Other\n",
		"example.com/sdk/nested@v0.1.0/go.mod": "module example.com/sdk/nested\n",
	}
)

func newShop(t *testing.T, program map[string]string) *shop {
	t.Helper()
	folder := t.TempDir()
	s := &shop{cache: filepath.Join(folder, "mod"), program: filepath.Join(folder, "program")}
	list := pack.List{Version: 1, GoMod: filepath.Join(folder, "whole")}
	for module, files := range packedFiles {
		source := pack.SourcesList{Module: module, Indexed: module != "example.com/!other@v2.1.0"}
		for name, content := range files {
			put(t, filepath.Join(list.GoMod, module), name, content)
			source.Files = append(source.Files, name)
		}
		list.Sources = append(list.Sources, source)
	}
	for name, content := range looseFiles {
		put(t, s.cache, name, content)
	}
	put(t, s.program, "go.mod", "module example.com/program\n\ngo 1.26\n")
	for name, content := range program {
		put(t, s.program, name, content)
	}
	file := filepath.Join(folder, "all.pack")
	if _, err := pack.Write(list, file); err != nil {
		t.Fatal(err)
	}
	var err error
	if s.packs, err = pack.OpenSet(folder); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.packs.Close() })
	return s
}

func put(t *testing.T, root, name, content string) {
	t.Helper()
	file := filepath.Join(root, name)
	if err := os.MkdirAll(filepath.Dir(file), 0o777); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, []byte(content), 0o666); err != nil {
		t.Fatal(err)
	}
}

// missing restores for a command line and returns what was put back, sorted, and what was said.
func (s *shop) missing(line string, environment map[string]string) ([]string, string) {
	command, _ := gocommand.Parse(strings.Fields(line), environment["GOFLAGS"])
	var said bytes.Buffer
	local := Read(Request{Command: command, Cwd: s.program, Environment: func(name string) string {
		if value, ok := environment[name]; ok {
			return value
		}
		return map[string]string{"GOMODCACHE": s.cache, "GOOS": goos, "GOARCH": goarch}[name]
	}})
	restored := local.Missing(s.packs, &said)
	slices.Sort(restored)
	return restored, said.String()
}

// added returns the files of the module cache that were not there at first, sorted.
func (s *shop) added() []string {
	var added []string
	filepath.WalkDir(s.cache, func(path string, entry fs.DirEntry, err error) error {
		name, _ := filepath.Rel(s.cache, path)
		if _, loose := looseFiles[name]; err == nil && !entry.IsDir() && !loose {
			added = append(added, name)
		}
		return nil
	})
	slices.Sort(added)
	return added
}

func uses(paths ...string) string {
	text := "package main\n"
	for _, path := range paths {
		text += fmt.Sprintf("import _ %q\n", path)
	}
	return text + "func main() {}\n"
}

const (
	sdk   = "example.com/sdk@v1.0.0"
	other = "example.com/!other@v2.1.0"
)

func TestWhatIsPutBackIsNamedAndOpenToAll(t *testing.T) {
	s := newShop(t, map[string]string{"main.go": uses("example.com/sdk/two", "example.com/Other/x")})
	restored, _ := s.missing("go build", nil)
	want := []string{"example.com/Other@v2.1.0", "example.com/sdk@v1.0.0/far", "example.com/sdk@v1.0.0/two", "example.com/sdk@v1.0.0/two/three"}
	if !reflect.DeepEqual(restored, want) {
		t.Errorf("named %q", restored)
	}
	for name, mode := range map[string]fs.FileMode{
		sdk + "/two": fs.ModeDir | fs.ModeSticky | 0o777, sdk + "/two/two.go": 0o644, sdk + "/two/three": fs.ModeDir | fs.ModeSticky | 0o777,
	} {
		if info, err := os.Stat(filepath.Join(s.cache, name)); err != nil || info.Mode() != mode {
			t.Errorf("%s: %v, %v", name, info.Mode(), err)
		}
	}
	content, _ := os.ReadFile(filepath.Join(s.cache, sdk, "two/two.go"))
	if string(content) != packedFiles[sdk]["two/two.go"] {
		t.Errorf("two.go is %q", content)
	}
}

func TestAKilledRestoreIsDoneAgain(t *testing.T) {
	s := newShop(t, map[string]string{"main.go": uses("example.com/sdk/two")})
	// As it stands when files are moved one by one into a folder that is there.
	put(t, s.cache, sdk+"/two/two.go", packedFiles[sdk]["two/two.go"])
	put(t, s.cache, sdk+"/two/"+unfinished, "")
	s.missing("go build", nil)
	want := []string{sdk + "/two/notes.txt", sdk + "/two/three/four.s", sdk + "/two/three/three.go", sdk + "/two/two.go"}
	if got := s.added(); !reflect.DeepEqual(got, want) {
		t.Errorf("there is %q", got)
	}
}

func TestManyAtOnce(t *testing.T) {
	s := newShop(t, map[string]string{"main.go": uses("example.com/sdk/two", "example.com/Other/x", "example.com/sdk/art")})
	var group sync.WaitGroup
	for range 8 {
		group.Go(func() {
			if _, said := s.missing("go build", nil); said != "" {
				t.Error(said)
			}
		})
	}
	group.Wait()
	if got := s.added(); len(got) != 10 {
		t.Errorf("there is %q", got)
	}
}

func TestAModuleCacheThatCannotBeWritten(t *testing.T) {
	if os.Geteuid() == 0 {
		t.Skip("root may write everywhere")
	}
	s := newShop(t, map[string]string{"main.go": uses("example.com/sdk/two"), "p/p.go": uses("example.com/sdk/one")})
	filepath.WalkDir(s.cache, func(path string, entry fs.DirEntry, _ error) error {
		if entry.IsDir() {
			os.Chmod(path, 0o555)
			t.Cleanup(func() { os.Chmod(path, 0o777) })
		}
		return nil
	})
	if _, said := s.missing("go build ./p", nil); said != "" {
		t.Errorf("nothing is missing, and it said %q", said)
	}
	_, said := s.missing("go build", nil)
	if strings.Count(said, "\n") != 1 || !strings.Contains(said, "example.com/sdk@v1.0.0/two") || !strings.Contains(said, s.cache) {
		t.Errorf("said %q", said)
	}
}

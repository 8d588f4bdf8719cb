package serve

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// place puts content into scratch and returns its path.
func place(t *testing.T, s *scratch, id ID, is form, content string) string {
	t.Helper()
	path, err := s.create(id, is, int64(len(content)), func(file *os.File) error {
		_, err := file.WriteAt([]byte(content), 0)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if got, err := os.ReadFile(path); err != nil || string(got) != content {
		t.Fatalf("%s holds %d bytes instead of %d, %v", path, len(got), len(content), err)
	}
	return path
}

// refill gives what is placed other content, as filling does, and wants it under the same path.
func refill(t *testing.T, s *scratch, id ID, path, content string) {
	t.Helper()
	file, done, err := s.open(id, int64(len(content)))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := file.WriteAt([]byte(content), 0); err != nil {
		t.Fatal(err)
	}
	if err := done(); err != nil {
		t.Fatal(err)
	}
	if got, err := os.ReadFile(path); err != nil || string(got) != content {
		t.Fatalf("%s holds %d bytes instead of %d, %v", path, len(got), len(content), err)
	}
}

func TestScratch(t *testing.T) {
	large := strings.Repeat("large", small)
	for name, change := range map[string]func(*scratch){
		"as it is":                     func(*scratch) {},
		"without /proc":                func(s *scratch) { s.process = "" },
		"without memory":               func(s *scratch) { s.memory = 0 },
		"without descriptors":          func(s *scratch) { s.highest = 0 },
		"with memory for one of these": func(s *scratch) { s.memory = 2 },
	} {
		t.Run(name, func(t *testing.T) {
			parent := t.TempDir()
			s, err := newScratch(parent)
			if err != nil {
				t.Fatal(err)
			}
			change(s)
			first := place(t, s, ID{1}, archive, "1")
			place(t, s, ID{2}, archive, large)
			refill(t, s, ID{1}, first, "10")
			refill(t, s, ID{1}, first, large)
			moved := filepath.Join(parent, "moved")
			if err := os.Rename(place(t, s, ID{3}, program, large), moved); err != nil {
				t.Errorf("a program cannot be moved: %v", err)
			}
			if err := s.remove(); err != nil {
				t.Error(err)
			}
			if left, _ := os.ReadDir(parent); len(left) != 1 || left[0].Name() != "moved" {
				t.Errorf("left: %v", left)
			}
		})
	}
}

func TestNoFileHasANameButPrograms(t *testing.T) {
	parent := t.TempDir()
	s, err := newScratch(parent)
	if err != nil {
		t.Fatal(err)
	}
	place(t, s, ID{1}, archive, "small")
	place(t, s, ID{2}, archive, strings.Repeat("large", small))
	if left, _ := os.ReadDir(parent); len(left) > 0 {
		t.Errorf("there is %v", left)
	}
}

func TestSweepRemovesWhatDeadProcessesLeftAndNothingElse(t *testing.T) {
	parent := t.TempDir()
	alive, err := newFolder(parent)
	if err != nil {
		t.Fatal(err)
	}
	make := func(name string, age time.Duration) string {
		path := filepath.Join(parent, name)
		if err := os.MkdirAll(filepath.Join(path, "inside"), 0o700); err != nil {
			t.Fatal(err)
		}
		when := time.Now().Add(-age)
		os.Chtimes(path, when, when)
		return path
	}
	dead, young := make(folderPrefix+"dead", 0), make(newFolderPrefix+"1", time.Minute)
	old, other := make(newFolderPrefix+"2", 2*time.Hour), make("go-build1", 100*time.Hour)
	file := filepath.Join(parent, folderPrefix+"file")
	os.WriteFile(file, nil, 0o600)
	sweep(parent)
	for path, kept := range map[string]bool{alive.path: true, dead: false, young: true, old: false, other: true, file: true} {
		if _, err := os.Lstat(path); errors.Is(err, os.ErrNotExist) == kept {
			t.Errorf("%s: %v", filepath.Base(path), err)
		}
	}
	if err := alive.remove(); err != nil {
		t.Error(err)
	}
}

func TestScratchThatCannotBeWrittenIsSaidAtTheStart(t *testing.T) {
	if _, err := newScratch(filepath.Join(t.TempDir(), "none")); err == nil {
		t.Error("a folder that is not there is taken")
	}
}

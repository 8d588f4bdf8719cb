package pack

import (
	"bytes"
	"errors"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// withBeside packs a store of all kinds, and nine archives that stand beside the pack.
func withBeside(t *testing.T) (s *store, r *Reader, beside []Output) {
	t.Helper()
	random := rand.New(rand.NewPCG(20, 21))
	s = manyKinds(t, random)
	for range 9 {
		_, output := s.put(goArchive(random, "m.example/linked@v1/x", random.IntN(3000)), false)
		s.list.Beside = append(s.list.Beside, entryName(output, kindOutput))
	}
	file := s.pack()
	r = open(t, file)
	for _, o := range r.Outputs() {
		if o.Beside {
			beside = append(beside, o)
			write(t, filepath.Join(filepath.Dir(file), besideFolder, o.ID.String()), s.contents[o.ID])
		}
	}
	if len(beside) != len(s.list.Beside) {
		t.Fatalf("%d outputs are beside the pack, of %d", len(beside), len(s.list.Beside))
	}
	return s, r, beside
}

func TestWhatIsBesideAPackIsFoundThere(t *testing.T) {
	s, r, beside := withBeside(t)
	for id, want := range s.contents {
		o, ok := r.Output(id)
		if !ok || !bytes.Equal(content(t, r, o), want) {
			t.Fatalf("output %s of %d bytes is another one", id, len(want))
		}
	}
	for _, o := range beside {
		path, err := r.Beside(o)
		if err != nil || !strings.HasSuffix(path, "/objects/"+o.ID.String()) {
			t.Fatal(path, err)
		}
		if r.Stored(o) != 0 || o.HeaderSize != 0 {
			t.Fatal(o)
		}
	}
	if differing := r.Check(); differing != nil {
		t.Fatal(differing)
	}
	without := *s
	without.list.Beside = nil
	with, err := os.Stat(r.path)
	if err != nil {
		t.Fatal(err)
	}
	whole, err := os.Stat(without.pack())
	if err != nil || with.Size() >= whole.Size() {
		t.Fatalf("%d bytes with files beside the pack, %d without, %v", with.Size(), whole.Size(), err)
	}
}

func TestUnpackedContentIncludesWhatIsBeside(t *testing.T) {
	s, r, _ := withBeside(t)
	home := t.TempDir()
	if err := r.Unpack(root(t, filepath.Join(home, "b")), root(t, filepath.Join(home, "m"))); err != nil {
		t.Fatal(err)
	}
	for id, want := range s.contents {
		found, err := os.ReadFile(filepath.Join(home, "b", entryName(id, kindOutput)))
		if err != nil || !bytes.Equal(found, want) {
			t.Fatal(id, err)
		}
	}
}

func TestAFileBesideThatIsNotWhatWasWrittenIsFound(t *testing.T) {
	for what, spoil := range map[string]func(path string) error{
		"gone":      os.Remove,
		"shorter":   func(path string) error { return os.Truncate(path, 10) },
		"a link":    func(path string) error { return errors.Join(os.Remove(path), os.Symlink("/etc/passwd", path)) },
		"a folder":  func(path string) error { return errors.Join(os.Remove(path), os.Mkdir(path, 0o755)) },
		"exchanged": exchange,
	} {
		t.Run(what, func(t *testing.T) {
			_, r, beside := withBeside(t)
			path, err := r.Beside(beside[0])
			if err == nil {
				err = spoil(path)
			}
			if err != nil {
				t.Fatal(err)
			}
			if _, err := r.Beside(beside[0]); (err == nil) != (what == "exchanged") {
				t.Fatal(err)
			}
			differing := r.Check()
			if len(differing) != 1 || !strings.Contains(differing[0], beside[0].ID.String()) {
				t.Fatal(differing)
			}
			home := t.TempDir()
			if err := r.Unpack(root(t, filepath.Join(home, "b")), root(t, filepath.Join(home, "m"))); !errors.Is(err, ErrDamaged) {
				t.Fatal(err)
			}
		})
	}
}

// exchange puts other content of the same size into a file.
func exchange(path string) error {
	content, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	content[len(content)/2] ^= 1
	return os.WriteFile(path, content, 0o644)
}

func root(t *testing.T, folder string) *os.Root {
	t.Helper()
	if err := os.MkdirAll(folder, 0o755); err != nil {
		t.Fatal(err)
	}
	r, err := os.OpenRoot(folder)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { r.Close() })
	return r
}

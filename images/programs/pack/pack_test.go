package pack

import (
	"bytes"
	"crypto/sha256"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
)

// memory is a WriterAt that counts what is written to it.
type memory struct {
	mutex   sync.Mutex
	content []byte
	written int
}

func (m *memory) WriteAt(b []byte, at int64) (int, error) {
	m.mutex.Lock()
	defer m.mutex.Unlock()
	m.written += len(b)
	return copy(m.content[at:], b), nil
}

func (m *memory) Close() error { return nil }

func content(t *testing.T, r *Reader, o Output) []byte {
	t.Helper()
	m := &memory{content: make([]byte, o.Size)}
	if err := r.WriteTo(o, m); err != nil {
		t.Fatal(err)
	}
	if int64(m.written) != o.Size {
		t.Fatalf("%d bytes were written of %d", m.written, o.Size)
	}
	return m.content
}

// manyKinds has outputs of all kinds, of some sizes.
func manyKinds(t *testing.T, random *rand.Rand) *store {
	s := newStore(t)
	for _, size := range []int{0, 1, 4095, 4096, 4097, smallBlock, smallBlock + 1} {
		s.put(noise(random, size), false)
	}
	for i := range 30 {
		s.put(goArchive(random, "m.example/a@v1/"+string(rune('a'+i)), random.IntN(3000)), i%7 == 0)
	}
	s.source("m.example/a@v1.0.0", true, "go.mod", "a.go", "b/b.go", "b.go", "b/c/d.go", "b/a.go")
	s.source("m.example/!upper@v2.0.0", false, "z.go")
	return s
}

// largeKinds are those that take several blocks.
func (s *store) largeKinds(random *rand.Rand) {
	for _, size := range []int{archiveBlock, archiveBlock + 1, 40 << 20} {
		s.put(noise(random, size), false)
	}
	s.put(goArchive(random, "m.example/giant@v1/x", 700_000), false)
	program := append([]byte("\x7fELF"), noise(random, 18<<20)...)
	s.put(program, false)
	other := slices.Concat(program[:5<<20], noise(random, 1000), program[5<<20:17<<20])
	for at := 100; at < len(other); at += 50 + random.IntN(100) {
		other[at]++
	}
	s.put(other, false)
}

func TestWhatGoesInComesOut(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	s := manyKinds(t, random)
	s.largeKinds(random)
	r := open(t, s.pack())
	if len(r.Outputs()) != len(s.contents) || len(r.Actions()) != len(s.contents) {
		t.Fatalf("%d outputs, %d actions of %d", len(r.Outputs()), len(r.Actions()), len(s.contents))
	}
	for id, want := range s.contents {
		output, size, ok := r.Action(sha256.Sum256(id[:]))
		if !ok || output != id || size != int64(len(want)) {
			t.Fatalf("action of %s: %s %d %v", id, output, size, ok)
		}
		o, ok := r.Output(id)
		if !ok || !bytes.Equal(content(t, r, o), want) {
			t.Fatalf("output %s of %d bytes is another one", id, len(want))
		}
		header, err := r.Header(o)
		if err != nil || !bytes.HasPrefix(want, header) || len(header) != o.HeaderSize {
			t.Fatalf("header of %s: %q, %v", id, header, err)
		}
		if isArchive := bytes.HasPrefix(want, []byte(archiveMagic)); isArchive != (o.HeaderSize > 0) {
			t.Fatalf("header size %d of an output that begins with %q", o.HeaderSize, want[:min(8, len(want))])
		} else if isArchive && !bytes.Contains(header, []byte("\nbuild id \"")) {
			t.Fatalf("no build ID in %q", header)
		}
		if o.Whole != slices.Contains(s.list.Whole, entryName(id, kindOutput)) {
			t.Fatalf("output %s: whole is %v", id, o.Whole)
		}
	}
	if differing := r.Check(); differing != nil {
		t.Fatal(differing)
	}
	if _, _, ok := r.Action(ID{1}); ok {
		t.Fatal("an action that is not there is found")
	}
	if _, ok := r.Output(ID{0xff, 1}); ok {
		t.Fatal("an output that is not there is found")
	}
}

func TestEqualContentMakesEqualPacks(t *testing.T) {
	var packs [][]byte
	for i, processors := range []int{1, 5} {
		t.Run("", func(t *testing.T) {
			defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(processors))
			random := rand.New(rand.NewPCG(3, 4))
			s := manyKinds(t, random)
			s.largeKinds(random)
			shuffle := rand.New(rand.NewPCG(uint64(i), 5)).Shuffle
			shuffle(len(s.list.Entries), func(i, j int) { s.list.Entries[i], s.list.Entries[j] = s.list.Entries[j], s.list.Entries[i] })
			slices.Reverse(s.list.Whole)
			slices.Reverse(s.list.Sources)
			slices.Reverse(s.list.Sources[0].Files)
			s.list.Entries = append(s.list.Entries, s.list.Entries[i])
			pack, err := os.ReadFile(s.pack())
			if err != nil {
				t.Fatal(err)
			}
			packs = append(packs, pack)
		})
	}
	if len(packs) != 2 || !bytes.Equal(packs[0], packs[1]) {
		t.Fatal("order, folder or number of processors is in the pack")
	}
}

func TestFilesOfPackages(t *testing.T) {
	s := manyKinds(t, rand.New(rand.NewPCG(10, 11)))
	r := open(t, s.pack())
	if want := []Module{{"m.example/!upper@v2.0.0", false}, {"m.example/a@v1.0.0", true}}; !slices.Equal(r.Modules(), want) {
		t.Fatal(r.Modules())
	}
	for dir, want := range map[string][]string{
		"": {"a.go", "b.go", "go.mod"}, "b": {"b/a.go", "b/b.go"}, "b/c": {"b/c/d.go"}, "none": nil,
	} {
		var names []string
		for _, f := range r.PackageFiles("m.example/a@v1.0.0", dir) {
			names = append(names, f.Path)
			found, err := r.ReadSource("m.example/a@v1.0.0", f)
			loose, _ := os.ReadFile(filepath.Join(s.list.GoMod, "m.example/a@v1.0.0", f.Path))
			if err != nil || !bytes.Equal(found, loose) || int64(len(loose)) != f.Size {
				t.Fatalf("%s: %q, %v", f.Path, found, err)
			}
		}
		if !slices.Equal(names, want) {
			t.Fatalf("%q has %q", dir, names)
		}
	}
	if files := r.ModuleFiles("m.example/a@v1.0.0"); len(files) != 6 {
		t.Fatal(files)
	}
	if files := r.ModuleFiles("m.example/none@v1.0.0"); files != nil {
		t.Fatal(files)
	}
}

func TestSetFindsOutputsOfOtherPacks(t *testing.T) {
	random := rand.New(rand.NewPCG(12, 13))
	s := newStore(t)
	action, output := s.put(noise(random, 100), false)
	dir := t.TempDir()
	for name, entries := range map[string][]string{"a.pack": {entryName(action, kindAction)}, "b.pack": {entryName(output, kindOutput)}} {
		s.list.Entries = entries
		if _, err := Write(s.list, filepath.Join(dir, name)); err != nil {
			t.Fatal(err)
		}
	}
	set, err := OpenSet(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer set.Close()
	found, size, ok := set.Action(action)
	r, o, there := set.Output(found)
	if !ok || !there || size != 100 || len(set) != 2 || !strings.HasSuffix(r.path, "b.pack") {
		t.Fatal(found, size, ok, there, len(set))
	}
	if !bytes.Equal(content(t, r, o), s.contents[output]) {
		t.Fatal("the output is another one")
	}
	if empty, err := OpenSet(t.TempDir()); err != nil || len(empty) != 0 {
		t.Fatal(empty, err)
	}
}

func TestWriteAllWritesEachOnce(t *testing.T) {
	s := manyKinds(t, rand.New(rand.NewPCG(14, 15)))
	r := open(t, s.pack())
	var mutex sync.Mutex
	written := map[ID]*memory{}
	err := r.WriteAll(r.Outputs(), func(o Output) (WriterAtCloser, error) {
		mutex.Lock()
		defer mutex.Unlock()
		written[o.ID] = &memory{content: make([]byte, o.Size)}
		return written[o.ID], nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for id, want := range s.contents {
		if !bytes.Equal(written[id].content, want) {
			t.Fatalf("output %s is another one", id)
		}
	}
}

package pack

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// smallPack is a pack of every kind of content that is quick to read again and again.
func smallPack(t *testing.T) (pack []byte, s *store) {
	random := rand.New(rand.NewPCG(20, 21))
	s = newStore(t)
	for _, size := range []int{0, 1, 100, 5000} {
		s.put(noise(random, size), false)
	}
	for range 4 {
		s.put(goArchive(random, "m.example/a", 100), false)
	}
	program := append([]byte("\x7fELF"), noise(random, 6000)...)
	s.put(program, false)
	s.put(slices.Concat(program[:3000], []byte("edited"), program[3000:5900]), false)
	s.source("m.example/a@v1.0.0", true, "a.go", "b/b.go")
	pack, err := os.ReadFile(s.pack())
	if err != nil {
		t.Fatal(err)
	}
	return pack, s
}

// readAll reads all that a pack has, tells whether it is called damaged, and fails where wrong bytes pass for right ones.
// Who signs an index anew can give any content any name: then it is Check that has to see it.
func readAll(t *testing.T, pack []byte, s *store, what string, forged bool) (failed bool) {
	t.Helper()
	r, err := newReader("mutated.pack", bytes.NewReader(pack), int64(len(pack)))
	if err != nil {
		return true
	}
	checked := r.Check()
	for _, o := range r.Outputs() {
		m := &memory{content: make([]byte, min(o.Size, 1<<20))}
		if o.Size > 1<<20 {
			continue
		}
		if err := r.WriteTo(o, m); err != nil {
			failed = true
			if !strings.Contains(err.Error(), "mutated.pack") {
				t.Fatalf("%s: %v does not name the file", what, err)
			}
		} else if sha256.Sum256(m.content) != o.ID && (!forged || checked == nil) {
			t.Fatalf("%s: output %s has wrong bytes", what, o.ID)
		}
		if _, err := r.Header(o); err != nil {
			failed = true
		}
	}
	for _, m := range r.Modules() {
		for _, f := range r.ModuleFiles(m.Name) {
			if content, err := r.ReadSource(m.Name, f); err != nil {
				failed = true
			} else if loose, _ := os.ReadFile(filepath.Join(s.list.GoMod, m.Name, f.Path)); !forged && !bytes.Equal(content, loose) {
				t.Fatalf("%s: %s has wrong bytes", what, f.Path)
			}
		}
	}
	return failed || checked != nil
}

func TestFlippedBitsNeverGiveWrongBytes(t *testing.T) {
	pack, s := smallPack(t)
	random := rand.New(rand.NewPCG(22, 23))
	unseen := 0
	for range 3000 {
		at, bit := random.IntN(len(pack)), byte(1)<<random.IntN(8)
		pack[at] ^= bit
		if !readAll(t, pack, s, "a flipped bit", false) {
			unseen++
		}
		pack[at] ^= bit
	}
	// A few bits of a zstd frame have no meaning: whatever they are, the bytes that come out are right.
	if unseen > 30 {
		t.Fatalf("%d of 3000 flipped bits are not seen", unseen)
	}
	if readAll(t, pack, s, "the pack itself", false) {
		t.Fatal("the pack itself is called damaged")
	}
}

func TestEveryCutIsSeen(t *testing.T) {
	pack, s := smallPack(t)
	for size := range len(pack) {
		if size%7 == 0 && !readAll(t, pack[:size], s, "a cut", false) {
			t.Fatalf("the first %d bytes of %d pass for a pack", size, len(pack))
		}
	}
	if !readAll(t, append(slices.Clone(pack), pack...), s, "twice", false) {
		t.Fatal("what stands before a pack passes")
	}
}

// TestForgedIndexes changes the index and signs it again: nothing may panic or read outside, whatever it says.
func TestForgedIndexes(t *testing.T) {
	pack, s := smallPack(t)
	random := rand.New(rand.NewPCG(24, 25))
	foot, err := parseFooter(pack[len(pack)-footerSize:])
	if err != nil {
		t.Fatal(err)
	}
	signed := len(pack) - len(magic) - sha256.Size
	edges := []byte{0, 1, 0x7f, 0x80, 0xff}
	for range 4000 {
		forged := slices.Clone(pack)
		for range 1 + random.IntN(3) {
			forged[int(foot.index)+random.IntN(signed-int(foot.index))] = edges[random.IntN(len(edges))]
		}
		sum := sha256.Sum256(forged[foot.index:signed])
		copy(forged[signed:], sum[:])
		readAll(t, forged, s, "a forged index", true)
	}
}

// FuzzShape: any payload is either refused or restored within its bounds.
func FuzzShape(f *testing.F) {
	f.Add(appendStored(appendShape(nil, []segment{{start: 1, length: 8, fields: offsets}}), make([]byte, 20), nil, nil, 0), 20)
	f.Add(appendShape(nil, []segment{{start: 1, length: 8, repeats: true, source: 5}}), 20)
	f.Fuzz(func(t *testing.T, payload []byte, size int) {
		if size < 0 || size > 1<<16 {
			return
		}
		segments, stored, err := parseShape(payload, size)
		if err != nil {
			return
		}
		_ = restore(make([]byte, size), stored, segments, func(to []byte, at int64) error {
			if at < 0 || at+int64(len(to)) > 1000 {
				return damaged("out of range")
			}
			return nil
		})
	})
}

func TestSourcesCannotLeaveTheirTree(t *testing.T) {
	for _, name := range []string{"", ".", "..", "/etc", "../a", "a/../../b", "a//b", "a/./b", "a/", `a\b`, "a\x00"} {
		if isTreePath(name) {
			t.Errorf("%q passes for a path below a tree", name)
		}
	}
	// Signed as if a writer had made it: only the reader's own checks are left.
	_, err := parseModules(appendModule(nil, module{Module: Module{Name: "../../etc"}}), []byte("../../etc"))
	if !errors.Is(err, ErrDamaged) {
		t.Fatal(err)
	}
}

func TestLinksInTheTargetLeadNowhere(t *testing.T) {
	s := newStore(t)
	s.source("m.example/a@v1.0.0", false, "go.mod", "sub/a.go")
	r := open(t, s.pack())
	outside, goBuild, goMod := t.TempDir(), t.TempDir(), t.TempDir()
	if err := os.MkdirAll(filepath.Join(goMod, "m.example/a@v1.0.0"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(outside, filepath.Join(goMod, "m.example/a@v1.0.0/sub")); err != nil {
		t.Fatal(err)
	}
	if err := unpackInto(t, r, goBuild, goMod); err == nil {
		t.Fatal("a link that leads outside was followed")
	}
	if entries, _ := os.ReadDir(outside); len(entries) > 0 {
		t.Fatalf("%v was written outside", entries)
	}
}

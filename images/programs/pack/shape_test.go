package pack

import (
	"bytes"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"testing"
)

func TestProgramsAreStoredAsDifferences(t *testing.T) {
	random := rand.New(rand.NewPCG(6, 7))
	s := newStore(t)
	program := append([]byte("\x7fELF"), noise(random, 3<<20)...)
	s.put(program, false)
	other := slices.Clone(program[:3<<20-100])
	for at := 40; at < len(other); at += 40 {
		other[at] += 3
	}
	_, second := s.put(other, false)
	r := open(t, s.pack())
	o, _ := r.Output(second)
	if !bytes.Equal(content(t, r, o), other) {
		t.Fatal("the second program is another one")
	}
	if stored := r.Stored(o); stored > int64(len(other))/20 {
		t.Fatalf("the second program takes %d bytes of %d", stored, len(other))
	}
}

func TestColumnsMakeArchivesSmaller(t *testing.T) {
	random := rand.New(rand.NewPCG(8, 9))
	archive := goArchive(random, "m.example/a", 20000)
	a, ok := readArchive(bytes.NewReader(archive), int64(len(archive)))
	if !ok || a.folder != "m.example/a" || len(a.tables) != 2 {
		t.Fatalf("%v %q %v", ok, a.folder, a.tables)
	}
	segments, err := readPiecesOf(t, archive, a.tables)
	if err != nil || len(segments) != 2 {
		t.Fatal(segments, err)
	}
	encoder, err := newEncoder()
	if err != nil {
		t.Fatal(err)
	}
	plain := len(encoder.EncodeAll(archive, nil))
	columns := len(encoder.EncodeAll(appendStored(nil, archive, segments, nil, 0), nil))
	if columns > plain*9/10 {
		t.Fatalf("%d bytes with columns, %d without", columns, plain)
	}
}

func readPiecesOf(t *testing.T, content []byte, tables []table) ([]segment, error) {
	file := filepath.Join(t.TempDir(), "content")
	write(t, file, content)
	return readPieces(make([]byte, len(content)), []piece{{path: file, length: int64(len(content)), tables: tables}})
}

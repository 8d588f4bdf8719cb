package pack

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"
)

// store is a build cache and a module cache that a test makes up, and the list of all that is in them.
type store struct {
	t        *testing.T
	list     List
	contents map[ID][]byte
}

func newStore(t *testing.T) *store {
	t.Helper()
	home := t.TempDir()
	return &store{
		t:        t,
		list:     List{Version: 1, GoBuild: filepath.Join(home, "go-build"), GoMod: filepath.Join(home, "go-mod")},
		contents: map[ID][]byte{},
	}
}

func write(t *testing.T, path string, content []byte) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, content, 0o644); err != nil {
		t.Fatal(err)
	}
}

// put adds an output, and an action that has it.
func (s *store) put(content []byte, whole bool) (action, output ID) {
	s.t.Helper()
	output = sha256.Sum256(content)
	action = sha256.Sum256(output[:])
	name := entryName(output, kindOutput)
	write(s.t, filepath.Join(s.list.GoBuild, name), content)
	entry := fmt.Sprintf("v1 %s %s %20d %20d\n", action, output, len(content), 1_700_000_000_000_000_000+len(content))
	write(s.t, filepath.Join(s.list.GoBuild, entryName(action, kindAction)), []byte(entry))
	s.list.Entries = append(s.list.Entries, name, entryName(action, kindAction))
	if whole {
		s.list.Whole = append(s.list.Whole, name)
	}
	s.contents[output] = content
	return action, output
}

// source adds files of a module, each with its own path as content, repeated.
func (s *store) source(module string, indexed bool, files ...string) {
	s.t.Helper()
	for i, file := range files {
		content := bytes.Repeat([]byte("package "+file+"\n"), i*1000)
		write(s.t, filepath.Join(s.list.GoMod, module, file), content)
	}
	s.list.Sources = append(s.list.Sources, SourcesList{Module: module, Indexed: indexed, Files: files})
}

func (s *store) pack() string {
	s.t.Helper()
	file := filepath.Join(s.t.TempDir(), "layer.pack")
	if _, err := Write(s.list, file); err != nil {
		s.t.Fatal(err)
	}
	return file
}

func open(t *testing.T, file string) *Reader {
	t.Helper()
	r, err := Open(file)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { r.Close() })
	return r
}

// noise is content that compresses like compiled code: runs of what was before, and of what was not.
func noise(random *rand.Rand, size int) []byte {
	content := make([]byte, 0, size+64)
	for len(content) < size {
		if run := 1 + random.IntN(200); len(content) > run && random.IntN(3) > 0 {
			at := random.IntN(len(content) - run)
			content = append(content, content[at:at+run]...)
		} else {
			content = binary.LittleEndian.AppendUint64(content, random.Uint64())
		}
	}
	return content[:size]
}

// goArchive looks like what the compiler writes: export data and an object file with tables of relocations and offsets.
func goArchive(random *rand.Rand, folder string, relocations int) []byte {
	file := folder + "/file.go"
	strings := append([]byte(file), noise(random, 300)...)
	tables := make([][]byte, objectTables-1)
	start := uint32(len(objectMagic) + 8 + 4 + 4*objectTables)
	tables[fileTable] = binary.LittleEndian.AppendUint32(binary.LittleEndian.AppendUint32(nil, uint32(len(file))), start)
	for i := range relocations {
		t := binary.LittleEndian.AppendUint32(tables[14], uint32(i*random.IntN(40)))
		t = append(t, 4, 8, 0)
		t = binary.LittleEndian.AppendUint64(t, uint64(random.IntN(100)))
		t = binary.LittleEndian.AppendUint32(t, uint32(random.IntN(4)))
		tables[14] = binary.LittleEndian.AppendUint32(t, uint32(random.IntN(5000)))
		tables[11] = binary.LittleEndian.AppendUint32(tables[11], uint32(i*3))
	}
	tables[16] = noise(random, relocations*5)
	object := append([]byte(objectMagic), make([]byte, 12)...)
	at := start + uint32(len(strings))
	for _, table := range tables {
		object = binary.LittleEndian.AppendUint32(object, at)
		at += uint32(len(table))
	}
	object = binary.LittleEndian.AppendUint32(object, at)
	object = append(object, strings...)
	for _, table := range tables {
		object = append(object, table...)
	}
	about := fmt.Sprintf("go object linux amd64 go1.26.8 X:none\nbuild id \"%x\"\n", random.Uint64())
	archive := appendMember([]byte(archiveMagic), "__.PKGDEF", append([]byte(about+"\n\n$$B\n"), noise(random, 401)...))
	return appendMember(archive, "_go_.o", append([]byte(about+"\n!\n"), object...))
}

func appendMember(archive []byte, name string, body []byte) []byte {
	archive = fmt.Appendf(archive, "%-16s%-12d%-6d%-6d%-8o%-10d`\n", name, 0, 0, 0, 0o644, len(body))
	archive = append(archive, body...)
	if len(body)%2 == 1 {
		archive = append(archive, 0)
	}
	return archive
}

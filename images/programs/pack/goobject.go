package pack

import (
	"bytes"
	"encoding/binary"
	"io"
	"path"
	"strconv"
	"strings"
)

// What Go's compiler writes (cmd/internal/archive, cmd/internal/goobj): an archive of export data and one or more object
// files, most of whose bytes are tables of fixed records. All that is read here is a guess about what compresses well:
// another format costs bytes and never correctness, for the reader is told where columns are.
const (
	archiveMagic = "!<arch>\n"
	memberHeader = 60
	memberMagic  = "`\n"
	objectMagic  = "\x00go120ld"
	objectTables = 19
	fileTable    = 2
	// headerMost is how much of an archive Go itself reads for its build ID (cmd/internal/buildid).
	headerMost = 1024
)

var (
	symbols = []field{{4, false}, {4, true}, {2, false}, {1, false}, {1, false}, {1, false}, {4, false}, {4, false}}
	offsets = []field{{4, true}}

	// tableFields are the records of the tables of an object file, by the number of the table.
	tableFields = map[int][]field{
		3: symbols, 4: symbols, 5: symbols, 6: symbols, 7: symbols, // defined, hashed and referenced symbols
		11: offsets, 12: offsets, 13: offsets, // where a symbol's relocations, auxiliary symbols and data begin
		14: {{4, false}, {1, false}, {2, false}, {8, false}, {4, false}, {4, false}}, // relocations
		15: {{1, false}, {4, false}, {4, true}},                                      // auxiliary symbols
	}
)

// archive is what is known of one.
type archive struct {
	// header is how many bytes there are up to the end of the line with the build ID; 0 where there is none.
	header int
	// folder is that of the first source file, with its module: archives that resemble each other are near each other.
	folder string
	tables []table
}

// table is a part of a file that consists of records.
type table struct {
	start, length int64
	fields        []field
}

// readArchive looks into a file; ok is false for what is no archive.
func readArchive(file io.ReaderAt, size int64) (a archive, ok bool) {
	head := make([]byte, min(headerMost, size))
	if _, err := file.ReadAt(head, 0); err != nil || !bytes.HasPrefix(head, []byte(archiveMagic)) {
		return archive{}, false
	}
	if line := bytes.Index(head, []byte("\nbuild id ")); line >= 0 {
		if end := bytes.IndexByte(head[line+1:], '\n'); end >= 0 {
			a.header = line + 1 + end + 1
		}
	}
	member := make([]byte, memberHeader)
	for at := int64(len(archiveMagic)); at+memberHeader <= size; {
		if _, err := file.ReadAt(member, at); err != nil || string(member[58:]) != memberMagic {
			break
		}
		length, err := strconv.ParseInt(strings.TrimRight(string(member[48:58]), " "), 10, 64)
		at += memberHeader
		if err != nil || length < 0 || length > size-at {
			break
		}
		a.readObject(file, at, length)
		at += length + length&1
	}
	return a, true
}

// readObject notes the tables of an object file that is a member of an archive. Before the object stand some lines.
func (a *archive) readObject(file io.ReaderAt, at, length int64) {
	head := make([]byte, min(headerMost, length))
	if _, err := file.ReadAt(head, at); err != nil {
		return
	}
	begin := bytes.Index(head, []byte(objectMagic))
	if begin < 0 {
		return
	}
	at, length = at+int64(begin), length-int64(begin)
	const tables = len(objectMagic) + 8 + 4 // after the fingerprint and the flags
	if len(head) < begin+tables+4*objectTables {
		return
	}
	start := func(i int) int64 { return int64(binary.LittleEndian.Uint32(head[begin+tables+4*i:])) }
	last := int64(tables + 4*objectTables)
	for i := range objectTables {
		if start(i) < last || start(i) > length {
			return
		}
		last = start(i)
	}
	for i := range objectTables - 1 {
		fields := tableFields[i]
		if n := start(i+1) - start(i); fields != nil && n > 0 && n%int64(recordSize(fields)) == 0 {
			a.tables = append(a.tables, table{start: at + start(i), length: n, fields: fields})
		}
	}
	if a.folder == "" {
		a.folder = firstFolder(file, at, at+length, at+start(fileTable), at+start(fileTable+1))
	}
}

// firstFolder returns the folder of the first file name that has one. A name is its length and its place in the object.
func firstFolder(file io.ReaderAt, object, end, from, to int64) string {
	for name := make([]byte, 8); from+8 <= to; from += 8 {
		if _, err := file.ReadAt(name, from); err != nil {
			return ""
		}
		size := int64(binary.LittleEndian.Uint32(name))
		at := object + int64(binary.LittleEndian.Uint32(name[4:]))
		if size > 4096 || at+size > end {
			return ""
		}
		text := make([]byte, size)
		if _, err := file.ReadAt(text, at); err != nil {
			return ""
		}
		if folder := path.Dir(string(text)); folder != "." {
			return folder
		}
	}
	return ""
}

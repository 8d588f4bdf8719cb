package pack

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"io"
	"os"
	"sort"
	"sync"
)

// Reader reads one pack. Its methods may be called at once.
type Reader struct {
	path  string
	file  io.ReaderAt
	close func() error

	blocks           []block
	content          int64
	actions, outputs []byte
	modules          []module
	programs         []Program
	listing          func() (map[string][]SourceFile, error)

	cache *blockCache
}

// Action is an entry of the cache: what an action puts out.
type Action struct {
	ID, Output ID
	Size       int64
}

// Output is the content of one or more entries.
type Output struct {
	ID   ID
	Size int64
	// Whole: never to be answered hollow.
	Whole bool
	// Beside: the content is no part of the pack, but a file beside it.
	Beside bool
	// HeaderSize is how many bytes Header returns without reading the rest; 0 for what is no archive.
	HeaderSize int

	at, headerAt int64
}

// Open opens a pack and checks its index. Its errors, and those of the methods, name the file.
func Open(path string) (*Reader, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	info, err := file.Stat()
	if err == nil {
		var r *Reader
		if r, err = newReader(path, file, info.Size()); err == nil {
			r.close = file.Close
			return r, nil
		}
	}
	file.Close()
	return nil, fmt.Errorf("%s: %w", path, err)
}

// Close closes the pack.
func (r *Reader) Close() error { return r.close() }

// newReader reads and checks the index: whatever it holds, later reads stay within the file.
func newReader(path string, file io.ReaderAt, size int64) (*Reader, error) {
	if size < int64(len(magic)+footerSize) {
		return nil, damaged("it has only %d bytes", size)
	}
	foot, head := make([]byte, footerSize), make([]byte, len(magic))
	if _, err := file.ReadAt(head, 0); err != nil {
		return nil, err
	}
	if _, err := file.ReadAt(foot, size-footerSize); err != nil {
		return nil, err
	}
	f, err := parseFooter(foot)
	if err != nil {
		return nil, err
	}
	if string(head) != magic || f.tables() != size-footerSize-f.index {
		return nil, damaged("its footer does not fit its %d bytes", size)
	}
	index := make([]byte, f.tables())
	if _, err := file.ReadAt(index, f.index); err != nil {
		return nil, err
	}
	sum := sha256.New()
	sum.Write(index)
	sum.Write(foot[:footerSize-len(magic)-sha256.Size])
	if !bytes.Equal(sum.Sum(nil), f.digest[:]) {
		return nil, damaged("its index is not what was written")
	}
	r := &Reader{path: path, file: file, content: f.content, cache: &blockCache{}}
	return r, r.read(f, index)
}

func (r *Reader) read(f footer, index []byte) error {
	cut := func(n int64) []byte {
		part := index[:n:n]
		index = index[n:]
		return part
	}
	blocks := cut(int64(f.blocks) * blockRecord)
	r.actions = cut(int64(f.actions) * actionRecord)
	r.outputs = cut(int64(f.outputs) * outputRecord)
	modules, names := cut(int64(f.mods)*moduleRecord), cut(int64(f.names))
	listing, programs := cut(f.listing), index
	for at := 0; at < len(blocks); at += blockRecord {
		r.blocks = append(r.blocks, parseBlock(blocks[at:]))
	}
	if err := r.checkBlocks(f.index); err != nil {
		return err
	}
	if !sorted(r.actions, actionRecord) || !sorted(r.outputs, outputRecord) {
		return damaged("its index is not sorted")
	}
	for at := 0; at < len(r.outputs); at += outputRecord {
		o := parseOutput(r.outputs[at:])
		if !o.Beside && !r.holds(o.at, o.Size) || !r.holds(o.headerAt, int64(o.HeaderSize)) || int64(o.HeaderSize) > o.Size {
			return damaged("output %s is out of range", o.ID)
		}
	}
	var err error
	if r.modules, err = parseModules(modules, names); err != nil {
		return err
	}
	if r.programs, err = parsePrograms(programs); err != nil {
		return err
	}
	r.listing = sync.OnceValues(func() (map[string][]SourceFile, error) { return r.parseListing(listing) })
	return nil
}

// checkBlocks wants blocks one after the other, in the address space as in the file before its index.
func (r *Reader) checkBlocks(index int64) error {
	start, offset := int64(0), int64(len(magic))
	for i, b := range r.blocks {
		size := r.blockEnd(i) - b.start
		if b.start != start || b.offset != offset || size <= 0 || size > maxBlock || int64(b.payload) > size+maxShape {
			return damaged("block %d is out of range", i)
		}
		start, offset = start+size, offset+int64(b.stored)
	}
	if offset != index || start != r.content {
		return damaged("its blocks do not fill it")
	}
	return nil
}

// blockEnd is the address after the last byte of a block.
func (r *Reader) blockEnd(i int) int64 {
	if i+1 < len(r.blocks) {
		return r.blocks[i+1].start
	}
	return r.content
}

// holds tells whether a range of addresses is within the pack.
func (r *Reader) holds(at, size int64) bool {
	return at >= 0 && size >= 0 && at <= r.content && size <= r.content-at
}

// Action returns the output of an action.
func (r *Reader) Action(id ID) (output ID, size int64, ok bool) {
	record := find(r.actions, actionRecord, id)
	if record == nil {
		return ID{}, 0, false
	}
	a := parseAction(record)
	return a.Output, a.Size, true
}

// Output looks an output up.
func (r *Reader) Output(id ID) (Output, bool) {
	record := find(r.outputs, outputRecord, id)
	if record == nil {
		return Output{}, false
	}
	return parseOutput(record), true
}

// Actions returns all actions, sorted by ID.
func (r *Reader) Actions() []Action {
	all := make([]Action, 0, len(r.actions)/actionRecord)
	for at := 0; at < len(r.actions); at += actionRecord {
		all = append(all, parseAction(r.actions[at:]))
	}
	return all
}

// Outputs returns all outputs, sorted by ID.
func (r *Reader) Outputs() []Output {
	all := make([]Output, 0, len(r.outputs)/outputRecord)
	for at := 0; at < len(r.outputs); at += outputRecord {
		all = append(all, parseOutput(r.outputs[at:]))
	}
	return all
}

// find looks the record of an ID up in a sorted table.
func find(table []byte, record int, id ID) []byte {
	n := len(table) / record
	i := sort.Search(n, func(i int) bool { return bytes.Compare(table[i*record:i*record+len(id)], id[:]) >= 0 })
	if i == n || !bytes.Equal(table[i*record:i*record+len(id)], id[:]) {
		return nil
	}
	return table[i*record : (i+1)*record]
}

func sorted(table []byte, record int) bool {
	for at := record; at < len(table); at += record {
		if bytes.Compare(table[at-record:at-record+len(ID{})], table[at:at+len(ID{})]) >= 0 {
			return false
		}
	}
	return true
}

package pack

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
)

// A pack is
//
//	magic            8 bytes
//	blocks           zstd frames; together they hold the address space of contents
//	index            tables of fixed records, sorted, little endian:
//	    blocks       start, offset, stored, payload
//	    actions      id, output, size              sorted by id
//	    outputs      id, size, at, headerAt, headerSize, flags    sorted by id
//	    modules      name, flags, files, at, digest               sorted by name
//	    names        the names of the modules, one after the other
//	    listing      a zstd frame: the files of all modules
//	    programs     package, sources, archives                   sorted by package
//	footer           where the index is, how long its tables are, the SHA-256 of both, and the magic once more
//
// Addresses ("at", "start") count uncompressed bytes over all blocks, so that a content may begin anywhere in a block
// and go on in the next ones.
const (
	magic      = "kilnpak\x01"
	footerSize = 8 + 4*4 + 2*8 + 2*4 + 32 + 8

	blockRecord  = 8 + 8 + 4 + 4
	actionRecord = 32 + 32 + 8
	outputRecord = 32 + 8 + 8 + 8 + 4 + 4
	moduleRecord = 4 + 4 + 4 + 8 + 32
)

// Blocks are never larger: a hostile pack cannot make a reader allocate what it likes.
const (
	maxBlock   = 32 << 20
	maxShape   = 8 << 20
	maxListing = 256 << 20
)

const (
	flagWhole   = 1 << 0 // of an output: never to be answered hollow
	flagBeside  = 1 << 1 // of an output: its content is in a file beside the pack
	flagIndexed = 1 << 0 // of a module: Go's index of it is among the outputs
)

// ErrDamaged marks errors of packs that are not as they were written.
var ErrDamaged = errors.New("damaged pack")

func damaged(format string, args ...any) error {
	return fmt.Errorf("%w: %s", ErrDamaged, fmt.Sprintf(format, args...))
}

// block is one compressed part of the address space: from start to the next block's start.
type block struct {
	start, offset int64
	// stored is the length of the zstd frame, payload that of what it decompresses to: the shape and the bytes.
	stored, payload uint32
}

type footer struct {
	index                          int64
	blocks, actions, outputs, mods uint32
	content, listing               int64
	names, programs                uint32
	digest                         [32]byte
}

// tables returns how many bytes the index has.
func (f footer) tables() int64 {
	return int64(f.blocks)*blockRecord + int64(f.actions)*actionRecord + int64(f.outputs)*outputRecord +
		int64(f.mods)*moduleRecord + int64(f.names) + f.listing + int64(f.programs)
}

// appendFooter writes everything but the digest and the magic, which the caller computes over what is before them.
func appendFooter(to []byte, f footer) []byte {
	to = binary.LittleEndian.AppendUint64(to, uint64(f.index))
	for _, n := range []uint32{f.blocks, f.actions, f.outputs, f.mods} {
		to = binary.LittleEndian.AppendUint32(to, n)
	}
	to = binary.LittleEndian.AppendUint64(to, uint64(f.content))
	to = binary.LittleEndian.AppendUint64(to, uint64(f.listing))
	to = binary.LittleEndian.AppendUint32(to, f.names)
	return binary.LittleEndian.AppendUint32(to, f.programs)
}

func parseFooter(b []byte) (footer, error) {
	if len(b) != footerSize || !bytes.HasSuffix(b, []byte(magic)) {
		return footer{}, damaged("it does not end as packs do; it may be cut off")
	}
	u := func(at int) int64 { return int64(binary.LittleEndian.Uint64(b[at:])) }
	n := func(at int) uint32 { return binary.LittleEndian.Uint32(b[at:]) }
	f := footer{
		index: u(0), blocks: n(8), actions: n(12), outputs: n(16), mods: n(20),
		content: u(24), listing: u(32), names: n(40), programs: n(44), digest: [32]byte(b[48:80]),
	}
	if f.index < int64(len(magic)) || f.content < 0 || f.listing < 0 || f.listing > maxListing {
		return footer{}, damaged("its footer is out of range")
	}
	return f, nil
}

func appendBlock(to []byte, b block) []byte {
	to = binary.LittleEndian.AppendUint64(to, uint64(b.start))
	to = binary.LittleEndian.AppendUint64(to, uint64(b.offset))
	to = binary.LittleEndian.AppendUint32(to, b.stored)
	return binary.LittleEndian.AppendUint32(to, b.payload)
}

func parseBlock(b []byte) block {
	return block{
		start:   int64(binary.LittleEndian.Uint64(b)),
		offset:  int64(binary.LittleEndian.Uint64(b[8:])),
		stored:  binary.LittleEndian.Uint32(b[16:]),
		payload: binary.LittleEndian.Uint32(b[20:]),
	}
}

func appendAction(to []byte, a Action) []byte {
	to = append(to, a.ID[:]...)
	to = append(to, a.Output[:]...)
	return binary.LittleEndian.AppendUint64(to, uint64(a.Size))
}

func parseAction(b []byte) Action {
	return Action{ID: ID(b[:32]), Output: ID(b[32:64]), Size: int64(binary.LittleEndian.Uint64(b[64:]))}
}

func appendOutput(to []byte, o Output) []byte {
	flags := uint32(0)
	if o.Whole {
		flags = flagWhole
	}
	if o.Beside {
		flags |= flagBeside
	}
	to = append(to, o.ID[:]...)
	to = binary.LittleEndian.AppendUint64(to, uint64(o.Size))
	to = binary.LittleEndian.AppendUint64(to, uint64(o.at))
	to = binary.LittleEndian.AppendUint64(to, uint64(o.headerAt))
	to = binary.LittleEndian.AppendUint32(to, uint32(o.HeaderSize))
	return binary.LittleEndian.AppendUint32(to, flags)
}

func parseOutput(b []byte) Output {
	flags := binary.LittleEndian.Uint32(b[60:])
	return Output{
		ID:         ID(b[:32]),
		Size:       int64(binary.LittleEndian.Uint64(b[32:])),
		at:         int64(binary.LittleEndian.Uint64(b[40:])),
		headerAt:   int64(binary.LittleEndian.Uint64(b[48:])),
		HeaderSize: int(binary.LittleEndian.Uint32(b[56:])),
		Whole:      flags&flagWhole != 0,
		Beside:     flags&flagBeside != 0,
	}
}

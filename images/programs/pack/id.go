// Package pack reads and writes packs: one compressed, indexed, immutable file that holds entries of a Go build cache and
// source files of modules. Equal content makes equal packs, whatever order, folder and number of processors it came from.
//
// The content of a pack is one address space, cut into blocks that are compressed on their own (format.go). Within a
// block, columns of the records of Go object files stand together, and what an earlier executable holds is copied from
// there (shape.go): that takes a third off what zstd alone leaves.
package pack

import (
	"encoding/hex"
	"fmt"
)

// ID is the SHA-256 that names an action or an output.
type ID [32]byte

// ParseID reads the 64 small hexadecimal digits of an ID.
func ParseID(text string) (ID, error) {
	var id ID
	if len(text) != hex.EncodedLen(len(id)) {
		return ID{}, fmt.Errorf("%q is no ID: it has not 64 digits", text)
	}
	if _, err := hex.Decode(id[:], []byte(text)); err != nil || id.String() != text {
		return ID{}, fmt.Errorf("%q is no ID: it has other characters than 0-9 and a-f", text)
	}
	return id, nil
}

func (id ID) String() string { return hex.EncodeToString(id[:]) }

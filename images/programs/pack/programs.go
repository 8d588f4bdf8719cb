package pack

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"slices"
	"sort"
	"strings"
)

// Program is a finished program of a pack: by what one is known that was edited, and what its build will read.
type Program struct {
	// Package is the import path of the main package, Sources a digest of its folder's Go files.
	Package string
	Sources ID
	// archives are the first bytes of the IDs of outputs that are linked in, of this pack or of others.
	archives []prefix
}

// prefix is as much of an ID as tells those of an image apart: where it does not, one archive more is unpacked.
type prefix [8]byte

// ProgramList names a finished program in a list: digits are of SHA-256 digests, those of archives the first 16.
type ProgramList struct {
	Package  string   `json:"package"`
	Sources  string   `json:"sources"`
	Archives []string `json:"archives"`
}

func (l ProgramList) program() (Program, error) {
	sources, err := ParseID(l.Sources)
	if err != nil || len(l.Package) == 0 || len(l.Package) > maxPackage {
		return Program{}, fmt.Errorf("programs name %q with sources %q", l.Package, l.Sources)
	}
	p := Program{Package: l.Package, Sources: sources}
	for _, digits := range l.Archives {
		bytes, err := hex.DecodeString(digits)
		if err != nil || len(bytes) != len(prefix{}) {
			return Program{}, fmt.Errorf("program %s reads %q, which is not the first 16 digits of a digest", l.Package, digits)
		}
		p.archives = append(p.archives, prefix(bytes))
	}
	slices.SortFunc(p.archives, comparePrefixes)
	p.archives = slices.Compact(p.archives)
	return p, nil
}

func comparePrefixes(a, b prefix) int { return bytes.Compare(a[:], b[:]) }

// collectPrograms returns the programs of a list, in an order of their own.
func collectPrograms(list List) ([]Program, error) {
	var all []Program
	for _, named := range list.Programs {
		p, err := named.program()
		if err != nil {
			return nil, err
		}
		all = append(all, p)
	}
	slices.SortFunc(all, func(a, b Program) int {
		return cmp.Or(strings.Compare(a.Package, b.Package), compareIDs(a.Sources, b.Sources), slices.CompareFunc(a.archives, b.archives, comparePrefixes))
	})
	return all, nil
}

const maxPackage = 4096

func appendProgram(to []byte, p Program) []byte {
	to = binary.AppendUvarint(to, uint64(len(p.Package)))
	to = append(to, p.Package...)
	to = append(to, p.Sources[:]...)
	to = binary.AppendUvarint(to, uint64(len(p.archives)))
	for _, archive := range p.archives {
		to = append(to, archive[:]...)
	}
	return to
}

func parsePrograms(table []byte) ([]Program, error) {
	var all []Program
	in := &varints{rest: table}
	take := func(n int) []byte {
		if n > len(in.rest) {
			in.failed = true
			return make([]byte, n)
		}
		part := in.rest[:n]
		in.rest = in.rest[n:]
		return part
	}
	for len(in.rest) > 0 && !in.failed {
		p := Program{Package: string(take(in.next(maxPackage)))}
		p.Sources = ID(take(len(ID{})))
		count := in.next(len(in.rest) / len(prefix{}))
		for range count {
			p.archives = append(p.archives, prefix(take(len(prefix{}))))
		}
		all = append(all, p)
	}
	if in.failed {
		return nil, damaged("its programs are cut off")
	}
	return all, nil
}

// Programs returns the programs whose main package has this import path.
func (s Set) Programs(path string) []Program {
	var found []Program
	for _, r := range s {
		for _, p := range r.programs {
			if p.Package == path {
				found = append(found, p)
			}
		}
	}
	return found
}

// Archives returns those outputs of the packs that a build of the program reads.
func (s Set) Archives(p Program) []Output {
	var found []Output
	for _, archive := range p.archives {
		for _, r := range s {
			if o, ok := r.withPrefix(archive); ok {
				found = append(found, o)
				break
			}
		}
	}
	return found
}

func (r *Reader) withPrefix(p prefix) (Output, bool) {
	n := len(r.outputs) / outputRecord
	i := sort.Search(n, func(i int) bool { return bytes.Compare(r.outputs[i*outputRecord:][:len(p)], p[:]) >= 0 })
	if i == n || !bytes.HasPrefix(r.outputs[i*outputRecord:], p[:]) {
		return Output{}, false
	}
	return parseOutput(r.outputs[i*outputRecord:]), true
}

package pack

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"path"
	"path/filepath"
	"slices"
)

// Module is a module whose sources a pack holds.
type Module struct {
	// Name is `path@version`, escaped as in the module cache.
	Name string
	// Indexed: Go's index of the module is among the outputs, so that its packages need not be there to be known.
	Indexed bool
}

// SourceFile is a file of a module, its path relative to the module's root, with slashes.
type SourceFile struct {
	Path string
	Size int64

	at int64
}

// module is Module with what the index says beside it; its files stand from at, one after the other.
type module struct {
	Module
	files  uint32
	at     int64
	digest [32]byte
}

func appendModule(to []byte, m module) []byte {
	flags := uint32(0)
	if m.Indexed {
		flags = flagIndexed
	}
	for _, n := range []uint32{uint32(len(m.Name)), flags, m.files} {
		to = binary.LittleEndian.AppendUint32(to, n)
	}
	to = binary.LittleEndian.AppendUint64(to, uint64(m.at))
	return append(to, m.digest[:]...)
}

func parseModules(table, names []byte) ([]module, error) {
	var all []module
	for ; len(table) > 0; table = table[moduleRecord:] {
		size := int(binary.LittleEndian.Uint32(table))
		if size > len(names) {
			return nil, damaged("its module names are cut off")
		}
		m := module{
			Module: Module{Name: string(names[:size]), Indexed: binary.LittleEndian.Uint32(table[4:])&flagIndexed != 0},
			files:  binary.LittleEndian.Uint32(table[8:]),
			at:     int64(binary.LittleEndian.Uint64(table[12:])),
			digest: [32]byte(table[20:moduleRecord]),
		}
		if !isTreePath(m.Name) || len(all) > 0 && all[len(all)-1].Name >= m.Name {
			return nil, damaged("module %q is not where it belongs", m.Name)
		}
		names = names[size:]
		all = append(all, m)
	}
	if len(names) > 0 {
		return nil, damaged("it has more module names than modules")
	}
	return all, nil
}

// isTreePath tells whether a path with slashes stays in the tree that it is relative to, spelt in the only way.
func isTreePath(name string) bool {
	return name != "." && path.Clean(name) == name && filepath.IsLocal(name) && !bytes.ContainsAny([]byte(name), "\\\x00")
}

// appendFile writes a line of the listing, which is also what a module's digest covers before each content.
func appendFile(to []byte, f SourceFile) []byte {
	to = binary.AppendUvarint(to, uint64(len(f.Path)))
	to = append(to, f.Path...)
	return binary.AppendUvarint(to, uint64(f.Size))
}

// compareFiles sorts files of one directory together: they are read together.
func compareFiles(a, b SourceFile) int {
	if byFolder := bytes.Compare([]byte(path.Dir(a.Path)), []byte(path.Dir(b.Path))); byFolder != 0 {
		return byFolder
	}
	return bytes.Compare([]byte(a.Path), []byte(b.Path))
}

func (r *Reader) parseListing(stored []byte) (map[string][]SourceFile, error) {
	listing, err := decompress(stored, maxListing)
	if err != nil {
		return nil, err
	}
	files := make(map[string][]SourceFile, len(r.modules))
	for _, m := range r.modules {
		at, list := m.at, []SourceFile(nil)
		for range m.files {
			length, n := binary.Uvarint(listing)
			if n <= 0 || length > uint64(len(listing)-n) {
				return nil, damaged("its listing of files is cut off")
			}
			f := SourceFile{Path: string(listing[n : n+int(length)]), at: at}
			listing = listing[n+int(length):]
			size, n := binary.Uvarint(listing)
			if n <= 0 || size > uint64(r.content) || !r.holds(at, int64(size)) || !isTreePath(f.Path) {
				return nil, damaged("file %q of %s is out of range", f.Path, m.Name)
			}
			if f.Size, listing = int64(size), listing[n:]; len(list) > 0 && compareFiles(list[len(list)-1], f) >= 0 {
				return nil, damaged("file %q of %s is not where it belongs", f.Path, m.Name)
			}
			at += f.Size
			list = append(list, f)
		}
		files[m.Name] = list
	}
	if len(listing) > 0 {
		return nil, damaged("its listing has more files than its modules")
	}
	return files, nil
}

// Modules returns the modules whose sources the pack holds, sorted by name.
func (r *Reader) Modules() []Module {
	all := make([]Module, 0, len(r.modules))
	for _, m := range r.modules {
		all = append(all, m.Module)
	}
	return all
}

// ModuleFiles returns all files of a module that the pack holds, those of one directory after the other. None where the
// listing is damaged, which Open has ruled out for every pack but a forged one; Check says so.
func (r *Reader) ModuleFiles(module string) []SourceFile {
	files, err := r.listing()
	if err != nil {
		return nil
	}
	return slices.Clone(files[module])
}

// PackageFiles returns the files that are in one directory of a module; dir "" is the module's root.
func (r *Reader) PackageFiles(module, dir string) []SourceFile {
	if dir == "" {
		dir = "."
	}
	files, err := r.listing()
	if err != nil {
		return nil
	}
	all := files[module]
	first, _ := slices.BinarySearchFunc(all, dir, func(f SourceFile, dir string) int {
		return bytes.Compare([]byte(path.Dir(f.Path)), []byte(dir))
	})
	last := first
	for last < len(all) && path.Dir(all[last].Path) == dir {
		last++
	}
	return slices.Clone(all[first:last])
}

// ReadSource returns the content of a file of a module.
func (r *Reader) ReadSource(module string, f SourceFile) ([]byte, error) {
	content, err := r.readRange(f.at, f.Size)
	if err != nil {
		return nil, fmt.Errorf("%s: %s of %s: %w", r.path, f.Path, module, err)
	}
	return content, nil
}

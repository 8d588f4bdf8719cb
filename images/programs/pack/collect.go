package pack

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"fmt"
	"hash"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// object is an output that goes into a pack.
type object struct {
	Output
	path   string
	kind   objectKind
	folder string
	tables []table
}

type objectKind int

// The kinds stand in a pack in this order, so that what an unchanged program's build reads is in few blocks.
const (
	kindSmall objectKind = iota // read by every build: lists of files, module indexes, archives that are never hollow
	kindArchive
	kindProgram
)

// collectActions reads the entries of actions, sorted by ID.
func collectActions(list List) ([]Action, error) {
	ids := idsOf(list.Entries, kindAction)
	actions := make([]Action, len(ids))
	err := atOnce(len(ids), func(i int) error {
		path := filepath.Join(list.GoBuild, entryName(ids[i], kindAction))
		text, err := readSmall(path, maxEntry)
		if err != nil {
			return err
		}
		if actions[i], err = parseEntry(text, ids[i]); err != nil {
			return fmt.Errorf("%s: %w", path, err)
		}
		return nil
	})
	return actions, err
}

// collectOutputs looks into the files of outputs and checks that their content is what their name says, sorted by ID.
func collectOutputs(list List, actions []Action) ([]*object, error) {
	ids, whole, beside := idsOf(list.Entries, kindOutput), idsOf(list.Whole, kindOutput), idsOf(list.Beside, kindOutput)
	objects := make([]*object, len(ids))
	err := atOnce(len(ids), func(i int) error {
		_, isWhole := slices.BinarySearchFunc(whole, ids[i], compareIDs)
		_, isBeside := slices.BinarySearchFunc(beside, ids[i], compareIDs)
		output := Output{ID: ids[i], Whole: isWhole, Beside: isBeside}
		var err error
		objects[i], err = lookInto(filepath.Join(list.GoBuild, entryName(ids[i], kindOutput)), output)
		return err
	})
	if err != nil {
		return nil, err
	}
	for _, a := range actions {
		i, found := slices.BinarySearchFunc(ids, a.Output, compareIDs)
		if found && objects[i].Size != a.Size {
			return nil, fmt.Errorf("%s has %d bytes, and action %s says %d", objects[i].path, objects[i].Size, a.ID, a.Size)
		}
	}
	return objects, nil
}

func lookInto(path string, output Output) (*object, error) {
	file, size, err := openRegular(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	sum := sha256.New()
	if _, err := io.Copy(sum, file); err != nil {
		return nil, err
	}
	if found := ID(sum.Sum(nil)); found != output.ID {
		return nil, fmt.Errorf("%s is damaged: the SHA-256 of its content is %s", path, found)
	}
	o := &object{Output: output, path: path}
	o.Size = size
	if o.Beside {
		return o, nil
	}
	if a, ok := readArchive(file, size); ok {
		o.kind, o.HeaderSize, o.folder, o.tables = kindArchive, a.header, a.folder, a.tables
	} else if isProgram(file) {
		o.kind = kindProgram
	}
	if o.Whole && size <= archiveBlock {
		o.kind = kindSmall
	}
	return o, nil
}

func isProgram(file io.ReaderAt) bool {
	head := make([]byte, 4)
	_, err := file.ReadAt(head, 0)
	return err == nil && string(head) == "\x7fELF"
}

// sources is a module whose files go into a pack.
type sources struct {
	module
	path string
	list []SourceFile
}

// collectSources reads the files of modules for their sizes and digests, sorted by module and folder.
func collectSources(list List) ([]*sources, error) {
	all := make([]*sources, len(list.Sources))
	err := atOnce(len(list.Sources), func(i int) error {
		l := list.Sources[i]
		s := &sources{path: filepath.Join(list.GoMod, filepath.FromSlash(l.Module))}
		s.module.Module = Module{Name: l.Module, Indexed: l.Indexed}
		for _, name := range l.Files {
			s.list = append(s.list, SourceFile{Path: name})
		}
		slices.SortFunc(s.list, compareFiles)
		s.list = slices.Compact(s.list)
		s.files = uint32(len(s.list))
		all[i] = s
		return s.digestFiles()
	})
	slices.SortFunc(all, func(a, b *sources) int { return strings.Compare(a.Name, b.Name) })
	return all, err
}

func (s *sources) digestFiles() error {
	sum := sha256.New()
	for i := range s.list {
		f := &s.list[i]
		if err := digestFile(sum, filepath.Join(s.path, filepath.FromSlash(f.Path)), f); err != nil {
			return err
		}
	}
	s.digest = [32]byte(sum.Sum(nil))
	return nil
}

func digestFile(sum hash.Hash, path string, f *SourceFile) error {
	file, size, err := openRegular(path)
	if err != nil {
		return err
	}
	defer file.Close()
	f.Size = size
	sum.Write(appendFile(nil, *f))
	if n, err := io.Copy(sum, file); err != nil || n != size {
		return fmt.Errorf("%s changes while it is read: %w", path, cmp.Or(err, io.ErrUnexpectedEOF))
	}
	return nil
}

// idsOf returns the IDs of entries of a kind, sorted, each once. The names have been checked.
func idsOf(names []string, kind byte) []ID {
	var ids []ID
	for _, name := range names {
		if id, k, err := parseEntryName(name); err == nil && k == kind {
			ids = append(ids, id)
		}
	}
	slices.SortFunc(ids, compareIDs)
	return slices.Compact(ids)
}

func compareIDs(a, b ID) int { return bytes.Compare(a[:], b[:]) }

// openRegular opens a file that is no link, folder or device.
func openRegular(path string) (*os.File, int64, error) {
	info, err := os.Lstat(path)
	if err != nil {
		return nil, 0, err
	}
	if !info.Mode().IsRegular() {
		return nil, 0, fmt.Errorf("%s is no regular file", path)
	}
	file, err := os.Open(path)
	return file, info.Size(), err
}

func readSmall(path string, most int64) (string, error) {
	file, size, err := openRegular(path)
	if err != nil {
		return "", err
	}
	defer file.Close()
	if size > most {
		return "", fmt.Errorf("%s has %d bytes: too many for what it should be", path, size)
	}
	text, err := io.ReadAll(file)
	return string(text), err
}

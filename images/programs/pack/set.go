package pack

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
)

// Set is the packs of a directory, sorted by file name. An action may be in one and its output in another.
type Set []*Reader

// OpenSet opens all *.pack files of a directory, which share one cache of blocks; none there is an empty set.
func OpenSet(dir string) (Set, error) {
	files, err := os.ReadDir(dir)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	var set Set
	cache := &blockCache{}
	for _, file := range files {
		if filepath.Ext(file.Name()) != ".pack" {
			continue
		}
		r, err := Open(filepath.Join(dir, file.Name()))
		if err != nil {
			return nil, errors.Join(err, set.Close())
		}
		r.cache = cache
		set = append(set, r)
	}
	return set, nil
}

// Action returns the output of an action from the first pack that has it.
func (s Set) Action(id ID) (output ID, size int64, ok bool) {
	for _, r := range s {
		if output, size, ok = r.Action(id); ok {
			return output, size, true
		}
	}
	return ID{}, 0, false
}

// Output looks an output up, in whichever pack it is.
func (s Set) Output(id ID) (*Reader, Output, bool) {
	for _, r := range s {
		if o, ok := r.Output(id); ok {
			return r, o, true
		}
	}
	return nil, Output{}, false
}

// Close closes all packs.
func (s Set) Close() error {
	var all []error
	for _, r := range s {
		all = append(all, r.Close())
	}
	return errors.Join(all...)
}

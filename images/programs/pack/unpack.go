package pack

import (
	"cmp"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"slices"
)

// Unpack writes the entries of a pack into a build cache, dated FarFuture, and its sources into a module cache. Every
// content is compared with its digest before it gets its name. Nothing is written outside of the two folders, whatever
// names a pack holds and whatever links stand there.
func (r *Reader) Unpack(goBuild, goMod *os.Root) error {
	outputs := r.Outputs()
	slices.SortFunc(outputs, func(a, b Output) int { return cmp.Compare(a.at, b.at) })
	err := atOnce(len(outputs), func(i int) error {
		o := outputs[i]
		return place(goBuild, entryName(o.ID, kindOutput), 0o644, func(w io.Writer) error { return r.copyChecked(o, w) })
	})
	if err != nil {
		return fmt.Errorf("%s: %w", r.path, err)
	}
	// Actions come last: an entry never names an output that is not there yet.
	for _, a := range r.Actions() {
		err := place(goBuild, entryName(a.ID, kindAction), 0o644, func(w io.Writer) error {
			_, err := io.WriteString(w, formatEntry(a))
			return err
		})
		if err != nil {
			return fmt.Errorf("%s: %w", r.path, err)
		}
	}
	err = atOnce(len(r.modules), func(i int) error { return r.unpackModule(r.modules[i], goMod) })
	if err != nil {
		return fmt.Errorf("%s: %w", r.path, err)
	}
	return nil
}

func (r *Reader) unpackModule(m module, goMod *os.Root) error {
	files, err := r.listing()
	if err != nil {
		return err
	}
	sum := sha256.New()
	for _, f := range files[m.Name] {
		sum.Write(appendFile(nil, f))
		err := place(goMod, m.Name+"/"+f.Path, 0o444, func(w io.Writer) error {
			return r.stream(io.MultiWriter(sum, w), f.at, f.Size)
		})
		if err != nil {
			return err
		}
	}
	if [32]byte(sum.Sum(nil)) != m.digest {
		return damaged("the files of %s are not what was written", m.Name)
	}
	return nil
}

// place writes a file below root beside its name first, dates it and puts it there, over what was there before.
func place(root *os.Root, name string, mode fs.FileMode, content func(io.Writer) error) error {
	if err := root.MkdirAll(path.Dir(name), 0o777); err != nil {
		return err
	}
	part := name + ".kiln-part"
	if err := root.Remove(part); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	file, err := root.OpenFile(part, os.O_WRONLY|os.O_CREATE|os.O_EXCL, mode)
	if err != nil {
		return err
	}
	err = errors.Join(content(file), file.Close())
	if err == nil {
		err = root.Chtimes(part, FarFuture, FarFuture)
	}
	if err == nil {
		err = root.Rename(part, name)
	}
	if err != nil {
		err = fmt.Errorf("%s: %w", name, errors.Join(err, root.Remove(part)))
	}
	return err
}

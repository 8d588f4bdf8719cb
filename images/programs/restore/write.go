package restore

import (
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"kiln.dev/programs/pack"
)

const (
	// openFolder lets any user put a package back, and none take another's away.
	openFolder = fs.ModeSticky | 0o777
	// partPrefix begins names of what is being written; the go command looks into no folder whose name begins with a dot.
	partPrefix = ".kiln-restore-"
	// unfinished stands in a folder while files are moved into it one by one.
	unfinished = ".kiln-unfinished"
)

// isPackage: the folder has Go files, and nobody died while putting them there.
func isPackage(folder string) bool {
	f, err := os.Open(folder)
	if err != nil {
		return false
	}
	defer f.Close()
	if _, err := os.Lstat(filepath.Join(folder, unfinished)); err == nil {
		return false
	}
	for {
		names, err := f.Readdirnames(64)
		for _, name := range names {
			if isGo(name) {
				return true
			}
		}
		if err != nil {
			return false
		}
	}
}

// write puts those of the files that are missing below root, those of one folder at once. dir is the package's folder.
// It reports whether any was missing.
func write(module shippedModule, root, dir string, files []pack.SourceFile) (bool, error) {
	byFolder := map[string][]pack.SourceFile{}
	var order []string
	for _, file := range files {
		target := filepath.Join(root, filepath.FromSlash(file.Path))
		if _, err := os.Lstat(target); err == nil {
			continue
		}
		folder := strings.TrimPrefix(path.Dir(file.Path), ".")
		if byFolder[folder] == nil {
			order = append(order, folder)
		}
		byFolder[folder] = append(byFolder[folder], file)
	}
	if len(order) == 0 {
		// Killed after the last file was there: only the mark is left.
		os.Remove(filepath.Join(root, filepath.FromSlash(dir), unfinished))
		return false, nil
	}
	// The package's own folder comes last: with it the package is there.
	if i := slices.Index(order, dir); i >= 0 {
		order = append(slices.Delete(order, i, i+1), dir)
	}
	for _, folder := range order {
		if err := writeFolder(module, root, folder, byFolder[folder]); err != nil {
			return true, err
		}
	}
	return true, nil
}

func writeFolder(module shippedModule, root, dir string, files []pack.SourceFile) error {
	part := filepath.Join(root, partPrefix+strconv.FormatUint(rand.Uint64(), 36))
	if err := makeFolder(part); err != nil {
		return err
	}
	defer os.RemoveAll(part)
	for _, file := range files {
		content, err := module.pack.ReadSource(module.name, file)
		if err != nil {
			return err
		}
		if err := writeFile(filepath.Join(part, path.Base(file.Path)), content); err != nil {
			return err
		}
	}
	folder := filepath.Join(root, filepath.FromSlash(dir))
	if err := makeFolders(root, filepath.Dir(folder)); err != nil {
		return err
	}
	if _, err := os.Lstat(folder); errors.Is(err, fs.ErrNotExist) {
		if os.Rename(part, folder) == nil {
			return nil
		}
		// Somebody else made it in the meantime.
	}
	return moveInto(folder, part, files)
}

// moveInto moves files into a folder that is there. Until the last one is, the folder does not count as a package.
func moveInto(folder, part string, files []pack.SourceFile) error {
	mark := filepath.Join(folder, unfinished)
	if err := writeFile(mark, nil); err != nil {
		return err
	}
	for _, file := range files {
		name := path.Base(file.Path)
		if err := os.Rename(filepath.Join(part, name), filepath.Join(folder, name)); err != nil {
			return err
		}
	}
	if err := os.Remove(mark); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

// makeFolders makes what is missing between root and folder, open to all.
func makeFolders(root, folder string) error {
	inside, err := filepath.Rel(root, folder)
	if err != nil || inside == "." || strings.HasPrefix(inside, "..") {
		return err
	}
	at := root
	for _, name := range strings.Split(inside, string(filepath.Separator)) {
		at = filepath.Join(at, name)
		if err := makeFolder(at); err != nil && !errors.Is(err, fs.ErrExist) {
			return err
		}
	}
	return nil
}

func makeFolder(folder string) error {
	if err := os.Mkdir(folder, 0o777); err != nil {
		return err
	}
	// The umask does not count: other users of the image read and add here.
	return os.Chmod(folder, openFolder)
}

func writeFile(file string, content []byte) error {
	f, err := os.OpenFile(file, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o644)
	if err != nil {
		return fmt.Errorf("%s: %w", filepath.Base(file), err)
	}
	_, err = f.Write(content)
	// By the handle: somebody else at the same package may take its mark away at any moment.
	return errors.Join(err, f.Chmod(0o644), f.Close())
}

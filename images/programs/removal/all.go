// Package removal removes what a script left: it can be of this user, and still be folders that this user may not look into.
package removal

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
)

// All removes a file, or a folder with all that is in it; nothing where there is none. Where the modes of folders forbid that, it
// changes them. No script may run any more.
func All(path string) error {
	err := os.RemoveAll(path)
	if !errors.Is(err, fs.ErrPermission) {
		return err
	}
	_ = filepath.WalkDir(path, func(at string, entry fs.DirEntry, err error) error {
		// A folder is named before it is looked into.
		if err == nil && entry.IsDir() {
			_ = os.Chmod(at, 0o700) // where it cannot be, the second attempt says so
		}
		return nil
	})
	return os.RemoveAll(path)
}

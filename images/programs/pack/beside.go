package pack

import (
	"io"
	"os"
	"path/filepath"
)

// besideFolder is next to the packs, and holds contents of outputs in files that are named by their IDs. Large archives that
// every program links stand there: they need not be unpacked where one was edited, and whoever only looks at their headers
// opens them as they are.
const besideFolder = "objects"

// Beside returns the file of an output that is not in the pack. It has to be a plain one, as large as the output.
func (r *Reader) Beside(o Output) (path string, err error) {
	path = filepath.Join(filepath.Dir(r.path), besideFolder, o.ID.String())
	info, err := os.Lstat(path)
	if err != nil {
		return "", damaged("output %s: %v", o.ID, err)
	}
	if !info.Mode().IsRegular() || info.Size() != o.Size {
		return "", damaged("%s is no file of %d bytes", path, o.Size)
	}
	return path, nil
}

// copyOutput writes the content of an output, wherever it is.
func (r *Reader) copyOutput(o Output, w io.Writer) error {
	if !o.Beside {
		return r.stream(w, o.at, o.Size)
	}
	path, err := r.Beside(o)
	if err != nil {
		return err
	}
	file, err := os.Open(path)
	if err != nil {
		return err
	}
	defer file.Close()
	_, err = io.Copy(w, file)
	return err
}

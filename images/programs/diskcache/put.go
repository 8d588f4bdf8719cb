package diskcache

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"time"
)

// temporary begins the names of files that are being written. The go command neither reads nor removes such names.
const temporary = "kiln-put-"

// Put stores content and the entry that leads to it, and returns the file of the output, also where only the entry could
// not be written. Each appears whole or not at all, whoever else reads, writes or dies: the go command writes in place, a
// rename needs no such care.
func (d Directory) Put(action, output ID, size int64, content io.Reader) (string, error) {
	file := d.file(output, "d")
	if !holds(file, output, size) {
		if err := writeWhole(file, output, size, content); err != nil {
			return "", err
		}
	}
	line := formatEntry(action, output, size, time.Now())
	return file, replace(d.file(action, "a"), func(f *os.File) error {
		_, err := f.Write(line)
		return err
	})
}

// holds reports whether the output is there already: it may be another user's, and so cannot be replaced.
func holds(file string, output ID, size int64) bool {
	info, err := os.Stat(file)
	if err != nil || info.Size() != size || !info.Mode().IsRegular() {
		return false
	}
	f, err := os.Open(file)
	if err != nil {
		return false
	}
	defer f.Close()
	hash := sha256.New()
	_, err = io.Copy(hash, f)
	return err == nil && ID(hash.Sum(nil)) == output
}

func writeWhole(file string, output ID, size int64, content io.Reader) error {
	return replace(file, func(f *os.File) error {
		hash := sha256.New()
		n, err := io.Copy(io.MultiWriter(f, hash), content)
		if err != nil {
			return err
		}
		if n != size || ID(hash.Sum(nil)) != output {
			return fmt.Errorf("content of output %x changed on its way", output)
		}
		return nil
	})
}

// replace writes a file beside the one named and renames it; a folder that is not there is made, as the go command does.
func replace(file string, write func(*os.File) error) error {
	f, err := createBeside(file)
	if errors.Is(err, fs.ErrNotExist) {
		if err = os.MkdirAll(filepath.Dir(file), 0o777); err == nil {
			f, err = createBeside(file)
		}
	}
	if err != nil {
		return err
	}
	err = write(f)
	if closing := f.Close(); err == nil {
		err = closing
	}
	if err == nil {
		err = os.Rename(f.Name(), file)
	}
	if err != nil {
		os.Remove(f.Name())
	}
	return err
}

// createBeside makes a file whose permissions follow the umask, as those of the go command do; os.CreateTemp's do not.
func createBeside(file string) (*os.File, error) {
	name := temporary + strconv.FormatUint(rand.Uint64(), 36)
	return os.OpenFile(filepath.Join(filepath.Dir(file), name), os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o666)
}

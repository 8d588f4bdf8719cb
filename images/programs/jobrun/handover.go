package jobrun

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
)

// handOver copies files of secrets into a folder, where this user alone reads them: what a container that runs before the job's does,
// so that the job's own has no mount of them, and its entrypoint can remove what it has read. It returns the exit code.
func handOver(args []string, stderr io.Writer) int {
	if len(args) < 2 {
		fmt.Fprintf(stderr, "kiln-entrypoint: job hand-over takes files, and the folder that they go to\n\n%s", Usage)
		return 2
	}
	files, folder := args[:len(args)-1], args[len(args)-1]
	for _, file := range files {
		if err := copySecret(file, filepath.Join(folder, filepath.Base(file))); err != nil {
			fmt.Fprintf(stderr, "kiln-entrypoint: hand over %s: %v\n", filepath.Base(file), err)
			return 1
		}
	}
	return 0
}

// copySecret refuses a place where something is already: whoever put it there could read what comes.
func copySecret(from, to string) error {
	source, err := os.Open(from)
	if err != nil {
		return err
	}
	defer source.Close()
	target, err := os.OpenFile(to, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o400)
	if err != nil {
		return err
	}
	if _, err := io.Copy(target, source); err != nil {
		target.Close()
		return err
	}
	return target.Close()
}

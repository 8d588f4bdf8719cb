package jobrun

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"kiln.dev/programs/removal"
)

// outputFolder is held open, with the mode that it began with: a script that owns it can take it away from this process too.
type outputFolder struct {
	opened *os.File
	mode   fs.FileMode
}

// openOutput holds nothing where the folder can be written and not read: nobody needs it.
func openOutput(path string) outputFolder {
	opened, err := os.Open(path)
	if err != nil {
		return outputFolder{}
	}
	info, err := opened.Stat()
	if err != nil {
		opened.Close()
		return outputFolder{}
	}
	return outputFolder{opened, info.Mode()}
}

// restore gives the folder its mode back. Where it is not this user's, the script could not change it either.
func (o outputFolder) restore() {
	if o.opened != nil {
		_ = o.opened.Chmod(o.mode)
		_ = o.opened.Close()
	}
}

// folders are where a script works and leaves things.
type folders struct{ own, work, home, source, artifacts string }

// makeFolders makes them anew below the work folder, or in the temporary one where that cannot be written.
func (j *job) makeFolders() (folders, error) {
	place := j.settings.Work
	made, err := foldersIn(place)
	if err != nil {
		fallback := filepath.Join(os.TempDir(), "kiln-job")
		j.record.Note("%v: the script works in %s", err, fallback)
		if made, err = foldersIn(fallback); err != nil {
			return made, fmt.Errorf("make a folder to work in: %w", err)
		}
	}
	if asked := j.settings.Artifacts; asked != "" {
		made.artifacts = asked
	}
	if err := os.MkdirAll(made.artifacts, 0o755); err != nil {
		return made, fmt.Errorf("ARTIFACTS_DIR: %w", err)
	}
	return made, nil
}

// ownFolder is emptied before a job: its name is one that nobody gives to a folder of theirs.
const ownFolder = ".kiln-job"

func foldersIn(place string) (folders, error) {
	own := filepath.Join(place, ownFolder)
	made := folders{
		own: own, work: filepath.Join(own, "work"), home: filepath.Join(own, "home"), source: filepath.Join(own, "source"),
		artifacts: filepath.Join(place, "artifacts"),
	}
	if err := os.RemoveAll(own); err != nil {
		return made, err
	}
	return made, os.MkdirAll(made.work, 0o755)
}

// reserve is room on the disk of the output that a script cannot fill: the result, and what is said about it, go there.
const (
	reserveName  = ".reserve"
	reserveBytes = 256 << 10
)

// takeReserve fails where not even that much is left.
func takeReserve(output string) error {
	path := filepath.Join(output, reserveName)
	if err := os.RemoveAll(path); err != nil {
		return err
	}
	// Not by truncating: a file without blocks would take no room.
	if err := os.WriteFile(path, make([]byte, reserveBytes), 0o600); err != nil {
		return fmt.Errorf("keep room for the result: %w", err)
	}
	return nil
}

// freeDisk gives the room back, and removes what only the script needed.
func (j *job) freeDisk() {
	places := []string{filepath.Join(j.settings.Output, reserveName)}
	if j.folders.own != "" {
		places = append(places, j.folders.own)
	}
	for _, place := range places {
		if err := removal.All(place); err != nil {
			j.record.Note("%v", err)
		}
	}
}

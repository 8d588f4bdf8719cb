// Package jobartifacts takes what a script left and is worth keeping, within limits and without what leads elsewhere.
package jobartifacts

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"

	"kiln.dev/programs/jobprotocol"
	"kiln.dev/programs/redact"
	"kiln.dev/programs/removal"
)

// Options say what to take, and how much.
type Options struct {
	From, To           string
	Bytes, File, Count int64
	Redactor           *redact.Redactor
	// Kept gets each artifact when it is there.
	Kept func(jobprotocol.Artifact)
}

// mostRefusals is how many are named; more are counted.
const mostRefusals = 100

// entriesAFile bounds how many files, folders and links are looked at, for each one that may be kept.
const entriesAFile = 10

type collection struct {
	Options
	ctx     context.Context
	root    *os.Root
	kept    []jobprotocol.Artifact
	refused []jobprotocol.Refusal
	more    int
	bytes   int64
	entries int64
}

// Collect moves files to their new place, in the order of their names. When ctx ends it stops, and names what is left. Nothing
// else may write to the folders meanwhile. Only a new place that cannot be made is an error.
func Collect(ctx context.Context, o Options) ([]jobprotocol.Artifact, []jobprotocol.Refusal, error) {
	c := &collection{Options: o, ctx: ctx, kept: []jobprotocol.Artifact{}}
	if err := removal.All(o.To); err != nil {
		return c.kept, nil, fmt.Errorf("make room for artifacts: %w", err)
	}
	if err := os.MkdirAll(o.To, 0o755); err != nil {
		return c.kept, nil, fmt.Errorf("make a folder for artifacts: %w", err)
	}
	// The script may have put a link in the place of its folder.
	if info, err := os.Lstat(o.From); err != nil || !info.IsDir() {
		if err == nil || !errors.Is(err, fs.ErrNotExist) {
			c.refuse(".", "the folder of artifacts is no folder any more")
		}
		return c.kept, c.refused, nil
	}
	root, err := os.OpenRoot(o.From)
	if err != nil {
		c.refuse(".", reason(err))
		return c.kept, c.refused, nil
	}
	defer root.Close()
	c.root = root
	_ = fs.WalkDir(root.FS(), ".", c.visit) // visit returns nothing but the wish to stop
	if c.more > 0 {
		c.refused = append(c.refused, jobprotocol.Refusal{Name: "…", Reason: fmt.Sprintf("and %d more", c.more)})
	}
	return c.kept, c.refused, nil
}

func (c *collection) visit(path string, entry fs.DirEntry, err error) error {
	c.entries++
	switch {
	case path == "." && err == nil:
	case c.ctx.Err() != nil:
		c.refuse(path, "no time was left for it, and what follows")
		return fs.SkipAll
	case c.entries > entriesAFile*(c.Count+100):
		c.refuse(path, "there are too many files, folders and links to look at more")
		return fs.SkipAll
	case err != nil:
		c.refuse(path, reason(err))
	case entry.IsDir():
	case entry.Type() == 0 || entry.Type() == fs.ModeSymlink:
		if why := c.take(path, entry); why != "" {
			c.refuse(path, why)
		}
	default:
		c.refuse(path, "it is neither a file nor a folder")
	}
	return nil
}

// take keeps one file, and returns why not where it does not.
func (c *collection) take(path string, entry fs.DirEntry) string {
	if int64(len(c.kept)) >= c.Count {
		return fmt.Sprintf("there are more than KILN_ARTIFACT_COUNT=%d", c.Count)
	}
	info, err := c.root.Stat(path)
	switch {
	case err != nil && entry.Type() == fs.ModeSymlink:
		return "the link leads nowhere, or out of the folder"
	case err != nil:
		return reason(err)
	case !info.Mode().IsRegular():
		return "the link does not lead to a file"
	case info.Size() > c.File:
		return fmt.Sprintf("it has %d bytes, and KILN_ARTIFACT_FILE_BYTES is %d", info.Size(), c.File)
	case c.bytes+info.Size() > c.Bytes:
		return fmt.Sprintf("it has %d bytes, and of KILN_ARTIFACT_BYTES=%d are %d left", info.Size(), c.Bytes, c.Bytes-c.bytes)
	}
	artifact, why := c.read(path, info.Size())
	if why != "" {
		return why
	}
	if err := c.place(path, artifact.Name, entry.Type() == 0 && onlyName(info)); err != nil {
		return reason(err)
	}
	c.bytes += artifact.Bytes
	c.kept = append(c.kept, artifact)
	if c.Kept != nil {
		c.Kept(artifact)
	}
	return ""
}

// place moves a file where it can, and copies it where it is on another file system or has a second name.
func (c *collection) place(path, name string, alone bool) error {
	to := filepath.Join(c.To, name)
	if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
		return err
	}
	if alone && os.Rename(filepath.Join(c.From, path), to) == nil {
		return os.Chmod(to, 0o644)
	}
	from, err := c.root.Open(path)
	if err != nil {
		return err
	}
	defer from.Close()
	return copyFile(from, to, c.File)
}

func (c *collection) refuse(path, why string) {
	if len(c.refused) >= mostRefusals {
		c.more++
		return
	}
	name, _ := storedName(path)
	c.refused = append(c.refused, jobprotocol.Refusal{Name: c.Redactor.String(name), Reason: why})
}

func onlyName(info fs.FileInfo) bool {
	facts, known := info.Sys().(*syscall.Stat_t)
	return known && facts.Nlink == 1
}

// reason is an error without the path that stands beside it.
func reason(err error) string {
	if at := (*fs.PathError)(nil); errors.As(err, &at) {
		return at.Err.Error()
	}
	return err.Error()
}

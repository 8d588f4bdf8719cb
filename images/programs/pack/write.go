package pack

import (
	"bufio"
	"crypto/sha256"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
)

// Summary is what was written.
type Summary struct {
	Bytes        int64 `json:"bytes"`
	Actions      int   `json:"actions"`
	Outputs      int   `json:"outputs"`
	ContentBytes int64 `json:"contentBytes"`
	Sources      int   `json:"sources"`
}

// Write writes the pack of a list to a file, which is there whole or not at all. It fails, naming the file, where an
// output is not what its name says or an action's entry cannot be read.
func Write(list List, path string) (Summary, error) {
	temporary, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+".*.part")
	if err != nil {
		return Summary{}, err
	}
	defer os.Remove(temporary.Name())
	defer temporary.Close()
	summary, err := writeTo(temporary, list)
	if err != nil {
		return Summary{}, err
	}
	if err := temporary.Chmod(0o644); err != nil {
		return Summary{}, err
	}
	if err := temporary.Sync(); err != nil {
		return Summary{}, err
	}
	if err := temporary.Close(); err != nil {
		return Summary{}, err
	}
	if err := os.Rename(temporary.Name(), path); err != nil {
		return Summary{}, err
	}
	return summary, syncFolder(filepath.Dir(path))
}

// syncFolder makes a rename outlast a crash.
func syncFolder(path string) error {
	folder, err := os.Open(path)
	if err != nil {
		return err
	}
	defer folder.Close()
	return folder.Sync()
}

func writeTo(file io.Writer, list List) (Summary, error) {
	if err := list.check(); err != nil {
		return Summary{}, err
	}
	actions, err := collectActions(list)
	if err != nil {
		return Summary{}, err
	}
	objects, err := collectOutputs(list, actions)
	if err != nil {
		return Summary{}, err
	}
	modules, err := collectSources(list)
	if err != nil {
		return Summary{}, err
	}
	finished, err := collectPrograms(list)
	if err != nil {
		return Summary{}, err
	}
	p, base := newPlan(objects, modules)
	programs, err := newRepeats(base, p)
	if err != nil {
		return Summary{}, err
	}
	out := bufio.NewWriterSize(file, 1<<20)
	if _, err := out.WriteString(magic); err != nil {
		return Summary{}, err
	}
	c := newCompressor(out, programs)
	blocks, err := c.run(p)
	if err != nil {
		return Summary{}, err
	}
	tail, err := index(contents{blocks, actions, objects, modules, finished}, c.offset, p.end)
	if err != nil {
		return Summary{}, err
	}
	if _, err := out.Write(tail); err != nil {
		return Summary{}, err
	}
	summary := Summary{Bytes: c.offset + int64(len(tail)), Actions: len(actions), Outputs: len(objects)}
	for _, o := range objects {
		if !o.Beside {
			summary.ContentBytes += o.Size
		}
	}
	for _, m := range modules {
		summary.Sources += len(m.list)
		for _, f := range m.list {
			summary.ContentBytes += f.Size
		}
	}
	return summary, out.Flush()
}

// contents is what the index of a pack says of it.
type contents struct {
	blocks   []block
	actions  []Action
	objects  []*object
	modules  []*sources
	programs []Program
}

// index returns all that stands behind the blocks: the tables and the footer.
func index(c contents, at, end int64) ([]byte, error) {
	var tail, names, listing, programs []byte
	for _, b := range c.blocks {
		tail = appendBlock(tail, b)
	}
	for _, a := range c.actions {
		tail = appendAction(tail, a)
	}
	for _, o := range c.objects {
		tail = appendOutput(tail, o.Output)
	}
	for _, p := range c.programs {
		programs = appendProgram(programs, p)
	}
	for _, m := range c.modules {
		tail = appendModule(tail, m.module)
		names = append(names, m.Name...)
		for _, f := range m.list {
			listing = appendFile(listing, f)
		}
	}
	if len(listing) > maxListing {
		return nil, fmt.Errorf("the paths of %d modules take %d bytes: too many for one pack", len(c.modules), len(listing))
	}
	encoder, err := newEncoder()
	if err != nil {
		return nil, err
	}
	stored := encoder.EncodeAll(listing, nil)
	tail = slices.Concat(tail, names, stored, programs)
	foot := appendFooter(nil, footer{
		index: at, blocks: uint32(len(c.blocks)), actions: uint32(len(c.actions)), outputs: uint32(len(c.objects)),
		mods: uint32(len(c.modules)), content: end, listing: int64(len(stored)), names: uint32(len(names)),
		programs: uint32(len(programs)),
	})
	sum := sha256.New()
	sum.Write(tail)
	sum.Write(foot)
	tail = sum.Sum(append(tail, foot...))
	return append(tail, magic...), nil
}

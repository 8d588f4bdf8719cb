package pack

import (
	"cmp"
	"crypto/sha256"
	"fmt"
	"io"
	"slices"
	"sync"
)

// Check decompresses all of a pack and compares it with the digests. It returns a line for each output and module that
// differs or cannot be read, sorted; none where all is as it was written.
func (r *Reader) Check() []string {
	outputs := r.Outputs()
	slices.SortFunc(outputs, func(a, b Output) int { return cmp.Compare(a.at, b.at) })
	var mutex sync.Mutex
	var differing []string
	note := func(what string, err error) {
		if err != nil {
			mutex.Lock()
			defer mutex.Unlock()
			differing = append(differing, fmt.Sprintf("%s: %s: %v", r.path, what, err))
		}
	}
	_ = atOnce(len(outputs), func(i int) error {
		note("output "+outputs[i].ID.String(), r.checkOutput(outputs[i]))
		return nil
	})
	_ = atOnce(len(r.modules), func(i int) error {
		note("module "+r.modules[i].Name, r.checkModule(r.modules[i]))
		return nil
	})
	if _, err := r.listing(); err != nil {
		note("listing", err)
	}
	slices.Sort(differing)
	return differing
}

func (r *Reader) checkOutput(o Output) error {
	head := newHeader(o.HeaderSize)
	if err := r.copyChecked(o, head); err != nil {
		return err
	}
	header, err := r.readRange(o.headerAt, int64(o.HeaderSize))
	if err == nil && string(header) != string(head.bytes) {
		err = damaged("its header is not the begin of its content")
	}
	return err
}

// copyChecked writes an output to w, in order, and compares its SHA-256 with its ID.
func (r *Reader) copyChecked(o Output, w io.Writer) error {
	sum := sha256.New()
	if err := r.copyOutput(o, io.MultiWriter(sum, w)); err != nil {
		return err
	}
	if found := ID(sum.Sum(nil)); found != o.ID {
		return damaged("the SHA-256 of its content is %s", found)
	}
	return nil
}

func (r *Reader) stream(w io.Writer, at, size int64) error {
	return r.eachPart(at, size, func(part []byte, _ int64) error {
		_, err := w.Write(part)
		return err
	})
}

func (r *Reader) checkModule(m module) error {
	files, err := r.listing()
	if err != nil {
		return err
	}
	sum := sha256.New()
	for _, f := range files[m.Name] {
		sum.Write(appendFile(nil, f))
		if err := r.stream(sum, f.at, f.Size); err != nil {
			return fmt.Errorf("%s: %w", f.Path, err)
		}
	}
	if [32]byte(sum.Sum(nil)) != m.digest {
		return damaged("its files are not what was written")
	}
	return nil
}

// header keeps the first bytes that are written to it.
type header struct {
	bytes []byte
	size  int
}

func newHeader(size int) *header { return &header{size: size} }

func (h *header) Write(b []byte) (int, error) {
	if room := h.size - len(h.bytes); room > 0 {
		h.bytes = append(h.bytes, b[:min(room, len(b))]...)
	}
	return len(b), nil
}

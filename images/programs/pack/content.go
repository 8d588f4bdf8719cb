package pack

import (
	"errors"
	"fmt"
	"io"
	"maps"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
)

// Header returns the first HeaderSize bytes of an output: an archive up to its build ID.
func (r *Reader) Header(o Output) ([]byte, error) {
	header, err := r.readRange(o.headerAt, int64(o.HeaderSize))
	if err != nil {
		return nil, fmt.Errorf("%s: header of output %s: %w", r.path, o.ID, err)
	}
	return header, nil
}

// WriteTo writes the whole content of an output, a large one on as many processors as there are. It is checked by the
// checksums of the blocks; Check compares it with its ID.
func (r *Reader) WriteTo(o Output, w io.WriterAt) error {
	var err error
	if o.Beside {
		err = r.copyOutput(o, io.NewOffsetWriter(w, 0))
	} else {
		err = r.writeBlocks(o, w)
	}
	if err != nil {
		return fmt.Errorf("%s: output %s: %w", r.path, o.ID, err)
	}
	return nil
}

// decoding bounds how many blocks of large outputs are in memory at once.
var decoding = make(chan struct{}, runtime.GOMAXPROCS(0))

func (r *Reader) writeBlocks(o Output, w io.WriterAt) error {
	if !r.holds(o.at, o.Size) {
		return damaged("a content is out of range")
	}
	if o.Size == 0 {
		return nil
	}
	first, last := r.blockAt(o.at), r.blockAt(o.at+o.Size-1)
	if first == last {
		return r.eachPart(o.at, o.Size, func(part []byte, at int64) error {
			_, err := w.WriteAt(part, at)
			return err
		})
	}
	return atOnce(last-first+1, func(i int) error {
		start, end := r.blocks[first+i].start, r.blockEnd(first+i)
		decoding <- struct{}{}
		defer func() { <-decoding }()
		content, done := borrow(int(end - start))
		defer done()
		if _, err := r.decode(first+i, content); err != nil {
			return err
		}
		from, to := max(start, o.at), min(end, o.at+o.Size)
		_, err := w.WriteAt(content[from-start:to-start], from-o.at)
		return err
	})
}

// WriteAll writes many outputs whole, block by block on all processors, each block read once. open is called by several
// goroutines at once, for each output of some size once; what it returns is closed after the content is written.
func (r *Reader) WriteAll(outputs []Output, open func(Output) (WriterAtCloser, error)) error {
	all := make([]*openOutput, len(outputs))
	byBlock := map[int][]*openOutput{}
	for i, o := range outputs {
		if !r.holds(o.at, o.Size) {
			return fmt.Errorf("%s: output %s: %w", r.path, o.ID, damaged("a content is out of range"))
		}
		all[i] = &openOutput{Output: o}
		all[i].open = sync.OnceValues(func() (WriterAtCloser, error) { return open(o) })
		for block := r.blockAt(o.at); o.Size > 0 && block < len(r.blocks) && r.blocks[block].start < o.at+o.Size; block++ {
			byBlock[block] = append(byBlock[block], all[i])
			all[i].missing.Add(1)
		}
	}
	blocks := slices.Sorted(maps.Keys(byBlock))
	err := atOnce(len(blocks), func(i int) error { return r.writeBlock(blocks[i], byBlock[blocks[i]]) })
	for _, o := range all {
		err = errors.Join(err, o.close(err != nil || o.Size == 0))
	}
	return err
}

// openOutput is an output on its way, with how many of its blocks are missing.
type openOutput struct {
	Output
	open    func() (WriterAtCloser, error)
	opened  atomic.Bool
	missing atomic.Int64
}

// writeBlock writes what the outputs have in one block.
func (r *Reader) writeBlock(index int, outputs []*openOutput) error {
	start, end := r.blocks[index].start, r.blockEnd(index)
	content, done := borrow(int(end - start))
	defer done()
	if _, err := r.decode(index, content); err != nil {
		return fmt.Errorf("%s: output %s: %w", r.path, outputs[0].ID, err)
	}
	for _, o := range outputs {
		o.opened.Store(true)
		w, err := o.open()
		if err != nil {
			return err
		}
		from, to := max(start, o.at), min(end, o.at+o.Size)
		if _, err := w.WriteAt(content[from-start:to-start], from-o.at); err != nil {
			return err
		}
		if o.missing.Add(-1) == 0 {
			if err := w.Close(); err != nil {
				return err
			}
		}
	}
	return nil
}

// close ends an output that has no content, or after a failure one that is open.
func (o *openOutput) close(rest bool) error {
	if !rest || o.Size > 0 && (!o.opened.Load() || o.missing.Load() == 0) {
		return nil
	}
	w, err := o.open()
	if err != nil {
		return err
	}
	return w.Close()
}

// WriterAtCloser is what an *os.File is.
type WriterAtCloser interface {
	io.WriterAt
	io.Closer
}

// eachPart calls do with a range of addresses, block by block, in order; at counts from the range's begin.
func (r *Reader) eachPart(from, size int64, do func(part []byte, at int64) error) error {
	if !r.holds(from, size) {
		return damaged("a content is out of range")
	}
	for at := from; at < from+size; {
		b, err := r.block(r.blockAt(at))
		if err != nil {
			return err
		}
		start := r.blocks[b.index].start
		part := b.content[at-start : min(int64(len(b.content)), from+size-start)]
		if err := do(part, at-from); err != nil {
			return err
		}
		at += int64(len(part))
	}
	return nil
}

// readRange returns a range of addresses; it grows with what is really there.
func (r *Reader) readRange(from, size int64) ([]byte, error) {
	var content []byte
	err := r.eachPart(from, size, func(part []byte, _ int64) error {
		content = append(content, part...)
		return nil
	})
	return content, err
}

// atOnce calls do for 0 to n-1 on all processors, and returns the first error; calls begin in order.
func atOnce(n int, do func(i int) error) error { return atOnceOn(runtime.GOMAXPROCS(0), n, do) }

// atOnceOn is atOnce on so many processors.
func atOnceOn(workers, n int, do func(i int) error) error {
	var next atomic.Int64
	var first error
	var once sync.Once
	var group sync.WaitGroup
	for range min(n, workers) {
		group.Go(func() {
			for i := int(next.Add(1)) - 1; i < n; i = int(next.Add(1)) - 1 {
				if err := do(i); err != nil {
					once.Do(func() { first = err })
					next.Store(int64(n))
				}
			}
		})
	}
	group.Wait()
	return first
}

// Stored returns about how many bytes of the pack an output takes: its share of the blocks that it is in, nothing where it
// is beside the pack.
func (r *Reader) Stored(o Output) int64 {
	if o.Beside {
		return 0
	}
	share := int64(0)
	for at := o.at; at < o.at+o.Size; {
		i := r.blockAt(at)
		start, end := r.blocks[i].start, r.blockEnd(i)
		part := min(end, o.at+o.Size) - at
		share += int64(float64(r.blocks[i].stored) * float64(part) / float64(end-start))
		at += part
	}
	return share
}

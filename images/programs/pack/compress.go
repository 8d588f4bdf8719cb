package pack

import (
	"fmt"
	"io"
	"os"
	"runtime"
	"slices"
	"sync"

	"github.com/klauspost/compress/zstd"
)

// maxWorkers bounds memory: each takes about 50 MB.
const maxWorkers = 6

// compressor compresses blocks at once and writes them in order.
type compressor struct {
	out      io.Writer
	programs *repeats
	workers  sync.Pool

	turn   *sync.Cond
	mutex  sync.Mutex
	next   int
	failed bool
	offset int64
	blocks []block
}

func newCompressor(out io.Writer, programs *repeats) *compressor {
	c := &compressor{out: out, programs: programs, offset: int64(len(magic))}
	c.turn = sync.NewCond(&c.mutex)
	return c
}

// newEncoder makes one encoder of the only settings that are in use. Measured on archives of more than 1 MB, 3494 MB,
// without columns: "default" leaves 374 MB after 6 s of CPU, "better" 341 after 9, "best" 320 after 50. Columns, for
// another 3 s, leave 59% of what "better" does.
func newEncoder() (*zstd.Encoder, error) {
	return zstd.NewWriter(nil,
		zstd.WithEncoderLevel(zstd.SpeedBetterCompression), zstd.WithWindowSize(archiveBlock),
		zstd.WithEncoderConcurrency(1), zstd.WithEncoderCRC(true), zstd.WithSingleSegment(true),
		zstd.WithZeroFrames(true))
}

// run compresses all blocks of a plan and returns their records.
func (c *compressor) run(p *plan) ([]block, error) {
	workers := min(maxWorkers, runtime.GOMAXPROCS(0))
	err := atOnceOn(workers, len(p.blocks), func(i int) error {
		w, ok := c.workers.Get().(*worker)
		if !ok {
			w = &worker{}
		}
		defer c.workers.Put(w)
		err := w.compress(p.blocks[i], c.programs)
		b := block{start: p.blocks[i].start, stored: uint32(len(w.frame)), payload: uint32(len(w.payload))}
		return c.write(i, b, w.frame, err)
	})
	return c.blocks, err
}

// worker is what one goroutine compresses with: its buffers serve for one block after the other.
type worker struct {
	encoder                 *zstd.Encoder
	content, payload, frame []byte
}

// compress leaves the payload and the frame of a block in the worker's buffers.
func (w *worker) compress(b plannedBlock, programs *repeats) error {
	w.content = slices.Grow(w.content[:0], int(b.size))[:b.size]
	segments, err := readPieces(w.content, b.pieces)
	if err != nil {
		return err
	}
	if b.repeats {
		segments = programs.find(w.content)
	}
	if w.encoder == nil {
		if w.encoder, err = newEncoder(); err != nil {
			return err
		}
	}
	w.payload = slices.Grow(w.payload[:0], int(b.size)+maxShape/64)
	w.payload = appendStored(appendShape(w.payload, segments), w.content, segments, programs.base, programs.at)
	w.frame = w.encoder.EncodeAll(w.payload, w.frame[:0])
	return nil
}

// write waits until all blocks before this one are written. A block that failed lets nobody write any more.
func (c *compressor) write(i int, b block, frame []byte, err error) error {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	for c.next != i && !c.failed {
		c.turn.Wait()
	}
	defer c.turn.Broadcast()
	if err == nil && !c.failed {
		_, err = c.out.Write(frame)
	}
	if err != nil || c.failed {
		c.failed = true
		return err
	}
	b.offset = c.offset
	c.offset += int64(b.stored)
	c.blocks = append(c.blocks, b)
	c.next++
	return nil
}

// readPieces fills content, and returns where in it the records of tables are.
func readPieces(content []byte, pieces []piece) ([]segment, error) {
	var segments []segment
	at := 0
	for _, p := range pieces {
		if err := readPiece(content[at:at+int(p.length)], p); err != nil {
			return nil, err
		}
		for _, t := range p.tables {
			if s, some := clip(t, p); some {
				s.start += at
				segments = append(segments, s)
			}
		}
		at += int(p.length)
	}
	slices.SortFunc(segments, func(a, b segment) int { return a.start - b.start })
	return segments, nil
}

func readPiece(to []byte, p piece) error {
	file, err := os.Open(p.path)
	if err != nil {
		return err
	}
	defer file.Close()
	if _, err := file.ReadAt(to, p.from); err != nil {
		return fmt.Errorf("%s is not as long as it was: %w", p.path, err)
	}
	return nil
}

// clip returns the whole records of a table that are within a piece, counted from the piece's begin.
func clip(t table, p piece) (segment, bool) {
	size := int64(recordSize(t.fields))
	start, end := t.start, t.start+t.length
	if p.from > start {
		start += (p.from - start + size - 1) / size * size
	}
	if most := p.from + p.length; end > most {
		end = start + max(0, most-start)/size*size
	}
	if end <= start {
		return segment{}, false
	}
	return segment{start: int(start - p.from), length: int(end - start), fields: t.fields}, true
}

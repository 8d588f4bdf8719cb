package pack

import (
	"fmt"
	"slices"
	"sort"
	"sync"

	"github.com/klauspost/compress/zstd"
)

// cachedBytes is how much of the content of blocks that are shared by several outputs a reader, or a set of them, keeps.
const cachedBytes = 64 << 20

// blockCache keeps the blocks that were read last, and reads each once for all who want it at the same time.
type blockCache struct {
	mutex  sync.Mutex
	recent []*cachedBlock // the one used last is at the end
	bytes  int64
}

type blockKey struct {
	reader *Reader
	index  int
}

type cachedBlock struct {
	blockKey
	size    int64
	read    sync.Once
	content []byte
	repeats bool
	err     error
}

// entry returns the place of a block in the cache, and drops those that were used longest ago.
func (c *blockCache) entry(key blockKey, size int64) *cachedBlock {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	at := slices.IndexFunc(c.recent, func(b *cachedBlock) bool { return b.blockKey == key })
	if at >= 0 {
		b := c.recent[at]
		c.recent = append(slices.Delete(c.recent, at, at+1), b)
		return b
	}
	for len(c.recent) > 0 && c.bytes+size > cachedBytes {
		c.bytes -= c.recent[0].size
		c.recent = slices.Delete(c.recent, 0, 1)
	}
	b := &cachedBlock{blockKey: key, size: size}
	c.recent = append(c.recent, b)
	c.bytes += size
	return b
}

// block returns the content of a block through the cache. The caller must not change it.
func (r *Reader) block(index int) (*cachedBlock, error) {
	size := r.blockEnd(index) - r.blocks[index].start
	b := r.cache.entry(blockKey{r, index}, size)
	b.read.Do(func() {
		b.content = make([]byte, size)
		b.repeats, b.err = r.decode(index, b.content)
	})
	return b, b.err
}

// blockAt returns which block holds an address.
func (r *Reader) blockAt(at int64) int {
	return sort.Search(len(r.blocks), func(i int) bool { return r.blockEnd(i) > at })
}

var decoder = sync.OnceValues(func() (*zstd.Decoder, error) {
	return zstd.NewReader(nil, zstd.WithDecoderConcurrency(0), zstd.WithDecodeAllCapLimit(true))
})

// buffers are those that live during a call only: frames and payloads. A block each, so that few sizes are in use.
var buffers = sync.Pool{New: func() any { return new([]byte) }}

// borrow returns a buffer of n bytes, and what gives it back.
func borrow(n int) (buffer []byte, giveBack func()) {
	pooled := buffers.Get().(*[]byte)
	if cap(*pooled) < n {
		*pooled = make([]byte, n)
	}
	return (*pooled)[:n], func() { buffers.Put(pooled) }
}

// decode reads a block into content, which has its exact size; repeats tells whether it repeats parts of other blocks.
func (r *Reader) decode(index int, content []byte) (repeats bool, err error) {
	b := r.blocks[index]
	stored, done := borrow(int(b.stored))
	defer done()
	if _, err := r.file.ReadAt(stored, b.offset); err != nil {
		return false, fmt.Errorf("block %d: %w", index, err)
	}
	payload, done := borrow(int(b.payload))
	defer done()
	zstd, err := decoder()
	if err != nil {
		return false, err
	}
	decoded, err := zstd.DecodeAll(stored, payload[:0:b.payload])
	if err != nil {
		return false, damaged("block %d: %v", index, err)
	}
	if len(decoded) != int(b.payload) {
		return false, damaged("block %d has %d bytes instead of %d", index, len(decoded), b.payload)
	}
	segments, rest, err := parseShape(decoded, len(content))
	if err != nil {
		return false, err
	}
	repeats = slices.ContainsFunc(segments, func(s segment) bool { return s.repeats })
	return repeats, restore(content, rest, segments, func(to []byte, at int64) error { return r.repeat(to, at, b.start) })
}

// repeat reads what a block before the address limit has. Such a block repeats nothing itself, so that this ends.
func (r *Reader) repeat(to []byte, at, limit int64) error {
	if !r.holds(at, int64(len(to))) || at+int64(len(to)) > limit {
		return damaged("a block repeats what does not stand before it")
	}
	for len(to) > 0 {
		b, err := r.block(r.blockAt(at))
		if err != nil {
			return err
		}
		if b.repeats {
			return damaged("a block repeats one that repeats others")
		}
		n := copy(to, b.content[at-r.blocks[b.index].start:])
		to, at = to[n:], at+int64(n)
	}
	return nil
}

// decompress reads a zstd frame that says how large its content is.
func decompress(stored []byte, most uint64) ([]byte, error) {
	var header zstd.Header
	if err := header.Decode(stored); err != nil || !header.HasFCS || header.FrameContentSize > most {
		return nil, damaged("a frame is no zstd frame of a known size")
	}
	zstd, err := decoder()
	if err != nil {
		return nil, err
	}
	content, err := zstd.DecodeAll(stored, make([]byte, 0, header.FrameContentSize))
	if err != nil {
		return nil, damaged("%v", err)
	}
	return content, nil
}

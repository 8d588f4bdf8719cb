package pack

import (
	"bytes"
	"encoding/binary"
	"os"
)

// Programs of one provider are nearly the same packages, linked at other addresses: alone they take 9 MB of 30 each, as
// differences from one of them 1 to 2. Longer windows do not find that, since runs between two addresses are short.
// The idea is bsdiff's (Percival 2003): find where equal bytes begin, go on while most bytes are equal, and store the
// difference of each byte, which is nearly always zero.
const (
	anchor = 32 // equal bytes that a repetition starts from
	// A repetition goes on while at least half of this many bytes are equal.
	window = 64
	// largestBase bounds memory: a larger program is not compared with.
	largestBase = 160 << 20
)

// repeats finds in programs what one program of the pack, the base, has already.
type repeats struct {
	base []byte
	at   int64
	// table has, by hash, where in the base (in anchors, from 1) that many bytes are.
	table []uint32
	shift uint
}

// newRepeats reads the base where there are blocks that may repeat parts of it.
func newRepeats(base *object, p *plan) (*repeats, error) {
	needed := false
	for _, b := range p.blocks {
		needed = needed || b.repeats
	}
	if !needed || base.Size > largestBase {
		return &repeats{}, nil
	}
	content, err := os.ReadFile(base.path)
	if err != nil {
		return nil, err
	}
	return indexRepeats(content, base.at), nil
}

func indexRepeats(base []byte, at int64) *repeats {
	r := &repeats{base: base, at: at, shift: 64 - 10}
	for n := 1 << 10; n < len(base)/anchor*2; n *= 2 {
		r.shift--
	}
	r.table = make([]uint32, 1<<(64-r.shift))
	for i := 0; i+anchor <= len(base); i += anchor {
		// The first of equal anchors stays; one of equal bytes, such as padding, leads nowhere in particular.
		if slot := &r.table[spread(rolling(base[i:]))>>r.shift]; *slot == 0 && !uniform(base[i:i+anchor]) {
			*slot = uint32(i/anchor) + 1
		}
	}
	return r
}

// find returns the parts of content that resemble parts of the base.
func (r *repeats) find(content []byte) []segment {
	if len(r.base) < anchor || len(content) < anchor {
		return nil
	}
	var found []segment
	end, hash := 0, rolling(content)
	for i := 0; ; {
		if s, some := r.match(content, i, end, hash); some {
			found = append(found, s)
			end = s.start + s.length
			if i = end; i+anchor > len(content) {
				return found
			}
			hash = rolling(content[i:])
			continue
		}
		if i+anchor >= len(content) {
			return found
		}
		hash = (hash-uint64(content[i])*outgoing)*multiplier + uint64(content[i+anchor])
		i++
	}
}

// match returns the longest likeness around an anchor at content[i:] that begins at low or later.
func (r *repeats) match(content []byte, i, low int, hash uint64) (segment, bool) {
	slot := r.table[spread(hash)>>r.shift]
	if slot == 0 {
		return segment{}, false
	}
	from := int(slot-1) * anchor
	if !bytes.Equal(content[i:i+anchor], r.base[from:from+anchor]) {
		return segment{}, false
	}
	forth := likeness(len(content)-i, len(r.base)-from, func(k int) bool { return content[i+k] == r.base[from+k] })
	back := likeness(i-low, from, func(k int) bool { return content[i-1-k] == r.base[from-1-k] })
	return segment{start: i - back, length: back + forth, repeats: true, source: r.at + int64(from-back)}, true
}

// likeness returns for how many of at most a (and b) positions it goes on that most are equal, up to the last equal one.
func likeness(a, b int, equal func(int) bool) int {
	var recent uint64 // a bit for each of the last positions: 1 where not equal
	different, last := 0, 0
	for k := range min(a, b) {
		different -= int(recent >> (window - 1))
		recent <<= 1
		if equal(k) {
			last = k + 1
		} else {
			recent |= 1
			if different++; different > window/2 {
				break
			}
		}
	}
	return last
}

const multiplier = 0x9E3779B97F4A7C15

// outgoing is multiplier to the power of anchor-1: what the oldest byte of a rolling hash was multiplied with.
var outgoing = func() uint64 {
	power := uint64(1)
	for range anchor - 1 {
		power *= multiplier
	}
	return power
}()

// rolling is the polynomial hash of the first bytes (Rabin and Karp 1987).
func rolling(b []byte) uint64 {
	hash := uint64(0)
	for _, c := range b[:anchor] {
		hash = hash*multiplier + uint64(c)
	}
	return hash
}

// spread mixes all bits into the high ones.
func spread(hash uint64) uint64 { return (hash ^ hash>>29) * 0xBF58476D1CE4E5B9 }

// uniform tells whether all bytes of an anchor are the same.
func uniform(b []byte) bool {
	first := binary.LittleEndian.Uint64(b)
	return first == binary.LittleEndian.Uint64(b[1:]) && bytes.Equal(b[:len(b)-8], b[8:])
}

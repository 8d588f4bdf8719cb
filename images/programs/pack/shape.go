package pack

import "encoding/binary"

// A block's payload is its shape and the bytes of its content, some of them stored otherwise than they are: records
// column by column, and what resembles something earlier in the pack as the difference of each byte from that. The shape
// says where; a reader needs to know nothing of Go's formats for that.
//
//	shape   = length of what follows, {segment}
//	segment = bytes before it, its length, kind, (number of fields, {field}) | source
//
// All numbers are varints. A source is the (signed) distance from where the repetition before would go on.

// segment is a part of a block's content that is stored in another form.
type segment struct {
	start, length int
	// fields of records that are stored as columns.
	fields []field
	// repeats: stored is the difference from what is at the address source, which ends before the block begins.
	repeats bool
	source  int64
}

const (
	kindColumns = 0
	kindRepeats = 1

	deltaField = 0x80
	maxFields  = 32
)

// appendShape writes the shape of segments that are sorted and do not overlap.
func appendShape(to []byte, segments []segment) []byte {
	var shape []byte
	end, expected := 0, int64(0)
	for _, s := range segments {
		shape = binary.AppendUvarint(shape, uint64(s.start-end))
		shape = binary.AppendUvarint(shape, uint64(s.length))
		expected += int64(s.start - end)
		end = s.start + s.length
		if s.repeats {
			shape = append(shape, kindRepeats)
			shape = binary.AppendVarint(shape, s.source-expected)
			expected = s.source
		} else {
			shape = append(shape, kindColumns, byte(len(s.fields)))
			for _, f := range s.fields {
				b := byte(f.width)
				if f.delta {
					b |= deltaField
				}
				shape = append(shape, b)
			}
		}
		expected += int64(s.length)
	}
	to = binary.AppendUvarint(to, uint64(len(shape)))
	return append(to, shape...)
}

// parseShape reads the shape of a content of size bytes, and returns the stored bytes after it.
func parseShape(payload []byte, size int) (segments []segment, stored []byte, err error) {
	in := &varints{rest: payload}
	length := in.next(min(len(payload), maxShape))
	if in.failed || length > len(in.rest) {
		return nil, nil, damaged("a block's shape is cut off")
	}
	stored = in.rest[length:]
	in.rest = in.rest[:length]
	end, expected := 0, int64(0)
	for len(in.rest) > 0 && !in.failed {
		gap := in.next(size - end)
		s := segment{start: end + gap}
		s.length = in.next(size - s.start)
		expected += int64(gap)
		switch in.byte() {
		case kindRepeats:
			s.repeats = true
			s.source = expected + in.signed()
			expected = s.source
		case kindColumns:
			s.fields = in.fields()
			if width := recordSize(s.fields); width == 0 || s.length%width != 0 {
				in.failed = true
			}
		default:
			in.failed = true
		}
		end = s.start + s.length
		expected += int64(s.length)
		segments = append(segments, s)
	}
	if in.failed {
		return nil, nil, damaged("a block's shape is out of range")
	}
	return segments, stored, nil
}

// restore fills content from the stored bytes; earlier reads what is repeated.
func restore(content, stored []byte, segments []segment, earlier func(to []byte, at int64) error) error {
	end := 0
	take := func(n int) []byte {
		if n > len(stored) {
			return nil
		}
		part := stored[:n:n]
		stored = stored[n:]
		return part
	}
	for _, s := range append(segments, segment{start: len(content)}) {
		part, gap := take(s.start-end), s.start-end
		if len(part) < gap {
			return damaged("a block is shorter than its content")
		}
		copy(content[end:], part)
		end = s.start + s.length
		if s.length == 0 {
			continue
		}
		if part = take(s.length); len(part) < s.length {
			return damaged("a block is shorter than its content")
		}
		if s.repeats {
			if err := earlier(content[s.start:end], s.source); err != nil {
				return err
			}
			for i, d := range part {
				content[s.start+i] += d
			}
			continue
		}
		joinColumns(content[s.start:end], part, s.fields)
	}
	if len(stored) > 0 {
		return damaged("a block is longer than its content")
	}
	return nil
}

// appendStored writes content in the form that its segments say: what restore takes. base has what is repeated, from the
// address baseAt on.
func appendStored(to, content []byte, segments []segment, base []byte, baseAt int64) []byte {
	end := 0
	for _, s := range segments {
		to = append(to, content[end:s.start]...)
		end = s.start + s.length
		at := len(to)
		to = append(to, content[s.start:end]...)
		if s.repeats {
			for i, b := range base[s.source-baseAt:][:s.length] {
				to[at+i] -= b
			}
		} else {
			splitColumns(to[at:], content[s.start:end], s.fields)
		}
	}
	return append(to, content[end:]...)
}

// varints reads numbers and remembers that one was out of range.
type varints struct {
	rest   []byte
	failed bool
}

func (v *varints) next(most int) int {
	n, size := binary.Uvarint(v.rest)
	if size <= 0 || most < 0 || n > uint64(most) {
		v.failed = true
		return 0
	}
	v.rest = v.rest[size:]
	return int(n)
}

func (v *varints) signed() int64 {
	n, size := binary.Varint(v.rest)
	if size <= 0 {
		v.failed = true
		return 0
	}
	v.rest = v.rest[size:]
	return n
}

func (v *varints) byte() byte {
	if len(v.rest) == 0 {
		v.failed = true
		return 0
	}
	b := v.rest[0]
	v.rest = v.rest[1:]
	return b
}

func (v *varints) fields() []field {
	n := int(v.byte())
	if n == 0 || n > maxFields {
		v.failed = true
		return nil
	}
	fields := make([]field, n)
	for i := range fields {
		b := v.byte()
		fields[i] = field{width: int(b &^ deltaField), delta: b&deltaField != 0}
		switch fields[i].width {
		case 1, 2, 4, 8:
		default:
			v.failed = true
		}
	}
	return fields
}

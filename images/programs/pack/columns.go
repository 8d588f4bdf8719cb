package pack

import "encoding/binary"

// field is a little-endian number of a record: 1, 2, 4 or 8 bytes. Where delta is set, each is stored as its difference
// from the one in the record before.
type field struct {
	width int
	delta bool
}

// tile is how many records are turned at once, so that they stay in the processor's first cache.
const tile = 512

func recordSize(fields []field) int {
	size := 0
	for _, f := range fields {
		size += f.width
	}
	return size
}

// splitColumns writes records byte plane by byte plane: all first bytes, then all second bytes, and so on. Both slices
// have the same length, a multiple of the record's size. The idea is that of columnar files (Parquet's
// BYTE_STREAM_SPLIT): what changes slowly in a table is far apart in its rows.
func splitColumns(planes, records []byte, fields []field) {
	size := recordSize(fields)
	n := len(records) / size
	previous := make([]uint64, len(fields)) // the last value of each field
	for low := 0; low < n; low += tile {
		high, at := min(low+tile, n), 0
		for k, f := range fields {
			last := previous[k]
			for i := low; i < high; i++ {
				v := number(records[i*size+at:], f.width)
				stored := v
				if f.delta {
					stored -= last
				}
				last = v
				for b := range f.width {
					planes[(at+b)*n+i] = byte(stored >> (8 * b))
				}
			}
			previous[k] = last
			at += f.width
		}
	}
}

func number(b []byte, width int) uint64 {
	switch width {
	case 1:
		return uint64(b[0])
	case 2:
		return uint64(binary.LittleEndian.Uint16(b))
	case 4:
		return uint64(binary.LittleEndian.Uint32(b))
	default:
		return binary.LittleEndian.Uint64(b)
	}
}

// joinColumns undoes splitColumns.
func joinColumns(records, planes []byte, fields []field) {
	size := recordSize(fields)
	n := len(records) / size
	previous := make([]uint64, len(fields))
	for low := 0; low < n; low += tile {
		high, at := min(low+tile, n), 0
		for k, f := range fields {
			// Without delta the sum starts anew at every record.
			var keep uint64
			if f.delta {
				keep = ^uint64(0)
			}
			plane := func(b int) []byte { return planes[(at+b)*n+low : (at+b)*n+high] }
			previous[k] = joinField(records[low*size+at:], size, f.width, plane, previous[k], keep)
			at += f.width
		}
	}
}

// joinField writes one field of the records of a tile, size bytes apart, and returns its last value.
func joinField(to []byte, size, width int, plane func(int) []byte, sum, keep uint64) uint64 {
	p0 := plane(0)
	switch width {
	case 1:
		for i := range p0 {
			sum = sum&keep + uint64(p0[i])
			to[i*size] = byte(sum)
		}
	case 2:
		p1 := plane(1)[:len(p0)]
		for i := range p0 {
			sum = sum&keep + (uint64(p0[i]) | uint64(p1[i])<<8)
			binary.LittleEndian.PutUint16(to[i*size:], uint16(sum))
		}
	case 4:
		p1, p2, p3 := plane(1)[:len(p0)], plane(2)[:len(p0)], plane(3)[:len(p0)]
		for i := range p0 {
			v := uint32(p0[i]) | uint32(p1[i])<<8 | uint32(p2[i])<<16 | uint32(p3[i])<<24
			sum = sum&keep + uint64(v)
			binary.LittleEndian.PutUint32(to[i*size:], uint32(sum))
		}
	default:
		p1, p2, p3 := plane(1)[:len(p0)], plane(2)[:len(p0)], plane(3)[:len(p0)]
		p4, p5, p6, p7 := plane(4)[:len(p0)], plane(5)[:len(p0)], plane(6)[:len(p0)], plane(7)[:len(p0)]
		for i := range p0 {
			low := uint64(p0[i]) | uint64(p1[i])<<8 | uint64(p2[i])<<16 | uint64(p3[i])<<24
			high := uint64(p4[i]) | uint64(p5[i])<<8 | uint64(p6[i])<<16 | uint64(p7[i])<<24
			sum = sum&keep + (low | high<<32)
			binary.LittleEndian.PutUint64(to[i*size:], sum)
		}
	}
	return sum
}

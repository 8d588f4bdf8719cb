package joboutput

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"strings"
	"sync"
	"unicode/utf8"

	"kiln.dev/programs/jobprotocol"
	"kiln.dev/programs/redact"
)

const (
	// keptEnd is how much of the end of a stream is kept beyond its limit: errors stand at the end.
	keptEnd = 64 << 10
	// longestText is how much of a line one event has.
	longestText = 16 << 10
)

// Stream takes one of the script's streams.
type Stream struct {
	lock   sync.Mutex
	record *Record
	clean  *redact.Writer
	sink   *sink
	ended  bool
	facts  jobprotocol.Stream
}

func (r *Record) stream(name string, o Options, live io.Writer) (*Stream, error) {
	log, err := create(o.Folder, name+".log")
	if err != nil {
		return nil, err
	}
	s := &sink{record: r, name: name, log: log, live: live, limit: o.Limit}
	return &Stream{record: r, clean: redact.NewWriter(o.Redactor, s), sink: s}, nil
}

func (s *Stream) Write(chunk []byte) (int, error) {
	s.lock.Lock()
	defer s.lock.Unlock()
	s.record.Touch()
	if s.ended {
		return len(chunk), nil
	}
	return s.clean.Write(chunk)
}

func (s *Stream) end() {
	s.lock.Lock()
	defer s.lock.Unlock()
	if s.ended {
		return
	}
	s.ended = true
	_ = s.clean.Close() // the sink takes everything
	s.facts = s.sink.end()
}

// sink gets what is left of a stream without secrets.
type sink struct {
	record *Record
	name   string
	log    *os.File
	live   io.Writer
	limit  int64
	// total is what came, kept what is in the log; rest holds the end of what is beyond the limit.
	total, kept int64
	rest        []byte
	failed      bool
	line        []byte
	// begun is where the line begins in the stream.
	begun int64
}

func (s *sink) Write(chunk []byte) (int, error) {
	head := chunk[:max(0, min(int64(len(chunk)), s.limit-s.total))]
	s.total += int64(len(chunk))
	s.keep(head)
	s.lines(head)
	s.rest = append(s.rest, chunk[len(head):]...)
	if len(s.rest) > 2*keptEnd {
		s.rest = append([]byte(nil), s.rest[len(s.rest)-keptEnd:]...)
	}
	return len(chunk), nil
}

// keep writes to the log and shows it. A log that cannot be written ends, and the job goes on.
func (s *sink) keep(text []byte) {
	if len(text) == 0 {
		return
	}
	_, _ = s.live.Write(text)
	if s.failed {
		return
	}
	n, err := s.log.Write(text)
	s.kept += int64(n)
	if err != nil {
		s.failed = true
		s.record.Note("%s.log ends after %d bytes: %v", s.name, s.kept, err)
	}
}

// lines makes events of whole lines, and of pieces of lines that are long.
func (s *sink) lines(text []byte) {
	for len(text) > 0 {
		end := bytes.IndexByte(text, '\n')
		piece := text
		if end >= 0 {
			piece = text[:end]
		}
		if room := longestText - len(s.line); len(piece) > room {
			s.line = append(s.line, piece[:room]...)
			text = text[room:]
			s.emitPiece()
			continue
		}
		s.line = append(s.line, piece...)
		if end < 0 {
			return
		}
		s.emit(s.line, false, 1)
		s.line, text = s.line[:0], text[end+1:]
	}
}

// emitPiece cuts a long line where no character is cut.
func (s *sink) emitPiece() {
	cut := len(s.line)
	for back := 1; back < utf8.UTFMax && back < cut; back++ {
		if utf8.RuneStart(s.line[cut-back]) {
			if !utf8.FullRune(s.line[cut-back:]) {
				cut -= back
			}
			break
		}
	}
	s.emit(s.line[:cut], true, 0)
	s.line = append(s.line[:0], s.line[cut:]...)
}

func (s *sink) emit(text []byte, open bool, ending int64) {
	event := map[string]any{"kind": "output", "stream": s.name, "offset": s.begun, "bytes": len(text)}
	if open {
		event["open"] = true
	}
	clean := strings.ToValidUTF8(string(text), "\uFFFD")
	clean = strings.ReplaceAll(clean, "\x00", "\uFFFD")
	if len(clean) != len(text) || clean != string(text) {
		event["lossy"] = true
	}
	event["text"] = clean
	s.begun += int64(len(text)) + ending
	s.record.event(event)
}

// end writes the end of what was too long, and the last line where nothing ended it.
func (s *sink) end() jobprotocol.Stream {
	facts := jobprotocol.Stream{Bytes: s.total}
	if len(s.line) > 0 {
		s.emit(s.line, true, 0)
		s.line = nil
	}
	if len(s.rest) > 0 {
		rest := s.rest[max(0, len(s.rest)-keptEnd):]
		from := s.total - int64(len(rest))
		if gap := from - s.limit; gap > 0 {
			mark := fmt.Sprintf("\n[kiln: %d bytes are left out here]\n", gap)
			before := s.kept
			s.keep([]byte(mark))
			s.kept = before
			s.record.Note("%s is longer than KILN_OUTPUT_BYTES: %d bytes in the middle are not kept", s.name, gap)
			facts.Truncated = true
		}
		s.begun = from
		s.keep(rest)
		s.lines(rest)
		if len(s.line) > 0 {
			s.emit(s.line, true, 0)
		}
	}
	facts.Kept, facts.Truncated = s.kept, facts.Truncated || s.failed
	if err := restore(s.log); err != nil {
		s.record.Note("%s.log was moved away by the script: %v", s.name, err)
	}
	_ = s.log.Close() // what could not be written was said when it was
	return facts
}

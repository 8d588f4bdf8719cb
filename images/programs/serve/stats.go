package serve

import (
	"bytes"
	"encoding/json"
	"io"
	"os"
	"sync"
	"time"
)

// source says where a hit was found, cause why an action was not.
type source int

const (
	inPack source = iota
	inOwn
)

type cause int

const (
	notShipped cause = iota
	ownDamaged
	packDamaged
)

// stats counts what one go command asked for.
type stats struct {
	begun time.Time

	mutex   sync.Mutex
	hits    [2]int
	silence int
	causes  [3]int
	puts    [3]int
	missing map[ID]struct{} // misses that nothing was put for yet
	damage  error           // of the first pack entry that could not be read
}

func newStats() *stats { return &stats{begun: time.Now(), missing: map[ID]struct{}{}} }

func (s *stats) hit(from source) {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	s.hits[from]++
}

func (s *stats) silent() {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	s.silence++
}

func (s *stats) miss(action ID, why cause) {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	s.causes[why]++
	s.missing[action] = struct{}{}
}

func (s *stats) damaged(err error) {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	if s.damage == nil {
		s.damage = err
	}
}

func (s *stats) firstDamage() error {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	return s.damage
}

func (s *stats) put(action ID, beginning []byte) {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	s.puts[kindOf(beginning)]++
	delete(s.missing, action)
}

// Kinds of what the go command puts.
const (
	compiled = iota
	indexed
	other
)

func kindOf(beginning []byte) int {
	switch {
	case bytes.HasPrefix(beginning, []byte("!<arch>\n")):
		return compiled
	case bytes.HasPrefix(beginning, []byte("go index ")):
		return indexed
	default:
		return other
	}
}

// beginningReader remembers how content began.
type beginningReader struct {
	from  io.Reader
	bytes []byte
}

func (b *beginningReader) Read(p []byte) (int, error) {
	n, err := b.from.Read(p)
	if b.bytes == nil && n > 0 {
		b.bytes = bytes.Clone(p[:min(n, 16)])
	}
	return n, err
}

type hitCounts struct {
	Pack int `json:"pack"`
	Own  int `json:"own"`
}

type putCounts struct {
	Compile int `json:"compile"`
	Index   int `json:"index"`
	Other   int `json:"other"`
}

type causeCounts struct {
	NotShipped  int `json:"notShipped"`
	OwnDamaged  int `json:"ownDamaged"`
	PackDamaged int `json:"packDamaged"`
}

// summary is one line of the file that KILN_GOCACHE_STATS names.
type summary struct {
	Command string      `json:"command"`
	Hits    hitCounts   `json:"hits"`
	Misses  int         `json:"misses"`
	Causes  causeCounts `json:"causes"`
	Puts    putCounts   `json:"puts"`
	// Silent counts texts of compiler and linker that there are none of: neither a hit nor a miss.
	Silent int `json:"silent"`
	// Linked is an estimate: the go command puts no programs, so they are among the misses that nothing was put for.
	Linked       int      `json:"linked"`
	Hollow       int64    `json:"hollow"`
	Filled       int64    `json:"filled"`
	Foreseen     int      `json:"foreseen"`
	ScratchBytes int64    `json:"scratchBytes"`
	Restored     []string `json:"restored"`
	Seconds      float64  `json:"seconds"`
}

func (s *stats) summary() summary {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	return summary{
		Hits:    hitCounts{Pack: s.hits[inPack], Own: s.hits[inOwn]},
		Misses:  s.causes[notShipped] + s.causes[ownDamaged] + s.causes[packDamaged],
		Causes:  causeCounts{s.causes[notShipped], s.causes[ownDamaged], s.causes[packDamaged]},
		Puts:    putCounts{s.puts[compiled], s.puts[indexed], s.puts[other]},
		Silent:  s.silence,
		Linked:  len(s.missing),
		Seconds: time.Since(s.begun).Seconds(),
	}
}

// append adds the line in one write, so that lines of commands that end at once do not mix.
func (s summary) append(file string) error {
	line, err := json.Marshal(s)
	if err != nil {
		return err
	}
	f, err := os.OpenFile(file, os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o666)
	if err != nil {
		return err
	}
	_, err = f.Write(append(line, '\n'))
	if closing := f.Close(); err == nil {
		err = closing
	}
	return err
}

package redact

import (
	"slices"
	"strings"
	"sync"
)

// Redactor replaces all secrets that it knows. It can learn more while it is in use, from several goroutines.
type Redactor struct {
	lock sync.RWMutex
	// byStart holds patterns by their first bytes, longest first: a longer secret wins over one that it begins with.
	byStart map[[leastValue]byte][]string
	// starts holds all beginnings of patterns that are shorter than that.
	starts map[string]bool
	known  map[string]bool
	// longest is the length of the longest pattern.
	longest int
}

// New returns a redactor of some values.
func New(values ...string) *Redactor {
	r := &Redactor{byStart: map[[leastValue]byte][]string{}, starts: map[string]bool{}, known: map[string]bool{}}
	r.Add(values...)
	return r
}

// Add makes values secret. Values of less than four bytes are not replaced.
func (r *Redactor) Add(values ...string) {
	r.lock.Lock()
	defer r.lock.Unlock()
	for _, value := range values {
		if r.known[value] {
			continue
		}
		r.known[value] = true
		for _, pattern := range patternsOf(value) {
			r.addPattern(pattern)
		}
	}
}

func (r *Redactor) addPattern(pattern string) {
	if len(pattern) < leastValue {
		return
	}
	start := [leastValue]byte([]byte(pattern[:leastValue]))
	list := r.byStart[start]
	if slices.Contains(list, pattern) {
		return
	}
	list = append(slices.Clone(list), pattern)
	slices.SortFunc(list, func(a, b string) int { return len(b) - len(a) })
	r.byStart[start] = list
	r.longest = max(r.longest, len(pattern))
	for n := 1; n < leastValue; n++ {
		r.starts[pattern[:n]] = true
	}
}

// String returns text without secrets.
func (r *Redactor) String(text string) string {
	r.lock.RLock()
	defer r.lock.RUnlock()
	out, _ := r.scan(text, true)
	return out
}

// Contains: there is a secret in text.
func (r *Redactor) Contains(text string) bool { return r.String(text) != text }

// scan replaces secrets, those that share a character as one. Unless text is the end of a stream, it leaves as rest what may be
// the beginning of a secret, and the secret that such a beginning stands in.
func (r *Redactor) scan(text string, end bool) (out, rest string) {
	limit := len(text)
	if !end {
		limit = r.decided(text)
	}
	var clean strings.Builder
	written := 0
	from, to := 0, 0 // the secret that was found last, and is not written yet
	write := func() {
		if to > from {
			clean.WriteString(text[written:from])
			clean.WriteString(Mark)
			written = to
		}
	}
	for i := range len(text) {
		length := r.match(text[i:])
		switch {
		case length == 0:
		case i < to:
			to = max(to, i+length)
		case i >= limit: // nothing after it is written
		default:
			write()
			from, to = i, i+length
		}
	}
	if to > limit {
		limit = from
	} else {
		write()
	}
	clean.WriteString(text[written:limit])
	return clean.String(), text[limit:]
}

// match returns the length of the longest secret that text begins with, or 0.
func (r *Redactor) match(text string) int {
	if len(text) < leastValue {
		return 0
	}
	for _, pattern := range r.byStart[[leastValue]byte([]byte(text[:leastValue]))] {
		if strings.HasPrefix(text, pattern) {
			return len(pattern)
		}
	}
	return 0
}

// decided is where the longest end of text begins that more text could make a secret of.
func (r *Redactor) decided(text string) int {
	for i := max(0, len(text)-r.longest+1); i < len(text); i++ {
		if r.begins(text[i:]) {
			return i
		}
	}
	return len(text)
}

// begins: text is the beginning of a longer secret.
func (r *Redactor) begins(text string) bool {
	if len(text) < leastValue {
		return r.starts[text]
	}
	for _, pattern := range r.byStart[[leastValue]byte([]byte(text[:leastValue]))] {
		if len(pattern) > len(text) && strings.HasPrefix(pattern, text) {
			return true
		}
	}
	return false
}

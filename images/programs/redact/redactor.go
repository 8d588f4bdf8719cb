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

// scan replaces secrets. Unless text is the end of a stream, it leaves as rest what may be the beginning of a secret.
func (r *Redactor) scan(text string, end bool) (out, rest string) {
	var clean strings.Builder
	from := 0
	for i := 0; i < len(text); {
		length, undecided := r.match(text[i:], end)
		if undecided {
			clean.WriteString(text[from:i])
			return clean.String(), text[i:]
		}
		if length == 0 {
			i++
			continue
		}
		clean.WriteString(text[from:i])
		clean.WriteString(Mark)
		i += length
		from = i
	}
	clean.WriteString(text[from:])
	return clean.String(), ""
}

// match returns the length of the longest secret that text begins with; undecided where more text could make it longer.
func (r *Redactor) match(text string, end bool) (length int, undecided bool) {
	if len(text) < leastValue {
		return 0, !end && r.starts[text]
	}
	for _, pattern := range r.byStart[[leastValue]byte([]byte(text[:leastValue]))] {
		if strings.HasPrefix(text, pattern) {
			return len(pattern), false
		}
		if !end && strings.HasPrefix(pattern, text) {
			return 0, true
		}
	}
	return 0, false
}

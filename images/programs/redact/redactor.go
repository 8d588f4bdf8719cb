package redact

import (
	"maps"
	"slices"
	"strings"
	"sync"
)

// Redactor replaces all secrets that it knows. It can learn more while it is in use, from several goroutines.
type Redactor struct {
	// adding is held by who learns, which takes its time where values are many, and lock while what was learned is put in: who
	// redacts waits for that alone.
	adding sync.Mutex
	known  map[string]bool
	lock   sync.RWMutex
	// byStart holds patterns by their first bytes.
	byStart map[start]family
	// starts holds all beginnings of patterns that are shorter than that.
	starts map[string]bool
	// longest is the length of the longest pattern.
	longest int
}

// start is what a pattern begins with.
type start [leastValue]byte

// New returns a redactor of some values.
func New(values ...string) *Redactor {
	r := &Redactor{byStart: map[start]family{}, starts: map[string]bool{}, known: map[string]bool{}}
	r.Add(values...)
	return r
}

// Add makes values secret, many at once in a time that grows as they do. Values of less than four bytes are not replaced.
func (r *Redactor) Add(values ...string) {
	r.adding.Lock()
	defer r.adding.Unlock()
	added, longest := r.patternsBeside(values)
	families := make(map[start]family, len(added))
	for first, patterns := range added {
		// Only who holds adding changes what is read here.
		families[first] = familyOf(append(patterns, r.byStart[first].patterns...))
	}
	r.lock.Lock()
	defer r.lock.Unlock()
	maps.Copy(r.byStart, families)
	r.longest = max(r.longest, longest)
	for first := range families {
		for n := 1; n < leastValue; n++ {
			r.starts[string(first[:n])] = true
		}
	}
}

// patternsBeside lists the patterns of values that are not known yet, by what they begin with, and how long the longest is.
func (r *Redactor) patternsBeside(values []string) (added map[start][]string, longest int) {
	added = map[start][]string{}
	for _, value := range values {
		if r.known[value] {
			continue
		}
		r.known[value] = true
		// Most encodings leave most values as they are.
		patterns := patternsOf(value)
		slices.Sort(patterns)
		for _, pattern := range slices.Compact(patterns) {
			if len(pattern) < leastValue {
				continue
			}
			first := start([]byte(pattern[:leastValue]))
			added[first] = append(added[first], pattern)
			longest = max(longest, len(pattern))
		}
	}
	return added, longest
}

// String returns text without secrets.
func (r *Redactor) String(text string) string {
	r.lock.RLock()
	defer r.lock.RUnlock()
	out, _, _ := r.scan(text, 0, true)
	return out
}

// Contains: there is a secret in text.
func (r *Redactor) Contains(text string) bool { return r.String(text) != text }

// scan replaces secrets, those that share a character as one. Unless text is the end of a stream, it leaves as rest what may be
// the beginning of a secret, and the secret that such a beginning stands in. Run is how many characters of base64 stand before
// the text, and restRun before the rest.
func (r *Redactor) scan(text string, run int, end bool) (out, rest string, restRun int) {
	limit := len(text)
	if !end {
		limit = r.decided(text)
	}
	found := r.find(text)
	whole := slices.Clone(found)
	if flat := unfold(text, run); len(flat.folds) > 0 {
		for _, secret := range r.find(flat.text) {
			if parts := flat.parts(secret); len(parts) > 1 {
				found = append(found, parts...)
				whole = append(whole, span{parts[0].from, parts[len(parts)-1].to})
			}
		}
		found, whole = joined(found), joined(whole)
		if !end {
			limit = min(limit, flat.place(r.decided(flat.text)))
		}
	}
	for _, secret := range slices.Backward(whole) {
		if secret.from < limit && secret.to > limit {
			limit = secret.from
		}
	}
	var clean strings.Builder
	written := 0
	for _, secret := range found {
		if secret.to > limit {
			break
		}
		clean.WriteString(text[written:secret.from])
		clean.WriteString(Mark)
		written = secret.to
	}
	clean.WriteString(text[written:limit])
	return clean.String(), text[limit:], runBefore(text, limit, run)
}

// find lists the secrets in a text, those that share a character as one.
func (r *Redactor) find(text string) []span {
	var found []span
	for i := range len(text) {
		length := r.match(text[i:])
		if length == 0 {
			continue
		}
		if last := len(found) - 1; last >= 0 && i < found[last].to {
			found[last].to = max(found[last].to, i+length)
		} else {
			found = append(found, span{i, i + length})
		}
	}
	return found
}

// match returns the length of the longest secret that text begins with, or 0.
func (r *Redactor) match(text string) int {
	if len(text) < leastValue {
		return 0
	}
	return r.byStart[start([]byte(text[:leastValue]))].match(text)
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
	return r.byStart[start([]byte(text[:leastValue]))].begins(text)
}

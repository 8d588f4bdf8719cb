package redact

import (
	"slices"
	"strings"
)

// family are the patterns that begin with the same bytes, in their order as texts: what a text has of them is found by halving,
// however many there are.
type family struct {
	patterns []string
	// within is for each the place of the longest other one that it begins with, or -1.
	within []int32
}

// familyOf takes the list over.
func familyOf(patterns []string) family {
	slices.Sort(patterns)
	patterns = slices.Compact(patterns)
	within := make([]int32, len(patterns))
	for i, pattern := range patterns {
		// What it begins with stands before it: that is the one before, or one that the one before begins with too.
		place := int32(i - 1)
		for place >= 0 && !strings.HasPrefix(pattern, patterns[place]) {
			place = within[place]
		}
		within[i] = place
	}
	return family{patterns, within}
}

// match returns the length of the longest pattern that text begins with, or 0.
func (f family) match(text string) int {
	next, same := slices.BinarySearch(f.patterns, text)
	if same {
		return len(text)
	}
	// All that text begins with are what the one before it begins with, or that one itself.
	place := int32(next - 1)
	if place < 0 {
		return 0
	}
	for common := commonStart(text, f.patterns[place]); place >= 0; place = f.within[place] {
		if length := len(f.patterns[place]); length <= common {
			return length
		}
	}
	return 0
}

// begins: text is the beginning of a longer pattern.
func (f family) begins(text string) bool {
	next, same := slices.BinarySearch(f.patterns, text)
	if same {
		next++
	}
	return next < len(f.patterns) && strings.HasPrefix(f.patterns[next], text)
}

func commonStart(a, b string) int {
	n := 0
	for n < len(a) && n < len(b) && a[n] == b[n] {
		n++
	}
	return n
}

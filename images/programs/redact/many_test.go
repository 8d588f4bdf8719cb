package redact

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"
)

// within fails where work takes longer: what grows with the square of its input would take minutes.
func within(t *testing.T, limit time.Duration, work func()) {
	t.Helper()
	done := make(chan struct{})
	go func() { defer close(done); work() }()
	select {
	case <-done:
	case <-time.After(limit):
		t.Fatalf("it takes longer than %v", limit)
	}
}

// TestManyAlike: tens of thousands of secrets that begin alike are learned, and found, in seconds.
func TestManyAlike(t *testing.T) {
	values := make([]string, 60000)
	for i := range values {
		values[i] = fmt.Sprintf("pass-%08d", i)
	}
	r := New()
	within(t, 3*time.Minute, func() { r.Add(values...) })
	within(t, time.Minute, func() {
		if got := r.String(strings.Join(values, " ")); strings.Trim(got, Mark+" ") != "" {
			t.Errorf("%.200q", got)
		}
		if text := strings.Repeat("pass-x ", 60000); r.String(text) != text {
			t.Error("what is no secret is replaced")
		}
	})
}

// TestLearningHoldsNobodyUp: who redacts does not wait for who learns many.
func TestLearningHoldsNobodyUp(t *testing.T) {
	r := New("secret")
	r.adding.Lock() // as it is held for as long as patterns are made and sorted
	defer r.adding.Unlock()
	within(t, time.Minute, func() {
		if got := r.String("a secret"); got != "a "+Mark {
			t.Error(got)
		}
	})
}

// TestFamily compares with looking at every pattern.
func TestFamily(t *testing.T) {
	random := rand.New(rand.NewPCG(3, 4))
	texts := func(count, longest int) []string {
		list := make([]string, count)
		for i := range list {
			text := make([]byte, 1+random.IntN(longest))
			for at := range text {
				text[at] = 'a' + byte(random.IntN(2))
			}
			list[i] = string(text)
		}
		return list
	}
	for range 300 {
		patterns := texts(1+random.IntN(30), 8)
		f := familyOf(slices.Clone(patterns))
		for _, text := range texts(50, 10) {
			longest, begins := 0, false
			for _, pattern := range patterns {
				if strings.HasPrefix(text, pattern) {
					longest = max(longest, len(pattern))
				}
				begins = begins || len(pattern) > len(text) && strings.HasPrefix(pattern, text)
			}
			if f.match(text) != longest || f.begins(text) != begins {
				t.Fatalf("%q in %q: %d %v; wanted %d %v", text, patterns, f.match(text), f.begins(text), longest, begins)
			}
		}
	}
}

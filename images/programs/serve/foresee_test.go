package serve

import (
	"os"
	"path/filepath"
	"testing"
)

func TestWhatAnEditedProgramReadsIsForeseen(t *testing.T) {
	for what, c := range map[string]struct {
		file, text string
		foreseen   bool
	}{
		"nothing edited": {},
		"main edited":    {"main.go", "\nvar edited = 1\n", true},
		"a test edited":  {"main_test.go", "package main\n", false},
		"a file added":   {"more.go", "package main\n\nvar more = 1\n", true},
		// The build is as correct; only that it begins to unpack later.
		"another package edited": {"a/a.go", "\nvar edited = 1\n", false},
	} {
		t.Run(what, func(t *testing.T) {
			p := newPacked(t)
			if c.file != "" {
				before, _ := os.ReadFile(filepath.Join(p.folder, c.file)) // none where the file is new
				if err := writeSource(p.folder, c.file, string(before)+c.text); err != nil {
					t.Fatal(err)
				}
			}
			want := buildReference(t, goCommand{folder: p.folder, cache: p.fixture.loose})
			got, found := p.build(t)
			if string(got) != string(want) {
				t.Errorf("built %d other bytes", len(got))
			}
			if (found.Foreseen > 0) != c.foreseen || found.Foreseen > 0 && found.Filled == 0 {
				t.Errorf("figures: %+v", found)
			}
		})
	}
}

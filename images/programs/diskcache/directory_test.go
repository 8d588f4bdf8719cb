package diskcache

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

func put(t *testing.T, d Directory, action ID, content string) ID {
	t.Helper()
	output := sha256.Sum256([]byte(content))
	file, err := d.Put(action, output, int64(len(content)), strings.NewReader(content))
	if err != nil {
		t.Fatal(err)
	}
	if got, err := os.ReadFile(file); err != nil || string(got) != content {
		t.Fatalf("%s holds %q, %v", file, got, err)
	}
	return output
}

func TestWhatIsPutIsFound(t *testing.T) {
	d := Directory(t.TempDir())
	for i, content := range []string{"", "one", "two", strings.Repeat("large", 100_000)} {
		action := ID{byte(i)}
		output := put(t, d, action, content)
		entry, err := d.Get(action)
		if err != nil || entry.Output != output || entry.Size != int64(len(content)) || entry.File != d.file(output, "d") {
			t.Errorf("content of %d bytes: %+v, %v", len(content), entry, err)
		}
		if age := time.Since(entry.Time); age < 0 || age > time.Minute {
			t.Errorf("entry is %v old", age)
		}
	}
	if _, err := d.Get(ID{99}); !errors.Is(err, ErrMissing) {
		t.Errorf("nothing put: %v", err)
	}
	left, _ := filepath.Glob(filepath.Join(string(d), "*", temporary+"*"))
	if len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
}

func TestContentThatChangedOnItsWayIsNotKept(t *testing.T) {
	d := Directory(t.TempDir())
	output := sha256.Sum256([]byte("right"))
	for _, wrong := range []string{"wrong", "righ", "right and more"} {
		if _, err := d.Put(ID{1}, output, 5, strings.NewReader(wrong)); err == nil {
			t.Errorf("%q was taken for %q", wrong, "right")
		}
	}
	if _, err := d.Get(ID{1}); !errors.Is(err, ErrMissing) {
		t.Errorf("get: %v", err)
	}
}

func TestDamageTheGoCommandWouldSee(t *testing.T) {
	action, output := ID{1}, sha256.Sum256([]byte("content"))
	right := string(formatEntry(action, output, 7, time.Unix(1, 0)))
	for name, entry := range map[string]string{
		"empty":              "",
		"cut off":            right[:100],
		"too long":           right + "\n",
		"another version":    strings.Replace(right, "v1", "v2", 1),
		"another action":     string(formatEntry(ID{2}, output, 7, time.Unix(1, 0))),
		"no hexadecimal":     strings.Replace(right, fmt.Sprintf("%x", output), strings.Repeat("g", 64), 1),
		"another size":       string(formatEntry(action, output, 8, time.Unix(1, 0))),
		"a negative size":    string(formatEntry(action, output, -7, time.Unix(1, 0))),
		"a size of letters":  strings.Replace(right, "                   7 ", "               seven ", 1),
		"a negative time":    string(formatEntry(action, output, 7, time.Unix(-1, 0))),
		"no space":           strings.Replace(right, "v1 ", "v1_", 1),
		"no end of the line": strings.Replace(right, "\n", " ", 1),
		"an output not here": string(formatEntry(action, ID{3}, 7, time.Unix(1, 0))),
	} {
		t.Run(name, func(t *testing.T) {
			d := Directory(t.TempDir())
			put(t, d, action, "content")
			if err := os.WriteFile(d.file(action, "a"), []byte(entry), 0o666); err != nil {
				t.Fatal(err)
			}
			if entry, err := d.Get(action); !errors.Is(err, ErrDamaged) {
				t.Errorf("found %+v, %v", entry, err)
			}
		})
	}
}

func TestProgramsThatGoRunKept(t *testing.T) {
	d := Directory(t.TempDir())
	action := ID{1}
	output := put(t, d, action, "program")
	folder := d.file(output, "d")
	os.Remove(folder)
	os.Mkdir(folder, 0o777)
	if entry, err := d.Get(action); !errors.Is(err, ErrDamaged) {
		t.Errorf("an empty folder: %+v, %v", entry, err)
	}
	program := filepath.Join(folder, "name")
	os.WriteFile(program, []byte("program"), 0o777)
	if entry, err := d.Get(action); err != nil || entry.File != program {
		t.Errorf("one program: %+v, %v", entry, err)
	}
	os.WriteFile(filepath.Join(folder, "other"), nil, 0o777)
	if entry, err := d.Get(action); !errors.Is(err, ErrDamaged) {
		t.Errorf("two programs: %+v, %v", entry, err)
	}
}

func TestManyWritersOfTheSame(t *testing.T) {
	d := Directory(t.TempDir())
	content := bytes.Repeat([]byte("x"), 200_000)
	output := sha256.Sum256(content)
	var group sync.WaitGroup
	for range 8 {
		group.Go(func() {
			for range 20 {
				if _, err := d.Put(ID{1}, output, int64(len(content)), bytes.NewReader(content)); err != nil {
					t.Error(err)
				}
				if entry, err := d.Get(ID{1}); err != nil || entry.Output != output {
					t.Errorf("a reader found %+v, %v", entry, err)
				}
			}
		})
	}
	group.Wait()
}

func TestAPutNeverWritesIntoAFileThatOthersLinkTo(t *testing.T) {
	d := Directory(t.TempDir())
	output := put(t, d, ID{1}, "content")
	kept := filepath.Join(t.TempDir(), "kept")
	if err := os.Link(d.file(output, "d"), kept); err != nil {
		t.Fatal(err)
	}
	os.Chmod(kept, 0o666)
	os.WriteFile(kept, []byte("forged!"), 0o666)
	put(t, d, ID{1}, "content")
	if got, _ := os.ReadFile(kept); string(got) != "forged!" {
		t.Errorf("the linked file became %q", got)
	}
}

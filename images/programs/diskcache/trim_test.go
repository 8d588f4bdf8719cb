package diskcache

import (
	"os"
	"path/filepath"
	"strconv"
	"testing"
	"time"
)

func age(t *testing.T, file string, by time.Duration) {
	t.Helper()
	when := time.Now().Add(-by)
	if err := os.Chtimes(file, when, when); err != nil {
		t.Fatal(err)
	}
}

func exists(file string) bool {
	_, err := os.Lstat(file)
	return err == nil
}

func TestTrimRemovesEntriesThatNobodyUsedForFiveDaysAndNothingElse(t *testing.T) {
	d := Directory(t.TempDir())
	old, young := put(t, d, ID{1}, "old"), put(t, d, ID{2}, "young")
	far := put(t, d, ID{3}, "dated 2100, as entries of an image are")
	folder := filepath.Dir(d.file(old, "d"))
	program := filepath.Join(folder, "00-d")
	readme := filepath.Join(folder, "README")
	part := filepath.Join(folder, temporary+"1")
	os.Mkdir(program, 0o777)
	os.WriteFile(filepath.Join(program, "name"), nil, 0o777)
	os.WriteFile(readme, nil, 0o666)
	os.WriteFile(part, nil, 0o666)
	for _, file := range []string{d.file(ID{1}, "a"), d.file(old, "d"), program, readme, part} {
		age(t, file, 5*24*time.Hour+61*time.Minute)
	}
	age(t, d.file(ID{2}, "a"), 5*24*time.Hour+59*time.Minute)
	age(t, d.file(far, "d"), -75*365*24*time.Hour)
	if err := d.Trim(time.Now()); err != nil {
		t.Fatal(err)
	}
	for file, kept := range map[string]bool{
		d.file(ID{1}, "a"): false, d.file(old, "d"): false, program: false, part: false,
		d.file(ID{2}, "a"): true, d.file(young, "d"): true, d.file(far, "d"): true, readme: true,
	} {
		if exists(file) != kept {
			t.Errorf("%s is there: %v", file, !kept)
		}
	}
}

func TestTrimOnceADay(t *testing.T) {
	for name, last := range map[string]struct {
		text  string
		trims bool
	}{
		"never":         {"", true},
		"an hour ago":   {strconv.FormatInt(time.Now().Add(-time.Hour).Unix(), 10), false},
		"two days ago":  {strconv.FormatInt(time.Now().Add(-48*time.Hour).Unix(), 10) + "\n", true},
		"in the future": {strconv.FormatInt(time.Now().Add(2*time.Hour).Unix(), 10), true},
		"no number":     {"yesterday, and long ago", true},
	} {
		d := Directory(t.TempDir())
		put(t, d, ID{1}, "old")
		age(t, d.file(ID{1}, "a"), 30*24*time.Hour)
		if last.text != "" {
			os.WriteFile(filepath.Join(string(d), "trim.txt"), []byte(last.text), 0o666)
		}
		if err := d.Trim(time.Now()); err != nil {
			t.Fatal(err)
		}
		if trimmed := !exists(d.file(ID{1}, "a")); trimmed != last.trims {
			t.Errorf("last trim %s: trimmed now: %v", name, trimmed)
		}
		text, _ := os.ReadFile(filepath.Join(string(d), "trim.txt"))
		if !trimmedLately(text, time.Now()) {
			t.Errorf("last trim %s: trim.txt is %q", name, text)
		}
	}
}

func TestUseIsNotedOnceAnHour(t *testing.T) {
	d := Directory(t.TempDir())
	put(t, d, ID{1}, "content")
	entry, _ := d.Get(ID{1})
	for _, c := range []struct {
		old     time.Duration
		renewed bool
	}{{59 * time.Minute, false}, {61 * time.Minute, true}, {-100 * time.Hour, false}} {
		for _, file := range []string{d.file(ID{1}, "a"), entry.File} {
			age(t, file, c.old)
		}
		d.MarkUsed(ID{1}, entry)
		for _, file := range []string{d.file(ID{1}, "a"), entry.File} {
			info, _ := os.Stat(file)
			if got := time.Since(info.ModTime()).Abs() < time.Minute; got != c.renewed {
				t.Errorf("%s, used %v ago: renewed: %v", filepath.Base(file), c.old, got)
			}
		}
	}
}

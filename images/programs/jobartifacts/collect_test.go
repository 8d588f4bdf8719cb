package jobartifacts

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"testing/quick"
	"unicode/utf8"

	"kiln.dev/programs/jobprotocol"
	"kiln.dev/programs/redact"
)

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func options(t *testing.T) Options {
	o := Options{From: filepath.Join(t.TempDir(), "left"), To: filepath.Join(t.TempDir(), "kept"), Bytes: 1 << 20, File: 1 << 19, Count: 100, Redactor: redact.New("hunter2-hunter2")}
	must(t, os.Mkdir(o.From, 0o700))
	return o
}

func (o Options) write(t *testing.T, name, text string) {
	t.Helper()
	path := filepath.Join(o.From, name)
	must(t, os.MkdirAll(filepath.Dir(path), 0o700))
	must(t, os.WriteFile(path, []byte(text), 0o600))
}

func collect(t *testing.T, o Options) (map[string]jobprotocol.Artifact, map[string]string) {
	t.Helper()
	kept, refused, err := Collect(t.Context(), o)
	must(t, err)
	artifacts, refusals := map[string]jobprotocol.Artifact{}, map[string]string{}
	for _, a := range kept {
		artifacts[a.Name] = a
		text, err := os.ReadFile(filepath.Join(o.To, a.Name))
		must(t, err)
		sum := sha256.Sum256(text)
		if hex.EncodeToString(sum[:]) != a.SHA256 || int64(len(text)) != a.Bytes {
			t.Error(a)
		}
	}
	for _, r := range refused {
		refusals[r.Name] = r.Reason
	}
	return artifacts, refusals
}

func TestCollect(t *testing.T) {
	o := options(t)
	o.write(t, "report.txt", "fine")
	o.write(t, "a/b/c.bin", "\x00\xff")
	o.write(t, "empty", "")
	o.write(t, "new\nline", "x")
	o.write(t, "100%", "x")
	o.write(t, "leak.txt", "it is hunter2-hunter2, really")
	o.write(t, "hunter2-hunter2", "x")
	o.write(t, "closed", "x")
	must(t, os.Chmod(filepath.Join(o.From, "closed"), 0))
	os.WriteFile(filepath.Join(o.From, "bad\xff"), []byte("x"), 0o600)
	must(t, os.Symlink("report.txt", filepath.Join(o.From, "latest")))
	must(t, os.Symlink("/etc/passwd", filepath.Join(o.From, "out")))
	must(t, os.Symlink("../../x", filepath.Join(o.From, "up")))
	must(t, os.Symlink("a", filepath.Join(o.From, "folder")))
	must(t, os.Link(filepath.Join(o.From, "report.txt"), filepath.Join(o.From, "twin")))
	must(t, syscall.Mkfifo(filepath.Join(o.From, "fifo"), 0o600))
	kept, refused := collect(t, o)
	for _, name := range []string{"report.txt", "a/b/c.bin", "empty", "new%0Aline", "100%25", "bad%FF", "latest", "twin"} {
		if _, found := kept[name]; !found {
			t.Error(name, "is not kept:", refused[name])
		}
	}
	if string(kept["bad%FF"].Original) != "bad\xff" || kept["report.txt"].Original != nil {
		t.Error(kept)
	}
	for name, why := range map[string]string{
		"leak.txt": "secret", "[secret]": "secret", "out": "out of the folder", "up": "out of the folder", "folder": "not lead to a file", "fifo": "neither",
	} {
		if !strings.Contains(refused[name], why) {
			t.Errorf("%s: %q", name, refused[name])
		}
	}
	if os.Getuid() != 0 && refused["closed"] == "" {
		t.Error("a file without permission is kept")
	}
}

func TestLimits(t *testing.T) {
	o := options(t)
	o.Bytes, o.File, o.Count = 25, 10, 3
	for _, name := range []string{"1", "2", "4", "5", "6"} {
		o.write(t, name, "0123456789")
	}
	o.write(t, "3", "01234567890")
	must(t, os.Truncate(filepath.Join(o.From, "3"), 1<<40)) // without a byte on the disk
	kept, refused := collect(t, o)
	if len(kept) != 2 || !strings.Contains(refused["3"], "KILN_ARTIFACT_FILE_BYTES") || !strings.Contains(refused["4"], "KILN_ARTIFACT_BYTES=25 are 5 left") {
		t.Error(kept, refused)
	}
	many := options(t)
	many.Count = 2
	for i := range 300 {
		many.write(t, string(rune('a'+i/26))+string(rune('a'+i%26)), "")
	}
	kept, refused = collect(t, many)
	if len(kept) != 2 || len(refused) != mostRefusals+1 || refused["…"] != "and 198 more" {
		t.Error(len(kept), len(refused), refused["…"])
	}
}

// TestHostileFolder: neither a link in the place of the folder nor one where artifacts go leads anywhere.
func TestHostileFolder(t *testing.T) {
	o, outside := options(t), t.TempDir()
	must(t, os.WriteFile(filepath.Join(outside, "x"), nil, 0o600))
	must(t, os.Remove(o.From))
	must(t, os.Symlink(outside, o.From))
	must(t, os.Symlink(outside, o.To))
	kept, refused := collect(t, o)
	if len(kept) != 0 || refused["."] == "" {
		t.Error(kept, refused)
	}
	if _, err := os.Stat(filepath.Join(outside, "x")); err != nil {
		t.Error(err)
	}
	gone := options(t)
	must(t, os.Remove(gone.From))
	if kept, refused := collect(t, gone); len(kept)+len(refused) != 0 {
		t.Error(kept, refused)
	}
}

func TestNoTime(t *testing.T) {
	o := options(t)
	o.write(t, "a", "x")
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	kept, refused, err := Collect(ctx, o)
	if err != nil || len(kept) != 0 || len(refused) != 1 {
		t.Error(kept, refused, err)
	}
}

// TestStoredNames: no two names become one, and every one can be written down.
func TestStoredNames(t *testing.T) {
	seen := map[string]string{}
	property := func(raw []byte) bool {
		name, changed := storedName(string(raw))
		before, taken := seen[name]
		seen[name] = string(raw)
		return utf8.ValidString(name) && changed == (name != string(raw)) && (!taken || before == string(raw)) && !strings.ContainsAny(name, "\x00\n\x7f")
	}
	if err := quick.Check(property, &quick.Config{MaxCount: 2000}); err != nil {
		t.Error(err)
	}
}

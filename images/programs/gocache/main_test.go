package main

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func gocache(args ...string) (code int, stdout, stderr string) {
	var out, err bytes.Buffer
	code = run(args, strings.NewReader(""), &out, &err)
	return code, out.String(), err.String()
}

func TestUsage(t *testing.T) {
	for _, args := range [][]string{
		{"nothing"}, {"pack"}, {"pack", "--list", "x"}, {"pack", "--list", "x", "--out", "y", "z"}, {"pack", "--lost", "x"},
		{"unpack", "--go-build", "x", "--go-mod", "y"}, {"show"}, {"show", "a", "b"}, {"check"},
	} {
		if code, _, stderr := gocache(args...); code != exitUsage || !strings.Contains(stderr, "gocache pack --list") {
			t.Errorf("%q: %d %s", args, code, stderr)
		}
	}
	if code, stdout, stderr := gocache("--help"); code != 0 || stdout != usage || stderr != "" {
		t.Errorf("--help: %d %s %s", code, stdout, stderr)
	}
}

// TestFromListToUnpackedFiles goes the way of a bake and of who takes it apart again.
func TestFromListToUnpackedFiles(t *testing.T) {
	home := t.TempDir()
	content := bytes.Repeat([]byte("content "), 10_000)
	id := fmt.Sprintf("%x", sha256.Sum256(content))
	output := id[:2] + "/" + id + "-d"
	put(t, filepath.Join(home, "go-build", output), content)
	put(t, filepath.Join(home, "go-mod/m.example@v1.0.0/a.go"), []byte("package a\n"))
	list, pack := filepath.Join(home, "LIST.json"), filepath.Join(home, "a.pack")
	text, _ := json.Marshal(map[string]any{
		"version": 1, "goBuild": filepath.Join(home, "go-build"), "goMod": filepath.Join(home, "go-mod"),
		"entries": []string{output}, "whole": []string{},
		"sources": []any{map[string]any{"module": "m.example@v1.0.0", "indexed": true, "files": []string{"a.go"}}},
	})
	put(t, list, text)

	code, stdout, stderr := gocache("pack", "--list", list, "--out", pack)
	info, err := os.Stat(pack)
	if err != nil {
		t.Fatal(code, stderr, err)
	}
	want := fmt.Sprintf(`{"bytes":%d,"actions":0,"outputs":1,"contentBytes":80010,"sources":1}`+"\n", info.Size())
	if code != 0 || stdout != want {
		t.Fatalf("%d %q %q; wanted %q", code, stdout, stderr, want)
	}

	code, stdout, _ = gocache("show", pack)
	var shown contents
	if err := json.Unmarshal([]byte(stdout), &shown); err != nil || code != 0 {
		t.Fatal(code, stdout, err)
	}
	if len(shown.Outputs) != 1 || shown.Outputs[0].ID != id || shown.Outputs[0].Size != 80_000 || shown.Outputs[0].Stored >= 1000 {
		t.Fatal(shown.Outputs)
	}
	if fmt.Sprint(shown.Modules) != "[{m.example@v1.0.0 true [{a.go 10}]}]" || shown.Actions == nil {
		t.Fatal(shown)
	}

	to := filepath.Join(home, "unpacked")
	code, _, stderr = gocache("unpack", "--go-build", filepath.Join(to, "b"), "--go-mod", filepath.Join(to, "m"), pack)
	found, err := os.ReadFile(filepath.Join(to, "b", output))
	if code != 0 || err != nil || !bytes.Equal(found, content) {
		t.Fatal(code, stderr, err)
	}

	if code, _, stderr = gocache("check", pack); code != 0 {
		t.Fatal(code, stderr)
	}
	damaged, _ := os.ReadFile(pack)
	damaged[30] ^= 0xff
	other := filepath.Join(home, "damaged.pack")
	put(t, other, damaged)
	if code, _, stderr = gocache("check", pack, other); code != exitDifference || !strings.Contains(stderr, other) {
		t.Fatal(code, stderr)
	}
	put(t, other, damaged[:100])
	if code, _, stderr = gocache("check", other, pack); code != exitDifference || !strings.Contains(stderr, other) {
		t.Fatal(code, stderr)
	}
	put(t, filepath.Join(home, "go-build", output), content[1:])
	if code, _, stderr = gocache("pack", "--list", list, "--out", pack); code != exitFailed || !strings.Contains(stderr, output) {
		t.Fatal(code, stderr)
	}
	if code, _, _ = gocache("check", filepath.Join(home, "none.pack")); code != exitFailed {
		t.Fatal(code)
	}
}

func put(t *testing.T, path string, content []byte) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, content, 0o644); err != nil {
		t.Fatal(err)
	}
}

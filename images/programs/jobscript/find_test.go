package jobscript

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"kiln.dev/programs/jobprotocol"
)

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// write makes files below a folder; a text that begins with -> is a link.
func write(t *testing.T, folder string, files map[string]string) {
	t.Helper()
	for name, text := range files {
		path := filepath.Join(folder, name)
		must(t, os.MkdirAll(filepath.Dir(path), 0o700))
		if target, found := strings.CutPrefix(text, "->"); found {
			must(t, os.Symlink(target, path))
		} else {
			must(t, os.WriteFile(path, []byte(text), 0o600))
		}
	}
}

func codeOf(err error) string {
	if failure := (*jobprotocol.Failure)(nil); errors.As(err, &failure) {
		return failure.Code
	}
	return ""
}

func TestFind(t *testing.T) {
	outside := t.TempDir()
	write(t, outside, map[string]string{"evil.py": "x"})
	folder := t.TempDir()
	write(t, folder, map[string]string{
		"hello.py": "print(1)", "tools/deploy.ps1": "1", "both.py": "", "both.ps1": "", "hello.schema.json": "{}",
		"linked.py": "->hello.py", "out.py": "->" + outside + "/evil.py", "up.py": "->../../etc/passwd", "dir": "->" + outside,
		"folder.py/x": "", "lfs.py": "version https://git-lfs.github.com/spec/v1\n", "..data/real.py": "1", "config.py": "->..data/real.py",
	})
	for id, want := range map[string]string{
		"hello": Python, "tools/deploy": PowerShell, "linked": Python, "config": Python,
		"both": jobprotocol.ScriptAmbiguous, "none": jobprotocol.ScriptMissing, "out": jobprotocol.ScriptRefused, "up": jobprotocol.ScriptRefused,
		"dir/evil": jobprotocol.ScriptRefused, "folder": jobprotocol.ScriptRefused, "lfs": jobprotocol.ScriptRefused,
		"../x": jobprotocol.BadRequest, "/etc/x": jobprotocol.BadRequest, "a/../b": jobprotocol.BadRequest, "-x": jobprotocol.BadRequest,
		"a//b": jobprotocol.BadRequest, ".x": jobprotocol.BadRequest, "": jobprotocol.BadRequest, "a\x00": jobprotocol.BadRequest, "a\n": jobprotocol.BadRequest,
		"a b": jobprotocol.BadRequest, "..data/real": jobprotocol.BadRequest, strings.Repeat("a", 201): jobprotocol.BadRequest,
	} {
		script, err := Find(folder, id)
		if got := script.Language + codeOf(err); got != want {
			t.Errorf("%q: %s %v; wanted %s", id, got, err, want)
		}
	}
	script, err := Find(folder, "hello")
	if err != nil || string(script.Schema) != "{}" || script.Path != filepath.Join(folder, "hello.py") || len(script.SHA256) != 64 {
		t.Error(script, err)
	}
	if _, err := Find(filepath.Join(folder, "no"), "hello"); codeOf(err) != jobprotocol.ScriptMissing {
		t.Error(err)
	}
}

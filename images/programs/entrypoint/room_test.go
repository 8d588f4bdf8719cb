package main

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// roomOf makes a room in a place, and says what was logged.
func roomOf(t *testing.T, place string) (made *room, said string) {
	t.Helper()
	t.Setenv("KILN_RUN_DIR", place)
	made, err := makeRoom(func(line string) { said += line + "\n" })
	must(t, err)
	t.Cleanup(func() { made.Close() })
	return made, said
}

// TestRoomIsTheSame: a run has the folder that the run before it had, also one that was killed, and nothing that is left in it.
func TestRoomIsTheSame(t *testing.T) {
	place := t.TempDir()
	first, _ := roomOf(t, place)
	must(t, os.WriteFile(filepath.Join(first.path, "secret"), nil, 0o600))
	other, _ := roomOf(t, place)
	if other.path == first.path || readFile(first.path, "secret") != "" {
		t.Fatal("two runs have one room:", other.path)
	}
	must(t, first.folder.Close()) // as the end of the process does
	second, _ := roomOf(t, place)
	if left, err := os.ReadDir(second.path); second.path != first.path || err != nil || len(left) > 0 {
		t.Error(second.path, first.path, left, err)
	}
	must(t, second.Close())
	if _, err := os.Stat(second.path); !os.IsNotExist(err) {
		t.Error("secrets are left behind:", err)
	}
}

// TestRoomOfSomebodyElse: a folder that others may enter, or a link, is not used.
func TestRoomOfSomebodyElse(t *testing.T) {
	open, linked := t.TempDir(), t.TempDir()
	must(t, os.Mkdir(filepath.Join(open, roomName), 0o700))
	must(t, os.Chmod(filepath.Join(open, roomName), 0o777))
	must(t, os.Symlink(t.TempDir(), filepath.Join(linked, roomName)))
	for _, place := range []string{open, linked} {
		if made, _ := roomOf(t, place); made.path == filepath.Join(place, roomName) || filepath.Dir(made.path) != place {
			t.Error(made.path)
		}
	}
}

// TestSecretsAndDisks: memory comes before a disk, and what is used in place of the folder that is meant for it is said.
func TestSecretsAndDisks(t *testing.T) {
	if !inMemory("/dev/shm") {
		t.Skip("/dev/shm is not in memory here")
	}
	made, said := roomOf(t, "/proc/no-such-folder")
	if filepath.Dir(made.path) != "/dev/shm" || !strings.Contains(said, made.path) || !strings.Contains(said, "--tmpfs /run/kiln") {
		t.Error(made.path, said)
	}
	if made, said := roomOf(t, "/dev/shm"); said != "" {
		t.Error(made.path, said)
	}
	place := t.TempDir()
	if made, said := roomOf(t, place); filepath.Dir(made.path) != place || strings.Contains(said, "disk") == inMemory(place) {
		t.Error(made.path, said)
	}
}

// TestWorkingFolder: a module that names path.cwd has the same plan in each run.
func TestWorkingFolder(t *testing.T) {
	bothTools(t, func(t *testing.T, c *container) {
		plans := regexp.MustCompile(`(?m)^(tofu \["plan"|pulumi \["preview").*$`)
		c.succeed(request("preview"), "")
		c.succeed(request("preview"), "")
		calls := plans.FindAllString(c.callsText(), -1)
		for i, call := range calls {
			calls[i] = regexp.MustCompile(`events-\d+`).ReplaceAllString(call, "")
		}
		if len(calls) != 2 || len(slices.Compact(calls)) != 1 {
			t.Errorf("%q", calls)
		}
	})
}

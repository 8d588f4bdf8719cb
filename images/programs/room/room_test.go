package room

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func missing(path string) bool {
	_, err := os.Stat(path)
	return os.IsNotExist(err)
}

// roomOf makes a room in a place, and says what was logged.
func roomOf(t *testing.T, place string) (made *Room, said string) {
	t.Helper()
	t.Setenv("KILN_RUN_DIR", place)
	made, err := Make(func(line string) { said += line + "\n" })
	must(t, err)
	t.Cleanup(func() { made.Close() })
	return made, said
}

// TestRoomIsTheSame: a run has the folder that the run before it had, also one that was killed, and nothing that is left in it.
func TestRoomIsTheSame(t *testing.T) {
	place := t.TempDir()
	first, _ := roomOf(t, place)
	must(t, os.WriteFile(filepath.Join(first.Path, "secret"), nil, 0o600))
	other, _ := roomOf(t, place)
	if other.Path == first.Path || missing(filepath.Join(first.Path, "secret")) {
		t.Fatal("two runs have one room:", other.Path)
	}
	must(t, first.folder.Close()) // as the end of the process does
	second, _ := roomOf(t, place)
	if left, err := os.ReadDir(second.Path); second.Path != first.Path || err != nil || len(left) > 0 {
		t.Error(second.Path, first.Path, left, err)
	}
	must(t, second.Close())
	if _, err := os.Stat(second.Path); !os.IsNotExist(err) {
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
		if made, _ := roomOf(t, place); made.Path == filepath.Join(place, roomName) || filepath.Dir(made.Path) != place {
			t.Error(made.Path)
		}
	}
}

// TestSecretsAndDisks: memory comes before a disk, and what is used in place of the folder that is meant for it is said.
func TestSecretsAndDisks(t *testing.T) {
	if !inMemory("/dev/shm") {
		t.Skip("/dev/shm is not in memory here")
	}
	made, said := roomOf(t, "/proc/no-such-folder")
	if filepath.Dir(made.Path) != "/dev/shm" || !strings.Contains(said, made.Path) || !strings.Contains(said, "--tmpfs /run/kiln") {
		t.Error(made.Path, said)
	}
	if made, said := roomOf(t, "/dev/shm"); said != "" {
		t.Error(made.Path, said)
	}
	place := t.TempDir()
	if made, said := roomOf(t, place); filepath.Dir(made.Path) != place || strings.Contains(said, "disk") == inMemory(place) {
		t.Error(made.Path, said)
	}
}

package pack

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func unpackInto(t *testing.T, r *Reader, goBuild, goMod string) error {
	t.Helper()
	roots := make([]*os.Root, 2)
	for i, folder := range []string{goBuild, goMod} {
		root, err := os.OpenRoot(folder)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { root.Close() })
		roots[i] = root
	}
	return r.Unpack(roots[0], roots[1])
}

func TestUnpackWritesWhatGoReads(t *testing.T) {
	s := manyKinds(t, rand.New(rand.NewPCG(30, 31)))
	goBuild, goMod := t.TempDir(), t.TempDir()
	r := open(t, s.pack())
	for range 2 { // over what is there already, too
		if err := unpackInto(t, r, goBuild, goMod); err != nil {
			t.Fatal(err)
		}
	}
	for _, name := range s.list.Entries {
		id, kind, err := parseEntryName(name)
		if err != nil {
			t.Fatal(err)
		}
		file := filepath.Join(goBuild, name)
		got, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		want := s.contents[id]
		if kind == kindAction {
			output, size, _ := r.Action(id)
			want = fmt.Appendf(nil, "v1 %s %s %20d %20d\n", id, output, size, int64(4102444800000000000))
		}
		if !bytes.Equal(got, want) {
			t.Fatalf("%s is another one", name)
		}
		if info, err := os.Stat(file); err != nil || !info.ModTime().Equal(FarFuture) {
			t.Fatalf("%s is of %v, %v", name, info.ModTime(), err)
		}
	}
	for _, m := range s.list.Sources {
		for _, f := range m.Files {
			want, _ := os.ReadFile(filepath.Join(s.list.GoMod, m.Module, f))
			if got, err := os.ReadFile(filepath.Join(goMod, m.Module, f)); err != nil || !bytes.Equal(got, want) {
				t.Fatalf("%s of %s is another one: %v", f, m.Module, err)
			}
		}
	}
	if left, _ := filepath.Glob(filepath.Join(goBuild, "*", "*.kiln-part")); left != nil {
		t.Fatal(left)
	}
}

func TestWriteRefusesWhatIsNotAsItsNameSays(t *testing.T) {
	random := rand.New(rand.NewPCG(32, 33))
	for name, spoil := range map[string]func(s *store, action, output string) string{
		"is damaged": func(s *store, _, output string) string {
			write(s.t, output, noise(random, 99))
			return output
		},
		"no regular file": func(s *store, _, output string) string {
			os.Remove(output)
			os.Mkdir(output, 0o755)
			return output
		},
		"no such file": func(s *store, action, _ string) string {
			os.Remove(action)
			return action
		},
		"is no entry of an action": func(s *store, action, _ string) string {
			text, _ := os.ReadFile(action)
			write(s.t, action, bytes.Replace(text, []byte("v1"), []byte("v2"), 1))
			return action
		},
		"names another action": func(s *store, action, _ string) string {
			text, _ := os.ReadFile(action)
			text[3] ^= 1
			write(s.t, action, text)
			return action
		},
		"and action": func(s *store, action, _ string) string {
			text, _ := os.ReadFile(action)
			write(s.t, action, bytes.Replace(text, []byte(" 100 "), []byte(" 101 "), 1))
			return "100 bytes"
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := newStore(t)
			s.put(noise(random, 4000), false)
			action, output := s.put(noise(random, 100), false)
			at := func(id ID, kind byte) string { return filepath.Join(s.list.GoBuild, entryName(id, kind)) }
			named := spoil(s, at(action, kindAction), at(output, kindOutput))
			dir := t.TempDir()
			_, err := Write(s.list, filepath.Join(dir, "a.pack"))
			if err == nil || !strings.Contains(err.Error(), name) || !strings.Contains(err.Error(), named) {
				t.Fatalf("%v; wanted %q of %s", err, name, named)
			}
			if left, _ := os.ReadDir(dir); len(left) > 0 {
				t.Fatalf("%v was left", left)
			}
		})
	}
}

func TestReadListRefusesWhatLeadsElsewhere(t *testing.T) {
	id := strings.Repeat("ab", 32)
	for text, want := range map[string]string{
		`{"version":2}`: "version is 2",
		`{"version":1,"goBuild":"/x","entries":["../` + id + `-d"]}`:                              "no entry of a build cache",
		`{"version":1,"goBuild":"/x","entries":["aa/` + id + `-d"]}`:                              "no entry of a build cache",
		`{"version":1,"goBuild":"/x","entries":["ab/` + strings.ToUpper(id) + `-d"]}`:             "no entry of a build cache",
		`{"version":1,"goBuild":"/x","entries":["ab/` + id + `-x"]}`:                              "no entry of a build cache",
		`{"version":1,"goBuild":"x","entries":["ab/` + id + `-d"]}`:                               "no absolute path",
		`{"version":1,"goMod":"/x","sources":[{"module":"../m@v1","files":[]}]}`:                  "no path of its own",
		`{"version":1,"goMod":"/x","sources":[{"module":"m@v1"},{"module":"m@v1"}]}`:              "no path of its own",
		`{"version":1,"goMod":"/x","sources":[{"module":"m@v1","files":["../../etc/passwd"]}]}`:   "no path below it",
		`{"version":1,"goBuild":"/x","entries":[],"whole":["ab/` + id[:62] + `-d"],"sources":[]}`: "no entry of a build cache",
	} {
		file := filepath.Join(t.TempDir(), "LIST.json")
		write(t, file, []byte(text))
		if _, err := ReadList(file); err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), file) {
			t.Errorf("%s: %v", text, err)
		}
	}
}

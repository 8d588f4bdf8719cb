package serve

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"kiln.dev/programs/diskcache"
	"kiln.dev/programs/pack"
)

// fixtureFiles are a program and four packages: main uses a and b, a uses c, b uses c and d.
var fixtureFiles = map[string]string{
	"go.mod": "module example.com/fixture\n\ngo 1.26\n",
	"main.go": `package main

import (
	"os"

	"example.com/fixture/a"
	"example.com/fixture/b"
)

const version = "1"

func main() { os.Stdout.WriteString(version + a.Text() + b.Text() + "\n") }
`,
	"a/a.go": "package a\n\nimport \"example.com/fixture/c\"\n\nfunc Text() string { return \"a1\" + c.Text() }\n",
	"b/b.go": "package b\n\nimport (\n\t\"example.com/fixture/c\"\n\t\"example.com/fixture/d\"\n)\n\n" +
		"func Text() string { return \"b1\" + c.Text() + d.Text() }\n",
	"c/c.go": "package c\n\nimport \"strconv\"\n\nfunc Text() string { return strconv.Itoa(1) }\n",
	"d/d.go": "package d\n\nfunc Text() string { return \"d1\" }\n",
}

// pulumiFlags are those with which Pulumi builds, and the fixture is warmed.
var pulumiFlags = []string{"-buildvcs=false", "-trimpath", "-ldflags=-w -s"}

// fixture is the program's source, the packs of its warmed cache, and the same cache loose.
type fixture struct {
	packs, loose string
	// root is where the source stands; tests change copies.
	root string
	// link is the action of the finished program, archives are outputs by package.
	link     ID
	packages []fixturePackage
}

// fixturePackage is a package of the program with what the warming found.
type fixturePackage struct {
	path    string
	imports []string
	action  ID
}

// fixtureFolder is removed when all tests are done.
var fixtureFolder string

var warmOnce = sync.OnceValues(warm)

// warmed returns the fixture, warmed once for all tests.
func warmed(t *testing.T) *fixture {
	t.Helper()
	f, err := warmOnce()
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// warm compiles the fixture in the developer's own build cache, where later runs find it, and packs what that took.
func warm() (*fixture, error) {
	folder, err := os.MkdirTemp("", "kiln-serve-fixture-")
	if err != nil {
		return nil, err
	}
	fixtureFolder = folder
	f := &fixture{packs: filepath.Join(folder, "packs"), loose: filepath.Join(folder, "loose"), root: filepath.Join(folder, "source")}
	for name, content := range fixtureFiles {
		if err := writeSource(f.root, name, content); err != nil {
			return nil, err
		}
	}
	cache, err := goEnvironment("GOCACHE")
	if err != nil {
		return nil, err
	}
	log, program := filepath.Join(folder, "log"), filepath.Join(folder, "program")
	build := goCommand{folder: f.root, cache: cache, role: "record", variables: []string{"KILN_TEST_LOG=" + log}}
	if err := build.run(append([]string{"build", "-o", program}, append(pulumiFlags, ".")...)...); err != nil {
		return nil, err
	}
	entries, err := f.keepClosure(diskcache.Directory(cache), log, program)
	if err != nil {
		return nil, err
	}
	if err := os.MkdirAll(f.packs, 0o777); err != nil {
		return nil, err
	}
	list := pack.List{Version: 1, GoBuild: f.loose, Entries: entries, Whole: f.ownOutputs()}
	if list.Beside, err = f.putBeside(list.Whole); err != nil {
		return nil, err
	}
	sources, err := digestSources(f.root)
	if err != nil {
		return nil, err
	}
	list.Programs = []pack.ProgramList{{Package: "example.com/fixture", Sources: sources.String(), Archives: prefixes(entries)}}
	if _, err := pack.Write(list, filepath.Join(f.packs, "all.pack")); err != nil {
		return nil, err
	}
	return f, f.readPackages()
}

// keepClosure copies what the log names to the loose cache, with the program under the action of its link, and returns
// the names of all.
func (f *fixture) keepClosure(from diskcache.Directory, log, program string) ([]string, error) {
	lines, err := os.ReadFile(log)
	if err != nil {
		return nil, err
	}
	binary, err := os.ReadFile(program)
	if err != nil {
		return nil, err
	}
	id, err := buildID(program)
	if err != nil {
		return nil, err
	}
	to := diskcache.Directory(f.loose)
	var entries []string
	keep := func(action ID, content []byte) error {
		output := sha256.Sum256(content)
		entries = append(entries, fmt.Sprintf("%x/%x-a", action[:1], action), fmt.Sprintf("%x/%x-d", output[:1], output))
		_, err := to.Put(action, output, int64(len(content)), bytes.NewReader(content))
		return err
	}
	for _, line := range strings.Split(strings.TrimSpace(string(lines)), "\n") {
		words := strings.Fields(line)
		digits, err := hex.DecodeString(words[1])
		if err != nil {
			return nil, err
		}
		action := ID(digits)
		if words[0] == "miss" {
			// The go command's own short form of an action, which a program begins its build ID with.
			if base64.RawURLEncoding.EncodeToString(action[:15]) == id {
				f.link = action
			}
			continue
		}
		entry, err := from.Get(action)
		if err != nil {
			return nil, err
		}
		content, err := os.ReadFile(entry.File)
		if err == nil {
			err = keep(action, content)
		}
		if err != nil {
			return nil, err
		}
	}
	if f.link == (ID{}) {
		return nil, errors.New("the link's action is not among the misses")
	}
	return entries, keep(f.link, binary)
}

// prefixes are the first digits of all outputs among entries.
func prefixes(entries []string) []string {
	var all []string
	for _, name := range entries {
		if strings.HasSuffix(name, "-d") {
			all = append(all, filepath.Base(name)[:16])
		}
	}
	return all
}

// putBeside puts each third archive that is not among whole beside the pack, and returns their names.
func (f *fixture) putBeside(whole []string) ([]string, error) {
	folder := filepath.Join(f.packs, "objects")
	if err := os.Mkdir(folder, 0o777); err != nil {
		return nil, err
	}
	var beside []string
	files, err := filepath.Glob(filepath.Join(f.loose, "*", "*-d"))
	for _, file := range files {
		content, readErr := os.ReadFile(file)
		err = errors.Join(err, readErr)
		id, name := strings.TrimSuffix(filepath.Base(file), "-d"), filepath.Base(filepath.Dir(file))+"/"+filepath.Base(file)
		if bytes.HasPrefix(content, []byte("!<arch>\n")) && !slices.Contains(whole, name) && id < "55" {
			beside = append(beside, name)
			err = errors.Join(err, os.WriteFile(filepath.Join(folder, id), content, 0o444))
		}
	}
	return beside, err
}

// ownOutputs names the archives of the fixture's own packages: `go build -o x.a` copies them.
func (f *fixture) ownOutputs() []string {
	var whole []string
	files, _ := filepath.Glob(filepath.Join(f.loose, "*", "*-d"))
	for _, file := range files {
		content, _ := os.ReadFile(file)
		// With -trimpath an archive has the import path of its own sources.
		if bytes.HasPrefix(content, []byte("!<arch>\n")) && bytes.Contains(content, []byte("example.com/fixture")) {
			whole = append(whole, filepath.Base(filepath.Dir(file))+"/"+filepath.Base(file))
		}
	}
	return whole
}

package serve

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"runtime"
	"slices"
	"strings"
	"testing"

	"kiln.dev/programs/pack"
)

// moduleCache is a GOMODCACHE that tests fill, with what the go command wants to find beside the trees.
type moduleCache string

// hashFile is dirhash.Hash1 of golang.org/x/mod for one file.
func hashFile(name, content string) string {
	sum := sha256.Sum256([]byte(content))
	all := sha256.Sum256(fmt.Appendf(nil, "%x  %s\n", sum, name))
	return "h1:" + base64.StdEncoding.EncodeToString(all[:])
}

// add adds a module and returns its lines of go.sum.
func (m moduleCache) add(t *testing.T, path, version string, files map[string]string) string {
	t.Helper()
	mod := "module " + path + "\n\ngo 1.26\n"
	download := filepath.Join(string(m), "cache/download", path, "@v")
	content := hashFile("none", path)
	for name, text := range map[string]string{
		version + ".mod": mod, version + ".info": fmt.Sprintf(`{"Version":%q}`, version), version + ".ziphash": content,
	} {
		if err := writeSource(download, name, text); err != nil {
			t.Fatal(err)
		}
	}
	files["go.mod"] = mod
	for name, text := range files {
		if err := writeSource(m.tree(path, version), name, text); err != nil {
			t.Fatal(err)
		}
	}
	return fmt.Sprintf("%s %s %s\n%s %s/go.mod %s\n", path, version, content, path, version, hashFile("go.mod", mod))
}

func (m moduleCache) tree(path, version string) string {
	return filepath.Join(string(m), path+"@"+version)
}

// TestAPackageThatNoShippedProgramImports: the user's program imports another package of a shipped module, and one of a
// module that is required and that no shipped program is compiled from.
func TestAPackageThatNoShippedProgramImports(t *testing.T) {
	p := newPacked(t)
	mods := moduleCache(filepath.Join(t.TempDir(), "mod"))
	const version = "v1.0.0"
	sums := mods.add(t, "example.com/sdk", version, map[string]string{
		"one/one.go":     "package one\n\nconst Text = \"one\"\n",
		"two/two.go":     "package two\n\nimport \"example.com/sdk/three\"\n\nconst Text = \"two\" + three.Text\n",
		"three/three.go": "package three\n\nconst Text = \"three\"\n",
	})
	sums += mods.add(t, "example.com/spare", version, map[string]string{"p/p.go": "package p\n\nconst Text = \"spare\"\n"})
	sums += mods.add(t, "example.com/spare/in", version, map[string]string{"q/q.go": "package q\n\nconst Text = \"in\"\n"})
	program := func(paths ...string) {
		t.Helper()
		text := "package main\n\nimport \"os\"\n"
		for i, path := range paths {
			text += fmt.Sprintf("import p%d %q\n", i, path)
		}
		text += "func main() {\n"
		for i := range paths {
			text += fmt.Sprintf("\tos.Stdout.WriteString(p%d.Text)\n", i)
		}
		for name, content := range map[string]string{
			"main.go": text + "}\n", "go.sum": sums,
			"go.mod": "module example.com/program\n\ngo 1.26\n\nrequire (\n\texample.com/sdk v1.0.0\n\texample.com/spare v1.0.0\n" +
				"\texample.com/spare/in v1.0.0\n)\n",
		} {
			if err := writeSource(p.folder, name, content); err != nil {
				t.Fatal(err)
			}
		}
	}
	os.RemoveAll(p.folder)
	program("example.com/sdk/one", "example.com/spare/in/q")

	// Bake: the index of a module is in the pack where the program is compiled from it, and only its read files stay.
	log, baked := filepath.Join(t.TempDir(), "log"), filepath.Join(t.TempDir(), "baked")
	bake := p.goCommand
	bake.role, bake.cache = "record", baked
	bake.variables = []string{"GOMODCACHE=" + string(mods), "KILN_TEST_LOG=" + log}
	if err := os.CopyFS(baked, os.DirFS(p.fixture.loose)); err != nil {
		t.Fatal(err)
	}
	if err := bake.run(append([]string{"build", "-o", os.DevNull}, pulumiFlags...)...); err != nil {
		t.Fatal(err)
	}
	list := pack.List{Version: 1, GoBuild: baked, GoMod: filepath.Join(t.TempDir(), "whole")}
	// As cmd/go/internal/modindex names the index of a module.
	spare := sha256.Sum256(fmt.Appendf(nil, "%[1]smodule index %[1]s go index v2 %[2]s\n", runtime.Version(), mods.tree("example.com/spare", version)))
	list.Entries = entriesBut(t, spare, log)
	list.Sources = []pack.SourcesList{
		{Module: "example.com/sdk@v1.0.0", Indexed: true, Files: []string{"two/two.go", "three/three.go"}},
		{Module: "example.com/spare@v1.0.0", Files: []string{"p/p.go"}},
	}
	if err := os.CopyFS(list.GoMod, os.DirFS(string(mods))); err != nil {
		t.Fatal(err)
	}
	for _, gone := range []string{"sdk@v1.0.0/two", "sdk@v1.0.0/three", "spare@v1.0.0/p"} {
		os.RemoveAll(filepath.Join(string(mods), "example.com", gone))
	}
	packs := t.TempDir()
	if _, err := pack.Write(list, filepath.Join(packs, "modules.pack")); err != nil {
		t.Fatal(err)
	}

	p.variables = append(p.variables, "GOMODCACHE="+string(mods), "KILN_PACKS="+packs)
	run := func(want string, restored ...string) {
		t.Helper()
		out := filepath.Join(p.temp, "built")
		defer os.Remove(out)
		// Twice: the second build finds all where the first one put it.
		for range 2 {
			if err := p.run(append([]string{"build", "-o", out}, pulumiFlags...)...); err != nil {
				t.Fatal(err)
			}
			got := p.lastStats(t).Restored
			slices.Sort(got)
			if !reflect.DeepEqual(got, append([]string{}, restored...)) {
				t.Errorf("restored %q instead of %q", got, restored)
			}
			restored = nil
		}
		if said, err := (goCommand{folder: p.folder}).execute(out); err != nil || said != want {
			t.Errorf("the program says %q, %v", said, err)
		}
	}
	run("onein")
	// The go command came past the spare module in search of example.com/spare/in/q, and knows it as empty.
	program("example.com/sdk/two", "example.com/spare/p", "example.com/spare/in/q")
	run("twothreesparein", "example.com/sdk@v1.0.0/three", "example.com/sdk@v1.0.0/two", "example.com/spare@v1.0.0")
}

// entriesBut returns all entries of a log but that of one action, which has to be there.
func entriesBut(t *testing.T, except ID, log string) []string {
	t.Helper()
	text, err := os.ReadFile(log)
	if err != nil {
		t.Fatal(err)
	}
	var entries []string
	found := false
	for _, line := range strings.Split(strings.TrimSpace(string(text)), "\n") {
		words := strings.Fields(line)
		if words[1] == hex.EncodeToString(except[:]) {
			found = true
		} else if words[0] != "miss" {
			entries = append(entries, words[1][:2]+"/"+words[1]+"-a", words[2][:2]+"/"+words[2]+"-d")
		}
	}
	if !found {
		t.Error("the go command did not ask for the index of the spare module")
	}
	return entries
}

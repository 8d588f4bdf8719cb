package serve

import (
	"crypto/sha256"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"kiln.dev/programs/pack"
	"kiln.dev/programs/restore"
)

// foresee returns what a build will read whole: what was linked into the finished programs of these packages whose sources
// are not what they were. A program that is as it was is found under its link and reads nothing of that; of one that the
// packs do not know nothing is foreseen. It only decides when archives are unpacked, not whether.
func foresee(packs pack.Set, named []restore.Package) []pack.Output {
	var outputs []pack.Output
	seen := map[pack.ID]bool{}
	for _, p := range named {
		program, ok := shippedProgram(packs, p)
		if !ok {
			continue
		}
		for _, output := range packs.Archives(program) {
			if !seen[output.ID] {
				seen[output.ID] = true
				outputs = append(outputs, output)
			}
		}
	}
	return outputs
}

// shippedProgram returns the program that a package was before it was edited. Where several have its import path, as have
// programs that are all the root of a module called main, it cannot be told.
func shippedProgram(packs pack.Set, named restore.Package) (pack.Program, bool) {
	programs := packs.Programs(named.Path)
	if len(programs) != 1 {
		return pack.Program{}, false
	}
	sources, err := digestSources(named.Folder)
	return programs[0], err == nil && sources != programs[0].Sources
}

// digestSources is the digest of the Go files of a folder: a line `<name> <SHA-256>` each, sorted by name. Tests are left
// out, what Go ignores, and what is no plain file: to open a pipe would take for ever (cache/program-reads.ts).
func digestSources(folder string) (pack.ID, error) {
	entries, err := os.ReadDir(folder)
	if err != nil {
		return pack.ID{}, err
	}
	var names []string
	for _, entry := range entries {
		name := entry.Name()
		ignored := strings.HasPrefix(name, ".") || strings.HasPrefix(name, "_") || strings.HasSuffix(name, "_test.go")
		if entry.Type().IsRegular() && strings.HasSuffix(name, ".go") && !ignored {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	all := sha256.New()
	for _, name := range names {
		content, err := os.ReadFile(filepath.Join(folder, name))
		if err != nil {
			return pack.ID{}, err
		}
		fmt.Fprintf(all, "%s %x\n", name, sha256.Sum256(content))
	}
	return pack.ID(all.Sum(nil)), nil
}

package restore

import (
	"bytes"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"kiln.dev/programs/pack"
)

// follower follows imports from the user's packages into shipped modules.
type follower struct {
	modules localModules
	shipped shippedModules
	cache   string // GOMODCACHE
	// deep: packages that are there are looked into as well, since the build reads other files than the image's own did.
	deep bool
	seen map[string]bool

	restored, whole, failed []string
	failure                 error
}

// folder follows the imports of a package of the user's own, tests included.
func (f *follower) folder(folder string) {
	if f.seen[folder] {
		return
	}
	f.seen[folder] = true
	for _, path := range folderImports(folder) {
		f.imported(path)
	}
}

// imported follows an import path. Which version of a module the build takes is not known here: any shipped one may be it.
func (f *follower) imported(path string) {
	if f.seen[path] {
		return
	}
	f.seen[path] = true
	for module := path; module != ""; module = parentPath(module) {
		rest, _ := cutModule(path, module)
		if root, ok := f.modules.folders[module]; ok {
			f.folder(filepath.Join(root, rest))
		}
		if other, ok := f.modules.replaced[module]; ok {
			f.replaced(other, rest)
		}
		// Packages of the standard library have no dot in their first element, those of modules that are fetched one.
		if first, _, _ := strings.Cut(module, "/"); strings.Contains(first, ".") {
			for _, version := range f.shipped.versions(module) {
				f.visit(version, rest)
			}
		}
	}
}

func parentPath(path string) string {
	return path[:max(strings.LastIndexByte(path, '/'), 0)]
}

func (f *follower) replaced(name, rest string) {
	path, _, _ := strings.Cut(name, "@")
	for _, version := range f.shipped.versions(path) {
		if unescape(version.name) == name {
			f.visit(version, rest)
		}
	}
}

// visit puts a package back unless it is there. What it imports comes first: a package that is there has its imports.
func (f *follower) visit(module shippedModule, dir string) {
	root := filepath.Join(f.cache, filepath.FromSlash(module.folder))
	folder := filepath.Join(root, filepath.FromSlash(dir))
	if f.seen[folder] || f.cache == "" {
		return
	}
	f.seen[folder] = true
	there := isPackage(folder)
	if there && module.indexed && !f.deep {
		return
	}
	if _, err := os.Stat(root); err != nil {
		return // Another module cache than the image's: the module is not in it, so the go command has to fetch it.
	}
	files := module.pack.PackageFiles(module.name, dir)
	if !there && !slices.ContainsFunc(files, func(file pack.SourceFile) bool { return isGo(file.Path) }) {
		return
	}
	imports, embeds, err := packedImports(module, files)
	if err != nil {
		f.fail(module.name, dir, err)
		return
	}
	if there {
		imports = append(imports, folderImports(folder)...)
	}
	for _, path := range imports {
		f.imported(path)
	}
	if embeds {
		files = below(module.pack.ModuleFiles(module.name), dir)
	}
	if !module.indexed {
		// The go command will index the module as it stands, once.
		if f.seen[root+" whole"] {
			return
		}
		f.seen[root+" whole"] = true
		files, dir = module.pack.ModuleFiles(module.name), ""
	}
	f.write(module, root, dir, files)
}

func (f *follower) write(module shippedModule, root, dir string, files []pack.SourceFile) {
	written, err := write(module, root, dir, files)
	if err != nil {
		f.fail(module.name, dir, err)
		return
	}
	if !written {
		return
	}
	f.restored = append(f.restored, strings.TrimSuffix(unescape(module.name)+"/"+dir, "/"))
	if !module.indexed {
		f.whole = append(f.whole, root)
	}
}

func (f *follower) fail(module, dir string, err error) {
	f.failed = append(f.failed, strings.TrimSuffix(unescape(module)+"/"+dir, "/"))
	if f.failure == nil {
		f.failure = err
	}
}

func isGo(name string) bool { return strings.HasSuffix(name, ".go") }

func below(files []pack.SourceFile, dir string) []pack.SourceFile {
	return slices.DeleteFunc(slices.Clone(files), func(file pack.SourceFile) bool {
		return dir != "" && !strings.HasPrefix(file.Path, dir+"/")
	})
}

// folderImports returns the imports of all Go files of a folder. Files that do not parse are for the compiler to report.
func folderImports(folder string) []string {
	entries, err := os.ReadDir(folder)
	if err != nil {
		return nil
	}
	var imports []string
	for _, entry := range entries {
		// To open a pipe would take for ever, and Go ignores it.
		if !isGo(entry.Name()) || !isPlain(folder, entry) {
			continue
		}
		if content, err := os.ReadFile(filepath.Join(folder, entry.Name())); err == nil {
			imports = append(imports, fileImports(content)...)
		}
	}
	return imports
}

// isPlain: the entry is a file, or a link to one.
func isPlain(folder string, entry fs.DirEntry) bool {
	info, err := os.Stat(filepath.Join(folder, entry.Name()))
	return err == nil && info.Mode().IsRegular()
}

// packedImports returns the imports of the Go files among files, and whether one of them embeds others.
func packedImports(module shippedModule, files []pack.SourceFile) (imports []string, embeds bool, err error) {
	for _, file := range files {
		if !isGo(file.Path) {
			continue
		}
		content, err := module.pack.ReadSource(module.name, file)
		if err != nil {
			return nil, false, err
		}
		imports = append(imports, fileImports(content)...)
		embeds = embeds || bytes.Contains(content, []byte("//go:embed"))
	}
	return imports, embeds, nil
}

func fileImports(content []byte) []string {
	parsed, _ := parser.ParseFile(token.NewFileSet(), "", content, parser.ImportsOnly)
	if parsed == nil {
		return nil
	}
	var imports []string
	for _, spec := range parsed.Imports {
		if path, err := strconv.Unquote(spec.Path.Value); err == nil {
			imports = append(imports, path)
		}
	}
	return imports
}

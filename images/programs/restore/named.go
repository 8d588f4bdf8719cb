package restore

import (
	"go/build"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"
)

// Package is a package of the user's own modules.
type Package struct {
	// Path is its import path.
	Path, Folder string
}

// Named returns the packages of the user's own that the command line names, where they are in a module.
func (l *Local) Named() []Package {
	var named []Package
	for _, folder := range l.folders() {
		for module, root := range l.modules().folders {
			if rest, err := filepath.Rel(root, folder); err == nil && filepath.IsLocal(rest) {
				named = append(named, Package{path.Join(module, filepath.ToSlash(rest)), folder})
			}
		}
	}
	return named
}

// namedFolders returns the folders whose packages a command line names relative to its working folder, by file, or by
// naming nothing.
func namedFolders(request Request, modules localModules) []string {
	arguments := request.Command.Arguments
	if request.Command.Name == "mod" {
		return walkAll(modules.main)
	}
	if request.Command.Name == "run" && len(arguments) > 0 && !strings.HasSuffix(arguments[0], ".go") {
		arguments = arguments[:1]
	}
	var folders []string
	for _, argument := range arguments {
		switch {
		case argument == "all":
			folders = append(folders, walkAll(modules.main)...)
		case strings.HasSuffix(argument, ".go"):
			folders = append(folders, filepath.Dir(absolute(request.Cwd, argument)))
		case build.IsLocalImport(argument) || filepath.IsAbs(argument):
			folders = append(folders, walkPattern(absolute(request.Cwd, argument))...)
		default:
			for module, root := range modules.folders {
				if rest, ok := cutModule(argument, module); ok {
					folders = append(folders, walkPattern(filepath.Join(root, rest))...)
				}
			}
		}
	}
	if len(arguments) == 0 || !request.Command.Understood {
		folders = append(folders, request.Cwd)
	}
	return folders
}

// namedPackages returns the import paths that a command line names.
func namedPackages(request Request, modules localModules) []string {
	var paths []string
	if request.Command.Name == "mod" {
		return nil
	}
	for _, argument := range request.Command.Arguments {
		if !build.IsLocalImport(argument) && !filepath.IsAbs(argument) && !strings.Contains(argument, "...") {
			paths = append(paths, argument)
		}
	}
	return paths
}

func walkAll(roots []string) []string {
	var folders []string
	for _, root := range roots {
		folders = append(folders, walkPattern(filepath.Join(root, "..."))...)
	}
	return folders
}

// walkPattern returns the folder, or with ... in it those below that the go command would look at, and some more.
func walkPattern(pattern string) []string {
	before, _, wild := strings.Cut(pattern, "...")
	if !wild {
		return []string{pattern}
	}
	root := before
	if !strings.HasSuffix(before, "/") {
		root = filepath.Dir(before)
	}
	root = filepath.Clean(root)
	var folders []string
	// Folders that cannot be read are for the go command to report.
	_ = filepath.WalkDir(root, func(folder string, entry fs.DirEntry, err error) error {
		if err != nil || !entry.IsDir() {
			return nil
		}
		if folder != root && isSkipped(folder, entry.Name()) {
			return filepath.SkipDir
		}
		folders = append(folders, folder)
		return nil
	})
	return folders
}

func isSkipped(path, name string) bool {
	if strings.HasPrefix(name, ".") || strings.HasPrefix(name, "_") || name == "testdata" || name == "vendor" {
		return true
	}
	_, err := os.Stat(filepath.Join(path, "go.mod"))
	return err == nil
}

// cutModule returns what follows a module's path in an import path.
func cutModule(path, module string) (string, bool) {
	rest, ok := strings.CutPrefix(path, module)
	if !ok || rest != "" && rest[0] != '/' {
		return "", false
	}
	return strings.TrimPrefix(rest, "/"), true
}

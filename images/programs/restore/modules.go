package restore

import (
	"bufio"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// localModules are the modules whose sources are the user's own: the main module, those of a workspace, and those that a
// replace directive finds in a folder.
type localModules struct {
	// folders are module roots by module path.
	folders map[string]string
	// replaced are module path@version by the module path that they stand for.
	replaced map[string]string
	main     []string
	vendored bool
}

func readLocalModules(request Request) localModules {
	modules := localModules{folders: map[string]string{}, replaced: map[string]string{}}
	if work := findWork(request); work != "" {
		directives := readDirectives(work)
		for _, use := range directives["use"] {
			modules.addMain(filepath.Join(absolute(filepath.Dir(work), use[0]), "go.mod"), "")
		}
		modules.addReplaced(filepath.Dir(work), directives["replace"])
		modules.vendored = isVendored(request, filepath.Dir(work))
		return modules
	}
	mod := findUpwards(request.Cwd, "go.mod")
	if mod == "" {
		return modules
	}
	if other, ok := request.Command.Value("modfile"); ok {
		modules.addMain(absolute(request.Cwd, other), filepath.Dir(mod))
	} else {
		modules.addMain(mod, "")
	}
	modules.vendored = isVendored(request, filepath.Dir(mod))
	return modules
}

// addMain adds the module of a go.mod file; root is its folder where that is another than the file's.
func (m *localModules) addMain(mod, root string) {
	if root == "" {
		root = filepath.Dir(mod)
	}
	directives := readDirectives(mod)
	for _, module := range directives["module"] {
		m.folders[module[0]] = root
		m.main = append(m.main, root)
	}
	m.addReplaced(root, directives["replace"])
}

// addReplaced reads `old [version] => folder` and `old [version] => module version`.
func (m *localModules) addReplaced(root string, directives [][]string) {
	for _, words := range directives {
		for i, word := range words {
			if word != "=>" || i == 0 {
				continue
			}
			switch target := words[i+1:]; len(target) {
			case 1:
				m.folders[words[0]] = absolute(root, target[0])
			case 2:
				m.replaced[words[0]] = target[0] + "@" + target[1]
			}
		}
	}
}

func absolute(root, path string) string {
	if filepath.IsAbs(path) {
		return filepath.Clean(path)
	}
	return filepath.Join(root, path)
}

func findWork(request Request) string {
	switch work := request.Environment("GOWORK"); work {
	case "off":
		return ""
	case "":
		return findUpwards(request.Cwd, "go.work")
	default:
		return work
	}
}

func findUpwards(folder, name string) string {
	for {
		file := filepath.Join(folder, name)
		if info, err := os.Stat(file); err == nil && info.Mode().IsRegular() {
			return file
		}
		parent := filepath.Dir(folder)
		if parent == folder {
			return ""
		}
		folder = parent
	}
}

// isVendored: the go command reads the vendor folder and not the module cache.
func isVendored(request Request, root string) bool {
	if mode, ok := request.Command.Value("mod"); ok {
		return mode == "vendor"
	}
	_, err := os.Stat(filepath.Join(root, "vendor", "modules.txt"))
	return err == nil
}

// readDirectives reads a go.mod or go.work file: the words after each verb, those in blocks included. A file that cannot
// be read has none: the go command says what is wrong with it.
func readDirectives(file string) map[string][][]string {
	found := map[string][][]string{}
	f, err := os.Open(file)
	if err != nil {
		return found
	}
	defer f.Close()
	block := ""
	for lines := bufio.NewScanner(f); lines.Scan(); {
		line, _, _ := strings.Cut(lines.Text(), "//")
		words := strings.Fields(line)
		for i, word := range words {
			if unquoted, err := strconv.Unquote(word); err == nil {
				words[i] = unquoted
			}
		}
		switch {
		case len(words) == 0:
		case words[0] == ")":
			block = ""
		case block != "":
			found[block] = append(found[block], words)
		case len(words) > 1 && words[1] == "(":
			block = words[0]
		case len(words) > 1:
			found[words[0]] = append(found[words[0]], words[1:])
		}
	}
	return found
}

package serve

import (
	"encoding/base64"
	"encoding/hex"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
)

func buildID(file string) (string, error) {
	out, err := exec.Command(filepath.Join(runtime.GOROOT(), "bin/go"), "tool", "buildid", file).Output()
	id, _, _ := strings.Cut(string(out), "/")
	return id, err
}

// readPackages asks the go command for the graph and finds each package's action by the build ID of its archive.
func (f *fixture) readPackages() error {
	c := goCommand{folder: f.root, cache: f.loose}
	out, err := c.output("list", "-deps", "-export", "-trimpath", "-f", `{{.ImportPath}} {{.BuildID}} {{join .Imports ","}}`, ".")
	if err != nil {
		return err
	}
	actions := map[string]ID{}
	files, _ := filepath.Glob(filepath.Join(f.loose, "*", "*-a"))
	for _, file := range files {
		digits, err := hex.DecodeString(strings.TrimSuffix(filepath.Base(file), "-a"))
		if err != nil {
			return err
		}
		actions[base64.RawURLEncoding.EncodeToString(digits[:15])] = ID(digits)
	}
	for _, line := range strings.Split(strings.TrimSpace(out), "\n") {
		words := strings.SplitN(line, " ", 3)
		if words[0] == "unsafe" {
			continue
		}
		short, _, _ := strings.Cut(words[1], "/")
		p := fixturePackage{path: words[0], action: actions[short]}
		for _, path := range strings.Split(words[2], ",") {
			if path != "" && path != "unsafe" {
				p.imports = append(p.imports, path)
			}
		}
		f.packages = append(f.packages, p)
	}
	return nil
}

func writeSource(root, name, content string) error {
	file := filepath.Join(root, name)
	if err := os.MkdirAll(filepath.Dir(file), 0o777); err != nil {
		return err
	}
	return os.WriteFile(file, []byte(content), 0o666)
}

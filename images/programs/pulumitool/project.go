// Package pulumitool drives the Pulumi CLI: inputs become stack config, the engine's event log becomes changes, the checkpoint
// of a file backend is the state.
package pulumitool

import (
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"

	"kiln.dev/programs/moduleprotocol"
)

// ProjectFile returns the path of the project file of a module, and false where it has none.
func ProjectFile(module string) (string, bool) {
	for _, name := range []string{"Pulumi.yaml", "Pulumi.yml", "Pulumi.json"} {
		path := filepath.Join(module, name)
		if info, err := os.Stat(path); err == nil && info.Mode().IsRegular() {
			return path, true
		}
	}
	return "", false
}

var projectName = regexp.MustCompile(`^[A-Za-z0-9_.-]{1,100}$`)

// ProjectName reads the name of a module's project: the namespace of its config, and a part of the full names of its stacks.
func ProjectName(module string) (string, error) {
	path, found := ProjectFile(module)
	if !found {
		return "", moduleprotocol.Fail(moduleprotocol.ModuleInvalid, "there is no Pulumi.yaml in %s", module)
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return "", err
	}
	name := topLevelScalar(string(text), "name")
	var document struct{ Name string }
	if json.Unmarshal(text, &document) == nil {
		name = document.Name
	}
	if !projectName.MatchString(name) {
		return "", moduleprotocol.Fail(moduleprotocol.ModuleInvalid, "%s has no usable name: %q", path, name)
	}
	return name, nil
}

// topLevelScalar reads a plain or quoted value of a key that stands at the beginning of a line. It is all of YAML that a
// project's name needs; keys in deeper places, in comments and in block texts begin further right.
func topLevelScalar(text, key string) string {
	for line := range strings.Lines(strings.TrimPrefix(text, "\ufeff")) {
		rest, found := strings.CutPrefix(line, key)
		if !found {
			if rest, found = strings.CutPrefix(line, `"`+key+`"`); !found {
				rest, found = strings.CutPrefix(line, `'`+key+`'`)
			}
		}
		value, colon := strings.CutPrefix(strings.TrimLeft(rest, " \t"), ":")
		if !found || !colon {
			continue
		}
		value = strings.TrimSpace(value)
		if value != "" && (value[0] == '"' || value[0] == '\'') {
			inner, _, _ := strings.Cut(value[1:], value[:1])
			return inner
		}
		if comment := regexp.MustCompile(`\s#|^#`).FindStringIndex(value); comment != nil {
			value = value[:comment[0]]
		}
		return strings.TrimSpace(value)
	}
	return ""
}

// readStackFile returns the stack's config file that a module brings along, and "" where it brings none.
func readStackFile(module, stack string) (string, error) {
	for _, ending := range []string{".yaml", ".yml", ".json"} {
		text, err := os.ReadFile(filepath.Join(module, "Pulumi."+stack+ending))
		if err == nil || !errors.Is(err, fs.ErrNotExist) {
			return string(text), err
		}
	}
	return "", nil
}

package pack

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// List says what a pack shall hold. The order of its parts has no meaning.
type List struct {
	Version int `json:"version"`
	// GoBuild and GoMod are the absolute paths of a build cache and a module cache.
	GoBuild string `json:"goBuild"`
	GoMod   string `json:"goMod"`
	// Entries are names below GoBuild: `xx/<64 digits>-a` or `-d`; Whole those outputs that are never answered hollow.
	Entries []string `json:"entries"`
	Whole   []string `json:"whole"`
	// Beside are those outputs whose content stands in files beside the pack, ready to be read.
	Beside  []string      `json:"beside"`
	Sources []SourcesList `json:"sources"`
	// Programs are finished programs among the entries.
	Programs []ProgramList `json:"programs"`
}

// SourcesList names files of one module: `path@version` as below GoMod, and paths with slashes below that.
type SourcesList struct {
	Module  string   `json:"module"`
	Indexed bool     `json:"indexed"`
	Files   []string `json:"files"`
}

const listVersion = 1

// ReadList reads and checks a list. Its errors name the file.
func ReadList(path string) (List, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return List{}, err
	}
	var list List
	if err := json.Unmarshal(text, &list); err != nil {
		return List{}, fmt.Errorf("%s: %w", path, err)
	}
	if err := list.check(); err != nil {
		return List{}, fmt.Errorf("%s: %w", path, err)
	}
	return list, nil
}

func (l *List) check() error {
	if l.Version != listVersion {
		return fmt.Errorf("version is %d, and not %d", l.Version, listVersion)
	}
	if len(l.Entries) > 0 && !filepath.IsAbs(l.GoBuild) {
		return fmt.Errorf("goBuild %q is no absolute path", l.GoBuild)
	}
	if len(l.Sources) > 0 && !filepath.IsAbs(l.GoMod) {
		return fmt.Errorf("goMod %q is no absolute path", l.GoMod)
	}
	for _, name := range slices.Concat(l.Entries, l.Whole, l.Beside) {
		if _, _, err := parseEntryName(name); err != nil {
			return err
		}
	}
	seen := map[string]bool{}
	for _, m := range l.Sources {
		if !isTreePath(m.Module) || seen[m.Module] {
			return fmt.Errorf("sources name module %q, which is no path of its own below goMod", m.Module)
		}
		seen[m.Module] = true
		for _, file := range m.Files {
			if !isTreePath(file) {
				return fmt.Errorf("sources of %s name %q, which is no path below it", m.Module, file)
			}
		}
	}
	return nil
}

const (
	kindAction = 'a'
	kindOutput = 'd'
)

// parseEntryName reads `xx/<id>-a` or `xx/<id>-d`, xx being the first two digits of the ID.
func parseEntryName(name string) (id ID, kind byte, err error) {
	folder, file, _ := strings.Cut(name, "/")
	digits, letter, _ := strings.Cut(file, "-")
	if id, err = ParseID(digits); err == nil && folder == digits[:2] && (letter == "a" || letter == "d") {
		return id, letter[0], nil
	}
	return ID{}, 0, fmt.Errorf("%q is no entry of a build cache: xx/<64 digits>-a or -d", name)
}

// entryName is the inverse of parseEntryName.
func entryName(id ID, kind byte) string {
	digits := id.String()
	return digits[:2] + "/" + digits + "-" + string(kind)
}

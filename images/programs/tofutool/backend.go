package tofutool

import (
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"strings"
)

// IsModule: there are OpenTofu files in a folder.
func IsModule(module string) bool {
	names, _ := moduleFiles(module)
	return len(names) > 0
}

func moduleFiles(module string) ([]string, error) {
	entries, err := os.ReadDir(module)
	if err != nil {
		return nil, err
	}
	var names []string
	for _, entry := range entries {
		name := entry.Name()
		for _, ending := range []string{".tf", ".tofu", ".tf.json", ".tofu.json"} {
			if strings.HasSuffix(name, ending) && !strings.HasPrefix(name, ".") {
				names = append(names, name)
				break
			}
		}
	}
	return names, nil
}

var (
	// The label of a block may be without quotes; and terraform { backend "s3" {} } may be one line.
	backendBlock = regexp.MustCompile(`(?m)^[ \t]*(?:terraform[ \t]*\{[ \t]*)?backend[ \t]+"?([^"\s{]+)"?[ \t]*\{`)
	cloudBlock   = regexp.MustCompile(`(?m)^[ \t]*(?:terraform[ \t]*\{[ \t]*)?cloud[ \t]*\{`)
)

// DeclaredBackend returns the type of the backend that a module declares ("cloud" for a cloud block), or "". A block
// stands at the beginning of a line.
func DeclaredBackend(module string) (string, error) {
	names, err := moduleFiles(module)
	if err != nil {
		return "", err
	}
	for _, name := range names {
		text, err := os.ReadFile(filepath.Join(module, name))
		if err != nil {
			return "", err
		}
		declared := backendOfText(string(text))
		if strings.HasSuffix(name, ".json") {
			declared = backendOfJSON(text)
		}
		if declared != "" {
			return declared, nil
		}
	}
	return "", nil
}

func backendOfText(text string) string {
	code := codeOf(text)
	if found := backendBlock.FindStringSubmatch(code); found != nil {
		return found[1]
	}
	if cloudBlock.MatchString(code) {
		return "cloud"
	}
	return ""
}

func backendOfJSON(text []byte) string {
	// terraform, and backend below it, may be an object or a list of objects.
	var document map[string]any
	if json.Unmarshal(text, &document) != nil {
		return ""
	}
	for _, settings := range objects(document["terraform"]) {
		if _, found := settings["cloud"]; found {
			return "cloud"
		}
		for _, backend := range objects(settings["backend"]) {
			for kind := range backend {
				return kind
			}
		}
	}
	return ""
}

func objects(value any) []map[string]any {
	switch v := value.(type) {
	case map[string]any:
		return []map[string]any{v}
	case []any:
		var list []map[string]any
		for _, entry := range v {
			list = append(list, objects(entry)...)
		}
		return list
	}
	return nil
}

package restore

import (
	"strings"
	"unicode"

	"kiln.dev/programs/pack"
)

// shippedModules finds modules of the packs by module path. They are looked at only once an import leaves the user's own
// modules.
type shippedModules struct {
	packs  pack.Set
	byPath map[string][]shippedModule
}

type shippedModule struct {
	pack *pack.Reader
	// name is path@version as the pack has it, folder the module's root below the module cache.
	name, folder string
	indexed      bool
}

// versions returns the shipped versions of a module path.
func (s *shippedModules) versions(path string) []shippedModule {
	if s.byPath == nil {
		s.byPath = map[string][]shippedModule{}
		for _, reader := range s.packs {
			for _, module := range reader.Modules() {
				name := unescape(module.Name)
				path, _, _ := strings.Cut(name, "@")
				s.byPath[path] = append(s.byPath[path], shippedModule{reader, module.Name, escape(name), module.Indexed})
			}
		}
	}
	return s.byPath[path]
}

// escape writes a capital letter as the module cache does: ! and the small one. See golang.org/x/mod/module.
func escape(path string) string {
	var escaped strings.Builder
	for _, r := range path {
		if unicode.IsUpper(r) {
			escaped.WriteByte('!')
			r = unicode.ToLower(r)
		}
		escaped.WriteRune(r)
	}
	return escaped.String()
}

func unescape(path string) string {
	var plain strings.Builder
	capital := false
	for _, r := range path {
		if r == '!' {
			capital = true
			continue
		}
		if capital {
			r = unicode.ToUpper(r)
			capital = false
		}
		plain.WriteRune(r)
	}
	return plain.String()
}

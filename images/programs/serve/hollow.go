package serve

import (
	"go/build"
	"path/filepath"
	"strings"

	"kiln.dev/programs/gocommand"
)

// places are folders that the go command told of in the environment.
type places struct {
	cwd, goRoot, goModCache string
}

// harmless are the flags with which nobody reads an archive but a compile or link that asked for its own action first.
// Anything that hands archives out (-export), wraps tools (-toolexec), makes tests, or asks for no action at all (-a) is
// not among them; neither is a flag that is not known here.
var harmless = map[string]map[string]bool{
	"build": set("C", "asmflags", "buildvcs", "gcflags", "ldflags", "mod", "modcacherw", "modfile", "o", "p", "tags", "trimpath", "v", "work", "x"),
	"run":   set("C", "asmflags", "buildvcs", "gcflags", "ldflags", "mod", "modcacherw", "modfile", "p", "tags", "trimpath", "v", "work", "x"),
	"list":  set("C", "asmflags", "buildvcs", "deps", "e", "f", "find", "gcflags", "json", "ldflags", "mod", "modcacherw", "modfile", "p", "tags", "trimpath", "v"),
}

func set(names ...string) map[string]bool {
	set := map[string]bool{}
	for _, name := range names {
		set[name] = true
	}
	return set
}

// mayBeHollow reports whether hits on archives may be answered with a hole for this command. Only packages named relative
// to a folder of the user's own count: those of the module cache can be asked for by name, and then be handed out.
func mayBeHollow(command gocommand.Command, at places) bool {
	allowed := harmless[command.Name]
	if !command.Understood || allowed == nil || at.isForeign(at.cwd) {
		return false
	}
	for _, flag := range command.Flags {
		if !allowed[flag.Name] {
			return false
		}
	}
	packages := command.Arguments
	if command.Name == "run" {
		// What follows the package is the program's.
		if len(packages) == 0 {
			return false
		}
		packages = packages[:1]
	}
	for _, argument := range packages {
		if before, _, wild := strings.Cut(argument, "..."); wild {
			// a... is all that begins with a, in the folder that a is in.
			argument = filepath.Dir(before + "x")
		}
		if !build.IsLocalImport(argument) && argument != "." || at.isForeign(filepath.Join(at.cwd, argument)) {
			return false
		}
	}
	return true
}

// handsOut: the command prints paths of what it was answered, for others to read when it is done.
func handsOut(command gocommand.Command) bool {
	_, export := command.Value("export")
	_, compiled := command.Value("compiled")
	return command.Name == "list" && (export || compiled)
}

// isForeign: the folder is Go's or the module cache's, in them or around them, or it cannot be told.
func (p places) isForeign(folder string) bool {
	// A vendored package may have the action ID of a shipped one, and `go build -o x.a` copies its archive.
	if strings.Contains(filepath.Clean(folder)+"/", "/vendor/") {
		return true
	}
	for _, kept := range []string{p.goRoot, p.goModCache} {
		if kept == "" || !filepath.IsAbs(folder) {
			return true
		}
		if isBelow(folder, kept) || isBelow(kept, folder) {
			return true
		}
	}
	return false
}

func isBelow(path, folder string) bool {
	path, folder = filepath.Clean(path), filepath.Clean(folder)
	return path == folder || strings.HasPrefix(path, strings.TrimSuffix(folder, "/")+"/")
}

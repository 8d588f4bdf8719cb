// Package restore puts sources of shipped modules back into the module cache before the go command looks for them. An
// image has loose only what its own programs were built from; the rest of each module is in the packs.
package restore

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"strings"
	"sync"
	"syscall"

	"kiln.dev/programs/gocommand"
	"kiln.dev/programs/pack"
)

// Request is the go command that is about to look for sources.
type Request struct {
	Command gocommand.Command
	// Cwd is its working folder, Environment what os.Getenv says in it.
	Cwd         string
	Environment func(string) string
}

// Local is what a go command is about to read of the user's own. It is read once, when it is asked for.
type Local struct {
	request Request
	modules func() localModules
	folders func() []string
}

// Read returns what the go command of a request is about to read.
func Read(request Request) *Local {
	modules := sync.OnceValue(func() localModules { return readLocalModules(request) })
	folders := sync.OnceValue(func() []string { return namedFolders(request, modules()) })
	return &Local{request: request, modules: modules, folders: folders}
}

// Missing puts back the packages that the named packages import, directly or not, and that are not in the module cache.
// It returns them as module@version/folder; what cannot be put back is said on stderr, and for the go command to miss.
func (l *Local) Missing(packs pack.Set, stderr io.Writer) []string {
	request := l.request
	if len(packs) == 0 || !readsPackages(request.Command) {
		return nil
	}
	modules := l.modules()
	if modules.vendored {
		return nil
	}
	f := &follower{
		modules: modules,
		shipped: shippedModules{packs: packs},
		cache:   request.Environment("GOMODCACHE"),
		deep:    isOtherBuild(request),
		seen:    map[string]bool{},
	}
	for _, folder := range l.folders() {
		f.folder(folder)
	}
	for _, path := range namedPackages(request, modules) {
		f.imported(path)
	}
	if f.failure != nil {
		fmt.Fprintf(stderr, "gocache: %s\n", explain(f))
	}
	for _, module := range f.whole {
		forgetIndex(request.Environment, module)
	}
	return f.restored
}

// readsPackages: other commands read no package, or ask for modules that have to be fetched anyway.
func readsPackages(command gocommand.Command) bool {
	switch command.Name {
	case "build", "run", "test", "vet", "install", "generate", "fix":
		return true
	case "list":
		_, modules := command.Value("m")
		return !modules
	case "mod":
		return len(command.Arguments) > 0 && (command.Arguments[0] == "vendor" || command.Arguments[0] == "why")
	}
	return false
}

// isOtherBuild: files or imports may count that no build of the image's own programs read.
func isOtherBuild(request Request) bool {
	if request.Command.Name == "mod" {
		return true
	}
	for _, flag := range request.Command.Flags {
		switch flag.Name {
		case "race", "msan", "asan", "compiler", "tags":
			return true
		}
	}
	environment := request.Environment
	return environment("GOOS") != goos || environment("GOARCH") != goarch || environment("CGO_ENABLED") == "1"
}

func explain(f *follower) string {
	what := strings.Join(f.failed, ", ")
	if errors.Is(f.failure, fs.ErrPermission) || errors.Is(f.failure, syscall.EROFS) {
		return fmt.Sprintf("%s: not in %s, which cannot be written (%v). Let this user write there, or mount a writable "+
			"folder over it that holds what the image has there", what, f.cache, f.failure)
	}
	return fmt.Sprintf("%s: not in %s, and could not be put there: %v", what, f.cache, f.failure)
}

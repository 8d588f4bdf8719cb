package restore

import (
	"crypto/sha256"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
)

const (
	goos   = runtime.GOOS
	goarch = runtime.GOARCH
	// indexVersion is that of cmd/go/internal/modindex; where another Go has another one, there is no entry to forget.
	indexVersion = "go index v2"
)

// forgetIndex removes the user's own index of a module that was there in part when the go command came past it, as it
// does when it looks which module has a package, and that is there as a whole now.
func forgetIndex(environment func(string) string, root string) {
	version, err := os.ReadFile(filepath.Join(environment("GOROOT"), "VERSION"))
	cache := environment("GOCACHE")
	if err != nil || !filepath.IsAbs(cache) {
		return
	}
	name, _, _ := strings.Cut(string(version), "\n")
	action := indexAction(strings.TrimSpace(name), root)
	os.Remove(filepath.Join(cache, fmt.Sprintf("%02x", action[0]), fmt.Sprintf("%x-a", action)))
}

// indexAction is the action ID of a module's index: moduleHash of cmd/go/internal/modindex.
func indexAction(version, root string) [32]byte {
	return sha256.Sum256(fmt.Appendf(nil, "%smodule index %s %s %s\n", version, version, indexVersion, root))
}

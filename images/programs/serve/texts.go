package serve

import (
	"crypto/sha256"
	"sync"
)

// texts knows the actions under which the go command looks for what compiler and linker printed, for each action that it
// found: subkeys of it, of which only those are kept that the warming saw. It goes on without such a text, and neither
// compiles nor links for want of one; so these misses need no hole filled. After a link that is found it looks for the
// text of each package below the program.
type texts struct {
	mutex   sync.Mutex
	actions map[ID]struct{}
}

// found notes an action that was answered with a hit.
func (t *texts) found(action ID) {
	compiler, linker := subkey(action, "stdout"), subkey(action, "link-stdout")
	t.mutex.Lock()
	defer t.mutex.Unlock()
	if t.actions == nil {
		t.actions = map[ID]struct{}{}
	}
	t.actions[compiler] = struct{}{}
	t.actions[linker] = struct{}{}
}

func (t *texts) has(action ID) bool {
	t.mutex.Lock()
	defer t.mutex.Unlock()
	_, ok := t.actions[action]
	return ok
}

// subkey is Subkey of cmd/go/internal/cache.
func subkey(parent ID, name string) ID {
	return sha256.Sum256(append(append([]byte("subkey:"), parent[:]...), name...))
}

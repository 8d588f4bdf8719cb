// Package plandigest names a plan: two plans with one digest do the same to the same state, from the same inputs, by the same
// tool in the same image.
package plandigest

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"slices"

	"kiln.dev/programs/moduleprotocol"
	"kiln.dev/programs/stateenvelope"
)

// Plan is all that a digest is made of.
type Plan struct {
	Tool, Version string
	// Image is the digest of the module's image; empty where nobody said.
	Image string
	Stack string
	// Inputs, the variables of the request and its backend, what is secret among them too, enter the digest authenticated by Key, so
	// that nobody can guess them from it. Files are those of the secret channel, by the variables that name them.
	Inputs      map[string]json.RawMessage
	Environment map[string]string
	Files       map[string]moduleprotocol.SecretFile
	Backend     *moduleprotocol.Backend
	Key         []byte
	// State names the state that the plan was made against: lineage and serial, or a digest of a remote one.
	State string
	Steps []Step
}

// Step is one planned operation. New is what the resource is to be, as JSON; what is not yet known has to look the same each time.
type Step struct {
	Op, Resource string
	New          json.RawMessage
}

// Digest is "sha256:" and the digest of a plan.
func Digest(p Plan) (string, error) {
	sealed, err := moduleprotocol.CanonicalOf(map[string]any{
		"inputs": p.Inputs, "environment": withoutLogin(p.Environment), "files": withoutLogin(p.Files), "backend": p.Backend,
	})
	if err != nil {
		return "", err
	}
	steps := make([][3]string, 0, len(p.Steps))
	for _, step := range p.Steps {
		value := []byte("null")
		if len(step.New) > 0 {
			if value, err = moduleprotocol.Canonical(step.New); err != nil {
				return "", err
			}
		}
		steps = append(steps, [3]string{step.Op, step.Resource, hash(value)})
	}
	slices.SortFunc(steps, func(a, b [3]string) int {
		return cmp.Or(cmp.Compare(a[1], b[1]), cmp.Compare(a[0], b[0]), cmp.Compare(a[2], b[2]))
	})
	text, err := moduleprotocol.CanonicalOf(map[string]any{
		"tool": p.Tool, "version": p.Version, "image": p.Image, "stack": p.Stack, "state": p.State, "steps": steps,
		"sealed": hex.EncodeToString(stateenvelope.Authenticate(p.Key, sealed)),
	})
	if err != nil {
		return "", err
	}
	return "sha256:" + hash(text), nil
}

func hash(content []byte) string {
	sum := sha256.Sum256(content)
	return hex.EncodeToString(sum[:])
}

package pulumitool

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"

	"kiln.dev/programs/moduleprotocol"
)

// worldOf is the part of a state that says something about the world. An update that changed nothing writes new times and places
// in the program into the rest, and, where decrypt is given, encrypts the same secrets anew.
func worldOf(text []byte, decrypt func(string) (string, error)) ([]byte, error) {
	var document struct {
		Checkpoint struct{ Latest *world }
		Deployment *world
	}
	if err := json.Unmarshal(text, &document); err != nil {
		return nil, err
	}
	w := world{}
	for _, found := range []*world{document.Checkpoint.Latest, document.Deployment} {
		if found != nil {
			w = *found
		}
	}
	for _, resource := range w.Resources {
		for _, field := range []string{"created", "modified", "sourcePosition", "stackTrace"} {
			delete(resource, field)
		}
	}
	// Independent resources stand in the order in which they happened to be done.
	slices.SortStableFunc(w.Resources, func(a, b map[string]json.RawMessage) int { return bytes.Compare(a["urn"], b["urn"]) })
	canonical, err := moduleprotocol.CanonicalOf(w)
	if err != nil || decrypt == nil {
		return canonical, err
	}
	value, err := moduleprotocol.Decode(canonical)
	if err != nil {
		return nil, err
	}
	if value, err = reveal(value, decrypt, new(bool)); err != nil {
		return nil, err
	}
	return moduleprotocol.CanonicalOf(value)
}

type world struct {
	Resources         []map[string]json.RawMessage `json:"resources,omitempty"`
	PendingOperations []json.RawMessage            `json:"pending_operations,omitempty"`
}

// State is the checkpoint of the file backend.
func (t *Tool) State() ([]byte, error) {
	text, err := os.ReadFile(t.checkpoint())
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	world, err := worldOf(text, nil)
	if err != nil {
		return nil, fmt.Errorf("%s is being written: %w", t.checkpoint(), err)
	}
	if t.job.State == nil && string(world) == "{}" {
		return nil, nil // the file that was put there, and nothing that the engine did
	}
	return text, nil
}

// SameState compares resources and pending operations. Where it cannot tell, they differ.
func (t *Tool) SameState(a, b []byte) bool {
	one, errOne := t.revealedWorld(a)
	two, errTwo := t.revealedWorld(b)
	return errOne == nil && errTwo == nil && string(one) == string(two)
}

func (t *Tool) revealedWorld(text []byte) ([]byte, error) {
	d, err := parseState(text)
	if err != nil {
		return nil, err
	}
	return worldOf(text, t.decrypterOf(d))
}

// decrypterOf opens secrets of a carried state. The key is derived at the first one.
func (t *Tool) decrypterOf(d deployment) func(string) (string, error) {
	return func(sealed string) (string, error) {
		if err := t.openCrypter(head{{"encryptionsalt", d.SecretsProviders.State.Salt}}); err != nil {
			return "", err
		}
		return t.crypter.decrypt(sealed)
	}
}

package tofutool

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"kiln.dev/programs/moduleprotocol"
)

// unrecorded lists what was made or changed and is not in a state. OpenTofu writes its state 20 seconds after the first change at
// the earliest (internal/backend/local/backend_apply.go): what was done after the last time is lost when it is killed.
func (m *messages) unrecorded(state []byte) []string {
	recorded := addressesIn(state)
	var lost []string
	for _, change := range m.done {
		if change.Action != moduleprotocol.Delete && !recorded[change.Resource] && !slices.Contains(lost, change.Resource) {
			lost = append(lost, change.Resource)
		}
	}
	slices.Sort(lost)
	return lost
}

// withLost adds to the error of a run that was killed what exists now and is known to nobody. That of an encrypted state cannot
// be read here: it may be everything that was done.
func (t *Tool) withLost(err error, said *messages) error {
	state, reading := t.State()
	if reading != nil {
		state = nil
	}
	lost := said.unrecorded(state)
	if len(lost) == 0 {
		return err
	}
	failure := moduleprotocol.FailureOf(err)
	failure.Message += "\nDone, and not found in the state: " + strings.Join(lost, ", ") +
		". Look for it, and import or remove it before the next apply"
	return failure
}

// addressesIn lists the instances in a state file (version 4); none where it is encrypted.
func addressesIn(state []byte) map[string]bool {
	var file struct {
		Resources []struct {
			Module, Mode, Type, Name string
			Instances                []struct {
				Key     json.RawMessage `json:"index_key"`
				Deposed string
			}
		}
	}
	addresses := map[string]bool{}
	if json.Unmarshal(state, &file) != nil {
		return addresses
	}
	for _, r := range file.Resources {
		address := r.Type + "." + r.Name
		if r.Mode == "data" {
			address = "data." + address
		}
		if r.Module != "" {
			address = r.Module + "." + address
		}
		for _, instance := range r.Instances {
			switch {
			case instance.Deposed != "": // waits to be deleted, and is not what an event about the address means
			case moduleprotocol.IsNull(instance.Key):
				addresses[address] = true
			default:
				addresses[fmt.Sprintf("%s[%s]", address, instance.Key)] = true
			}
		}
	}
	return addresses
}

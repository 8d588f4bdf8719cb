package tofutool

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

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

// lostTime is how long a backend may take to say what it has.
const lostTime = 10 * time.Second

// withLost adds to the error of a run that was killed what was done and is not in the state: it exists, and is known to nobody. Where
// the state cannot be read, all that was done may be so.
func (t *Tool) withLost(ctx context.Context, err error, said *messages) error {
	state, reading := t.stateOnceMore(ctx)
	lost := said.unrecorded(state)
	if len(lost) == 0 {
		return err
	}
	failure := moduleprotocol.FailureOf(err)
	if reading != nil {
		failure.Message += fmt.Sprintf("\nDone, and perhaps not in the state, which cannot be read (%v): %s. Look whether the state has it, "+
			"and import or remove what it has not before the next apply", reading, strings.Join(lost, ", "))
		return failure
	}
	failure.Message += "\nDone, and not found in the state: " + strings.Join(lost, ", ") +
		". Look for it, and import or remove it before the next apply"
	return failure
}

// stateOnceMore is the state as it is now, also where the run was stopped: of a remote backend what it has, as OpenTofu decrypts it.
func (t *Tool) stateOnceMore(ctx context.Context) ([]byte, error) {
	if t.job.StateMode == moduleprotocol.Remote {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), lostTime)
		defer cancel()
		return t.query(ctx, "state", "pull")
	}
	state, err := t.State()
	if err == nil && encrypted(state) {
		return nil, errors.New("it is encrypted")
	}
	return state, err
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

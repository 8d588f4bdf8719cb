package pulumitool

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"

	"kiln.dev/programs/moduleprotocol"
	"kiln.dev/programs/moduletool"
)

// deployment is what a checkpoint, and an exported stack, say about a stack.
type deployment struct {
	SecretsProviders struct {
		Type  string
		State struct{ Salt string }
	} `json:"secrets_providers"`
	Resources         []resource        `json:"resources"`
	PendingOperations []json.RawMessage `json:"pending_operations"`
}

type resource struct {
	URN     string
	Type    string
	Outputs map[string]json.RawMessage
}

// emptyCheckpoint is the state of a stack that was just made.
func emptyCheckpoint(project, stack string) []byte {
	text, _ := json.Marshal(map[string]any{
		"version": 3,
		"checkpoint": map[string]any{
			"stack": "organization/" + project + "/" + stack, "latest": nil,
		},
	})
	return text
}

// parseState reads a checkpoint of a file backend or an export of a stack.
func parseState(text []byte) (deployment, error) {
	var document struct {
		Checkpoint *struct{ Latest *deployment }
		Deployment *deployment
	}
	if err := json.Unmarshal(text, &document); err != nil {
		return deployment{}, fmt.Errorf("read the stack's state: %w", err)
	}
	switch {
	case document.Checkpoint != nil && document.Checkpoint.Latest != nil:
		return *document.Checkpoint.Latest, nil
	case document.Deployment != nil:
		return *document.Deployment, nil
	case document.Checkpoint != nil:
		return deployment{}, nil
	default:
		return deployment{}, errors.New("this is no state of Pulumi: it has neither checkpoint nor deployment")
	}
}

// asCheckpoint makes a checkpoint of either form of state.
func asCheckpoint(text []byte, project, stack string) ([]byte, error) {
	var document struct{ Version, Checkpoint, Deployment json.RawMessage }
	if err := json.Unmarshal(text, &document); err != nil {
		return nil, err
	}
	if document.Deployment == nil {
		return text, nil
	}
	return json.Marshal(map[string]any{
		"version":    document.Version,
		"checkpoint": map[string]any{"stack": "organization/" + project + "/" + stack, "latest": document.Deployment},
	})
}

// Pulumi marks values that JSON has not by this key; the mark says which kind.
const (
	signature       = "4dabf18193072939515e22adb298388d"
	secretSignature = "1b47061264138c4ac30d75fd1eb44270"
)

// outputs of the stack. Secrets are opened by decrypt; an output with a secret anywhere in it is secret as a whole.
func (d deployment) outputs(decrypt func(string) (string, error)) (map[string]moduletool.Output, error) {
	outputs := map[string]moduletool.Output{}
	for _, r := range d.Resources {
		if r.Type != stackType {
			continue
		}
		for name, raw := range r.Outputs {
			output := moduletool.Output{Value: raw}
			if bytes.Contains(raw, []byte(signature)) {
				value, err := moduleprotocol.Decode(raw)
				if err != nil {
					return nil, err
				}
				value, err = reveal(value, decrypt, &output.Sensitive)
				if err != nil {
					return nil, fmt.Errorf("output %s: %w", name, err)
				}
				if output.Value, err = moduleprotocol.CanonicalOf(value); err != nil {
					return nil, err
				}
			}
			outputs[name] = output
		}
	}
	return outputs, nil
}

// reveal replaces secrets in a value by what they hide.
func reveal(value any, decrypt func(string) (string, error), found *bool) (any, error) {
	switch v := value.(type) {
	case map[string]any:
		if v[signature] == secretSignature {
			*found = true
			text, plain := v["plaintext"].(string)
			if !plain {
				sealed, _ := v["ciphertext"].(string)
				var err error
				if text, err = decrypt(sealed); err != nil {
					return nil, err
				}
			}
			inner, err := moduleprotocol.Decode([]byte(text))
			if err != nil {
				return nil, err
			}
			return reveal(inner, decrypt, found)
		}
		for key, entry := range v {
			revealed, err := reveal(entry, decrypt, found)
			if err != nil {
				return nil, err
			}
			v[key] = revealed
		}
	case []any:
		for i, entry := range v {
			revealed, err := reveal(entry, decrypt, found)
			if err != nil {
				return nil, err
			}
			v[i] = revealed
		}
	}
	return value, nil
}

// Package tofutool drives OpenTofu: inputs become a variables file, plans are made once, read as JSON, and then applied.
package tofutool

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"kiln.dev/programs/moduleprotocol"
)

// variablesFile writes inputs as a *.tfvars.json: each value with the text it has, so that no number passes through a float.
func variablesFile(inputs map[string]json.RawMessage) ([]byte, error) {
	names := make([]string, 0, len(inputs))
	for name := range inputs {
		names = append(names, name)
	}
	slices.Sort(names)
	var out bytes.Buffer
	out.WriteString("{")
	for i, name := range names {
		if i > 0 {
			out.WriteString(",")
		}
		key, err := json.Marshal(name)
		if err != nil {
			return nil, err
		}
		out.WriteString("\n  ")
		out.Write(key)
		out.WriteString(": ")
		if err := json.Compact(&out, inputs[name]); err != nil {
			return nil, fmt.Errorf("%s: %w", moduleprotocol.Join("$.inputs", name), err)
		}
	}
	out.WriteString("\n}\n")
	return out.Bytes(), nil
}

// checkDeclared refuses inputs that are no variables of the module: OpenTofu only warns, and a name that is spelled wrong would
// leave a default in place.
func checkDeclared(inputs map[string]json.RawMessage, declared map[string]json.RawMessage) error {
	var unknown, known []string
	for name := range inputs {
		if _, found := declared[name]; !found {
			unknown = append(unknown, moduleprotocol.Join("$.inputs", name))
		}
	}
	if len(unknown) == 0 {
		return nil
	}
	for name := range declared {
		known = append(known, name)
	}
	slices.Sort(unknown)
	slices.Sort(known)
	return moduleprotocol.Fail(moduleprotocol.ConfigInvalid,
		"%s: the module declares no such variable; it declares: %s", strings.Join(unknown, ", "), strings.Join(known, ", "))
}

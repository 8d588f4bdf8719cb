package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"regexp"
	"strings"

	"kiln.dev/programs/moduleprotocol"
	"kiln.dev/programs/redact"
)

// most is how much the secret channel may hold.
const most = 64 << 20

// readSecrets reads the secret channel to its end, where there is one.
func readSecrets(ctx context.Context, stdin io.Reader) (moduleprotocol.Secrets, error) {
	switch channel := os.Getenv("KILN_SECRETS"); channel {
	case "":
		return moduleprotocol.Secrets{}, nil
	case "stdin":
	default:
		return moduleprotocol.Secrets{}, moduleprotocol.Fail(moduleprotocol.BadRequest, "KILN_SECRETS is %q: there is stdin only", channel)
	}
	type result struct {
		text []byte
		err  error
	}
	read := make(chan result, 1)
	go func() {
		text, err := io.ReadAll(io.LimitReader(stdin, most+1))
		read <- result{text, err}
	}()
	select {
	case <-ctx.Done():
		return moduleprotocol.Secrets{}, context.Cause(ctx)
	case r := <-read:
		if r.err == nil && len(r.text) > most {
			r.err = errors.New("it is longer than 64 MiB")
		}
		if r.err != nil {
			return moduleprotocol.Secrets{}, fmt.Errorf("read the secret channel: %w", r.err)
		}
		secrets, err := moduleprotocol.ParseSecrets(r.text)
		if err != nil {
			return moduleprotocol.Secrets{}, moduleprotocol.Fail(moduleprotocol.BadRequest, "secret channel: %v", err)
		}
		return secrets, nil
	}
}

// mergeInputs puts the secret inputs among the others, and returns the names of all that are secret.
func mergeInputs(request *moduleprotocol.Request, secrets moduleprotocol.Secrets) (map[string]bool, error) {
	names := map[string]bool{}
	for name, value := range secrets.Inputs {
		request.Inputs[name] = value
		names[name] = true
	}
	for i, name := range request.SecretInputs {
		if _, found := request.Inputs[name]; !found {
			return nil, moduleprotocol.Fail(moduleprotocol.BadRequest,
				"$.secret_inputs[%d]: %q has a value neither in the secret channel nor in $.inputs", i, name)
		}
		names[name] = true
	}
	return names, nil
}

// Variables that hold secrets by what they are called. Their values may come from the image's or the container's environment.
var secretVariable = regexp.MustCompile(`(?i)(^|_)(secret|secret_key|secret_access_key|session_token|token|password|passphrase|private_key|api_?key)$`)

// leastVariable: values of variables that are shorter are more likely a word than a secret.
const leastVariable = 8

// learn makes everything known to the redactor that must not be seen.
func learn(r *redact.Redactor, request moduleprotocol.Request, names map[string]bool, secrets moduleprotocol.Secrets, environment []string) {
	for name := range names {
		r.Add(redact.Values(request.Inputs[name])...)
	}
	for _, value := range secrets.Environment {
		r.Add(value)
	}
	for _, file := range secrets.Files {
		r.Add(string(file.Content))
		addFields(r, file.Content)
	}
	for _, entry := range environment {
		name, value, _ := strings.Cut(entry, "=")
		if secretVariable.MatchString(name) && len(value) >= leastVariable {
			r.Add(value)
		}
	}
}

// addFields adds what is secret in a JSON file, such as the private key of a service account, which is printed alone. Its other
// fields, such as the project, are no secrets.
func addFields(r *redact.Redactor, content []byte) {
	var fields map[string]json.RawMessage
	if json.Unmarshal(content, &fields) != nil {
		return
	}
	for name, value := range fields {
		if secretVariable.MatchString(name) {
			r.Add(redact.Values(value)...)
		}
	}
}

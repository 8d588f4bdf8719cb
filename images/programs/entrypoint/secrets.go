package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"

	"kiln.dev/programs/moduleprotocol"
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

// mergeState takes a state in the clear from the secret channel: there it is on no disk.
func mergeState(request *moduleprotocol.Request, secrets moduleprotocol.Secrets) error {
	if secrets.State == nil {
		return nil
	}
	if request.State != nil {
		return moduleprotocol.Fail(moduleprotocol.BadRequest, "$.state: there is one in the secret channel as well")
	}
	request.State = secrets.State
	return nil
}

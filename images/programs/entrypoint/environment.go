package main

import (
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"kiln.dev/programs/moduleprotocol"
	"kiln.dev/programs/room"
)

// toolEnvironment is the environment of the tool: this process's, the request's, the secret one, and the paths of secret files.
func toolEnvironment(place string, request moduleprotocol.Request, secrets moduleprotocol.Secrets) ([]string, error) {
	// An arbitrary uid has no name in the image: Go programs, of which Pulumi is one, take it from here. A USER after it counts.
	environment := []string{"USER=kiln"}
	for _, entry := range os.Environ() {
		if name, _, _ := strings.Cut(entry, "="); name != "KILN_SECRETS" {
			environment = append(environment, entry)
		}
	}
	for name, value := range variables(request, secrets) {
		environment = append(environment, name+"="+value)
	}
	for variable, file := range secrets.Files {
		path, err := writeSecretFile(place, variable, file)
		if err != nil {
			return nil, err
		}
		environment = append(environment, variable+"="+path)
	}
	if home := os.Getenv("HOME"); home == "" || !room.Writable(home) {
		own := filepath.Join(place, "home")
		if err := os.MkdirAll(own, 0o700); err != nil {
			return nil, err
		}
		// Before the others: a home that was asked for is not replaced. Pulumi looks for the image's plugins below the former one.
		if home != "" && os.Getenv("PULUMI_HOME") == "" {
			environment = slices.Insert(environment, 0, "PULUMI_HOME="+filepath.Join(home, ".pulumi"))
		}
		if _, asked := request.Environment["HOME"]; !asked {
			environment = append(environment, "HOME="+own)
		}
	}
	return environment, nil
}

// variables are those that the caller gives, whichever way each of them comes; a secret one counts.
func variables(request moduleprotocol.Request, secrets moduleprotocol.Secrets) map[string]string {
	all := map[string]string{}
	maps.Copy(all, request.Environment)
	maps.Copy(all, secrets.Environment)
	return all
}

func writeSecretFile(place, variable string, file moduleprotocol.SecretFile) (string, error) {
	name := filepath.Base(file.Name)
	if file.Name == "" || name == "." || name == ".." || name == "/" || strings.ContainsAny(variable, "=/\x00") || variable == "" {
		return "", moduleprotocol.Fail(moduleprotocol.BadRequest,
			"secret channel: %s: a file needs a name, and a variable that is named after it", moduleprotocol.Join("$.files", variable))
	}
	folder := filepath.Join(place, "files", variable)
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return "", err
	}
	path := filepath.Join(folder, name)
	return path, os.WriteFile(path, file.Content, 0o400)
}

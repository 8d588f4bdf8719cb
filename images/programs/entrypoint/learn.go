package main

import (
	"encoding/json"
	"regexp"
	"slices"
	"strings"

	"kiln.dev/programs/moduleprotocol"
	"kiln.dev/programs/redact"
)

// Variables that hold secrets by what they are called, as the executor has it (execution/module/request-plan.ts). Their values may
// come from the image's or the container's environment.
var (
	secretName   = regexp.MustCompile(`(?i)SECRET|TOKEN|PASSWORD|PASSPHRASE|PRIVATE_KEY|API_?KEY|ACCESS_KEY`)
	pathName     = regexp.MustCompile(`_(?:FILE|PATH|DIR|URL|URI)$`)
	knownSecrets = []string{"GOOGLE_CREDENTIALS", "TF_ENCRYPTION"}
)

func secretVariable(name string) bool {
	return slices.Contains(knownSecrets, name) ||
		secretName.MatchString(name) && !pathName.MatchString(name) && !strings.HasPrefix(name, "KILN_")
}

// leastVariable: values of variables that are shorter are more likely a word than a secret.
const leastVariable = 8

// learn makes everything known to the redactor that must not be seen.
func learn(r *redact.Redactor, request moduleprotocol.Request, names map[string]bool, secrets moduleprotocol.Secrets, environment []string) {
	for name := range names {
		r.Add(redact.Values(request.Inputs[name])...)
	}
	for _, value := range secrets.Environment {
		r.Add(value)
		r.Add(secretsIn([]byte(value))...)
	}
	for _, file := range secrets.Files {
		r.Add(string(file.Content))
		r.Add(secretsIn(file.Content)...)
	}
	for _, entry := range environment {
		name, value, _ := strings.Cut(entry, "=")
		if secretVariable(name) && len(value) >= leastVariable {
			r.Add(value)
			r.Add(secretsIn([]byte(value))...)
		}
	}
}

var (
	secretField = regexp.MustCompile(`(?i)secret|token|password|passphrase|private|key(?:-data)?$`)
	// What may be a key or token behind a name, in a file of any form: long, and no address.
	namedToken = regexp.MustCompile(`(?m)[=:][ \t]*["']?(/?[\w+][\w/+.-]{14,}={0,2})["']?[ \t\r]*$`)
)

// secretsIn lists what is secret in a file of credentials and may be printed alone: in JSON the fields that are called so, such as
// the private key of a service account (its project is none), in other forms what looks like a key.
func secretsIn(content []byte) []string {
	var document any
	if json.Unmarshal(content, &document) == nil {
		return secretFields(document)
	}
	var found []string
	for _, match := range namedToken.FindAllSubmatch(content, -1) {
		found = append(found, string(match[1]))
	}
	return found
}

func secretFields(value any) []string {
	var found []string
	switch v := value.(type) {
	case map[string]any:
		for name, entry := range v {
			if secretField.MatchString(name) {
				found = append(found, texts(entry)...)
			}
			found = append(found, secretFields(entry)...)
		}
	case []any:
		for _, entry := range v {
			found = append(found, secretFields(entry)...)
		}
	}
	return found
}

// texts are a text, or those in a list: a field such as "private_keys" may have several.
func texts(value any) []string {
	switch v := value.(type) {
	case string:
		return []string{v}
	case []any:
		var list []string
		for _, entry := range v {
			list = append(list, texts(entry)...)
		}
		return list
	}
	return nil
}

package moduleprotocol

import (
	"encoding/base64"
	"encoding/json"
)

// Secrets is the document of the secret channel.
type Secrets struct {
	Inputs      map[string]json.RawMessage
	Environment map[string]string
	// Files are named by the environment variable that gets their path.
	Files map[string]SecretFile
	// State is the tool's own state in the clear, or nil: a request that has it would lie on a disk with every secret in it.
	State json.RawMessage
	// StateKey is 32 bytes, or nil.
	StateKey []byte
	// PassingKey: state_key_lasting is false. No other run has the key, and nothing that is made with it can be compared.
	PassingKey bool
}

// SecretFile is a file that only the tool reads, such as a service account's key.
type SecretFile struct {
	Name    string
	Content []byte
}

// ParseSecrets reads the document of the secret channel. Errors name paths, never values.
func ParseSecrets(text []byte) (Secrets, error) {
	r, err := readObject(text)
	if err != nil {
		return Secrets{}, err
	}
	secrets := Secrets{
		Environment: r.texts("environment"), Files: map[string]SecretFile{}, PassingKey: !r.boolean("state_key_lasting", true),
	}
	if inputs := r.take("inputs"); inputs != nil {
		secrets.Inputs = r.object(inputs, "$.inputs")
	}
	if files := r.take("files"); files != nil {
		for variable, entry := range r.object(files, "$.files") {
			path := Join("$.files", variable)
			inner := reader{path: path, fields: r.object(entry, path), err: r.err}
			secrets.Files[variable] = SecretFile{Name: inner.text("name"), Content: inner.bytes("base64")}
		}
	}
	secrets.State = r.state()
	if r.take("state_key") != nil {
		secrets.StateKey = r.bytes("state_key")
		if len(secrets.StateKey) != 32 {
			r.refuse("$.state_key", "has to be 32 bytes as base64")
		}
	}
	return secrets, *r.err
}

func (r reader) bytes(name string) []byte {
	content, err := base64.StdEncoding.DecodeString(r.text(name))
	if err != nil {
		r.refuse(Join(r.path, name), "has to be base64")
	}
	return content
}

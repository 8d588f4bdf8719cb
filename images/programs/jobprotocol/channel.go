package jobprotocol

import (
	"encoding/base64"
	"fmt"
	"path/filepath"
	"strings"

	"kiln.dev/programs/strictjson"
)

// Channel is the document of the secret channel.
type Channel struct {
	Parameters  *strictjson.Object
	Environment map[string]string
	// Files are named by the environment variable that gets their path.
	Files       map[string]SecretFile
	Repository  RepositoryLogin
	ResultToken string
	Vault       VaultLogin
	// Values are all texts of the document: what must be nowhere else.
	Values []string
}

// SecretFile is a file that only the script reads.
type SecretFile struct {
	Name    string
	Content []byte
}

// RepositoryLogin is how a private repository is fetched.
type RepositoryLogin struct{ Username, Password, SSHKey, KnownHosts string }

// VaultLogin is what proves to Vault who this is. Token is a wrapping token where the way to log in is wrapped.
type VaultLogin struct{ RoleID, SecretID, Token, JWT string }

// ParseChannel reads the secret channel. Unknown fields are refused: a misspelled secret would be missed far from here. Errors
// name paths, never values.
func ParseChannel(text []byte) (Channel, error) {
	channel := Channel{Parameters: strictjson.NewObject(), Environment: map[string]string{}, Files: map[string]SecretFile{}}
	document, err := strictjson.ParseObject(text)
	if err != nil {
		return channel, err
	}
	for _, name := range document.Names {
		value, path := document.Values[name], strictjson.Join("$", name)
		switch name {
		case "parameters":
			channel.Parameters, err = objectAt(value, path)
			channel.Values = append(channel.Values, strictjson.Texts(value)...)
		case "environment":
			err = channel.readEnvironment(value, path)
		case "files":
			err = channel.readFiles(value, path)
		case "repository":
			login := &channel.Repository
			err = channel.readTexts(value, path, map[string]*string{
				"username": &login.Username, "password": &login.Password, "ssh_key": &login.SSHKey, "known_hosts": &login.KnownHosts,
			})
		case "result_token":
			channel.ResultToken, err = textAt(value, path)
			channel.Values = append(channel.Values, channel.ResultToken)
		case "vault":
			login := &channel.Vault
			err = channel.readTexts(value, path, map[string]*string{
				"role_id": &login.RoleID, "secret_id": &login.SecretID, "token": &login.Token, "jwt": &login.JWT,
			})
		default:
			err = fmt.Errorf("%s: there is no such part", path)
		}
		if err != nil {
			return channel, err
		}
	}
	return channel, nil
}

func (c *Channel) readEnvironment(value any, path string) error {
	object, err := objectAt(value, path)
	if err != nil {
		return err
	}
	for _, name := range object.Names {
		at := strictjson.Join(path, name)
		text, err := textAt(object.Values[name], at)
		if err != nil {
			return err
		}
		if !variable.MatchString(name) || strings.Contains(text, "\x00") {
			return fmt.Errorf("%s: is no environment variable", at)
		}
		c.Environment[name] = text
		c.Values = append(c.Values, text)
	}
	return nil
}

func (c *Channel) readFiles(value any, path string) error {
	object, err := objectAt(value, path)
	if err != nil {
		return err
	}
	for _, name := range object.Names {
		at := strictjson.Join(path, name)
		var file, encoded string
		if err := readTexts(object.Values[name], at, map[string]*string{"name": &file, "base64": &encoded}); err != nil {
			return err
		}
		content, err := base64.StdEncoding.DecodeString(encoded)
		switch {
		case err != nil:
			return fmt.Errorf("%s.base64: has to be base64", at)
		case !variable.MatchString(name) || file == "" || file != filepath.Base(file) || strings.HasPrefix(file, ".") || strings.Contains(file, "\x00"):
			return fmt.Errorf("%s: a file needs a plain name, and a variable that is named after it", at)
		}
		c.Files[name] = SecretFile{file, content}
		c.Values = append(c.Values, string(content), encoded)
	}
	return nil
}

// readTexts is the function of that name for what is secret as a whole. A user's name is not.
func (c *Channel) readTexts(value any, path string, into map[string]*string) error {
	if err := readTexts(value, path, into); err != nil {
		return err
	}
	for name, text := range into {
		if name != "username" && name != "known_hosts" && *text != "" {
			c.Values = append(c.Values, *text)
		}
	}
	return nil
}

func readTexts(value any, path string, into map[string]*string) error {
	object, err := objectAt(value, path)
	if err != nil {
		return err
	}
	for _, name := range object.Names {
		at := strictjson.Join(path, name)
		target, known := into[name]
		if !known {
			return fmt.Errorf("%s: there is no such part", at)
		}
		if *target, err = textAt(object.Values[name], at); err != nil {
			return err
		}
	}
	return nil
}

func objectAt(value any, path string) (*strictjson.Object, error) {
	if object, ok := value.(*strictjson.Object); ok {
		return object, nil
	}
	return strictjson.NewObject(), fmt.Errorf("%s: has to be an object, and is %s", path, strictjson.Kind(value))
}

func textAt(value any, path string) (string, error) {
	if text, ok := value.(string); ok {
		return text, nil
	}
	return "", fmt.Errorf("%s: has to be text, and is %s", path, strictjson.Kind(value))
}

package jobprotocol

import "regexp"

// Ways to log in to Vault.
const (
	AppRole    = "approle"
	Kubernetes = "kubernetes"
	Wrapped    = "wrapped"
	Token      = "token"
)

// Vault says what to take from Vault, and how to log in. Nothing in it is secret.
type Vault struct {
	Auth    string                 `json:"auth"`
	Mount   string                 `json:"mount"`
	Role    string                 `json:"role"`
	JWTFile string                 `json:"jwt_file"`
	Secrets map[string]VaultSecret `json:"secrets"`
}

// VaultSecret is one field at a path of Vault's API, and how the script gets it: in a variable, or in a file that one names.
// With is sent along where Vault has to be asked for a secret by writing, such as for a certificate of its own.
type VaultSecret struct {
	Path  string         `json:"path"`
	Field string         `json:"field"`
	As    string         `json:"as"`
	With  map[string]any `json:"with"`
}

var (
	variable  = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)
	vaultPath = regexp.MustCompile(`^[A-Za-z0-9_-][A-Za-z0-9._-]*(/[A-Za-z0-9_-][A-Za-z0-9._@ -]*)*$`)
)

func readVault(r *settingsReader) *Vault {
	text := r.env("KILN_VAULT")
	if text == "" {
		return nil
	}
	vault := &Vault{}
	if err := rawJSON(text, vault); err != nil {
		r.refuse("KILN_VAULT is no JSON of {auth, mount, role, jwt_file, secrets}: %v", err)
		return nil
	}
	switch vault.Auth {
	case AppRole, Kubernetes, Wrapped, Token:
	default:
		r.refuse("KILN_VAULT: auth is %q: there are approle, kubernetes, wrapped and token", vault.Auth)
	}
	if vault.Mount == "" {
		vault.Mount = vault.Auth
	}
	if !vaultPath.MatchString(vault.Mount) {
		r.refuse("KILN_VAULT: mount %q is no path of Vault", vault.Mount)
	}
	if vault.Auth == Kubernetes && vault.Role == "" {
		r.refuse("KILN_VAULT: auth kubernetes needs a role")
	}
	if r.env("VAULT_ADDR") == "" {
		r.refuse("KILN_VAULT needs VAULT_ADDR")
	}
	for name, secret := range vault.Secrets {
		switch {
		case !variable.MatchString(name):
			r.refuse("KILN_VAULT: %q is no name of a variable", name)
		case !vaultPath.MatchString(secret.Path):
			r.refuse("KILN_VAULT: the path of %s, %q, is no path of Vault", name, secret.Path)
		case secret.Field == "":
			r.refuse("KILN_VAULT: %s names no field", name)
		case secret.As != "" && secret.As != "environment" && secret.As != "file":
			r.refuse("KILN_VAULT: %s is to be given as %q: there are environment and file", name, secret.As)
		}
	}
	return vault
}

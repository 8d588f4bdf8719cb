package jobvault

import (
	"cmp"
	"context"
	"encoding/json"
	"maps"
	"net/http"
	"os"
	"slices"

	"kiln.dev/programs/jobprotocol"
	"kiln.dev/programs/redact"
)

// podToken is where a pod of Kubernetes has the token of its service account.
const podToken = "/var/run/secrets/kubernetes.io/serviceaccount/token"

// Session is a login that has to be closed.
type Session struct {
	client *Client
	// Token of the session.
	Token string
}

// Login gets a token of its own for the job: from an AppRole, the service account of a pod, or a wrapping token that may be
// used once. What is secret is taught to the redactor before anything else is done with it.
func (c *Client) Login(ctx context.Context, how jobprotocol.Vault, proof jobprotocol.VaultLogin, redactor *redact.Redactor) (*Session, error) {
	if how.Auth == jobprotocol.Wrapped {
		return c.unwrap(ctx, how, proof, redactor)
	}
	if how.Auth == jobprotocol.Token {
		return c.session(proof.Token, redactor, "the secret channel has no vault.token")
	}
	body, err := loginBody(how, proof, redactor)
	if err != nil {
		return nil, err
	}
	return c.login(ctx, how.Mount, body, redactor)
}

func loginBody(how jobprotocol.Vault, proof jobprotocol.VaultLogin, redactor *redact.Redactor) (map[string]string, error) {
	if how.Auth == jobprotocol.AppRole {
		if proof.RoleID == "" || proof.SecretID == "" {
			return nil, jobprotocol.Fail(jobprotocol.BadRequest, "KILN_VAULT: auth approle needs vault.role_id and vault.secret_id in the secret channel")
		}
		return map[string]string{"role_id": proof.RoleID, "secret_id": proof.SecretID}, nil
	}
	jwt := proof.JWT
	if jwt == "" {
		text, err := os.ReadFile(cmp.Or(how.JWTFile, podToken))
		if err != nil {
			return nil, jobprotocol.Fail(jobprotocol.VaultFailed, "KILN_VAULT: auth kubernetes: there is no token of a service account: %v", err)
		}
		jwt = string(text)
		redactor.Add(jwt)
	}
	return map[string]string{"role": how.Role, "jwt": jwt}, nil
}

func (c *Client) login(ctx context.Context, mount string, body map[string]string, redactor *redact.Redactor) (*Session, error) {
	got, err := c.call(ctx, http.MethodPost, "auth/"+mount+"/login", "", body)
	if err != nil {
		return nil, err
	}
	token := ""
	if got.Auth != nil {
		token = got.Auth.ClientToken
	}
	return c.session(token, redactor, "Vault answers the login without a token")
}

// unwrap uses a wrapping token, with a token or the second half of an AppRole in it. One that was used before fails: somebody
// else has what was in it.
func (c *Client) unwrap(ctx context.Context, how jobprotocol.Vault, proof jobprotocol.VaultLogin, redactor *redact.Redactor) (*Session, error) {
	if proof.Token == "" {
		return nil, jobprotocol.Fail(jobprotocol.BadRequest, "KILN_VAULT: auth wrapped needs vault.token in the secret channel")
	}
	// Not tried again: if the answer was lost, what was in it is.
	got, _, err := c.once(ctx, http.MethodPut, "sys/wrapping/unwrap", proof.Token, nil)
	if err != nil {
		return nil, err
	}
	if got.Auth != nil {
		return c.session(got.Auth.ClientToken, redactor, "there is no token in what was wrapped")
	}
	secret, _ := got.Data["secret_id"].(string)
	if secret == "" || proof.RoleID == "" {
		return nil, jobprotocol.Fail(jobprotocol.VaultFailed, "what was wrapped is neither a token nor, with vault.role_id, the secret_id of an AppRole")
	}
	redactor.Add(secret)
	mount := how.Mount
	if mount == jobprotocol.Wrapped {
		mount = jobprotocol.AppRole
	}
	return c.login(ctx, mount, map[string]string{"role_id": proof.RoleID, "secret_id": secret}, redactor)
}

func (c *Client) session(token string, redactor *redact.Redactor, missing string) (*Session, error) {
	if token == "" {
		return nil, jobprotocol.Fail(jobprotocol.VaultFailed, "%s", missing)
	}
	redactor.Add(token)
	return &Session{c, token}, nil
}

// Read takes the named secrets, each of a path and what is sent there once: a certificate and its key are of one lease.
func (s *Session) Read(ctx context.Context, secrets map[string]jobprotocol.VaultSecret, redactor *redact.Redactor) (map[string]string, error) {
	read := map[string]map[string]any{}
	values := map[string]string{}
	for _, name := range slices.Sorted(maps.Keys(secrets)) {
		secret := secrets[name]
		with, err := json.Marshal(secret.With)
		if err != nil {
			return nil, err
		}
		asked := secret.Path + " " + string(with)
		data, known := read[asked]
		if !known {
			if data, err = s.ask(ctx, secret); err != nil {
				return nil, err
			}
			read[asked] = data
		}
		text, found := textOf(data[secret.Field])
		if !found {
			return nil, jobprotocol.Fail(jobprotocol.VaultFailed, "%s: there is no field %q at %s of Vault", name, secret.Field, secret.Path)
		}
		redactor.Add(text)
		values[name] = text
	}
	return values, nil
}

// ask reads a path, or writes to it what the secret has to be asked for with.
func (s *Session) ask(ctx context.Context, secret jobprotocol.VaultSecret) (map[string]any, error) {
	method, body := http.MethodGet, any(nil)
	if secret.With != nil {
		method, body = http.MethodPost, secret.With
	}
	got, err := s.client.call(ctx, method, secret.Path, s.Token, body)
	return fieldsOf(got.Data), err
}

// fieldsOf are the fields of a secret; the second version of the key-value engine has them one level down.
func fieldsOf(data map[string]any) map[string]any {
	inner, nested := data["data"].(map[string]any)
	if _, versioned := data["metadata"].(map[string]any); nested && versioned {
		return inner
	}
	return data
}

// textOf is a text as it is, and of another value its JSON.
func textOf(value any) (string, bool) {
	switch v := value.(type) {
	case nil:
		return "", false
	case string:
		return v, true
	}
	text, err := json.Marshal(value)
	return string(text), err == nil
}

// Close revokes the token, and with it the lease of each secret that was read.
func (s *Session) Close(ctx context.Context) error {
	_, err := s.client.call(ctx, http.MethodPost, "auth/token/revoke-self", s.Token, nil)
	return err
}

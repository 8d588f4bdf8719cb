package jobvault

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"sync"
	"testing"
	"time"

	"kiln.dev/programs/jobprotocol"
	"kiln.dev/programs/redact"
)

// vault answers as Vault does, and notes what it was asked.
type vault struct {
	lock     sync.Mutex
	calls    []string
	failing  int
	unwraps  int
	redirect bool
}

func (v *vault) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	v.lock.Lock()
	defer v.lock.Unlock()
	var body map[string]string
	_ = json.NewDecoder(r.Body).Decode(&body)
	call, token := r.Method+" "+strings.TrimPrefix(r.URL.Path, "/v1/"), r.Header.Get("X-Vault-Token")
	v.calls = append(v.calls, call)
	answer := func(status int, text string) {
		w.WriteHeader(status)
		w.Write([]byte(text))
	}
	if v.failing > 0 {
		v.failing--
		answer(503, `{"errors":["sealed"]}`)
		return
	}
	if v.redirect {
		http.Redirect(w, r, "http://elsewhere.invalid/", http.StatusTemporaryRedirect)
		return
	}
	switch {
	case call == "POST auth/approle/login" && body["role_id"] == "role-1" && body["secret_id"] == "secret-id-1",
		call == "POST auth/k8s/login" && body["role"] == "deploy" && body["jwt"] == "jwt-of-pod":
		answer(200, `{"auth":{"client_token":"token-of-job","lease_duration":600}}`)
	case call == "PUT sys/wrapping/unwrap" && v.unwraps == 0 && (token == "wrapped-token" || token == "wrapped-id"):
		v.unwraps++
		if token == "wrapped-id" {
			answer(200, `{"data":{"secret_id":"secret-id-1"}}`)
			return
		}
		answer(200, `{"auth":{"client_token":"token-of-job"}}`)
	case token != "token-of-job":
		answer(403, `{"errors":["permission denied"]}`)
	case call == "GET secret/data/app":
		answer(200, `{"data":{"data":{"password":"p4ssw0rd!","port":5432,"gone":null},"metadata":{"version":1}}}`)
	case call == "GET database/creds/app":
		answer(200, `{"lease_id":"database/creds/app/1","data":{"username":"v-app","password":"dynamic-1"}}`)
	case call == "POST pki/issue/web" && body["common_name"] != "":
		answer(200, fmt.Sprintf(`{"lease_id":"pki/issue/web/1","data":{"certificate":"of %s","private_key":"key-%d"}}`, body["common_name"], len(v.calls)))
	case call == "POST auth/token/revoke-self":
		answer(204, "")
	default:
		answer(404, `{"errors":[]}`)
	}
}

func serve(t *testing.T) (*vault, *Client) {
	t.Helper()
	v := &vault{}
	server := httptest.NewServer(v)
	t.Cleanup(server.Close)
	c, err := New(server.URL, "team", "", false)
	if err != nil {
		t.Fatal(err)
	}
	c.pause = time.Millisecond
	return v, c
}

func TestLogins(t *testing.T) {
	jwt := filepath.Join(t.TempDir(), "token")
	os.WriteFile(jwt, []byte("jwt-of-pod"), 0o600)
	for name, c := range map[string]struct {
		how   jobprotocol.Vault
		proof jobprotocol.VaultLogin
	}{
		"approle":    {jobprotocol.Vault{Auth: "approle", Mount: "approle"}, jobprotocol.VaultLogin{RoleID: "role-1", SecretID: "secret-id-1"}},
		"kubernetes": {jobprotocol.Vault{Auth: "kubernetes", Mount: "k8s", Role: "deploy", JWTFile: jwt}, jobprotocol.VaultLogin{}},
		"wrapped":    {jobprotocol.Vault{Auth: "wrapped", Mount: "wrapped"}, jobprotocol.VaultLogin{Token: "wrapped-token"}},
		"wrapped id": {jobprotocol.Vault{Auth: "wrapped", Mount: "wrapped"}, jobprotocol.VaultLogin{Token: "wrapped-id", RoleID: "role-1"}},
		"token":      {jobprotocol.Vault{Auth: "token"}, jobprotocol.VaultLogin{Token: "token-of-job"}},
	} {
		t.Run(name, func(t *testing.T) {
			v, client := serve(t)
			redactor := redact.New()
			session, err := client.Login(t.Context(), c.how, c.proof, redactor)
			if err != nil {
				t.Fatal(err)
			}
			values, err := session.Read(t.Context(), map[string]jobprotocol.VaultSecret{
				"PASSWORD": {Path: "secret/data/app", Field: "password"}, "PORT": {Path: "secret/data/app", Field: "port"},
				"DB": {Path: "database/creds/app", Field: "password"},
			}, redactor)
			if err != nil || !reflect.DeepEqual(values, map[string]string{"PASSWORD": "p4ssw0rd!", "PORT": "5432", "DB": "dynamic-1"}) {
				t.Error(values, err)
			}
			if err := session.Close(t.Context()); err != nil {
				t.Error(err)
			}
			if clean := redactor.String("token-of-job p4ssw0rd! dynamic-1"); clean != "[secret] [secret] [secret]" {
				t.Error(clean)
			}
			if last := v.calls[len(v.calls)-1]; last != "POST auth/token/revoke-self" || strings.Count(strings.Join(v.calls, ","), "secret/data/app") != 1 {
				t.Error(v.calls)
			}
		})
	}
}

// TestWrittenSecrets: what has to be asked for by writing is asked for once, so that its fields belong together.
func TestWrittenSecrets(t *testing.T) {
	v, client := serve(t)
	session, err := client.Login(t.Context(), jobprotocol.Vault{Auth: "token"}, jobprotocol.VaultLogin{Token: "token-of-job"}, redact.New())
	if err != nil {
		t.Fatal(err)
	}
	ask := func(field, name string) jobprotocol.VaultSecret {
		return jobprotocol.VaultSecret{Path: "pki/issue/web", Field: field, With: map[string]any{"common_name": name}}
	}
	values, err := session.Read(t.Context(), map[string]jobprotocol.VaultSecret{
		"CERTIFICATE": ask("certificate", "a"), "KEY": ask("private_key", "a"), "OTHER_KEY": ask("private_key", "b"),
	}, redact.New())
	if err != nil || values["CERTIFICATE"] != "of a" || values["KEY"] != "key-1" || values["OTHER_KEY"] != "key-2" || len(v.calls) != 2 {
		t.Error(values, v.calls, err)
	}
	if _, err := session.Read(t.Context(), map[string]jobprotocol.VaultSecret{"X": {Path: "pki/issue/web", Field: "x"}}, redact.New()); code(err) != jobprotocol.VaultFailed {
		t.Error("reading is not asking by writing:", err)
	}
}

func TestFailures(t *testing.T) {
	good := jobprotocol.Vault{Auth: "approle", Mount: "approle"}
	proof := jobprotocol.VaultLogin{RoleID: "role-1", SecretID: "secret-id-1"}
	v, client := serve(t)
	v.failing = 2
	session, err := client.Login(t.Context(), good, proof, redact.New())
	if err != nil || len(v.calls) != 3 {
		t.Fatal(err, v.calls)
	}
	for _, field := range []string{"none", "gone"} {
		if _, err := session.Read(t.Context(), map[string]jobprotocol.VaultSecret{"X": {Path: "secret/data/app", Field: field}}, redact.New()); code(err) != jobprotocol.VaultFailed {
			t.Error(err)
		}
	}
	if _, err := session.Read(t.Context(), map[string]jobprotocol.VaultSecret{"X": {Path: "secret/data/none", Field: "x"}}, redact.New()); err == nil || !strings.Contains(err.Error(), "404") {
		t.Error(err)
	}
	_, err = client.Login(t.Context(), good, jobprotocol.VaultLogin{RoleID: "role-1", SecretID: "wrong-secret"}, redact.New())
	if code(err) != jobprotocol.VaultFailed || strings.Contains(err.Error(), "wrong-secret") {
		t.Error(err)
	}
	v.failing = 10
	if _, err := client.Login(t.Context(), good, proof, redact.New()); err == nil || !jobprotocol.FailureOf(err).Retryable {
		t.Error(err)
	}
	v.failing, v.redirect = 0, true
	if _, err := client.Login(t.Context(), good, proof, redact.New()); err == nil || !strings.Contains(err.Error(), "307") {
		t.Error(err)
	}
	v.redirect = false
	for range 2 {
		_, err = client.Login(t.Context(), jobprotocol.Vault{Auth: "wrapped", Mount: "wrapped"}, jobprotocol.VaultLogin{Token: "wrapped-token"}, redact.New())
	}
	if code(err) != jobprotocol.VaultFailed {
		t.Error("a wrapping token is good twice:", err)
	}
	for _, address := range []string{"http://vault.example.com", "vault:8200", "https://me:x@vault", "ftp://x"} {
		if _, err := New(address, "", "", false); code(err) != jobprotocol.BadRequest {
			t.Error(address, err)
		}
	}
	if _, err := New("https://vault", "", "/dev/null", false); code(err) != jobprotocol.BadRequest {
		t.Error(err)
	}
	gone, err := New("http://127.0.0.1:1", "", "", false)
	if err != nil {
		t.Fatal(err)
	}
	gone.pause = time.Millisecond
	if _, err := gone.Login(t.Context(), good, proof, redact.New()); err == nil || !jobprotocol.FailureOf(err).Retryable || strings.Contains(err.Error(), "approle/login") {
		t.Error(err)
	}
}

func code(err error) string {
	if failure := (*jobprotocol.Failure)(nil); errors.As(err, &failure) {
		return failure.Code
	}
	return ""
}

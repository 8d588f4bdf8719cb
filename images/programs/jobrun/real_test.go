package jobrun

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"
)

// realVault is a dev server of Vault itself, in memory and on loopback.
type realVault struct {
	t       *testing.T
	address string
}

const rootToken = "root-token-of-test"

func startVault(t *testing.T) *realVault {
	t.Helper()
	program := os.Getenv("KILN_TEST_VAULT")
	if program == "" {
		t.Skip("KILN_TEST_VAULT names no program of Vault")
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	address := listener.Addr().String()
	must(t, listener.Close())
	cmd := exec.Command(program, "server", "-dev", "-dev-no-store-token", "-dev-root-token-id="+rootToken, "-dev-listen-address="+address)
	cmd.Env = append(os.Environ(), "HOME="+t.TempDir(), "SKIP_SETCAP=1")
	var said locked
	cmd.Stdout, cmd.Stderr = &said, &said
	must(t, cmd.Start())
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
	v := &realVault{t, "http://" + address}
	for range 300 {
		if response, err := http.Get(v.address + "/v1/sys/health"); err == nil {
			response.Body.Close()
			if response.StatusCode == http.StatusOK {
				return v
			}
		}
		time.Sleep(100 * time.Millisecond)
	}
	t.Fatal("Vault does not start:", said.String())
	return nil
}

// call is one call as root; want is the status.
func (v *realVault) call(method, path string, body any, wrap string, want int) map[string]any {
	v.t.Helper()
	text, err := json.Marshal(body)
	must(v.t, err)
	request, err := http.NewRequest(method, v.address+"/v1/"+path, bytes.NewReader(text))
	must(v.t, err)
	request.Header.Set("X-Vault-Token", rootToken)
	if wrap != "" {
		request.Header.Set("X-Vault-Wrap-TTL", wrap)
	}
	response, err := http.DefaultClient.Do(request)
	must(v.t, err)
	defer response.Body.Close()
	answer, err := io.ReadAll(response.Body)
	must(v.t, err)
	if response.StatusCode != want {
		v.t.Fatalf("%s %s: %d %s", method, path, response.StatusCode, answer)
	}
	var document map[string]any
	_ = json.Unmarshal(answer, &document)
	return document
}

// prepare makes a secret, a policy that reads it, and an AppRole of that policy. It returns its two halves.
func (v *realVault) prepare() (roleID, secretID string) {
	v.t.Helper()
	v.call("POST", "secret/data/app", map[string]any{"data": map[string]string{"password": "real-vault-secret", "key": "line-one-real\nline-two-real"}}, "", 200)
	v.call("PUT", "sys/policies/acl/job", map[string]string{"policy": `path "secret/data/app" { capabilities = ["read"] }`}, "", 204)
	v.call("POST", "sys/auth/approle", map[string]string{"type": "approle"}, "", 204)
	v.call("POST", "auth/approle/role/job", map[string]any{"token_policies": "job", "token_ttl": "10m"}, "", 204)
	role := v.call("GET", "auth/approle/role/job/role-id", nil, "", 200)["data"].(map[string]any)["role_id"].(string)
	secret := v.call("POST", "auth/approle/role/job/secret-id", map[string]string{}, "", 200)["data"].(map[string]any)["secret_id"].(string)
	return role, secret
}

// accessors lists the tokens that there are.
func (v *realVault) accessors() int {
	v.t.Helper()
	return len(v.call("LIST", "auth/token/accessors", nil, "", 200)["data"].(map[string]any)["keys"].([]any))
}

// TestRealVault: a secret of Vault itself reaches the script, is nowhere else, and the token is gone afterwards: after a success,
// and after a script that had to be stopped. A wrapping token is good once.
func TestRealVault(t *testing.T) {
	v := startVault(t)
	role, secret := v.prepare()
	before := v.accessors()
	const script = `test "$PASSWORD" = real-vault-secret && test "$(head -1 $KEY)" = line-one-real || exit 9
echo "got $PASSWORD and $(cat $KILN_VAULT_TOKEN_FILE)"; `
	for ending, want := range map[string]string{"exit 0": "succeeded", "sleep 60": "timed_out"} {
		c := newContainer(t, script+ending+"\n")
		c.secrets = map[string]any{"vault": map[string]string{"role_id": role, "secret_id": secret}}
		c.set("VAULT_ADDR="+v.address, "KILN_SCRIPT_TIMEOUT=2",
			`KILN_VAULT={"auth":"approle","secrets":{"PASSWORD":{"path":"secret/data/app","field":"password"},"KEY":{"path":"secret/data/app","field":"key","as":"file"}}}`)
		o := c.complete()
		if o.result.Status != want || !strings.Contains(o.stdout, "got [secret] and [secret]") {
			t.Fatalf("%+v %s", o.result, o.stdout)
		}
		all := everything(t, c, o)
		for _, text := range []string{"real-vault-secret", "line-one-real", secret, "hvs."} {
			if strings.Contains(all, text) {
				t.Error(text, "is left")
			}
		}
		if after := v.accessors(); after != before {
			t.Errorf("there are %d tokens, and were %d", after, before)
		}
	}

	wrapped := v.call("POST", "auth/token/create", map[string]any{"policies": []string{"job"}, "ttl": "10m"}, "60s", 200)
	token := wrapped["wrap_info"].(map[string]any)["token"].(string)
	for attempt, want := range []string{"succeeded", "failed"} {
		c := newContainer(t, "test \"$PASSWORD\" = real-vault-secret\n")
		c.secrets = map[string]any{"vault": map[string]string{"token": token}}
		c.set("VAULT_ADDR="+v.address, `KILN_VAULT={"auth":"wrapped","secrets":{"PASSWORD":{"path":"secret/data/app","field":"password"}}}`)
		if o := c.complete(); o.result.Status != want {
			t.Error(fmt.Sprint("use ", attempt+1, " of a wrapping token:"), o.result.Status, o.result.Error)
		}
	}
	if after := v.accessors(); after != before {
		t.Errorf("there are %d tokens, and were %d", after, before)
	}
}

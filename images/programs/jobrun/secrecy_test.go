package jobrun

import (
	"encoding/base64"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"

	"kiln.dev/programs/jobprotocol"
)

// everything is all that a job leaves for others.
func everything(t *testing.T, c *container, o outcome) string {
	t.Helper()
	var all strings.Builder
	all.WriteString(o.stdout + o.stderr)
	must(t, filepath.WalkDir(c.root, func(path string, entry os.DirEntry, err error) error {
		if err == nil && entry.Type().IsRegular() && !strings.HasPrefix(path, filepath.Join(c.root, "scripts")) {
			text, _ := os.ReadFile(path)
			all.WriteString(path + "\n" + string(text) + "\n")
		}
		return err
	}))
	return all.String()
}

// TestSecrets: the script gets what the channel brings, and nobody else does, however the script spreads it.
func TestSecrets(t *testing.T) {
	c := newContainer(t, `echo "$TOKEN $PARAM_PASSWORD $PARAM_PIN"; cat $KEY >&2; echo "$TOKEN" | base64; env | grep -c '^KILN_SECRETS' 
echo "$TOKEN" > $ARTIFACTS_DIR/leak; echo "[$TOKEN]" | grep -q '\[env-secret-1\]' && echo matches
`)
	c.write("scripts/script.schema.json", `{"properties":{"pin":{"type":"string","secret":true}}}`)
	c.set(`PARAMETERS={"pin":"pin-secret-4"}`)
	c.secrets = map[string]any{
		"environment": map[string]string{"TOKEN": "env-secret-1"}, "parameters": map[string]string{"password": "par-secret-2"},
		"files": map[string]any{"KEY": map[string]string{"name": "key.pem", "base64": base64.StdEncoding.EncodeToString([]byte("file-secret-3\n"))}},
	}
	o := c.expect("succeeded", "", 0)
	if !strings.Contains(o.stdout, "[secret] [secret] [secret]\n") || !strings.Contains(o.stdout, "matches") || !strings.Contains(o.stdout, "\n0\n") {
		t.Error(o.stdout)
	}
	if len(o.result.Refused) != 1 || !strings.Contains(o.result.Refused[0].Reason, "secret") {
		t.Error(o.result.Refused)
	}
	must(t, os.RemoveAll(filepath.Join(c.root, "work"))) // what the script keeps for itself ends with its container
	all := everything(t, c, o)
	for _, secret := range []string{"env-secret-1", "par-secret-2", "file-secret-3", "pin-secret-4", base64.StdEncoding.EncodeToString([]byte("env-secret-1"))[:12]} {
		if strings.Contains(all, secret) {
			t.Error(secret, "is left")
		}
	}
	c.secrets = map[string]any{"enviroment": map[string]string{}}
	c.expect("failed", jobprotocol.BadRequest, 2)
}

type fakeVault struct {
	lock  sync.Mutex
	calls []string
}

func (v *fakeVault) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	v.lock.Lock()
	defer v.lock.Unlock()
	v.calls = append(v.calls, r.URL.Path)
	switch r.URL.Path {
	case "/v1/auth/approle/login":
		io.WriteString(w, `{"auth":{"client_token":"vault-token-1"}}`)
	case "/v1/secret/data/app":
		io.WriteString(w, `{"data":{"data":{"password":"vault-secret-1","key":"vault-secret-2"},"metadata":{}}}`)
	case "/v1/auth/token/revoke-self":
		w.WriteHeader(204)
	default:
		w.WriteHeader(403)
	}
}

// TestVault: what is borrowed reaches the script only, and is given back on every ending.
func TestVault(t *testing.T) {
	const use = `test "$(cat $KEY_FILE)" = "vault-secret-2" && test "$PASSWORD" = vault-secret-1 && test "$(cat $KILN_VAULT_TOKEN_FILE)" = vault-token-1 || exit 9
echo "ready $PASSWORD"; env | grep VAULT_ADDR
`
	for name, e := range map[string]struct {
		script, set, status string
		signal              syscall.Signal
	}{
		"success": {script: "exit 0", status: "succeeded"}, "failure": {script: "exit 3", status: "failed"},
		"timeout": {script: "sleep 30", set: "KILN_SCRIPT_TIMEOUT=1", status: "timed_out"},
		"cancel":  {script: "sleep 30", status: "canceled", signal: syscall.SIGTERM},
		"missing": {set: `KILN_VAULT={"auth":"approle","secrets":{"X":{"path":"secret/data/none","field":"x"}}}`, status: "failed"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			v := &fakeVault{}
			server := httptest.NewServer(v)
			defer server.Close()
			c := newContainer(t, use+e.script+"\n")
			c.secrets = map[string]any{"vault": map[string]string{"role_id": "role-0001", "secret_id": "id-00001"}}
			c.set("VAULT_ADDR="+server.URL,
				`KILN_VAULT={"auth":"approle","secrets":{"PASSWORD":{"path":"secret/data/app","field":"password"},"KEY_FILE":{"path":"secret/data/app","field":"key","as":"file"}}}`)
			if e.set != "" {
				c.set(e.set)
			}
			s := c.start()
			if e.signal != 0 {
				s.signal(e.signal)
			}
			o := s.complete()
			if o.result.Status != e.status || o.result.ExitCode != nil && *o.result.ExitCode == 9 || strings.Contains(o.stdout, server.URL) {
				t.Fatalf("%+v %s", o.result, o.stdout)
			}
			if v.calls[len(v.calls)-1] != "/v1/auth/token/revoke-self" {
				t.Error(v.calls)
			}
			all := everything(t, c, o)
			for _, secret := range []string{"vault-secret", "vault-token", "id-00001"} {
				if strings.Contains(all, secret) {
					t.Error(secret, "is left")
				}
			}
		})
	}
}

// TestSilentVault: a Vault that does not answer at the end costs no artifact.
func TestSilentVault(t *testing.T) {
	t.Parallel()
	v := &fakeVault{}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasSuffix(r.URL.Path, "/revoke-self") {
			// Read to its end, the connection tells when the other side goes.
			_, _ = io.Copy(io.Discard, r.Body)
			<-r.Context().Done()
			return
		}
		v.ServeHTTP(w, r)
	}))
	defer server.Close()
	c := newContainer(t, "echo kept > $ARTIFACTS_DIR/kept\n")
	c.secrets = map[string]any{"vault": map[string]string{"role_id": "role-0001", "secret_id": "id-00001"}}
	c.set("VAULT_ADDR="+server.URL, `KILN_VAULT={"auth":"approle","secrets":{"PASSWORD":{"path":"secret/data/app","field":"password"}}}`, "KILN_JOB_TIMEOUT=2")
	o := c.expect("succeeded", "", 0)
	if len(o.result.Artifacts) != 1 || !strings.Contains(strings.Join(o.result.Notes, " "), "not revoked") {
		t.Errorf("%+v", o.result)
	}
}

// TestRepository: a script of a commit, with a login that is nowhere else.
func TestRepository(t *testing.T) {
	if _, err := exec.LookPath("git"); err != nil {
		t.Skip("there is no git here")
	}
	c := newContainer(t, "echo mounted\n")
	folder := t.TempDir()
	must(t, os.WriteFile(filepath.Join(folder, "script.py"), []byte("echo of the commit; ls -a \"$(dirname \"$0\")\"\n"), 0o600))
	git := func(arguments ...string) string {
		cmd := exec.Command("git", append([]string{"-c", "user.name=a", "-c", "user.email=a@b"}, arguments...)...)
		cmd.Dir = folder
		out, err := cmd.Output()
		must(t, err)
		return strings.TrimSpace(string(out))
	}
	git("init", "-q")
	git("add", "-A")
	git("commit", "-q", "-m", "x")
	commit := git("rev-parse", "HEAD")
	c.secrets = map[string]any{"repository": map[string]string{"username": "me", "password": "repo-secret-1"}}
	c.set("SCRIPT_REPO=file://"+folder, "SCRIPT_REF="+commit)
	o := c.expect("succeeded", "", 0)
	if o.stdout != "of the commit\n.\n..\nscript.py\n" || o.result.Script.Commit != commit || o.result.Script.Source != "git" {
		t.Errorf("%q %+v", o.stdout, o.result.Script)
	}
	if strings.Contains(everything(t, c, o), "repo-secret-1") {
		t.Error("a password is left")
	}
}

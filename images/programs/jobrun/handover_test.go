package jobrun

import (
	"bytes"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"kiln.dev/programs/jobprotocol"
)

// handed runs the hand-over into a new folder, as the container before a job's does.
func handed(t *testing.T, files map[string]string) (folder string) {
	t.Helper()
	from, folder := t.TempDir(), t.TempDir()
	args := []string{}
	for name, text := range files {
		path := filepath.Join(from, name)
		must(t, os.WriteFile(path, []byte(text), 0o600))
		args = append(args, path)
	}
	var said bytes.Buffer
	if code := Run(append(append([]string{"hand-over"}, args...), folder), nil, &said, &said); code != 0 {
		t.Fatal(code, said.String())
	}
	return folder
}

// TestOnce: a script finds no file of what the entrypoint read once, and gets what is the script's all the same. That a file stays
// where it may be read again is the control.
func TestOnce(t *testing.T) {
	const channel = `{"environment":{"TOKEN":"env-secret-1"},"repository":{"password":"repo-secret-1"}}`
	for kind, want := range map[string]string{"once": "gone", "file": "there"} {
		folder := handed(t, map[string]string{"secrets.json": channel})
		c := newContainer(t, `test "$TOKEN" = env-secret-1 || exit 9; if grep -q repo-secret-1 `+folder+`/*; then echo there; else echo gone; fi`)
		c.set("KILN_SECRETS="+kind, "KILN_SECRETS_FILE="+filepath.Join(folder, "secrets.json"))
		if o := c.expect("succeeded", "", 0); o.stdout != want+"\n" {
			t.Error(kind, o.stdout, o.stderr)
		}
	}
}

// TestOnceOfPod: the token of a pod's service account, which is a login to Vault, goes the same way.
func TestOnceOfPod(t *testing.T) {
	folder := handed(t, map[string]string{"secrets.json": `{}`, "token": "jwt-of-pod-1"})
	v := &fakeVault{}
	server := httptest.NewServer(v)
	defer server.Close()
	c := newContainer(t, "ls -A "+folder+"; test \"$PASSWORD\" = vault-secret-1\n")
	c.set("KILN_SECRETS=once", "KILN_SECRETS_FILE="+filepath.Join(folder, "secrets.json"), "VAULT_ADDR="+server.URL,
		`KILN_VAULT={"auth":"kubernetes","mount":"approle","role":"job","jwt_file":"`+filepath.Join(folder, "token")+
			`","secrets":{"PASSWORD":{"path":"secret/data/app","field":"password"}}}`)
	if o := c.expect("succeeded", "", 0); o.stdout != "" || strings.Contains(everything(t, c, o), "jwt-of-pod-1") {
		t.Error(o.stdout)
	}
}

// TestOnceOrNot: what cannot be removed would stay for the script, so that none is run.
func TestOnceOrNot(t *testing.T) {
	c := newContainer(t, "echo ran\n")
	// Not even root removes anything there.
	c.set("KILN_SECRETS=once", "KILN_SECRETS_FILE=/proc/self/environ")
	if o := c.expect("failed", jobprotocol.BadRequest, 2); !strings.Contains(o.result.Error, "cannot be removed") || o.stdout != "" {
		t.Error(o.result.Error, o.stdout)
	}
}

// TestHandOver: nothing is written over, and what fails names the file, not what is in it.
func TestHandOver(t *testing.T) {
	folder := handed(t, map[string]string{"secrets.json": "old"})
	again := filepath.Join(t.TempDir(), "secrets.json")
	must(t, os.WriteFile(again, []byte("new-secret"), 0o600))
	for want, args := range map[int][]string{1: {again, folder}, 2: {folder}} {
		var said bytes.Buffer
		if code := handOver(args, &said); code != want || strings.Contains(said.String(), "new-secret") {
			t.Error(code, said.String())
		}
	}
	path := filepath.Join(folder, "secrets.json")
	text, err := os.ReadFile(path)
	info, _ := os.Stat(path)
	if err != nil || string(text) != "old" || info.Mode().Perm() != 0o400 {
		t.Error(string(text), info.Mode(), err)
	}
}

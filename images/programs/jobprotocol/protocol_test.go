package jobprotocol

import (
	"net/url"
	"reflect"
	"strings"
	"testing"
	"time"
)

func settingsOf(entries map[string]string) (Settings, error) {
	return ReadSettings(func(name string) string {
		return map[string]string{"JOB_ID": "job-1", "SCRIPT_ID": "x"}[name] + entries[name]
	})
}

func TestDefaults(t *testing.T) {
	s, err := settingsOf(nil)
	if err != nil || s.Attempt != 1 || s.Grace != 10*time.Second || s.Finish != 10*time.Second || s.ScriptTimeout != 0 || s.OutputBytes != 64<<20 ||
		s.Scripts != "/workspace/scripts" || s.Output != "/workspace/output" || s.Work != "/workspace" || s.Vault != nil {
		t.Errorf("%+v %v", s, err)
	}
	s, err = settingsOf(map[string]string{"KILN_SCRIPT_TIMEOUT": "1.5", "KILN_GRACE_SECONDS": "0", "VAULT_ADDR": "https://v", "KILN_SECRETS": "stdin",
		"KILN_VAULT": `{"auth":"kubernetes","mount":"k8s/prod","role":"r","secrets":{"A":{"path":"secret/data/a b","field":"x"}}}`})
	if err != nil || s.ScriptTimeout != 1500*time.Millisecond || s.Grace != 0 || s.Vault.Mount != "k8s/prod" || !s.SecretChannel {
		t.Errorf("%+v %v", s, err)
	}
}

// TestVaultRefused: nothing of what is asked for can lead to another call of Vault than reading.
func TestVaultRefused(t *testing.T) {
	for text, want := range map[string]string{
		`{`:                                 "no JSON",
		`{"auth":"ldap"}`:                   "approle, kubernetes, wrapped and token",
		`{"auth":"kubernetes"}`:             "needs a role",
		`{"auth":"token","token":"x"}`:      "unknown field",
		`{"auth":"token","mount":"../sys"}`: "no path of Vault",
		`{"auth":"token","secrets":{"A B":{"path":"a","field":"x"}}}`:               "no name of a variable",
		`{"auth":"token","secrets":{"A":{"path":"a/../../sys/seal","field":"x"}}}`:  "no path of Vault",
		`{"auth":"token","secrets":{"A":{"path":"a?list=true","field":"x"}}}`:       "no path of Vault",
		`{"auth":"token","secrets":{"A":{"path":"a"}}}`:                             "names no field",
		`{"auth":"token","secrets":{"A":{"path":"a","field":"x","as":"argument"}}}`: "environment and file",
	} {
		if _, err := settingsOf(map[string]string{"KILN_VAULT": text, "VAULT_ADDR": "https://v"}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", text, err)
		}
	}
}

func TestChannel(t *testing.T) {
	c, err := ParseChannel([]byte(`{"parameters":{"p":["s-1",7]},"environment":{"E":"s-2"},"files":{"F":{"name":"k.pem","base64":"cy0z"}},
		"repository":{"username":"me","password":"s-4","known_hosts":"host"},"result_token":"s-5","vault":{"role_id":"s-6","secret_id":"s-7"}}`))
	if err != nil || c.Environment["E"] != "s-2" || string(c.Files["F"].Content) != "s-3" || c.Repository.Password != "s-4" || c.Vault.SecretID != "s-7" {
		t.Fatalf("%+v %v", c, err)
	}
	for _, secret := range []string{"s-1", "7", "s-2", "s-3", "s-4", "s-5", "s-6", "s-7"} {
		if !strings.Contains("|"+strings.Join(c.Values, "|")+"|", "|"+secret+"|") {
			t.Error(secret, "is not known to be secret")
		}
	}
	if strings.Contains(strings.Join(c.Values, "|"), "me") {
		t.Error("a user's name is no secret")
	}
	for text, want := range map[string]string{
		`[]`: "$: has to be an object", `{"enviroment":{}}`: "$.enviroment: there is no such part", `{"environment":{"A":1}}`: "$.environment.A: has to be text",
		`{"environment":{"A=B":"x"}}`: "is no environment variable", `{"files":{"F":{"name":"../x","base64":""}}}`: "$.files.F: a file needs a plain name",
		`{"files":{"F":{"name":"x","base64":"hidden!"}}}`: "$.files.F.base64: has to be base64", `{"vault":{"secret":"x"}}`: "$.vault.secret: there is no such part",
		`{"result_token":null}`: "$.result_token: has to be text", `{"parameters":[]}`: "$.parameters: has to be an object",
	} {
		if _, err := ParseChannel([]byte(text)); err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "hidden") {
			t.Errorf("%s: %v", text, err)
		}
	}
}

func TestMayCarry(t *testing.T) {
	for address, want := range map[string]bool{
		"https://x": true, "http://127.0.0.1:80": true, "http://[::1]": true, "http://localhost": true, "http://x": false, "http://127.0.0.1.evil": false,
	} {
		parsed, err := url.Parse(address)
		if err != nil || MayCarry(parsed, false) != want || !MayCarry(parsed, true) {
			t.Error(address, err)
		}
	}
}

// TestFailures: each code has one status and one exit code.
func TestFailures(t *testing.T) {
	got := map[string][]any{}
	for _, code := range []string{BadRequest, ScriptRefused, ScriptTimeout, JobTimeout, Canceled, FetchFailed, Internal} {
		failure := Fail(code, "x")
		got[code] = []any{StatusOf(failure), ExitCode(failure)}
	}
	want := map[string][]any{
		BadRequest: {Failed, 2}, ScriptRefused: {Failed, 2}, ScriptTimeout: {TimedOut, 124}, JobTimeout: {TimedOut, 124}, Canceled: {WasCanceled, 143},
		FetchFailed: {Failed, 1}, Internal: {Failed, 1},
	}
	if !reflect.DeepEqual(got, want) {
		t.Error(got)
	}
}

package main

import (
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"kiln.dev/programs/moduleprotocol"
	"kiln.dev/programs/redact"
)

const (
	secretToken = `t0ken-<&>"with\quotes/+=`
	secretInput = "hunter22-in-put"
	secretFile  = "-----BEGIN KEY-----\nMIIEvQIBADANBgkqhkiG9w0\nshort\n-----END KEY-----\n"
)

// TestSecretsStayInTheirChannel: whatever the tool prints, no secret is in the workspace, on standard output or on a command line.
func TestSecretsStayInTheirChannel(t *testing.T) {
	for _, events := range []string{"0", "1"} {
		t.Run("KILN_EVENTS="+events, func(t *testing.T) {
			bothTools(t, func(t *testing.T, c *container) {
				c.environment = []string{"KILN_EVENTS=" + events}
				c.secrets["inputs"] = map[string]any{"password": secretInput}
				c.secrets["environment"] = map[string]any{"APP_TOKEN": secretToken}
				c.secrets["files"] = map[string]any{"APP_KEY_FILE": map[string]any{
					"name": "key.pem", "base64": base64.StdEncoding.EncodeToString([]byte(secretFile))}}
				for _, fake := range []string{"leak", "leak,fail"} {
					r := request("apply", "secret_inputs", []string{"password"})
					r["inputs"] = map[string]any{"name": "has " + secretInput + " in it", "size": 3}
					o := c.complete(r, fake)
					if (o.code == 0) != (fake == "leak") {
						t.Fatal(o.code, o.stderr)
					}
					if !strings.Contains(o.stdout, "the token is [secret]") || !strings.Contains(o.stdout, "two writes: [secret]") || !strings.Contains(o.stdout, "coloured: [secret]") {
						t.Error("people see what there was:", o.stdout)
					}
					if out := o.response.Outputs["name"]; !out.Sensitive || open(t, "name", out.Encrypted) != jsonText("has "+secretInput+" in it") {
						t.Errorf("an output with a secret in it is secret: %+v", out)
					}
					must(t, os.Remove(filepath.Join(c.workspace, "input.json"))) // the caller put a secret into a plain input of it
					places := map[string]string{"stdout": o.stdout, "stderr": o.stderr, "command lines": c.callsText()}
					must(t, filepath.WalkDir(c.workspace, func(path string, entry fs.DirEntry, err error) error {
						if err == nil && !entry.IsDir() {
							places[entry.Name()] = readFile(c.workspace, entry.Name())
						}
						return err
					}))
					for place, text := range places {
						searchFor(t, place, text)
					}
				}
			})
		})
	}
}

func searchFor(t *testing.T, place, text string) {
	t.Helper()
	for _, secret := range []string{secretToken, secretInput, "MIIEvQIBADANBgkqhkiG9w0", "made-by-the-tool", testKey} {
		quoted, _ := json.Marshal(secret)
		for encoding, form := range map[string]string{
			"raw": secret, "JSON": strings.Trim(string(quoted), `"`), "URL": url.QueryEscape(secret), "hex": hex.EncodeToString([]byte(secret)),
			"base64":      strings.TrimRight(base64.StdEncoding.EncodeToString([]byte(secret)), "="),
			"after user:": base64.StdEncoding.EncodeToString([]byte("user:" + secret))[8:20],
		} {
			if strings.Contains(text, form) {
				t.Errorf("%s has %s, %s: %s", place, secret, encoding, text)
			}
		}
	}
}

// TestSecretsOfOutputs: what an output tells to be secret is hidden in changes and in other outputs, though both came before it.
func TestSecretsOfOutputs(t *testing.T) {
	bothTools(t, func(t *testing.T, c *container) {
		r := request("apply")
		r["inputs"] = map[string]any{"name": "made-by-the-tool"}
		o := c.succeed(r, "")
		if text := readFile(c.workspace, "output.json"); strings.Contains(text, "made-by-the-tool") || !strings.Contains(string(o.response.Changes[0].After), "[secret]") {
			t.Error(text)
		}
	})
}

// TestSecretNames: variables are secret by the names that the executor knows, too, and fields of files by theirs.
func TestSecretNames(t *testing.T) {
	r := redact.New()
	account := `{"project_id":"my-project","inner":[{"private_key":"-----BEGIN-----\nabcdefgh12345\n"}],"tokens":["hunter22-listed",["hunter22-deeper"],{"name":"my-token"}]}`
	learn(r, moduleprotocol.Request{}, nil, moduleprotocol.Secrets{
		Environment: map[string]string{"ACCOUNT": account},
		Files: map[string]moduleprotocol.SecretFile{
			"CREDENTIALS": {Content: []byte("[default]\nregion = eu-west-1\naws_secret_access_key = wJalrXUtnFEMI/K7MDENG\n")},
		},
	}, []string{
		"PGPASSWORD=hunter22-pg", "GOOGLE_CREDENTIALS=hunter22-google", "AWS_SECRET_ACCESS_KEY_2=hunter22-aws", "APIKEY=hunter22-api",
		"TOKEN_FILE=/run/token-file", "KILN_SECRETS_PROVIDER=passphrase", "HOME=/home/somebody",
	})
	for _, secret := range []string{"hunter22-pg", "hunter22-google", "hunter22-aws", "hunter22-api", "abcdefgh12345", "hunter22-listed", "hunter22-deeper", "wJalrXUtnFEMI/K7MDENG"} {
		if r.String("x "+secret) != "x [secret]" {
			t.Errorf("%s is not known", secret)
		}
	}
	for _, plain := range []string{"/run/token-file", "passphrase", "/home/somebody", "eu-west-1", "my-project", "my-token"} {
		if r.Contains(plain) {
			t.Errorf("%s is no secret", plain)
		}
	}
}

// TestEvents: every line of the events is a document with a time and a kind, and nothing else is on standard output.
func TestEvents(t *testing.T) {
	bothTools(t, func(t *testing.T, c *container) {
		c.environment = []string{"KILN_EVENTS=1"}
		o := c.succeed(request("apply"), "")
		if file := readFile(c.workspace, "events.ndjson"); file != o.stdout {
			t.Errorf("%q is not %q", file, o.stdout)
		}
		kinds := map[string]int{}
		for line := range strings.Lines(o.stdout) {
			var event struct{ At, Kind, Status, Resource string }
			must(t, json.Unmarshal([]byte(line), &event))
			if event.At == "" {
				t.Error(line)
			}
			kinds[event.Kind+event.Status]++
		}
		if kinds["phase"] < 4 || kinds["log"] == 0 || kinds["resourcestarted"] != 1 || kinds["resourcedone"] != 1 || kinds["summary"] != 1 {
			t.Error(kinds)
		}
	})
}

// TestInputsNeverOnCommandLines: what looks like a flag is a value, and secret or not it is on no command line.
func TestInputsNeverOnCommandLines(t *testing.T) {
	bothTools(t, func(t *testing.T, c *container) {
		c.secrets["inputs"] = map[string]any{"password": "--secret-thing"}
		r := request("apply")
		r["inputs"] = map[string]any{"name": "--config-file=/etc/passwd", "size": -3}
		o := c.succeed(r, "")
		if calls := c.callsText(); strings.Contains(calls, "/etc/passwd") || strings.Contains(calls, "--secret-thing") || strings.Contains(calls, `"-3"`) {
			t.Error(calls)
		}
		if got := string(o.response.Outputs["name"].Value); got != `"--config-file=/etc/passwd"` {
			t.Error(got)
		}
	})
}

// TestNamesThatLookLikeFlags: where the CLI has to set config, beside a file of the module's own, a name is never a flag.
func TestNamesThatLookLikeFlags(t *testing.T) {
	t.Parallel()
	c := newContainer(t, "pulumi")
	must(t, os.Chmod(c.module, 0o700))
	must(t, os.WriteFile(filepath.Join(c.module, "Pulumi.test.yaml"), []byte("config:\n  web:region: here\n"), 0o400))
	r := request("preview")
	r["inputs"] = map[string]any{"--secret:x": "--plaintext", "-s:y": -3}
	// The fake reads config as JSON, and fails on what only the real CLI would have merged.
	c.complete(r, "")
	for _, name := range []string{"--secret:x", "-s:y"} {
		if calls := c.callsText(); !strings.Contains(calls, `"--" "`+name+`"]`) {
			t.Errorf("%s is not behind the end of flags:\n%s", name, calls)
		}
	}
	if calls := c.callsText(); strings.Count(calls, "--plaintext") != 2 || strings.Contains(calls, `"-3"`) {
		t.Errorf("a value is on a command line:\n%s", calls)
	}
}

// TestBadChannel: what is wrong is said without what is in it.
func TestBadChannel(t *testing.T) {
	t.Parallel()
	c := newContainer(t, "pulumi")
	c.secrets = map[string]any{"state_key": "hunter22"}
	o := c.refuse(request("preview"), "", moduleprotocol.BadRequest, 2)
	if strings.Contains(o.stdout+o.stderr+o.response.Error, "hunter22") || !strings.Contains(o.response.Error, "secret channel: $.state_key") {
		t.Error(o.response.Error)
	}
	c.secrets = map[string]any{"files": map[string]any{"../X": map[string]any{"name": "..", "base64": ""}}}
	c.refuse(request("preview"), "", moduleprotocol.BadRequest, 2)
}

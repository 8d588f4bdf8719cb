package jobrun

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"kiln.dev/programs/jobprotocol"
)

func strangers(count int, form string) []string {
	list := make([]string, count)
	for i := range list {
		list[i] = fmt.Sprintf(form, i)
	}
	return list
}

// TestManyParameters: a schema that compares each of many values with all others, and one that makes each of them secret, take
// seconds.
func TestManyParameters(t *testing.T) {
	t.Parallel()
	for name, e := range map[string]struct{ schema, form string }{
		"unique": {`{"properties":{"list":{"uniqueItems":true}}}`, "%d"},
		"secret": {`{"properties":{"list":{"secret":true}}}`, `"pass-%08d"`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := newContainer(t, "cut -c 1-30 $KILN_PARAMETERS_FILE\n")
			c.write("scripts/script.schema.json", e.schema)
			c.write("parameters.json", `{"list":[`+strings.Join(strangers(60000, e.form), ",")+`]}`)
			c.set("PARAMETERS_FILE=" + filepath.Join(c.root, "parameters.json"))
			o := c.expect("succeeded", "", 0)
			if o.took > time.Minute || strings.Contains(o.stdout, "pass-") || !strings.HasPrefix(o.stdout, `{"list":[`) {
				t.Error(o.took, o.stdout)
			}
		})
	}
}

// TestEndlessPreparation: what comes before the script ends with the job's time, and when somebody says so.
func TestEndlessPreparation(t *testing.T) {
	t.Parallel()
	for name, prepare := range map[string]func(t *testing.T, c *container){
		"schema": func(t *testing.T, c *container) { // hours of comparing
			types, err := json.Marshal(strings.Fields(strings.Repeat("null ", 100000) + "string"))
			must(t, err)
			c.write("scripts/script.schema.json", `{"properties":{"list":{"items":{"type":`+string(types)+`}}}}`)
			c.write("parameters.json", `{"list":[""`+strings.Repeat(`,""`, 5000000)+`]}`)
			c.set("PARAMETERS_FILE=" + filepath.Join(c.root, "parameters.json"))
		},
		"parameters": func(t *testing.T, c *container) {
			must(t, syscall.Mkfifo(filepath.Join(c.root, "pipe"), 0o600))
			c.set("PARAMETERS_FILE=" + filepath.Join(c.root, "pipe"))
		},
		"script": func(t *testing.T, c *container) {
			must(t, syscall.Mkfifo(filepath.Join(c.root, "scripts/script.ps1"), 0o600))
		},
		"secrets": func(t *testing.T, c *container) {
			must(t, syscall.Mkfifo(filepath.Join(c.root, "pipe"), 0o600))
			c.set("KILN_SECRETS=file", "KILN_SECRETS_FILE="+filepath.Join(c.root, "pipe"))
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := newContainer(t, "echo ran\n")
			prepare(t, c)
			s := c.start()
			for range 1000 {
				if strings.Contains(c.read("output/result.json"), `"running"`) {
					break
				}
				time.Sleep(10 * time.Millisecond)
			}
			time.Sleep(500 * time.Millisecond)
			must(t, s.cmd.Process.Signal(syscall.SIGTERM))
			kill := time.AfterFunc(20*time.Second, func() { _ = s.cmd.Process.Kill() })
			defer kill.Stop()
			s.expect("canceled", jobprotocol.Canceled, 143)

			c.set("KILN_JOB_TIMEOUT=2")
			s = c.start()
			again := time.AfterFunc(20*time.Second, func() { _ = s.cmd.Process.Kill() })
			defer again.Stop()
			s.expect("timed_out", jobprotocol.JobTimeout, 124)
		})
	}
}

// TestForeignText: what a schema or a server says cannot act on the terminal of who reads why a job failed.
func TestForeignText(t *testing.T) {
	vault := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusForbidden)
		_, _ = io.WriteString(w, `{"errors":["denied \u001b]52;c;cm0K\u0007"]}`)
	}))
	defer vault.Close()
	c := newContainer(t, "echo ran\n")
	c.write("scripts/script.schema.json", `{"properties":{"a":{"enum":["\u009b31m\u202e"]},"b":{"pattern":"^\u001b]52;c;cm0K\u0007$"}}}`)
	for _, e := range []struct {
		set  []string
		code string
		exit int
	}{
		{[]string{`PARAMETERS={"a":1}`}, jobprotocol.BadParameters, 2},
		{[]string{`PARAMETERS={"b":"x"}`}, jobprotocol.BadParameters, 2},
		{[]string{"VAULT_ADDR=" + vault.URL, `KILN_VAULT={"auth":"token","secrets":{"A":{"path":"a","field":"a"}}}`}, jobprotocol.VaultFailed, 1},
	} {
		c.environment, c.secrets = e.set, map[string]any{"vault": map[string]string{"token": "vault-token"}}
		o := c.expect("failed", e.code, e.exit)
		for _, text := range []string{o.stderr, o.result.Error, o.result.Detail.Message, c.read("output/result.json")} {
			if strings.ContainsAny(text, "\x1b\x07\u009b\u202e") {
				t.Errorf("%q", text)
			}
		}
	}
}

// TestClosedOutput: a script that owns the folder of the output, and what is in it, takes it from nobody.
func TestClosedOutput(t *testing.T) {
	t.Parallel()
	for name, script := range map[string]string{
		"folder": "chmod 0 $OUT",
		"own":    "mkdir -p $OUT/own/x; chmod 0 $OUT/own",
		"result": "rm $OUT/result.json; mkdir -p $OUT/result.json/x $OUT/result.json.part/x $OUT/artifacts/x; chmod 0 $OUT/result.json $OUT/result.json.part $OUT/artifacts",
		"log":    "rm $OUT/stdout.log $OUT/events.ndjson; mkdir -p $OUT/stdout.log/x $OUT/events.ndjson/x; chmod 0 $OUT/stdout.log $OUT/events.ndjson",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := newContainer(t, leave+"echo said; "+script+"\n")
			c.set("OUT=" + filepath.Join(c.root, "output"))
			c.ownedBy(65534)
			hasArtifact(t, c, c.expect("succeeded", "", 0))
			c.set("KILN_EVENTS=1", "KILN_OUTPUT=stdout")
			if o := c.expect("succeeded", "", 0); !strings.Contains(o.stdout, `"kind":"result"`) {
				t.Error(o.stdout)
			}
			if c.read("output/stdout.log") != "said\n" {
				t.Error(c.read("output/stdout.log"))
			}
		})
	}
}

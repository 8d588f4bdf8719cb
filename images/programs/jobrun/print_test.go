package jobrun

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

type printed struct {
	Kind, Path string
	Offset     int
	Base64     []byte
	Result     struct{ Status string }
}

// TestPrintedOutput: with KILN_OUTPUT=stdout everything that a job left comes behind its events, whole, and the result last.
func TestPrintedOutput(t *testing.T) {
	c := newContainer(t, `printf 'a\000\377\n'; head -c 100000 /dev/zero > $ARTIFACTS_DIR/large; : > $ARTIFACTS_DIR/empty; ln -s /etc/passwd $ARTIFACTS_DIR/link; exit 3`)
	c.set("KILN_EVENTS=1", "KILN_OUTPUT=stdout")
	o := c.expect("failed", "script_failed", 3)
	files, order := map[string][]byte{}, []string{}
	var last printed
	for line := range strings.Lines(o.stdout) {
		last = printed{}
		must(t, json.Unmarshal([]byte(line), &last))
		if last.Kind == "file" {
			if last.Offset != len(files[last.Path]) {
				t.Error(last.Path, "goes on at", last.Offset)
			}
			files[last.Path] = append(files[last.Path], last.Base64...)
			order = append(order, last.Path)
		}
	}
	if last.Kind != "result" || last.Result.Status != "failed" {
		t.Error("the last line is", last)
	}
	if string(files["stdout.log"]) != "a\x00\xff\n" || !bytes.Equal(files["artifacts/large"], make([]byte, 100000)) {
		t.Error(len(files["stdout.log"]), len(files["artifacts/large"]))
	}
	if empty, there := files["artifacts/empty"]; !there || len(empty) != 0 || files["artifacts/link"] != nil || files["events.ndjson"] != nil {
		t.Error(order)
	}
}

// TestSecretsOfFile: where nothing can be written to standard input, the channel is a file that is mounted.
func TestSecretsOfFile(t *testing.T) {
	c := newContainer(t, `echo "[$TOKEN]"; [ "$TOKEN" = env-secret-1 ] && echo matches`)
	c.write("channel.json", `{"environment":{"TOKEN":"env-secret-1"}}`)
	c.set("KILN_SECRETS=file", "KILN_SECRETS_FILE="+filepath.Join(c.root, "channel.json"))
	if o := c.expect("succeeded", "", 0); !strings.Contains(o.stdout, "[[secret]]\nmatches") {
		t.Error(o.stdout)
	}
	must(t, os.Remove(filepath.Join(c.root, "channel.json")))
	if o := c.complete(); o.result.Status != "failed" || !strings.Contains(o.result.Error, "secret channel") {
		t.Error(o.result)
	}
}

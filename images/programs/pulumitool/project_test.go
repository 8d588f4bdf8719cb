package pulumitool

import (
	"os"
	"path/filepath"
	"testing"

	"kiln.dev/programs/moduleprotocol"
)

func TestProjectName(t *testing.T) {
	for text, want := range map[string]string{
		"name: web\nruntime: nodejs\n":                              "web",
		"# name: no\nruntime:\n  name: nodejs\nname: \"web-1\" # c": "web-1",
		"\ufeffname:   'a.b'  \n":                                   "a.b",
		"description: |\n  name: no\n\"name\": web\r\n":             "web",
		`{"name": "json", "runtime": "go"}`:                         "json",
		"runtime: go\n":                                             "",
		"names: x\n":                                                "",
		"name: ../x\n":                                              "",
	} {
		folder := t.TempDir()
		if err := os.WriteFile(filepath.Join(folder, "Pulumi.yml"), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		got, err := ProjectName(folder)
		if got != want && want != "" || (err == nil) != (want != "") {
			t.Errorf("%q: %q %v; wanted %q", text, got, err, want)
		}
	}
	if _, err := ProjectName(t.TempDir()); moduleprotocol.FailureOf(err).Code != moduleprotocol.ModuleInvalid {
		t.Error(err)
	}
}

func TestBackendURL(t *testing.T) {
	for want, b := range map[string]moduleprotocol.Backend{
		"s3://b/p/q?region=eu":         {Type: "s3", Config: map[string]string{"bucket": "b", "key": "p/q", "region": "eu"}},
		"gs://b":                       {Type: "gcs", Config: map[string]string{"bucket": "b"}},
		"azblob://c?storage_account=s": {Type: "azurerm", Config: map[string]string{"container_name": "c", "storage_account_name": "s"}},
		"file:///state":                {Type: "local", Config: map[string]string{"path": "/state"}},
		"https://api.example.com":      {Type: "anything", Config: map[string]string{"url": "https://api.example.com"}},
	} {
		if got, err := backendURL(b); err != nil || got != want {
			t.Errorf("%v: %s %v; wanted %s", b, got, err, want)
		}
	}
	for _, b := range []moduleprotocol.Backend{{Type: "s3"}, {Type: "consul"}} {
		if _, err := backendURL(b); err == nil || moduleprotocol.FailureOf(err).Code != moduleprotocol.BadRequest {
			t.Error(b, err)
		}
	}
}

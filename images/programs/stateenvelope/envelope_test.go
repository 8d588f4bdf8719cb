package stateenvelope

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

var key = bytes.Repeat([]byte{7}, KeySize)

func sealed(t *testing.T) Envelope {
	t.Helper()
	e, err := Envelope{Tool: "pulumi", Stack: "prod", Lineage: NewLineage(), Serial: 3}.Seal(key, []byte("the state"))
	if err != nil {
		t.Fatal(err)
	}
	return e
}

func TestSealAndOpen(t *testing.T) {
	e := sealed(t)
	text, _ := json.Marshal(e)
	if strings.Contains(string(text), "the state") || strings.Contains(string(text), base64.StdEncoding.EncodeToString([]byte("the state"))) {
		t.Error("not sealed:", string(text))
	}
	parsed, err := Parse(text)
	if err != nil || parsed != e {
		t.Fatal(parsed, err)
	}
	if state, err := parsed.Open(key); err != nil || string(state) != "the state" {
		t.Error(string(state), err)
	}
	if sealed(t).Data == e.Data {
		t.Error("one nonce twice")
	}
}

// TestTampering: every field of the head is authenticated, so that no stack's state passes for another's, nor an old one for a new.
func TestTampering(t *testing.T) {
	e := sealed(t)
	data, _ := base64.StdEncoding.DecodeString(e.Data)
	data[4] ^= 1
	for name, changed := range map[string]Envelope{
		"tool":    {e.Format, "opentofu", e.Stack, e.Lineage, e.Serial, e.Cipher, e.Nonce, e.Data},
		"stack":   {e.Format, e.Tool, "dev", e.Lineage, e.Serial, e.Cipher, e.Nonce, e.Data},
		"lineage": {e.Format, e.Tool, e.Stack, NewLineage(), e.Serial, e.Cipher, e.Nonce, e.Data},
		"serial":  {e.Format, e.Tool, e.Stack, e.Lineage, e.Serial - 1, e.Cipher, e.Nonce, e.Data},
		"data":    {e.Format, e.Tool, e.Stack, e.Lineage, e.Serial, e.Cipher, e.Nonce, base64.StdEncoding.EncodeToString(data)},
	} {
		if _, err := changed.Open(key); !errors.Is(err, ErrKey) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := e.Open(bytes.Repeat([]byte{8}, KeySize)); !errors.Is(err, ErrKey) {
		t.Error(err)
	}
	if _, err := e.Open(key[:16]); err == nil {
		t.Error("half a key opens it")
	}
}

func TestParse(t *testing.T) {
	for _, text := range []string{`{}`, `7`, `{"format":"kiln-state/v2"}`, `{"format":"kiln-state/v1","cipher":"none","serial":1,"lineage":"x"}`,
		`{"format":"kiln-state/v1","cipher":"aes-256-gcm","serial":0,"lineage":"x"}`} {
		if _, err := Parse([]byte(text)); !errors.Is(err, ErrFormat) {
			t.Errorf("%s: %v", text, err)
		}
	}
}

func TestKeys(t *testing.T) {
	path := filepath.Join(t.TempDir(), "state.key")
	made, wasMade, err := EnsureKey(path)
	if err != nil || !wasMade || len(made) != KeySize {
		t.Fatal(made, wasMade, err)
	}
	if info, _ := os.Stat(path); info.Mode().Perm() != 0o600 {
		t.Error("others may read it:", info.Mode())
	}
	again, wasMade, err := EnsureKey(path)
	if err != nil || wasMade || !bytes.Equal(again, made) {
		t.Error("another key:", err)
	}
	os.WriteFile(path, []byte("short"), 0o600)
	if _, _, err := EnsureKey(path); err == nil || strings.Contains(err.Error(), "short") {
		t.Error(err)
	}
}

func TestDerived(t *testing.T) {
	if a, b := Passphrase(key), Passphrase(append([]byte{6}, key[1:]...)); len(a) != 64 || a == b || a != Passphrase(key) {
		t.Error(a, b)
	}
	if id := NewLineage(); !regexp.MustCompile(`^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$`).MatchString(id) {
		t.Error(id)
	}
	sealed, err := SealOutput(key, "password", []byte(`"x"`))
	if err != nil {
		t.Fatal(err)
	}
	raw, _ := base64.StdEncoding.DecodeString(sealed)
	gcm, _ := newGCM(key)
	if value, err := gcm.Open(nil, raw[:12], raw[12:], []byte("output:password")); err != nil || string(value) != `"x"` {
		t.Error(string(value), err)
	}
	if _, err := gcm.Open(nil, raw[:12], raw[12:], []byte("output:other")); err == nil {
		t.Error("one output passes for another")
	}
}

package main

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"encoding/base64"
	"encoding/json"
	"testing"

	"kiln.dev/programs/stateenvelope"
)

// open opens a sensitive output as a caller does.
func open(t *testing.T, name, encrypted string) string {
	t.Helper()
	block, err := aes.NewCipher(bytes.Repeat([]byte{9}, 32))
	must(t, err)
	gcm, err := cipher.NewGCM(block)
	must(t, err)
	sealed, err := base64.StdEncoding.DecodeString(encrypted)
	must(t, err)
	value, err := gcm.Open(nil, sealed[:12], sealed[12:], []byte("output:"+name))
	must(t, err)
	return string(value)
}

func serial(t *testing.T, state json.RawMessage) int64 {
	t.Helper()
	envelope, err := stateenvelope.Parse(state)
	must(t, err)
	return envelope.Serial
}

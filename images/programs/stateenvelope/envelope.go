// Package stateenvelope seals the state of a module, so that it can travel in requests and responses and lie on a disk.
package stateenvelope

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
)

// Format and cipher of the envelopes that are written here.
const (
	Format = "kiln-state/v1"
	Cipher = "aes-256-gcm"
)

// KeySize is the size of a state key in bytes.
const KeySize = 32

// Envelope is a sealed state. Its head is not secret, but it cannot be changed without the key.
type Envelope struct {
	Format  string `json:"format"`
	Tool    string `json:"tool"`
	Stack   string `json:"stack"`
	Lineage string `json:"lineage"`
	Serial  int64  `json:"serial"`
	Cipher  string `json:"cipher"`
	Nonce   string `json:"nonce"`
	Data    string `json:"data"`
}

var (
	// ErrKey: the key is another one, or the envelope was changed after it was sealed. The two cannot be told apart.
	ErrKey = errors.New("the state cannot be opened: the key is another one, or the state was changed after it was sealed")
	// ErrFormat: this is no envelope.
	ErrFormat = errors.New("this is no sealed state")
)

// Parse reads an envelope, still sealed.
func Parse(text []byte) (Envelope, error) {
	var e Envelope
	if err := json.Unmarshal(text, &e); err != nil {
		return Envelope{}, fmt.Errorf("%w: %w", ErrFormat, err)
	}
	switch {
	case e.Format != Format:
		return Envelope{}, fmt.Errorf("%w: its format is %q, not %q", ErrFormat, e.Format, Format)
	case e.Cipher != Cipher:
		return Envelope{}, fmt.Errorf("%w: its cipher is %q, not %q", ErrFormat, e.Cipher, Cipher)
	case e.Serial < 1 || e.Lineage == "":
		return Envelope{}, fmt.Errorf("%w: it has no lineage or no serial", ErrFormat)
	}
	return e, nil
}

// Seal fills in cipher, nonce and data of an envelope.
func (e Envelope) Seal(key, state []byte) (Envelope, error) {
	e.Format, e.Cipher = Format, Cipher
	sealed, err := sealBytes(key, state, e.head())
	if err != nil {
		return Envelope{}, err
	}
	e.Nonce = base64.StdEncoding.EncodeToString(sealed[:nonceSize])
	e.Data = base64.StdEncoding.EncodeToString(sealed[nonceSize:])
	return e, nil
}

// Open returns the state in an envelope, or ErrKey.
func (e Envelope) Open(key []byte) ([]byte, error) {
	nonce, err := base64.StdEncoding.DecodeString(e.Nonce)
	if err != nil || len(nonce) != nonceSize {
		return nil, fmt.Errorf("%w: its nonce is damaged", ErrFormat)
	}
	data, err := base64.StdEncoding.DecodeString(e.Data)
	if err != nil {
		return nil, fmt.Errorf("%w: its data is damaged", ErrFormat)
	}
	gcm, err := newGCM(key)
	if err != nil {
		return nil, err
	}
	state, err := gcm.Open(nil, nonce, data, e.head())
	if err != nil {
		return nil, ErrKey
	}
	return state, nil
}

// head is what is authenticated beside the state: a serial or stack that was edited does not open.
func (e Envelope) head() []byte {
	return []byte(strings.Join([]string{e.Format, e.Tool, e.Stack, e.Lineage, fmt.Sprint(e.Serial)}, "|"))
}

// SealOutput seals the JSON text of a sensitive output: base64 of nonce and ciphertext.
func SealOutput(key []byte, name string, value []byte) (string, error) {
	sealed, err := sealBytes(key, value, []byte("output:"+name))
	return base64.StdEncoding.EncodeToString(sealed), err
}

// Passphrase derives the passphrase that Pulumi encrypts secrets in its state with.
func Passphrase(key []byte) string {
	return hex.EncodeToString(Authenticate(key, []byte("pulumi passphrase")))
}

// Authenticate is HMAC-SHA256: it says that something is the same without saying what it is.
func Authenticate(key, message []byte) []byte {
	mac := hmac.New(sha256.New, key)
	mac.Write(message)
	return mac.Sum(nil)
}

// NewLineage is a random UUID, version 4: two states of one lineage have one origin.
func NewLineage() string {
	var id [16]byte
	rand.Read(id[:]) // never fails, by its documentation
	id[6], id[8] = id[6]&0x0f|0x40, id[8]&0x3f|0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", id[:4], id[4:6], id[6:8], id[8:10], id[10:])
}

const nonceSize = 12

func newGCM(key []byte) (cipher.AEAD, error) {
	if len(key) != KeySize {
		return nil, fmt.Errorf("a state key has %d bytes, not %d", KeySize, len(key))
	}
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, err
	}
	return cipher.NewGCM(block)
}

func sealBytes(key, plain, head []byte) ([]byte, error) {
	gcm, err := newGCM(key)
	if err != nil {
		return nil, err
	}
	nonce := make([]byte, nonceSize)
	rand.Read(nonce)
	return gcm.Seal(nonce, nonce, plain, head), nil
}

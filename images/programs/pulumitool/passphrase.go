package pulumitool

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/pbkdf2"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
)

// crypter encrypts as Pulumi's passphrase provider does: AES-256-GCM with a key from PBKDF2. Doing it here keeps secrets off
// command lines, and saves a start of the CLI for each. The format is that of secrets/passphrase/manager.go, version v1.
type crypter struct {
	gcm  cipher.AEAD
	salt string
}

const (
	pbkdf2Rounds = 1_000_000
	saltSize     = 8
	probe        = "pulumi"
)

var errPassphrase = errors.New("the secrets in the state are encrypted with another passphrase")

// newCrypter makes a crypter for a new stack: its salt is an encryptionsalt for the config file.
func newCrypter(passphrase string) (*crypter, error) {
	salt := make([]byte, saltSize)
	rand.Read(salt)
	c, err := deriveCrypter(passphrase, salt)
	if err != nil {
		return nil, err
	}
	sealed, err := c.encrypt(probe)
	c.salt = "v1:" + base64.StdEncoding.EncodeToString(salt) + ":" + sealed
	return c, err
}

// openCrypter makes the crypter that an encryptionsalt belongs to.
func openCrypter(passphrase, encryptionSalt string) (*crypter, error) {
	parts := strings.SplitN(encryptionSalt, ":", 3)
	if len(parts) != 3 || parts[0] != "v1" {
		return nil, fmt.Errorf("the encryption salt has an unknown form")
	}
	salt, err := base64.StdEncoding.DecodeString(parts[1])
	if err != nil {
		return nil, fmt.Errorf("the encryption salt is damaged: %w", err)
	}
	c, err := deriveCrypter(passphrase, salt)
	if err != nil {
		return nil, err
	}
	c.salt = encryptionSalt
	if text, err := c.decrypt(parts[2]); err != nil || text != probe {
		return nil, errPassphrase
	}
	return c, nil
}

func deriveCrypter(passphrase string, salt []byte) (*crypter, error) {
	key, err := pbkdf2.Key(sha256.New, passphrase, salt, pbkdf2Rounds, 32)
	if err != nil {
		return nil, err
	}
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, err
	}
	gcm, err := cipher.NewGCM(block)
	return &crypter{gcm: gcm}, err
}

func (c *crypter) encrypt(text string) (string, error) {
	nonce := make([]byte, c.gcm.NonceSize())
	rand.Read(nonce)
	sealed := c.gcm.Seal(nil, nonce, []byte(text), nil)
	return "v1:" + base64.StdEncoding.EncodeToString(nonce) + ":" + base64.StdEncoding.EncodeToString(sealed), nil
}

func (c *crypter) decrypt(text string) (string, error) {
	parts := strings.Split(text, ":")
	if len(parts) != 3 || parts[0] != "v1" {
		return "", errors.New("a secret has an unknown form")
	}
	nonce, err := base64.StdEncoding.DecodeString(parts[1])
	if err != nil || len(nonce) != c.gcm.NonceSize() {
		return "", errors.New("a secret is damaged")
	}
	sealed, err := base64.StdEncoding.DecodeString(parts[2])
	if err != nil {
		return "", errors.New("a secret is damaged")
	}
	plain, err := c.gcm.Open(nil, nonce, sealed, nil)
	if err != nil {
		return "", errPassphrase
	}
	return string(plain), nil
}

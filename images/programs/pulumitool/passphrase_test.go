package pulumitool

import (
	"errors"
	"testing"
)

// TestPulumisOwnSecrets opens what `pulumi config set --secret` of 3.253.0 wrote with the passphrase "0123".
func TestPulumisOwnSecrets(t *testing.T) {
	const salt = "v1:NNhN6z/oXOY=:v1:yZe4jopFLOYUX5BK:aJ1tElWyoSyMtpu/38EbBtXd1qutRw=="
	c, err := openCrypter("0123", salt)
	if err != nil {
		t.Fatal(err)
	}
	if text, err := c.decrypt("v1:hmMZFL/5d5RPU2jG:INDAkDnnShx1E/ALQGcDoDIBQ7vITtOmWjk89/PuMA=="); err != nil || text != "S3cret-value+/=" {
		t.Error(text, err)
	}
	if _, err := openCrypter("0124", salt); !errors.Is(err, errPassphrase) {
		t.Error(err)
	}
	for _, sealed := range []string{"", "v1:a", "v2:hmMZFL/5d5RPU2jG:INDA", "v1:hmMZFL/5d5RPU2jG:INDA", "v1:aa:bb", "v1:hmMZFL/5d5RPU2jG:!"} {
		if text, err := c.decrypt(sealed); err == nil {
			t.Errorf("%q opens to %q", sealed, text)
		}
	}
}

func TestNewCrypter(t *testing.T) {
	made, err := newCrypter("pass")
	if err != nil {
		t.Fatal(err)
	}
	sealed, err := made.encrypt("hunter22")
	if err != nil {
		t.Fatal(err)
	}
	opened, err := openCrypter("pass", made.salt)
	if err != nil {
		t.Fatal(err)
	}
	if text, err := opened.decrypt(sealed); err != nil || text != "hunter22" {
		t.Error(text, err)
	}
	for _, salt := range []string{"", "v2:a:b", "v1:!:b"} {
		if _, err := openCrypter("pass", salt); err == nil {
			t.Error(salt)
		}
	}
}

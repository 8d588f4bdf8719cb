package redact

import (
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/url"
	"os"
	"strings"
	"testing"
)

const (
	password = `p<a>s&s"w\o/r+d=1`
	key      = "-----BEGIN KEY-----\nMIIEvQIBADANBgkqhkiG\nshort\n-----END KEY-----\n"
)

func TestEveryEncoding(t *testing.T) {
	r := New(password)
	quoted, _ := json.Marshal(password)
	texts := map[string]string{
		"plain":          "before " + password + " after",
		"JSON":           string(quoted),
		"JSON unescaped": `{"a":"` + jsonText(password) + `"}`,
		"JSON in JSON":   jsonText(jsonText(password)),
		"query":          "https://x/?p=" + url.QueryEscape(password),
		"path":           "https://x/" + url.PathEscape(password),
		"lower query":    lowerEscapes(url.QueryEscape(password)),
		"hex":            hex.EncodeToString([]byte(password)),
		"HEX":            strings.ToUpper(hex.EncodeToString([]byte(password))),
	}
	for n := range 6 {
		around := strings.Repeat("u", n) + password + ":tail"
		texts[fmt.Sprintf("base64 after %d bytes", n)] = base64.StdEncoding.EncodeToString([]byte(around))
		texts[fmt.Sprintf("base64url after %d bytes", n)] = base64.URLEncoding.EncodeToString([]byte(around))
	}
	for name, text := range texts {
		if got := r.String(text); !strings.Contains(got, Mark) || strings.Contains(got, password) {
			t.Errorf("%s: %q became %q", name, text, got)
		}
	}
}

func TestShortValuesAreLeftAlone(t *testing.T) {
	if got := New("abc", "").String("abc abcd"); got != "abc abcd" {
		t.Error(got)
	}
	if got := New("abcd").String("abc abcd"); got != "abc "+Mark {
		t.Error(got)
	}
}

func TestLinesOfASecret(t *testing.T) {
	r := New(key)
	if got := r.String("x " + key + " y"); got != "x "+Mark+" y" {
		t.Errorf("%q", got)
	}
	if got := r.String("  MIIEvQIBADANBgkqhkiG\n  short\n"); got != "  "+Mark+"\n  short\n" {
		t.Errorf("%q", got)
	}
}

func TestLongestSecretWins(t *testing.T) {
	if got := New("secret", "secret-and-more").String("secret-and-more secret-and"); got != Mark+" "+Mark+"-and" {
		t.Error(got)
	}
}

// TestAnySplit: however a stream is split over writes, what comes out is the same, and has no secret in it.
func TestAnySplit(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	secrets := []string{password, key, "aaaa", "aaab", "abab", "secret", "secret-and-more", "ab\ncd"}
	pieces := append([]string{"a", "b", "\n", " ", "se", "secre", "secret-and", "aa", "%", "p<a>s", "-----"}, secrets...)
	for _, secret := range secrets {
		pieces = append(pieces, jsonTexts(secret)[1], url.QueryEscape(secret),
			base64.StdEncoding.EncodeToString([]byte(secret)), hex.EncodeToString([]byte(secret)))
	}
	for _, before := range []string{"", "u", "uu"} {
		long := base64.StdEncoding.EncodeToString([]byte(strings.Repeat("long ago ", 5) + before + password + key))
		pieces = append(pieces, long[:60], "\n"+long[60:], "\\n"+long[60:120], "\r\n  "+long[60:], `\`, "n")
	}
	r := New(secrets...)
	for range 3000 {
		var text strings.Builder
		for range random.IntN(12) {
			text.WriteString(pieces[random.IntN(len(pieces))])
		}
		want := r.String(text.String())
		var got strings.Builder
		w := NewWriter(r, &got)
		for rest := text.String(); rest != ""; {
			n := 1 + random.IntN(len(rest))
			if n, err := w.Write([]byte(rest[:n])); err != nil || n == 0 {
				t.Fatal(n, err)
			}
			rest = rest[n:]
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		if got.String() != want {
			t.Fatalf("%q: %q in pieces, %q as a whole", text.String(), got.String(), want)
		}
		for _, secret := range secrets {
			if strings.Contains(strings.ReplaceAll(got.String(), Mark, "\x00"), secret) {
				t.Fatalf("%q is still in %q", secret, got.String())
			}
		}
	}
}

// TestVectors reads the same cases as the redactor of the command does.
func TestVectors(t *testing.T) {
	const path = "../../../execution/redactor-vectors.json"
	text, err := os.ReadFile(path)
	if os.IsNotExist(err) {
		t.Skipf("there is no %s: this module stands alone", path)
	}
	var document struct {
		Vectors []struct {
			Name, Expected  string
			Secrets, Writes []string
		}
	}
	if err := json.Unmarshal(text, &document); err != nil {
		t.Fatal(err)
	}
	if len(document.Vectors) == 0 {
		t.Fatal("no vectors")
	}
	for _, v := range document.Vectors {
		var got strings.Builder
		w := NewWriter(New(v.Secrets...), &got)
		for _, chunk := range v.Writes {
			w.Write([]byte(chunk))
		}
		w.Close()
		if got.String() != v.Expected {
			t.Errorf("%s: %q; wanted %q", v.Name, got.String(), v.Expected)
		}
	}
}

// TestDocumentVectors reads the documents of the same file.
func TestDocumentVectors(t *testing.T) {
	const path = "../../../execution/redactor-vectors.json"
	text, err := os.ReadFile(path)
	if os.IsNotExist(err) {
		t.Skipf("there is no %s: this module stands alone", path)
	}
	var file struct {
		Documents []struct {
			Name               string
			Secrets            []string
			Document, Expected json.RawMessage
		}
	}
	if err := json.Unmarshal(text, &file); err != nil {
		t.Fatal(err)
	}
	if len(file.Documents) == 0 {
		t.Fatal("no documents")
	}
	for _, v := range file.Documents {
		// A redactor without secrets writes both alike.
		want := string(New().JSON(v.Expected))
		if got := string(New(v.Secrets...).JSON(v.Document)); got != want {
			t.Errorf("%s: %s; wanted %s", v.Name, got, want)
		}
	}
}

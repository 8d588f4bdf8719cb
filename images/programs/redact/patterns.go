// Package redact keeps secrets out of what is printed and written: as they are, and in the encodings that tools print.
package redact

import (
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"net/url"
	"strings"
)

// Mark stands where a secret was.
const Mark = "[secret]"

const (
	// Shorter values occur by chance: replacing them would spoil logs, and tell what they are.
	leastValue = 4
	// A line of a secret with several lines.
	leastLine = 8
	// What is left of an encoded value once the characters that its neighbours change are cut off.
	leastEncoded = 4
)

// patternsOf lists every text by which a value is recognised.
func patternsOf(value string) []string {
	var patterns []string
	for _, text := range parts(value) {
		patterns = append(patterns, text, jsonText(text, true), jsonText(text, false))
		patterns = append(patterns, urlTexts(text)...)
		patterns = append(patterns, base64Texts(text)...)
		patterns = append(patterns, hex.EncodeToString([]byte(text)), strings.ToUpper(hex.EncodeToString([]byte(text))))
	}
	return patterns
}

// parts are the value, and its lines where it has several: people and tools print a key line by line.
func parts(value string) []string {
	if len(value) < leastValue {
		return nil
	}
	list := []string{value}
	if trimmed := strings.TrimSpace(value); trimmed != value && len(trimmed) >= leastValue {
		list = append(list, trimmed)
	}
	if !strings.ContainsAny(value, "\r\n") {
		return list
	}
	for _, line := range strings.FieldsFunc(value, func(r rune) bool { return r == '\n' || r == '\r' }) {
		if trimmed := strings.TrimSpace(line); len(trimmed) >= leastLine {
			list = append(list, trimmed)
		}
	}
	return list
}

// jsonText is the inside of a JSON text; Go's encoder escapes <, > and &, others do not.
func jsonText(text string, escapeHTML bool) string {
	var out strings.Builder
	encoder := json.NewEncoder(&out)
	encoder.SetEscapeHTML(escapeHTML)
	if encoder.Encode(text) != nil {
		return text
	}
	return strings.TrimSuffix(strings.TrimPrefix(strings.TrimSuffix(out.String(), "\n"), `"`), `"`)
}

func urlTexts(text string) []string {
	query, path := url.QueryEscape(text), url.PathEscape(text)
	component := strings.ReplaceAll(query, "+", "%20")
	return []string{query, path, component, lowerEscapes(query), lowerEscapes(component)}
}

// lowerEscapes writes %2F as %2f.
func lowerEscapes(text string) string {
	out := []byte(text)
	for i := 0; i+2 < len(out); i++ {
		if out[i] == '%' {
			copy(out[i+1:i+3], strings.ToLower(text[i+1:i+3]))
		}
	}
	return string(out)
}

// base64Texts are the value encoded alone, and the characters of it that stay the same whatever stands before and after
// it: it may begin at each of the three bytes of a group ("user:password" of a basic authorization).
func base64Texts(text string) []string {
	var texts []string
	for _, encoding := range []*base64.Encoding{base64.StdEncoding, base64.URLEncoding} {
		whole := encoding.EncodeToString([]byte(text))
		texts = append(texts, whole, strings.TrimRight(whole, "="))
		for shift := range 3 {
			encoded := encoding.EncodeToString([]byte(strings.Repeat("\x00", shift) + text))
			first, end := (8*shift+5)/6, 8*(shift+len(text))/6
			if end-first >= leastEncoded {
				texts = append(texts, encoded[first:end])
			}
		}
	}
	return texts
}

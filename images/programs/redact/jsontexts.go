package redact

import (
	"fmt"
	"slices"
	"strings"
	"unicode/utf16"
)

// jsonForm is how an encoder writes the inside of a JSON text, beside what JSON requires.
type jsonForm struct {
	// signs are escaped by their number, where JSON allows that they stay.
	signs string
	// ascii: all but printable ASCII is escaped by its number.
	ascii bool
	// upper: the digits of numbers are 0-9 and A-F.
	upper bool
	// slash: / is \/.
	slash bool
}

// jsonForms are those of encoders that people meet; the same as JSON_FORMS of execution/json-spellings.ts.
var jsonForms = []jsonForm{
	{},                                  // JavaScript
	{signs: "<>&\u2028\u2029"},          // Go, Ruby on Rails
	{ascii: true},                       // Python
	{ascii: true, upper: true},          // Jackson
	{signs: "<>&='\u2028\u2029"},        // Gson
	{signs: "\"<>&'\u0085\u2028\u2029"}, // Newtonsoft for HTML
	{signs: "\"&'+<>`", ascii: true, upper: true}, // System.Text.Json
	{ascii: true, slash: true},                    // PHP
	{slash: true},                                 // PHP with JSON_UNESCAPED_UNICODE
	{signs: "\"<>&'", slash: true, upper: true},   // PHP with JSON_HEX_*
}

// jsonTexts are the inside of a JSON text in each form, and the same within another JSON text.
func jsonTexts(text string) []string {
	var texts []string
	for _, form := range jsonForms {
		once := form.write(text)
		texts = append(texts, once, jsonText(once))
	}
	return texts
}

// jsonInsides are the inside of a JSON text as JavaScript, Go and Python write it, and the text itself: what stands in base64 of a
// document, such as a login of Docker.
func jsonInsides(text string) []string {
	insides := []string{text}
	for _, form := range jsonForms[:3] {
		if inside := form.write(text); !slices.Contains(insides, inside) {
			insides = append(insides, inside)
		}
	}
	return insides
}

// jsonText escapes what JSON requires, and nothing else.
func jsonText(text string) string { return jsonForm{}.write(text) }

func (f jsonForm) write(text string) string {
	digits := `\u%04x`
	if f.upper {
		digits = `\u%04X`
	}
	var out strings.Builder
	for _, r := range text {
		switch short := strings.IndexRune("\\\b\f\n\r\t", r); {
		case short >= 0:
			out.WriteByte('\\')
			out.WriteByte(`\bfnrt`[short])
		case strings.ContainsRune(f.signs, r) || r < ' ' || f.ascii && r > '~':
			for _, unit := range utf16.Encode([]rune{r}) {
				fmt.Fprintf(&out, digits, unit)
			}
		case r == '"' || r == '/' && f.slash:
			out.WriteByte('\\')
			out.WriteRune(r)
		default:
			out.WriteRune(r)
		}
	}
	return out.String()
}

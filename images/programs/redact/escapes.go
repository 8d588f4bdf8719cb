package redact

import "strings"

// unescaped are the signs beside letters and digits that encoders of URLs leave as they are: RFC 3986 (Go's query, Python's quote
// without safe signs), encodeURIComponent, HTML forms, Python's quote, Go's path, Go's user name and password, encodeURI.
var unescaped = []string{"-_.~", "-_.~!'()*", "-_.*", "-_.~/", "-_.~$&+=:@", "-_.~$&+,;=", "-_.~;/?:@&=+$,#!'()*"}

func urlTexts(text string) []string {
	var texts []string
	for _, signs := range unescaped {
		form := percentEncoded(text, signs)
		for _, spelled := range []string{form, strings.ReplaceAll(form, "%20", "+")} {
			texts = append(texts, spelled, lowerEscapes(spelled))
		}
	}
	return texts
}

func percentEncoded(text, signs string) string {
	const digits = "0123456789ABCDEF"
	var out strings.Builder
	for i := range len(text) {
		c := text[i]
		if 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || strings.IndexByte(signs, c) >= 0 {
			out.WriteByte(c)
		} else {
			out.Write([]byte{'%', digits[c>>4], digits[c&15]})
		}
	}
	return out.String()
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

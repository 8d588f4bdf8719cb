package redact

import "strings"

// markups are the characters that encoders of HTML and XML replace beside &, < and >; the same as MARKUPS of
// execution/quoted-spellings.ts.
var markups = []*strings.Replacer{
	markup(),                                                                         // the text between tags
	markup(`"`, "&quot;"),                                                            // an attribute
	markup(`"`, "&quot;", "'", "&#39;"),                                              // .NET, Ruby, lodash
	markup(`"`, "&quot;", "'", "&#x27;"),                                             // Python
	markup(`"`, "&quot;", "'", "&#039;"),                                             // PHP
	markup(`"`, "&quot;", "'", "&apos;"),                                             // XML
	markup(`"`, "&#34;", "'", "&#39;"),                                               // Go
	markup(`"`, "&#34;", "'", "&#39;", "+", "&#43;"),                                 // Go's templates
	markup(`"`, "&quot;", "'", "&#x27;", "+", "&#x2B;", "`", "&#x60;"),               // System.Text.Encodings.Web
	markup(`"`, "&quot;", "'", "&#x27;", "`", "&#x60;", "=", "&#x3D;"),               // Handlebars
	markup(`"`, "&quot;", "'", "&#39;", "`", "&#x60;", "=", "&#x3D;", "/", "&#x2F;"), // Mustache
}

func markup(pairs ...string) *strings.Replacer {
	return strings.NewReplacer(append([]string{"&", "&amp;", "<", "&lt;", ">", "&gt;"}, pairs...)...)
}

func markupTexts(text string) []string {
	var texts []string
	for _, m := range markups {
		texts = append(texts, m.Replace(text))
	}
	return texts
}

// quotings are those of texts in quotes; the same as QUOTINGS of execution/quoted-spellings.ts.
var quotings = []*strings.Replacer{
	strings.NewReplacer("'", `'\''`),                                              // a shell's single quotes
	strings.NewReplacer("'", `'"'"'`),                                             // the same, by Python's shlex
	strings.NewReplacer("'", "''"),                                                // YAML, PowerShell, SQL
	strings.NewReplacer(`"`, `\"`, `\`, `\\`, "$", `\$`, "`", "\\`"),              // a shell's double quotes
	strings.NewReplacer("'", `\'`, `\`, `\\`, "\n", `\n`, "\r", `\r`, "\t", `\t`), // $'…', Python's repr
}

// shellTexts are a value as shells, and those who write for them, quote it.
func shellTexts(text string) []string {
	texts := []string{
		// printf %q of bash; # and ~ have a meaning at the beginning only.
		escapedBy(text, func(r rune, first bool) bool {
			return strings.ContainsRune(" !\"$&'()*,;<>?[\\]^`{|}", r) || first && (r == '#' || r == '~')
		}),
		// Ruby's Shellwords
		escapedBy(text, func(r rune, _ bool) bool {
			return !('a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' || '0' <= r && r <= '9' || strings.ContainsRune("_-.,:+/@\n", r))
		}),
	}
	for _, q := range quotings {
		texts = append(texts, q.Replace(text))
	}
	return texts
}

// escapedBy writes a backslash before some characters.
func escapedBy(text string, escaped func(r rune, first bool) bool) string {
	var out strings.Builder
	for i, r := range text {
		if escaped(r, i == 0) {
			out.WriteByte('\\')
		}
		out.WriteRune(r)
	}
	return out.String()
}

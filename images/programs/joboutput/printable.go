package joboutput

import (
	"strconv"
	"strings"
	"unicode/utf8"
)

// Printable is text that acts on no terminal: what is no character of a text is written as Go writes it in quotes, such as \x1b.
// Lines stay lines.
func Printable(text string) string {
	var out strings.Builder
	for rest := text; rest != ""; {
		r, size := utf8.DecodeRuneInString(rest)
		piece := rest[:size]
		rest = rest[size:]
		if r == '\n' || r == '\t' || strconv.IsPrint(r) && (r != utf8.RuneError || size > 1) {
			out.WriteString(piece)
			continue
		}
		quoted := strconv.Quote(piece)
		out.WriteString(quoted[1 : len(quoted)-1])
	}
	return out.String()
}

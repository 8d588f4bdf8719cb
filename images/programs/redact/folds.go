package redact

import (
	"slices"
	"strings"
)

// leastRun is how many characters of base64 or hexadecimal stand before a line end that is taken for a fold: encoders break their
// lines after 60, 64 or 76. Other lines end where a text does, and are passed on as they come.
const leastRun = 32

// span is a part of a text.
type span struct{ from, to int }

// unfolded is a text without its folds: what an encoder broke into lines is one again.
type unfolded struct {
	text  string
	folds []span
}

// unfold finds folds: behind a run of characters of base64 a line end, or one that is written \n as in JSON, with the blanks
// around it. Run is how many such characters stand before the text. At its end a \ may be the beginning of one.
func unfold(text string, run int) unfolded {
	var u unfolded
	if !strings.ContainsAny(text, "\r\n\\") {
		return u
	}
	for i := 0; i < len(text); {
		if run >= leastRun {
			if end := foldEnd(text, i); end > i {
				u.folds = append(u.folds, span{i, end})
				i, run = end, 0
				continue
			}
		}
		if isDigit64(text[i]) {
			run++
		} else {
			run = 0
		}
		i++
	}
	if len(u.folds) == 0 {
		return u
	}
	var out strings.Builder
	at := 0
	for _, fold := range u.folds {
		out.WriteString(text[at:fold.from])
		at = fold.to
	}
	out.WriteString(text[at:])
	u.text = out.String()
	return u
}

// foldEnd is where a fold ends that begins at i, or i where none does.
func foldEnd(text string, i int) int {
	broken := false
	for at := i; ; {
		switch rest := text[at:]; {
		case rest != "" && (rest[0] == '\n' || rest[0] == '\r'):
			at, broken = at+1, true
		case rest == `\`, len(rest) > 1 && rest[0] == '\\' && (rest[1] == 'n' || rest[1] == 'r'):
			at, broken = at+min(2, len(rest)), true
		case broken && rest != "" && (rest[0] == ' ' || rest[0] == '\t'):
			at++
		case broken:
			return at
		default:
			return i
		}
	}
}

// place is where a character of the unfolded text stands in the text that was folded.
func (u unfolded) place(i int) int {
	for _, fold := range u.folds {
		if fold.from > i {
			break
		}
		i += fold.to - fold.from
	}
	return i
}

// parts of the folded text that a span of the unfolded one is.
func (u unfolded) parts(s span) []span {
	from, last := u.place(s.from), u.place(s.to-1)+1
	var parts []span
	for _, fold := range u.folds {
		if fold.from > from && fold.from < last {
			parts = append(parts, span{from, fold.from})
			from = fold.to
		}
	}
	return append(parts, span{from, last})
}

// joined sorts spans, and makes one of those that share a character.
func joined(spans []span) []span {
	slices.SortFunc(spans, func(a, b span) int { return a.from - b.from })
	var list []span
	for _, s := range spans {
		if last := len(list) - 1; last >= 0 && s.from < list[last].to {
			list[last].to = max(list[last].to, s.to)
		} else {
			list = append(list, s)
		}
	}
	return list
}

// runBefore is how many characters of base64 stand before a place of a text, that has run of them before it.
func runBefore(text string, place, run int) int {
	n := 0
	for n < place && isDigit64(text[place-1-n]) {
		n++
	}
	if n == place {
		n += run
	}
	return min(n, leastRun)
}

func isDigit64(c byte) bool {
	return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || strings.IndexByte("+/-_", c) >= 0
}

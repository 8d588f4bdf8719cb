package joboutput

import "testing"

func TestPrintable(t *testing.T) {
	for text, want := range map[string]string{
		"":                       "",
		"a\tb\né😀 \"x\\y\"":      "a\tb\né😀 \"x\\y\"",
		"\x1b]52;c;cm0K\x07\r\n": "\\x1b]52;c;cm0K\\a\\r\n",
		"\u009b31m\u202e\x7f":    `\u009b31m\u202e\x7f`,
		"a\xffb\ufffd":           "a\\xffb\ufffd",
	} {
		if got := Printable(text); got != want {
			t.Errorf("%q: %q; wanted %q", text, got, want)
		}
	}
}

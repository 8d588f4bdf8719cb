package moduleprotocol

import "testing"

func TestCanonical(t *testing.T) {
	for text, want := range map[string]string{
		`{"b":1,"a":{"d":[ ],"c":null}}`:           `{"a":{"c":null,"d":[]},"b":1}`,
		`123456789012345678901234567890.10`:        `123456789012345678901234567890.10`,
		`[1e6, 1E6, -0, 1.0]`:                      `[1e6,1E6,-0,1.0]`,
		`"<a>&\u00fc\u2028"`:                       "\"<a>&ü\\u2028\"",
		` { "x" : "--secret", "y" : [true,false]}`: `{"x":"--secret","y":[true,false]}`,
	} {
		got, err := Canonical([]byte(text))
		if err != nil || string(got) != want {
			t.Errorf("%s: %s %v; wanted %s", text, got, err, want)
		}
		again, err := Canonical(got)
		if err != nil || string(again) != want {
			t.Errorf("%s is not stable: %s", want, again)
		}
	}
	if _, err := Canonical([]byte(`{`)); err == nil {
		t.Error("half a document is none")
	}
}

package strictjson

import (
	"encoding/json"
	"reflect"
	"strings"
	"testing"
	"testing/quick"
)

func TestParse(t *testing.T) {
	text := `{"b":1.50,"a":[true,null,"x<\u00e9😀",{}],"c":123456789012345678901234567890}`
	value, err := ParseObject([]byte(text))
	if err != nil || strings.Join(value.Names, "") != "bac" || value.Values["b"] != json.Number("1.50") {
		t.Fatal(value, err)
	}
	if out := string(Marshal(value)); out != strings.Replace(text, `\u00e9`, "é", 1) {
		t.Error(out)
	}
	if texts := Texts(value); !reflect.DeepEqual(texts, []string{"1.50", "x<é😀", "123456789012345678901234567890"}) {
		t.Errorf("%q", texts)
	}
}

func TestRefused(t *testing.T) {
	for text, want := range map[string]string{
		`{"a":1,"b":{"x":1,"x":2}}`: "$.b.x: the name comes twice",
		`{"a":NaN}`:                 "$: no JSON at line 1, column 6",
		"{\n\"a\": Infinity}":       "$: no JSON at line 2",
		`{"a":1} {}`:                "$: no JSON at line 1, column 9",
		`{"a":1`:                    "$: no JSON at line 1",
		``:                          "$: no JSON at line 1, column 1",
		"{\"a\":\"\xff\"}":          "$: it is no UTF-8",
		`{"a":"\ud800"}`:            "surrogate",
		`{"a":"\udc00\ud800"}`:      "surrogate",
		`{"a":"\ud83dx\ude00"}`:     "surrogate",
		`[1]`:                       "$: has to be an object, and is a list",
		strings.Repeat("[", 70) + strings.Repeat("]", 70): "more than 64 levels",
		`{"a":01}`: "$: no JSON",
	} {
		if _, err := ParseObject([]byte(text)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v; wanted %s", text, err, want)
		}
	}
	for _, text := range []string{`{"a":"\\ud800"}`, `{"a":"\ud83d\ude00"}`, `{"a":"\\\ud83d\ude00"}`} {
		if _, err := ParseObject([]byte(text)); err != nil {
			t.Error(text, err)
		}
	}
}

// TestRoundTrip: what is written is read as the same value, and encoding/json reads it so, too.
func TestRoundTrip(t *testing.T) {
	property := func(names []string, texts []string, number int64) bool {
		object := NewObject()
		for i, name := range names {
			name, text := strings.ToValidUTF8(name, "?"), ""
			if i < len(texts) {
				text = strings.ToValidUTF8(texts[i], "?")
			}
			object.Set(name, []any{text, json.Number("7"), nil, true})
		}
		text := Marshal(object)
		again, err := ParseObject(text)
		var plain map[string]any
		return err == nil && reflect.DeepEqual(again, object) && json.Unmarshal(text, &plain) == nil && len(plain) == len(object.Names)
	}
	if err := quick.Check(property, nil); err != nil {
		t.Error(err)
	}
}

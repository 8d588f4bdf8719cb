package jobparameters

import (
	"strings"
	"testing"
)

const deploy = `{
  "$schema": "https://json-schema.org/draft/2020-12/schema", "type": "object", "additionalProperties": false, "required": ["host"],
  "properties": {
    "host": {"type": "string", "pattern": "^[a-z0-9.-]+$", "maxLength": 20},
    "port": {"type": "integer", "minimum": 1, "maximum": 65535, "default": 22},
    "ratio": {"type": "number", "exclusiveMaximum": 1, "multipleOf": 0.1},
    "mode": {"enum": ["fast", "safe", null]},
    "tags": {"type": "array", "items": {"type": "string", "minLength": 1}, "maxItems": 2, "uniqueItems": true},
    "options": {"type": "object", "properties": {"retry": {"type": "boolean", "default": true}}, "additionalProperties": {"type": "integer"}}
  }
}`

func TestSchema(t *testing.T) {
	for text, want := range map[string]string{
		`{"host":"a"}`:                                 "",
		`{"host":"a","port":80.0,"ratio":0.3}`:         "",
		`{"host":"a","mode":null,"tags":["x","y"]}`:    "",
		`{"host":"a","options":{"retry":false,"n":1}}`: "",
		`{}`:                                "$.host: is missing",
		`{"host":1}`:                        "$.host: has to be string, and is a number",
		`{"host":"A"}`:                      "$.host: does not match",
		`{"host":"aaaaaaaaaaaaaaaaaaaaa"}`:  "$.host: has 21 characters",
		`{"host":"a","port":0}`:             "$.port: minimum is 1",
		`{"host":"a","port":1.5}`:           "$.port: has to be integer",
		`{"host":"a","port":"22"}`:          "$.port: has to be integer, and is text",
		`{"host":"a","port":1e999999999}`:   "$.port: has to be integer",
		`{"host":"a","ratio":1e999999999}`:  "$.ratio: has too many digits",
		`{"host":"a","ratio":1}`:            "$.ratio: exclusiveMaximum",
		`{"host":"a","ratio":0.25}`:         "$.ratio: multipleOf",
		`{"host":"a","mode":"slow"}`:        `$.mode: has to be one of ["fast","safe",null]`,
		`{"host":"a","tags":["x","x"]}`:     "$.tags[1]: is there twice",
		`{"host":"a","tags":[""]}`:          "$.tags[0]: has 0 characters",
		`{"host":"a","tags":["1","2","3"]}`: "$.tags: has 3 items",
		`{"host":"a","options":{"n":"x"}}`:  "$.options.n: has to be integer",
		`{"host":"a","Port":1}`:             "$.Port: there is no such parameter, but there is port",
	} {
		_, err := read(t, text, deploy)
		if want == "" && err != nil || want != "" && (err == nil || !strings.Contains(err.Error(), want)) {
			t.Errorf("%s: %v; wanted %q", text, err, want)
		}
	}
	p, err := read(t, `{"host":"a","options":{}}`, deploy)
	if err != nil || string(p.JSON()) != `{"host":"a","options":{"retry":true},"port":22}` {
		t.Error(string(p.JSON()), err)
	}
}

// TestUnknownWords: a word that is not checked is refused, so that nobody relies on it.
func TestUnknownWords(t *testing.T) {
	for text, want := range map[string]string{
		`{"oneOf":[]}`:                        "$.oneOf: this word is not checked here",
		`{"properties":{"a":{"$ref":"#/x"}}}`: `$.properties.a["$ref"]: this word`,
		`{"type":"text"}`:                     `there is no type "text"`,
		`{"pattern":"(?=x)"}`:                 "RE2",
		`{"minLength":-1}`:                    "$.minLength",
		`{"multipleOf":0}`:                    "$.multipleOf",
		`{"properties":{"a":{"type":"string","default":1}}}`: "the default is none that the schema allows",
		`[]`:                                "a schema is an object",
		`{"type":"object","type":"object"}`: "comes twice",
	} {
		if _, err := ParseSchema([]byte(text)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", text, err)
		}
	}
}

// TestEscapeSequences: what a schema says reaches terminals by its errors, and must not act on them.
func TestEscapeSequences(t *testing.T) {
	const clipboard = `\u001b]52;c;cm0gLXJmIH4K\u0007`
	for _, e := range []struct{ schema, parameters, want string }{
		{`{"properties":{"a":{"pattern":"^` + strings.ReplaceAll(clipboard, "]", `\\]`) + `$"}}}`, `{"a":"x"}`, "$.a: does not match \"^\\x1b"},
		{`{"pattern":"(?=` + clipboard + `"}`, `{}`, "RE2"},
		{`{"additionalProperties":false,"properties":{"` + clipboard + `a":{}}}`, `{"` + clipboard + `A":1}`, "but there is"},
	} {
		err := inTime(t, e.parameters, e.schema)
		if err == nil || !strings.Contains(err.Error(), e.want) || strings.ContainsAny(err.Error(), "\x1b\x07") {
			t.Errorf("%q; wanted %q", err, e.want)
		}
	}
}

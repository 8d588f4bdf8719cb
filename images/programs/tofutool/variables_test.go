package tofutool

import (
	"encoding/json"
	"strings"
	"testing"

	"kiln.dev/programs/moduleprotocol"
)

func TestVariablesFile(t *testing.T) {
	got, err := variablesFile(map[string]json.RawMessage{
		"n": json.RawMessage(`123456789012345678901234567890`), "f": json.RawMessage(`1.10`), "z": json.RawMessage(`null`),
		"o": json.RawMessage(`{ "a": [1, "x"] }`), "t": json.RawMessage(`"--x\n"`), "b": json.RawMessage(`true`),
	})
	want := "{\n  \"b\": true,\n  \"f\": 1.10,\n  \"n\": 123456789012345678901234567890,\n  \"o\": {\"a\":[1,\"x\"]},\n  \"t\": \"--x\\n\",\n  \"z\": null\n}\n"
	if err != nil || string(got) != want {
		t.Errorf("%s %v", got, err)
	}
	if got, err := variablesFile(nil); err != nil || !json.Valid(got) {
		t.Error(string(got), err)
	}
}

func TestDeclared(t *testing.T) {
	declared := map[string]json.RawMessage{"name": nil, "size": nil}
	if err := checkDeclared(map[string]json.RawMessage{"name": nil}, declared); err != nil {
		t.Error(err)
	}
	err := checkDeclared(map[string]json.RawMessage{"name": nil, "nmae": nil, "a b": nil}, declared)
	f := moduleprotocol.FailureOf(err)
	if f.Code != moduleprotocol.ConfigInvalid || !strings.Contains(f.Message, `$.inputs.nmae, $.inputs["a b"]`) || !strings.Contains(f.Message, "name, size") {
		t.Errorf("%+v", f)
	}
}

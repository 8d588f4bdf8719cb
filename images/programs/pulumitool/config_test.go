package pulumitool

import (
	"encoding/json"
	"strings"
	"testing"

	"kiln.dev/programs/moduleprotocol"
)

// TestTypeExact: a value that is no text becomes its JSON text, number for number; what looks like a flag stays a value.
func TestTypeExact(t *testing.T) {
	inputs := map[string]json.RawMessage{}
	wanted := map[string]string{}
	for name, value := range map[string][2]string{
		"big":        {`123456789012345678901234567890`, `123456789012345678901234567890`},
		"million":    {`1000000`, `1000000`},
		"id":         {`123456789012`, `123456789012`},
		"decimal":    {`1.10`, `1.10`},
		"object":     {`{"a": 1, "b": [ null ]}`, `{"a":1,"b":[null]}`},
		"list":       {`["x y", "z"]`, `["x y","z"]`},
		"true":       {`true`, `true`},
		"text":       {`"plain"`, `plain`},
		"empty":      {`""`, ``},
		"dash":       {`"-3"`, `-3`},
		"flag":       {`"--secret"`, `--secret`},
		"lines":      {`"a\nb\u0000"`, "a\nb\x00"},
		"--file":     {`"x"`, `x`},
		"aws:region": {`"eu"`, `eu`},
	} {
		inputs[name] = json.RawMessage(value[0])
		key := "p:" + name
		if strings.Contains(name, ":") {
			key = name
		}
		wanted[key] = value[1]
	}
	inputs["null"] = json.RawMessage("null")
	settings, err := settingsOf("p", inputs, map[string]bool{"flag": true})
	if err != nil {
		t.Fatal(err)
	}
	if len(settings) != len(wanted) {
		t.Error("null is left out:", settings)
	}
	for _, s := range settings {
		if s.Value != wanted[s.Key] || s.Secret != (s.Key == "p:flag") {
			t.Errorf("%+v; wanted %q", s, wanted[s.Key])
		}
	}
	for _, name := range []string{"", "a:b:c", ":a", "a:"} {
		_, err := settingsOf("p", map[string]json.RawMessage{name: json.RawMessage("1")}, nil)
		if f := moduleprotocol.FailureOf(err); err == nil || f.Code != moduleprotocol.ConfigInvalid || !strings.Contains(f.Message, "$.inputs") {
			t.Errorf("%q: %v", name, err)
		}
	}
}

func TestConfigFile(t *testing.T) {
	text, err := configFile(head{{"encryptionsalt", "v1:a:b"}}, []setting{{"p:a", "line\n\"x\"\x7f\u2028 ü 😀", false}, {"p:b", "hunter22", true}},
		func(value string) (string, error) { return "sealed(" + value[:3] + ")", nil })
	want := "{\n  \"encryptionsalt\": \"v1:a:b\",\n  \"config\": {\n" +
		`    "p:a": "line\u000a\"x\"\u007f\u2028 ü 😀",` + "\n" + `    "p:b": {"secure": "sealed(hun)"}` + "\n  }\n}\n"
	if err != nil || text != want {
		t.Errorf("%s %v", text, err)
	}
	var document any
	if err := json.Unmarshal([]byte(text), &document); err != nil {
		t.Error("it is JSON, too:", err)
	}
}

func TestHeads(t *testing.T) {
	h, plain := readHead("# c\nsecretsprovider: awskms://alias/x?region=eu # key\nencryptedkey: 'abc'\n")
	if !plain || len(h) != 2 || h[0] != [2]string{"secretsprovider", "awskms://alias/x?region=eu"} || h[1][1] != "abc" {
		t.Error(h, plain)
	}
	for _, text := range []string{"config:\n  p:a: b\n", "environment:\n  - x\n"} {
		if _, plain := readHead(text); plain {
			t.Error(text)
		}
	}
	if got := withHead("encryptionsalt: old\nconfig:\n  a: b\n", "v1:n"); got != "encryptionsalt: \"v1:n\"\nconfig:\n  a: b\n" {
		t.Errorf("%q", got)
	}
}

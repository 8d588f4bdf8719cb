package pulumitool

import (
	"errors"
	"testing"

	"kiln.dev/programs/moduleprotocol"
)

const secretValue = `{"4dabf18193072939515e22adb298388d":"1b47061264138c4ac30d75fd1eb44270","ciphertext":"c"}`

func checkpoint(resources string) []byte {
	return []byte(`{"version":3,"checkpoint":{"stack":"s","latest":{"manifest":{"time":"t"},"resources":[` + resources + `]}}}`)
}

func TestOutputs(t *testing.T) {
	stack := `{"urn":"u","type":"pulumi:pulumi:Stack","outputs":{"plain":{"n":12345678901234567890,"f":1.10},"whole":` + secretValue +
		`,"deep":{"a":[1,` + secretValue + `]},"null":null}}`
	d, err := parseState(checkpoint(stack + `,{"urn":"v","type":"x","outputs":{"not":"ours"}}`))
	if err != nil {
		t.Fatal(err)
	}
	outputs, err := d.outputs(func(sealed string) (string, error) { return `{"p":"hunter22"}`, nil })
	if err != nil || len(outputs) != 4 {
		t.Fatal(outputs, err)
	}
	for name, want := range map[string]struct {
		value     string
		sensitive bool
	}{
		"plain": {`{"n":12345678901234567890,"f":1.10}`, false},
		"whole": {`{"p":"hunter22"}`, true},
		"deep":  {`{"a":[1,{"p":"hunter22"}]}`, true},
		"null":  {`null`, false},
	} {
		if got := outputs[name]; string(got.Value) != want.value || got.Sensitive != want.sensitive {
			t.Errorf("%s: %s %t", name, got.Value, got.Sensitive)
		}
	}
	failing := func(string) (string, error) { return "", errors.New("no key") }
	if _, err := d.outputs(failing); err == nil {
		t.Error("a secret that cannot be opened is no output")
	}
	exported, err := parseState([]byte(`{"version":3,"deployment":{"resources":[{"type":"pulumi:pulumi:Stack","outputs":{"s":
		{"4dabf18193072939515e22adb298388d":"1b47061264138c4ac30d75fd1eb44270","plaintext":"\"[secret]\""}}}]}}`))
	if err != nil {
		t.Fatal(err)
	}
	if outputs, err := exported.outputs(failing); err != nil || string(outputs["s"].Value) != `"[secret]"` || !outputs["s"].Sensitive {
		t.Error(outputs, err)
	}
	if _, err := parseState([]byte(`{"version":4,"lineage":"x"}`)); err == nil {
		t.Error("OpenTofu's state is none of Pulumi")
	}
}

func TestWorld(t *testing.T) {
	world := func(text []byte) string {
		t.Helper()
		w, err := worldOf(text, func(sealed string) (string, error) { return `"` + sealed + `"`, nil })
		if err != nil {
			t.Fatal(err)
		}
		return string(w)
	}
	a := checkpoint(`{"urn":"a","modified":"1","outputs":{"n":1}},{"urn":"b","created":"1","stackTrace":[]}`)
	if world(a) != world(checkpoint(`{"urn":"b","created":"2"},{"urn":"a","modified":"2","outputs":{"n":1}}`)) {
		t.Error("times and order are not the world")
	}
	if world(a) == world(checkpoint(`{"urn":"b"},{"urn":"a","outputs":{"n":2}}`)) || world(a) == world(checkpoint(`{"urn":"a","outputs":{"n":1}}`)) {
		t.Error("a changed world is another one")
	}
	if world(emptyCheckpoint("p", "s")) != "{}" || world(checkpoint("")) != "{}" {
		t.Error("nothing is nothing")
	}
	taken, err := asCheckpoint([]byte(`{"version":3,"deployment":{"resources":[{"urn":"a"}]}}`), "p", "s")
	if err != nil || world(taken) != `{"resources":[{"urn":"a"}]}` {
		t.Error(string(taken), err)
	}
}

// TestSecretInOneElement: a secret in one element of a list hides that element in changes, and makes the whole output secret.
func TestSecretInOneElement(t *testing.T) {
	const list = `["seen", {"values": ["seen", {"4dabf18193072939515e22adb298388d": "1b47061264138c4ac30d75fd1eb44270", "plaintext": "\"x\""}]}]`
	decoded := func() any {
		value, err := moduleprotocol.Decode([]byte(list))
		if err != nil {
			t.Fatal(err)
		}
		return value
	}
	hidden, err := moduleprotocol.CanonicalOf(hideSecrets(decoded()))
	if err != nil || string(hidden) != `["seen",{"values":["seen","[secret]"]}]` {
		t.Error(string(hidden), err)
	}
	var found bool
	shown, err := reveal(decoded(), nil, &found)
	if text, _ := moduleprotocol.CanonicalOf(shown); err != nil || !found || string(text) != `["seen",{"values":["seen","x"]}]` {
		t.Error(string(text), found, err)
	}
}

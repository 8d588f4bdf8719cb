package jobparameters

import (
	"encoding/json"
	"os"
	"os/exec"
	"reflect"
	"strings"
	"testing"
	"testing/quick"

	"kiln.dev/programs/strictjson"
)

func read(t *testing.T, text, schema string) (*Parameters, error) {
	t.Helper()
	var s *Schema
	if schema != "" {
		var err error
		if s, err = ParseSchema([]byte(schema)); err != nil {
			t.Fatal(err)
		}
	}
	return Read([]byte(text), strictjson.NewObject(), s)
}

func pass(t *testing.T, p *Parameters) Passed {
	t.Helper()
	passed, err := p.Pass(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	return passed
}

// TestTypes: every type has one spelling, in the order of the document.
func TestTypes(t *testing.T) {
	p, err := read(t, `{"text":"a b","count":42,"big":12345678901234567890,"ratio":1.50,"on":true,"off":false,"none":null,"list":[1,"x"],"map":{"a":{}},"empty":""}`, "")
	if err != nil {
		t.Fatal(err)
	}
	passed := pass(t, p)
	want := []string{`--text=a b`, `--count=42`, `--big=12345678901234567890`, `--ratio=1.50`, `--on=true`, `--off=false`, `--list=[1,"x"]`, `--map={"a":{}}`, `--empty=`}
	if !reflect.DeepEqual(passed.Arguments, want) {
		t.Errorf("%q", passed.Arguments)
	}
	if passed.Environment[1] != "PARAM_COUNT=42" || len(passed.Environment) != len(want) {
		t.Errorf("%q", passed.Environment)
	}
	file, _ := os.ReadFile(passed.File)
	if !strings.Contains(string(file), `"none":null`) || !strings.Contains(string(file), `"ratio":1.50`) {
		t.Error(string(file))
	}
}

var hostile = []string{
	"; rm -rf /", "$(touch /tmp/x)", "`id`", "a\nb\r\n", "--upload-pack=x", "-c", "' \" \\", "%00", "*", "~", "@file", "=", "é😀\u2028",
	"a\x00b", strings.Repeat("x", 200<<10), strings.Repeat("y", 128<<10), "",
}

// TestHostileValues: a real program gets each value byte by byte, as an argument and as a variable, or by file.
func TestHostileValues(t *testing.T) {
	if os.Getenv("KILN_TEST_ECHO") == "1" {
		argument, variable := os.Args[len(os.Args)-1], os.Getenv("PARAM_VALUE")
		if path, found := strings.CutPrefix(argument, "--value-file="); found {
			content, _ := os.ReadFile(path)
			other, _ := os.ReadFile(os.Getenv("PARAM_VALUE_FILE"))
			argument, variable = "--value="+string(content), string(other)
		}
		os.WriteFile(os.Getenv("KILN_TEST_OUT"), []byte(argument+"\x01"+variable), 0o600)
		os.Exit(0)
	}
	for _, value := range hostile {
		text, _ := json.Marshal(map[string]string{"value": value})
		p, err := read(t, string(text), "")
		if err != nil {
			t.Fatal(err)
		}
		passed := pass(t, p)
		out := t.TempDir() + "/out"
		cmd := exec.Command(os.Args[0], append([]string{"-test.run=TestHostileValues", "--"}, passed.Arguments...)...)
		cmd.Env = append(passed.Environment, "KILN_TEST_ECHO=1", "KILN_TEST_OUT="+out)
		if said, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("%.40q: %v %s", value, err, said)
		}
		if got, _ := os.ReadFile(out); string(got) != "--value="+value+"\x01"+value {
			t.Errorf("%.40q came as %.80q", value, got)
		}
	}
}

// TestAnyText: an argument begins with its own name, whatever the value, and the value is after it.
func TestAnyText(t *testing.T) {
	folder := t.TempDir()
	property := func(value string) bool {
		value = strings.ToValidUTF8(value, "?")
		object := strictjson.NewObject()
		object.Set("v", value)
		os.Remove(folder + "/parameters.json")
		os.Remove(folder + "/v")
		passed, err := (&Parameters{object: object}).Pass(folder)
		if strings.Contains(value, "\x00") {
			return err == nil && passed.Arguments[0] == "--v-file="+folder+"/v"
		}
		return err == nil && passed.Arguments[0] == "--v="+value && passed.Environment[0] == "PARAM_V="+value
	}
	if err := quick.Check(property, nil); err != nil {
		t.Error(err)
	}
}

// TestManyLongValues: together they may be longer than what a program can be started with.
func TestManyLongValues(t *testing.T) {
	object := strictjson.NewObject()
	for _, name := range []string{"a", "b", "c", "d", "e", "f"} {
		object.Set(name, strings.Repeat("z", 100<<10))
	}
	passed := pass(t, &Parameters{object: object})
	size := 0
	for _, text := range append(passed.Arguments, passed.Environment...) {
		size += len(text)
	}
	if len(passed.Arguments) != 6 || size > allArguments || !strings.HasPrefix(passed.Arguments[5], "--f-file=") {
		t.Error(size)
	}
}

// TestNameOfAFile: what goes by file because all together is too much must not take the name of another parameter either.
func TestNameOfAFile(t *testing.T) {
	long := strings.Repeat("z", 120<<10)
	document := func(last string) string {
		text, _ := json.Marshal(map[string]string{"A1": long, "A2": long, "a": last, "a-file": "/etc/passwd"})
		return string(text)
	}
	if _, err := read(t, document(long[:40<<10]), ""); err == nil || !strings.Contains(err.Error(), "$.a: is passed by file, whose name would be that of the parameter a-file") {
		t.Error(err)
	}
	p, err := read(t, document(long[:10<<10]), "")
	if err != nil {
		t.Fatal(err)
	}
	if passed := pass(t, p); passed.Arguments[3] != "--a-file=/etc/passwd" || !strings.HasPrefix(passed.Arguments[2], "--a=zzz") {
		t.Errorf("%.40q", passed.Arguments)
	}
}

func TestNames(t *testing.T) {
	for text, want := range map[string]string{
		`{"a b":1}`:                   `$["a b"]: the name of a parameter`,
		`{"-x":1}`:                    "the name of a parameter",
		`{"a=b":1}`:                   "the name of a parameter",
		`{"é":1}`:                     "the name of a parameter",
		`{"a-b":1,"A_B":2}`:           `$.A_B: is the same parameter as a-b`,
		`{"a":1,"a":2}`:               "$.a: the name comes twice",
		`[]`:                          "has to be an object",
		`{"a":NaN}`:                   "no JSON",
		`{"a":"\u0000","a-file":"x"}`: "is passed by file",
	} {
		if _, err := read(t, text, ""); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", text, err)
		}
	}
	for _, text := range []string{"", " \n", "{}", `{"a":1,"a-file":2}`} {
		if _, err := read(t, text, ""); err != nil {
			t.Error(text, err)
		}
	}
}

// TestSecrets: what the channel brings wins, and is secret; so is what a schema marks.
func TestSecrets(t *testing.T) {
	schema, err := ParseSchema([]byte(`{"properties":{"token":{"type":"string","secret":true},"login":{"properties":{"pin":{"writeOnly":true}}}}}`))
	if err != nil {
		t.Fatal(err)
	}
	channel := strictjson.NewObject()
	channel.Set("password", "from the channel")
	p, err := Read([]byte(`{"password":"shown","token":"marked","login":{"pin":123456,"user":"me"}}`), channel, schema)
	if err != nil || !reflect.DeepEqual(p.Secrets, []string{"from the channel", "marked", "123456"}) {
		t.Errorf("%q %v", p.Secrets, err)
	}
	if !strings.Contains(string(p.JSON()), `"password":"from the channel"`) {
		t.Error(string(p.JSON()))
	}
}

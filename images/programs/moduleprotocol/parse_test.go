package moduleprotocol

import (
	"errors"
	"reflect"
	"strings"
	"testing"
	"time"
)

// TestPublishedRequest: what the published interface sends is a whole request.
func TestPublishedRequest(t *testing.T) {
	q, err := ParseRequest([]byte(`{"action":"apply","inputs":{"name":"web","count":3,"__import_mappings":[{"address":"a.b","id":"i-1"}]},
		"state":{},"environment":{"AWS_REGION":"eu-west-1"},"stack_name":"prod-web","backend":{"type":"s3","config":{"bucket":"b"}},
		"something_new":[1,2]}`))
	if err != nil {
		t.Fatal(err)
	}
	if q.Action != Apply || string(q.Inputs["count"]) != "3" || q.Environment["AWS_REGION"] != "eu-west-1" || q.StackName != "prod-web" ||
		q.State != nil || !reflect.DeepEqual(q.Backend, &Backend{"s3", map[string]string{"bucket": "b"}}) {
		t.Errorf("%+v", q)
	}
	if _, found := q.Inputs[ImportMappings]; found || !reflect.DeepEqual(q.Imports, []Mapping{{Address: "a.b", ID: "i-1"}}) {
		t.Errorf("%+v", q)
	}
}

func TestOwnFields(t *testing.T) {
	q, err := ParseRequest([]byte(`{"action":"import","inputs":null,"api_version":"exec/v1","run_id":"r1","deadline":"2030-01-31T12:00:00Z",
		"state_mode":"carried","refresh":{"update":true},"import":[{"type":"t","name":"n","id":"-x"}],"destroy":{"allow_missing_state":true},
		"secret_inputs":["a"],"state":{"format":"x"}}`))
	if err != nil || q.RunID != "r1" || !q.Deadline.Equal(time.Date(2030, 1, 31, 12, 0, 0, 0, time.UTC)) || !q.UpdateState ||
		!q.AllowMissingState || q.StateMode != Carried || q.Imports[0].ID != "-x" || q.SecretInputs[0] != "a" || string(q.State) != `{"format":"x"}` {
		t.Errorf("%+v %v", q, err)
	}
}

func TestRefusals(t *testing.T) {
	for text, want := range map[string]string{
		``:                                 "$: no JSON at line 1, column 1",
		"{\n  \"action\": apply}":          "$: no JSON at line 2, column 13",
		`{"action":"apply"} {}`:            "$: something follows",
		`[]`:                               "$: has to be an object, and is a list",
		`{}`:                               "$.action: is missing",
		`{"action":7}`:                     "$.action: has to be text, and is a number",
		`{"action":"apply","inputs":[]}`:   "$.inputs: has to be an object, and is a list",
		`{"action":"apply","inputs":"{}"}`: "$.inputs: has to be an object, and is text",
		`{"action":"apply","environment":{"A B":true}}`:                                       `$.environment["A B"]: has to be text, and is a boolean`,
		`{"action":"apply","environment":{"A=B":"c"}}`:                                        `$.environment["A=B"]: is no environment variable`,
		`{"action":"apply","backend":{"config":{}}}`:                                          "$.backend.type: is missing",
		`{"action":"apply","backend":{"type":"s3","config":{"a":1}}}`:                         "$.backend.config.a: has to be text",
		`{"action":"apply","backend":{"type":"s3"},"state_mode":"carried"}`:                   "$.backend: names a backend, but state_mode is carried",
		`{"action":"apply","backend":{"type":"local"},"state_mode":"remote"}`:                 "$.backend.config.path: is missing",
		`{"action":"apply","backend":{"type":"local","config":{"path":"terraform.tfstate"}}}`: "$.backend.config.path: has to begin with /",
		`{"action":"apply","deadline":"tomorrow"}`:                                            "$.deadline: has to be a time such as",
		`{"action":"apply","state_mode":"lost"}`:                                              "$.state_mode: is \"lost\"",
		`{"action":"apply","state":"x"}`:                                                      "$.state: has to be an object, and is text",
		`{"action":"apply","api_version":"exec/v2"}`:                                          "$.api_version: is \"exec/v2\"",
		`{"action":"preview","plan_digest":"x"}`:                                              "$.plan_digest: goes with",
		`{"action":"import"}`:                                                                 "$.import: is missing",
		`{"action":"import","import":[{"address":"a"}]}`:                                      "$.import[0].id: is missing",
		`{"action":"import","import":[{"id":"a"}]}`:                                           "$.import[0].address: is missing",
		`{"action":"apply","secret_inputs":["a",1]}`:                                          "$.secret_inputs[1]: has to be text",
		`{"action":"refresh","refresh":{"update":"yes"}}`:                                     "$.refresh.update: has to be true or false, and is text",
	} {
		if _, err := ParseRequest([]byte(text)); err == nil || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("%s: %v; wanted %s…", text, err, want)
		}
	}
	unknown := ErrAction{}
	if q, err := ParseRequest([]byte(`{"action":"upgrade","run_id":"r"}`)); !errors.As(err, &unknown) || q.RunID != "r" {
		t.Error(q, err)
	}
}

func TestSecrets(t *testing.T) {
	s, err := ParseSecrets([]byte(`{"inputs":{"p":"x"},"environment":{"T":"y"},"files":{"KEY":{"name":"k.json","base64":"YQ=="}},
		"state_key":"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="}`))
	if err != nil || string(s.Inputs["p"]) != `"x"` || s.Environment["T"] != "y" || string(s.Files["KEY"].Content) != "a" || len(s.StateKey) != 32 || s.PassingKey {
		t.Errorf("%+v %v", s, err)
	}
	if s, err := ParseSecrets([]byte(`{"state_key_lasting":false}`)); err != nil || !s.PassingKey {
		t.Errorf("%+v %v", s, err)
	}
	for text, want := range map[string]string{
		`{"state_key_lasting":"hunter22"}`:                "$.state_key_lasting: has to be true or false",
		`{"state_key":"hunter22"}`:                        "$.state_key: has to be 32 bytes",
		`{"files":{"K":{"name":"a","base64":"hunter!"}}}`: "$.files.K.base64: has to be base64",
		`{"inputs":"hunter22"}`:                           "$.inputs: has to be an object",
	} {
		if _, err := ParseSecrets([]byte(text)); err == nil || !strings.HasPrefix(err.Error(), want) || strings.Contains(err.Error(), "hunter") {
			t.Errorf("%s: %v", text, err)
		}
	}
}

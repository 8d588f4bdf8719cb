package tofutool

import (
	"reflect"
	"testing"

	"kiln.dev/programs/moduleprotocol"
)

// TestUnrecorded: addresses in events are spelled as those that a state file is read to.
func TestUnrecorded(t *testing.T) {
	const state = `{"version":4,"resources":[
		{"mode":"managed","type":"a","name":"one","instances":[{"attributes":{}}]},
		{"module":"module.m[\"x\"]","mode":"managed","type":"a","name":"many","instances":[{"index_key":0},{"index_key":"k"}]},
		{"mode":"managed","type":"a","name":"moved","instances":[{"deposed":"12345678"}]},
		{"mode":"data","type":"a","name":"seen","instances":[{}]}]}`
	var said messages
	for address, action := range map[string]string{
		"a.one": "update", `module.m["x"].a.many[0]`: "create", `module.m["x"].a.many["k"]`: "create", "data.a.seen": "read",
		`module.m["x"].a.many[1]`: "create", "a.new": "create", "a.moved": "create", "a.gone": "delete",
	} {
		said.done = append(said.done, moduleprotocol.Change{Resource: address, Action: action})
	}
	want := []string{"a.moved", "a.new", `module.m["x"].a.many[1]`}
	if got := said.unrecorded([]byte(state)); !reflect.DeepEqual(got, want) {
		t.Errorf("%q", got)
	}
	if got := said.unrecorded([]byte(`{"encrypted_data":"x"}`)); len(got) != 7 {
		t.Errorf("nothing can be found in an encrypted state: %q", got)
	}
}

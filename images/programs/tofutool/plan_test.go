package tofutool

import (
	"reflect"
	"testing"

	"kiln.dev/programs/moduleprotocol"
	"kiln.dev/programs/moduletool"
)

const shownText = `{"format_version":"1.2","terraform_version":"1.10.6","resource_changes":[
 {"address":"a.new","mode":"managed","type":"a","change":{"actions":["create"],"before":null,
  "after":{"n":123456789012345678901,"p":"hunter22","l":[{"q":"x"},{"q":"y"}]},"after_unknown":{"id":true},
  "before_sensitive":false,"after_sensitive":{"p":true,"l":[{},{"q":true}]}}},
 {"address":"a.moved","type":"a","change":{"actions":["delete","create"],"before":{"x":1},"after":{"x":2}}},
 {"address":"a.gone","type":"a","change":{"actions":["delete"],"before":{"x":1},"after":null}},
 {"address":"a.same","type":"a","change":{"actions":["no-op"],"before":{"x":1},"after":{"x":1}}},
 {"address":"a.forgotten","type":"a","change":{"actions":["forget"],"before":{"x":1},"after":null}}],
 "resource_drift":[{"address":"a.same","type":"a","change":{"actions":["update"],"before":{"x":1},"after":{"x":9}}}],
 "output_changes":{"o":{"actions":["create"],"after":"v"}},
 "configuration":{"root_module":{"variables":{"name":{}}}}}`

func TestPlan(t *testing.T) {
	shown, err := parsePlan([]byte(shownText))
	if err != nil {
		t.Fatal(err)
	}
	plan, err := shown.plan(moduletool.Apply)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, c := range plan.Changes {
		got = append(got, c.Action+" "+c.Resource+" "+string(c.Before)+" "+string(c.After))
	}
	want := []string{
		`create a.new  {"l":[{"q":"x"},{"q":"[secret]"}],"n":123456789012345678901,"p":"[secret]"}`,
		`replace a.moved {"x":1} {"x":2}`,
		`delete a.gone {"x":1} `,
		`no-op a.same {"x":1} {"x":1}`,
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("%q", got)
	}
	if len(plan.Steps) != 5 {
		t.Error("an output is a step, too:", plan.Steps)
	}
	if s := moduleprotocol.Summarize(plan.Changes); s != (moduleprotocol.Summary{Create: 1, Replace: 1, Delete: 1, Same: 1}) {
		t.Error(s)
	}
	drift, err := shown.plan(moduletool.Refresh)
	if err != nil || len(drift.Changes) != 1 || drift.Changes[0].Action != "update" || string(drift.Changes[0].After) != `{"x":9}` {
		t.Error(drift, err)
	}
	if _, found := shown.Configuration.RootModule.Variables["name"]; !found {
		t.Error("no variables")
	}
}

func TestHideWhole(t *testing.T) {
	if got := hide("x", true); got != "[secret]" {
		t.Error(got)
	}
	if got := hide([]any{"x"}, []any{}); !reflect.DeepEqual(got, []any{"x"}) {
		t.Error(got)
	}
	if got := hide("x", map[string]any{"a": true}); got != "x" {
		t.Error(got)
	}
}

// TestHideInOneElement: what is sensitive in one element of a list is hidden, however deep, and the elements beside it are not.
func TestHideInOneElement(t *testing.T) {
	values := map[string]any{"values": []any{"seen", map[string]any{"values": []any{"seen", "hidden"}}, []any{"hidden"}}}
	marks := map[string]any{"values": []any{false, map[string]any{"values": []any{false, true}}, true}}
	want := map[string]any{"values": []any{"seen", map[string]any{"values": []any{"seen", "[secret]"}}, "[secret]"}}
	if got := hide(values, marks); !reflect.DeepEqual(got, want) {
		t.Errorf("%v", got)
	}
}

package plandigest

import (
	"encoding/json"
	"strings"
	"testing"
)

func plan() Plan {
	return Plan{
		Tool: "pulumi", Version: "3.253.0", Image: "sha256:aa", Key: []byte("key"), State: "lineage/3",
		Inputs: map[string]json.RawMessage{"a": json.RawMessage(`{"x":1,"y":2}`), "p": json.RawMessage(`"hunter22"`)},
		Steps: []Step{
			{"create", "urn:a", json.RawMessage(`{"n":1.10,"m":[1]}`)},
			{"delete", "urn:b", nil},
		},
	}
}

func digest(t *testing.T, p Plan) string {
	t.Helper()
	text, err := Digest(p)
	if err != nil || !strings.HasPrefix(text, "sha256:") || len(text) != 71 {
		t.Fatal(text, err)
	}
	return text
}

// TestSamePlan: neither the order of steps nor that of keys is a part of a plan.
func TestSamePlan(t *testing.T) {
	p := plan()
	p.Steps[0], p.Steps[1] = p.Steps[1], p.Steps[0]
	p.Steps[1].New = json.RawMessage(`{"m": [1], "n": 1.10}`)
	p.Inputs["a"] = json.RawMessage(`{"y":2, "x":1}`)
	if digest(t, p) != digest(t, plan()) {
		t.Error("one plan has two digests")
	}
}

func TestAnythingThatMoves(t *testing.T) {
	seen := map[string]string{digest(t, plan()): "nothing"}
	for name, move := range map[string]func(*Plan){
		"tool":         func(p *Plan) { p.Tool = "opentofu" },
		"version":      func(p *Plan) { p.Version = "3.254.0" },
		"image":        func(p *Plan) { p.Image = "sha256:ab" },
		"key":          func(p *Plan) { p.Key = []byte("kez") },
		"state":        func(p *Plan) { p.State = "lineage/4" },
		"input":        func(p *Plan) { p.Inputs["a"] = json.RawMessage(`{"x":1,"y":3}`) },
		"secret":       func(p *Plan) { p.Inputs["p"] = json.RawMessage(`"hunter23"`) },
		"a new input":  func(p *Plan) { p.Inputs["q"] = json.RawMessage(`null`) },
		"operation":    func(p *Plan) { p.Steps[0].Op = "update" },
		"value":        func(p *Plan) { p.Steps[0].New = json.RawMessage(`{"n":1.11,"m":[1]}`) },
		"resource":     func(p *Plan) { p.Steps[0].Resource = "urn:c" },
		"a new step":   func(p *Plan) { p.Steps = append(p.Steps, Step{"create", "urn:d", nil}) },
		"a step fewer": func(p *Plan) { p.Steps = p.Steps[:1] },
	} {
		p := plan()
		move(&p)
		text := digest(t, p)
		if other, found := seen[text]; found {
			t.Errorf("%s has the digest of %s", name, other)
		}
		seen[text] = name
	}
}

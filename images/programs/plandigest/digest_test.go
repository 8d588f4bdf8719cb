package plandigest

import (
	"encoding/json"
	"strings"
	"testing"

	"kiln.dev/programs/moduleprotocol"
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
	// Of the job, not of what it does.
	p.Environment = map[string]string{"AWS_ROLE_SESSION_NAME": "job-2", "AWS_SESSION_TOKEN": "token-2"}
	p.Files = map[string]moduleprotocol.SecretFile{"KUBECONFIG": {Name: "config", Content: []byte("job-2")}}
	if digest(t, p) != digest(t, plan()) {
		t.Error("one plan has two digests")
	}
}

func TestAnythingThatMoves(t *testing.T) {
	seen := map[string]string{digest(t, plan()): "nothing"}
	for name, move := range map[string]func(*Plan){
		"tool":      func(p *Plan) { p.Tool = "opentofu" },
		"version":   func(p *Plan) { p.Version = "3.254.0" },
		"image":     func(p *Plan) { p.Image = "sha256:ab" },
		"key":       func(p *Plan) { p.Key = []byte("kez") },
		"state":     func(p *Plan) { p.State = "lineage/4" },
		"stack":     func(p *Plan) { p.Stack = "other" },
		"variable":  func(p *Plan) { p.Environment = map[string]string{"AWS_REGION": "eu-west-1"} },
		"its value": func(p *Plan) { p.Environment = map[string]string{"AWS_REGION": "eu-west-2"} },
		"backend":   func(p *Plan) { p.Backend = &moduleprotocol.Backend{Type: "s3"} },
		"its bucket": func(p *Plan) {
			p.Backend = &moduleprotocol.Backend{Type: "s3", Config: map[string]string{"bucket": "b"}}
		},
		"file": func(p *Plan) {
			p.Files = map[string]moduleprotocol.SecretFile{"APP_KEY": {Name: "k", Content: []byte("a")}}
		},
		"its content": func(p *Plan) {
			p.Files = map[string]moduleprotocol.SecretFile{"APP_KEY": {Name: "k", Content: []byte("b")}}
		},
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

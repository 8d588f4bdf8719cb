package jobparameters

import (
	"fmt"
	"regexp"
	"strings"

	"kiln.dev/programs/strictjson"
)

// Parameters are what a script is started with.
type Parameters struct {
	object *strictjson.Object
	// Secrets are the texts that nobody but the script may see.
	Secrets []string
}

// What a name has to be to become an option, a variable and a parameter of PowerShell.
var name = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_-]{0,127}$`)

// Read reads parameters, puts the secret ones among them, fills in the defaults of a schema and checks them by it. Without a
// schema all are taken that can be passed. The parameters come back with an error too, as far as they go: for their secrets.
func Read(text []byte, secret *strictjson.Object, schema *Schema) (*Parameters, error) {
	p := &Parameters{object: strictjson.NewObject()}
	if len(strings.TrimSpace(string(text))) > 0 {
		object, err := strictjson.ParseObject(text)
		if err != nil {
			return p, err
		}
		p.object = object
	}
	for _, name := range secret.Names {
		p.object.Set(name, secret.Values[name])
		p.Secrets = append(p.Secrets, strictjson.Texts(secret.Values[name])...)
	}
	if schema != nil {
		schema.fill(p.object)
		p.Secrets = append(p.Secrets, schema.secretsIn(p.object)...)
		if err := schema.Check(p.object, "$"); err != nil {
			return p, err
		}
	}
	return p, p.checkNames()
}

// checkNames refuses what could not be passed, and two names that one of the languages takes for one.
func (p *Parameters) checkNames() error {
	before := map[string]string{}
	for _, n := range p.object.Names {
		if !name.MatchString(n) {
			return fmt.Errorf("%s: the name of a parameter has letters, digits, _ and -, and begins with a letter or _", strictjson.Join("$", n))
		}
		key := variableOf(n)
		if other, taken := before[key]; taken {
			return fmt.Errorf("%s: is the same parameter as %s where case and - and _ do not count", strictjson.Join("$", n), other)
		}
		before[key] = n
	}
	byFile := p.byFile()
	for _, n := range p.object.Names {
		if other, taken := before[variableOf(n)+"_FILE"]; taken && byFile[n] {
			return fmt.Errorf("%s: is passed by file, whose name would be that of the parameter %s", strictjson.Join("$", n), other)
		}
	}
	return nil
}

// JSON is the document of all parameters, defaults among them.
func (p *Parameters) JSON() []byte { return strictjson.Marshal(p.object) }

// fill adds defaults, at every depth where there is an object.
func (s *Schema) fill(object *strictjson.Object) {
	for _, name := range s.order {
		inner := s.properties[name]
		if _, given := object.Values[name]; !given && inner.hasDefault {
			object.Set(name, inner.fallback)
		}
		if nested, ok := object.Values[name].(*strictjson.Object); ok {
			inner.fill(nested)
		}
	}
}

// secretsIn lists the texts in a value that the schema marks.
func (s *Schema) secretsIn(value any) []string {
	if s.secret {
		return strictjson.Texts(value)
	}
	var texts []string
	switch v := value.(type) {
	case []any:
		if s.items != nil {
			for _, entry := range v {
				texts = append(texts, s.items.secretsIn(entry)...)
			}
		}
	case *strictjson.Object:
		for _, name := range v.Names {
			inner := s.properties[name]
			if inner == nil {
				inner = s.others
			}
			if inner != nil {
				texts = append(texts, inner.secretsIn(v.Values[name])...)
			}
		}
	}
	return texts
}

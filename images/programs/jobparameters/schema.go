// Package jobparameters checks the parameters of a job against the schema that its script may have, and makes of them what a
// script can be started with, without a shell.
package jobparameters

import (
	"encoding/json"
	"fmt"
	"regexp"
	"slices"

	"kiln.dev/programs/strictjson"
)

// Schema is the part of JSON Schema that a script's parameters are checked by. What is not in it is refused when a schema is
// read: nobody shall believe in a check that is not done.
type Schema struct {
	types []string
	// enum is what a value may be, and allowed the keys of that; nil where it may be anything.
	enum          []any
	allowed       map[string]bool
	properties    map[string]*Schema
	order         []string
	required      []string
	closed        bool
	others, items *Schema
	pattern       *regexp.Regexp
	limits        map[string]json.Number
	unique        bool
	fallback      any
	hasDefault    bool
	secret        bool
}

// Words that say something to people only. A format is a remark, too, as the standard has it.
var remarks = []string{"$schema", "$id", "$comment", "title", "description", "examples", "format", "deprecated", "readOnly"}

// Limits by whole numbers, and by any number.
var counts = []string{"minLength", "maxLength", "minItems", "maxItems", "minProperties", "maxProperties"}
var bounds = []string{"minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"}

var typeNames = []string{"string", "number", "integer", "boolean", "null", "array", "object"}

// ParseSchema reads a schema, of parameters as a whole.
func ParseSchema(text []byte) (*Schema, error) {
	value, err := strictjson.Parse(text)
	if err != nil {
		return nil, err
	}
	return parseSchema(value, "$")
}

func parseSchema(value any, path string) (*Schema, error) {
	if accepts, ok := value.(bool); ok {
		if accepts {
			return &Schema{}, nil
		}
		return &Schema{types: []string{"nothing"}}, nil
	}
	object, ok := value.(*strictjson.Object)
	if !ok {
		return nil, fmt.Errorf("%s: a schema is an object, and this is %s", path, strictjson.Kind(value))
	}
	schema := &Schema{properties: map[string]*Schema{}, limits: map[string]json.Number{}}
	for _, word := range object.Names {
		at := strictjson.Join(path, word)
		if err := schema.take(word, object.Values[word], at); err != nil {
			return nil, err
		}
	}
	if schema.hasDefault {
		if err := schema.Check(schema.fallback, path); err != nil {
			return nil, fmt.Errorf("%s: the default is none that the schema allows: %w", path, err)
		}
	}
	return schema, nil
}

func (s *Schema) take(word string, value any, at string) (err error) {
	switch {
	case slices.Contains(remarks, word):
	case slices.Contains(counts, word) || slices.Contains(bounds, word):
		return s.takeLimit(word, value, at)
	case word == "type":
		s.types, err = names(value, at)
		for _, name := range s.types {
			if !slices.Contains(typeNames, name) {
				return fmt.Errorf("%s: there is no type %q", at, name)
			}
		}
	case word == "enum":
		list, ok := value.([]any)
		if !ok {
			return fmt.Errorf("%s: has to be a list", at)
		}
		s.allow(list)
	case word == "const":
		s.allow([]any{value})
	case word == "default":
		s.fallback, s.hasDefault = value, true
	case word == "properties":
		err = s.takeProperties(value, at)
	case word == "required":
		s.required, err = names(value, at)
	case word == "additionalProperties":
		s.closed = value == false
		s.others, err = parseSchema(value, at)
	case word == "items":
		s.items, err = parseSchema(value, at)
	case word == "uniqueItems":
		s.unique, err = flag(value, at)
	case word == "secret" || word == "writeOnly":
		marked, wrong := flag(value, at)
		s.secret, err = s.secret || marked, wrong
	case word == "pattern":
		text, ok := value.(string)
		if !ok {
			return fmt.Errorf("%s: has to be text", at)
		}
		if s.pattern, err = regexp.Compile(text); err != nil {
			return fmt.Errorf("%s: no pattern that can be checked here (RE2): %q", at, err)
		}
	default:
		return fmt.Errorf("%s: this word is not checked here, so it must not be in the schema", at)
	}
	return err
}

func (s *Schema) allow(values []any) {
	s.enum, s.allowed = values, make(map[string]bool, len(values))
	for _, value := range values {
		s.allowed[keyOf(value)] = true
	}
}

func (s *Schema) takeLimit(word string, value any, at string) error {
	number, ok := value.(json.Number)
	rational, known := rationalOf(number)
	if !ok || !known || slices.Contains(counts, word) && (!rational.IsInt() || rational.Sign() < 0) || word == "multipleOf" && rational.Sign() <= 0 {
		return fmt.Errorf("%s: has to be a number that can be a limit", at)
	}
	s.limits[word] = number
	return nil
}

func (s *Schema) takeProperties(value any, at string) error {
	object, ok := value.(*strictjson.Object)
	if !ok {
		return fmt.Errorf("%s: has to be an object", at)
	}
	for _, name := range object.Names {
		inner, err := parseSchema(object.Values[name], strictjson.Join(at, name))
		if err != nil {
			return err
		}
		s.properties[name] = inner
		s.order = append(s.order, name)
	}
	return nil
}

// names reads a text, or a list of texts.
func names(value any, at string) ([]string, error) {
	list, ok := value.([]any)
	if !ok {
		list = []any{value}
	}
	texts := make([]string, 0, len(list))
	for _, entry := range list {
		text, ok := entry.(string)
		if !ok {
			return nil, fmt.Errorf("%s: has to be text, or a list of texts", at)
		}
		texts = append(texts, text)
	}
	return texts, nil
}

func flag(value any, at string) (bool, error) {
	marked, ok := value.(bool)
	if !ok {
		return false, fmt.Errorf("%s: has to be true or false", at)
	}
	return marked, nil
}

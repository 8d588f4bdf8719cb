// Package strictjson reads JSON from people and keeps what encoding/json drops: the order of names and the digits of numbers. It
// refuses what two readers could take for different things.
package strictjson

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"unicode/utf8"
)

// Object is a JSON object in its own order.
type Object struct {
	Names  []string
	Values map[string]any
}

// Set adds a value at the end, or replaces the one of that name.
func (o *Object) Set(name string, value any) {
	if _, known := o.Values[name]; !known {
		o.Names = append(o.Names, name)
	}
	o.Values[name] = value
}

// NewObject returns an empty object.
func NewObject() *Object { return &Object{Values: map[string]any{}} }

// deepest bounds recursion here and in what reads the value next.
const deepest = 64

// Parse returns a value of nil, bool, json.Number, string, []any and *Object. Refused are: a name that comes twice, text that is
// no UTF-8 or has half of a surrogate pair, more than 64 levels, and anything after the value. Errors name places, not values.
func Parse(text []byte) (any, error) {
	if !utf8.Valid(text) {
		return nil, errors.New("$: it is no UTF-8")
	}
	if err := checkSurrogates(text); err != nil {
		return nil, err
	}
	// Only this counts the place of an error from the beginning.
	if err := json.Unmarshal(text, new(json.RawMessage)); err != nil {
		return nil, locate(err, text)
	}
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.UseNumber()
	return read(decoder, "$", 0)
}

// ParseObject is Parse for a document that has to be an object.
func ParseObject(text []byte) (*Object, error) {
	value, err := Parse(text)
	if err != nil {
		return nil, err
	}
	object, ok := value.(*Object)
	if !ok {
		return nil, fmt.Errorf("$: has to be an object, and is %s", Kind(value))
	}
	return object, nil
}

func read(decoder *json.Decoder, path string, depth int) (any, error) {
	if depth > deepest {
		return nil, fmt.Errorf("%s: it is nested in more than %d levels", path, deepest)
	}
	token, err := decoder.Token()
	if err != nil {
		return nil, err
	}
	switch token {
	case json.Delim('{'):
		return readObject(decoder, path, depth)
	case json.Delim('['):
		list := []any{}
		for decoder.More() {
			value, err := read(decoder, fmt.Sprintf("%s[%d]", path, len(list)), depth+1)
			if err != nil {
				return nil, err
			}
			list = append(list, value)
		}
		_, err := decoder.Token()
		return list, err
	}
	return token, nil
}

func readObject(decoder *json.Decoder, path string, depth int) (any, error) {
	object := NewObject()
	for decoder.More() {
		token, err := decoder.Token()
		if err != nil {
			return nil, err
		}
		name, _ := token.(string)
		at := Join(path, name)
		if _, known := object.Values[name]; known {
			return nil, fmt.Errorf("%s: the name comes twice", at)
		}
		value, err := read(decoder, at, depth+1)
		if err != nil {
			return nil, err
		}
		object.Set(name, value)
	}
	_, err := decoder.Token()
	return object, err
}

// locate says where text stops to be JSON, as line and column.
func locate(err error, text []byte) error {
	offset := len(text)
	if syntax := (*json.SyntaxError)(nil); errors.As(err, &syntax) && syntax.Error() != "unexpected end of JSON input" {
		offset = max(int(syntax.Offset)-1, 0)
	}
	before := text[:min(offset, len(text))]
	line, column := bytes.Count(before, []byte("\n"))+1, len(before)-bytes.LastIndexByte(before, '\n')
	return fmt.Errorf("$: no JSON at line %d, column %d", line, column)
}

package moduleprotocol

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strconv"
)

// reader takes apart a JSON object and keeps the first thing that is wrong, with the JSON path where it stands.
type reader struct {
	path   string
	fields map[string]json.RawMessage
	err    *error
}

var plainName = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)

// Join is the JSON path of a field of the object at path.
func Join(path, field string) string {
	if plainName.MatchString(field) {
		return path + "." + field
	}
	return path + "[" + strconv.Quote(field) + "]"
}

// readObject reads one whole JSON document that is an object.
func readObject(text []byte) (reader, error) {
	if err := checkWhole(text); err != nil {
		return reader{}, err
	}
	var err error
	r := reader{path: "$", err: &err}
	r.fields = r.object(text, "$")
	return r, err
}

// checkWhole says where text stops to be JSON, as line and column.
func checkWhole(text []byte) error {
	decoder := json.NewDecoder(bytes.NewReader(text))
	var document json.RawMessage
	err := decoder.Decode(&document)
	if err == nil {
		if _, next := decoder.Token(); next != io.EOF {
			return errors.New("$: something follows the JSON document")
		}
		return nil
	}
	offset := int64(len(text))
	if syntax := (*json.SyntaxError)(nil); errors.As(err, &syntax) {
		offset = max(syntax.Offset-1, 0)
	}
	before := text[:min(int(offset), len(text))]
	line, column := bytes.Count(before, []byte("\n"))+1, len(before)-bytes.LastIndexByte(before, '\n')
	return fmt.Errorf("$: no JSON at line %d, column %d: %w", line, column, err)
}

// refuse notes what is wrong at a path, unless something was wrong before.
func (r reader) refuse(path, wanted string) {
	if *r.err == nil {
		*r.err = fmt.Errorf("%s: %s", path, wanted)
	}
}

// take returns the value of a field; nil where it is missing or null, which are the same for optional fields.
func (r reader) take(name string) json.RawMessage {
	if value := r.fields[name]; !IsNull(value) {
		return value
	}
	return nil
}

func (r reader) object(value json.RawMessage, path string) map[string]json.RawMessage {
	var fields map[string]json.RawMessage
	if kindOf(value) != '{' || json.Unmarshal(value, &fields) != nil {
		r.refuse(path, "has to be an object, and is "+describe(value))
	}
	return fields
}

func (r reader) text(name string) string {
	value := r.take(name)
	if value == nil {
		return ""
	}
	return r.textAt(value, Join(r.path, name))
}

func (r reader) textAt(value json.RawMessage, path string) string {
	var text string
	if kindOf(value) != '"' || json.Unmarshal(value, &text) != nil {
		r.refuse(path, "has to be text, and is "+describe(value))
	}
	return text
}

func (r reader) texts(name string) map[string]string {
	value := r.take(name)
	if value == nil {
		return nil
	}
	path := Join(r.path, name)
	texts := map[string]string{}
	for key, entry := range r.object(value, path) {
		texts[key] = r.textAt(entry, Join(path, key))
	}
	return texts
}

func (r reader) list(value json.RawMessage, path string) []json.RawMessage {
	var list []json.RawMessage
	if kindOf(value) != '[' || json.Unmarshal(value, &list) != nil {
		r.refuse(path, "has to be a list, and is "+describe(value))
	}
	return list
}

// flag reads object.name, a boolean in an object that may be missing.
func (r reader) flag(object, name string) bool {
	value := r.take(object)
	if value == nil {
		return false
	}
	path := Join(r.path, object)
	return reader{path: path, fields: r.object(value, path), err: r.err}.boolean(name, false)
}

// boolean reads a field that may be missing.
func (r reader) boolean(name string, missing bool) bool {
	switch value := r.take(name); string(bytes.TrimSpace(value)) {
	case "true":
		return true
	case "false":
		return false
	case "":
		return missing
	default:
		r.refuse(Join(r.path, name), "has to be true or false, and is "+describe(value))
		return missing
	}
}

// IsNull: there is no value, or it is null.
func IsNull(value json.RawMessage) bool {
	text := bytes.TrimSpace(value)
	return len(text) == 0 || string(text) == "null"
}

func kindOf(value json.RawMessage) byte {
	if text := bytes.TrimSpace(value); len(text) > 0 {
		return text[0]
	}
	return 0
}

func describe(value json.RawMessage) string {
	switch kindOf(value) {
	case '{':
		return "an object"
	case '[':
		return "a list"
	case '"':
		return "text"
	case 't', 'f':
		return "a boolean"
	case 'n', 0:
		return "null"
	default:
		return "a number"
	}
}

package strictjson

import (
	"bytes"
	"encoding/json"
	"errors"
	"regexp"
	"strconv"
)

var plainName = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)

// longestName is how much of a name stands in a path: a document of one long name and many values has a path for each.
const longestName = 128

// Join is the JSON path of a field of the object at path, for people: of a long name it has the beginning.
func Join(path, field string) string {
	if len(field) > longestName {
		field = field[:longestName] + "…"
	}
	if plainName.MatchString(field) {
		return path + "." + field
	}
	return path + "[" + strconv.Quote(field) + "]"
}

// Kind says for people what a value is.
func Kind(value any) string {
	switch value.(type) {
	case nil:
		return "null"
	case bool:
		return "a boolean"
	case json.Number:
		return "a number"
	case string:
		return "text"
	case []any:
		return "a list"
	default:
		return "an object"
	}
}

// Marshal writes a value as JSON, names in their order and numbers with their digits.
func Marshal(value any) []byte {
	var out bytes.Buffer
	write(&out, value)
	return out.Bytes()
}

func write(out *bytes.Buffer, value any) {
	switch v := value.(type) {
	case json.Number:
		out.WriteString(v.String())
	case string:
		encoder := json.NewEncoder(out)
		encoder.SetEscapeHTML(false)
		_ = encoder.Encode(v) // a text can always be written
		out.Truncate(out.Len() - 1)
	case bool:
		out.WriteString(strconv.FormatBool(v))
	case []any:
		out.WriteByte('[')
		for i, entry := range v {
			if i > 0 {
				out.WriteByte(',')
			}
			write(out, entry)
		}
		out.WriteByte(']')
	case *Object:
		out.WriteByte('{')
		for i, name := range v.Names {
			if i > 0 {
				out.WriteByte(',')
			}
			write(out, name)
			out.WriteByte(':')
			write(out, v.Values[name])
		}
		out.WriteByte('}')
	default:
		out.WriteString("null")
	}
}

// Texts lists all texts and numbers of a value, at any depth: what is secret where the value is.
func Texts(value any) []string {
	switch v := value.(type) {
	case string:
		return []string{v}
	case json.Number:
		return []string{v.String()}
	case []any:
		var texts []string
		for _, entry := range v {
			texts = append(texts, Texts(entry)...)
		}
		return texts
	case *Object:
		var texts []string
		for _, name := range v.Names {
			texts = append(texts, Texts(v.Values[name])...)
		}
		return texts
	}
	return nil
}

// checkSurrogates refuses \u escapes of half a character, which decoders replace without a word.
func checkSurrogates(text []byte) error {
	high := false // the escape just before was the first half of a pair
	for i := 0; i < len(text); {
		unit, isUnit := unitAt(text[i:])
		low := isUnit && unit >= 0xdc00 && unit < 0xe000
		if high != low {
			return errors.New(`$: a \u escape is half of a surrogate pair`)
		}
		high = isUnit && unit >= 0xd800 && unit < 0xdc00
		switch {
		case isUnit:
			i += 6
		case text[i] == '\\':
			i += 2
		default:
			i++
		}
	}
	if high {
		return errors.New(`$: a \u escape is half of a surrogate pair`)
	}
	return nil
}

func unitAt(text []byte) (uint64, bool) {
	if len(text) < 6 || text[0] != '\\' || text[1] != 'u' {
		return 0, false
	}
	unit, err := strconv.ParseUint(string(text[2:6]), 16, 16)
	return unit, err == nil
}

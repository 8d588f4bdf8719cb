package moduleprotocol

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
)

// Canonical writes JSON so that equal values have equal bytes: keys sorted, no space, numbers with the text they have.
func Canonical(text []byte) ([]byte, error) {
	value, err := Decode(text)
	if err != nil {
		return nil, err
	}
	var out bytes.Buffer
	if err := writeCanonical(&out, value); err != nil {
		return nil, err
	}
	return out.Bytes(), nil
}

// CanonicalOf is Canonical of a Go value.
func CanonicalOf(value any) ([]byte, error) {
	text, err := json.Marshal(value)
	if err != nil {
		return nil, err
	}
	return Canonical(text)
}

// Decode reads JSON with numbers as json.Number.
func Decode(text []byte) (any, error) {
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.UseNumber()
	var value any
	if err := decoder.Decode(&value); err != nil {
		return nil, fmt.Errorf("read JSON: %w", err)
	}
	return value, nil
}

func writeCanonical(out *bytes.Buffer, value any) error {
	switch v := value.(type) {
	case map[string]any:
		keys := make([]string, 0, len(v))
		for key := range v {
			keys = append(keys, key)
		}
		slices.Sort(keys)
		out.WriteByte('{')
		for i, key := range keys {
			if i > 0 {
				out.WriteByte(',')
			}
			if err := writeText(out, key); err != nil {
				return err
			}
			out.WriteByte(':')
			if err := writeCanonical(out, v[key]); err != nil {
				return err
			}
		}
		out.WriteByte('}')
		return nil
	case []any:
		out.WriteByte('[')
		for i, entry := range v {
			if i > 0 {
				out.WriteByte(',')
			}
			if err := writeCanonical(out, entry); err != nil {
				return err
			}
		}
		out.WriteByte(']')
		return nil
	default:
		return writeText(out, v)
	}
}

// writeText writes a value without children, and leaves <, > and & as they are.
func writeText(out *bytes.Buffer, value any) error {
	encoder := json.NewEncoder(out)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(value); err != nil {
		return err
	}
	out.Truncate(out.Len() - 1) // the line end of Encode
	return nil
}

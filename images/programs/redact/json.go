package redact

import (
	"bytes"
	"encoding/json"
)

// JSON returns a JSON value without secrets, still as JSON: replaced are texts, keys, and numbers that are secret.
func (r *Redactor) JSON(raw json.RawMessage) json.RawMessage {
	if len(raw) == 0 {
		return raw
	}
	decoder := json.NewDecoder(bytes.NewReader(raw))
	decoder.UseNumber()
	var value any
	if decoder.Decode(&value) != nil {
		return json.RawMessage(`"` + Mark + `"`)
	}
	var out bytes.Buffer
	encoder := json.NewEncoder(&out)
	encoder.SetEscapeHTML(false)
	if encoder.Encode(r.value(value)) != nil {
		return json.RawMessage(`"` + Mark + `"`)
	}
	return bytes.TrimSuffix(out.Bytes(), []byte("\n"))
}

// value goes through a decoded value. Booleans and null are never secret: there are too few of them.
func (r *Redactor) value(value any) any {
	switch v := value.(type) {
	case string:
		return r.String(v)
	case json.Number:
		if r.Contains(v.String()) {
			return Mark
		}
	case map[string]any:
		clean := make(map[string]any, len(v))
		for key, entry := range v {
			clean[r.String(key)] = r.value(entry)
		}
		return clean
	case []any:
		for i, entry := range v {
			v[i] = r.value(entry)
		}
	}
	return value
}

// Values lists what is secret in a JSON value: its texts and numbers, at any depth.
func Values(raw json.RawMessage) []string {
	decoder := json.NewDecoder(bytes.NewReader(raw))
	decoder.UseNumber()
	var value any
	if decoder.Decode(&value) != nil {
		return nil
	}
	return valuesIn(value)
}

func valuesIn(value any) []string {
	var values []string
	switch v := value.(type) {
	case string:
		return []string{v}
	case json.Number:
		return []string{v.String()}
	case map[string]any:
		for _, entry := range v {
			values = append(values, valuesIn(entry)...)
		}
	case []any:
		for _, entry := range v {
			values = append(values, valuesIn(entry)...)
		}
	}
	return values
}

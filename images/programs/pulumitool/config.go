package pulumitool

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"kiln.dev/programs/moduleprotocol"
)

// setting is one entry of the stack's config.
type setting struct {
	Key, Value string
	Secret     bool
}

// settingsOf translates inputs: text stays as it is; everything else becomes its JSON text, so that config.requireObject and
// its kin give back the same value. Null is left out, because config has no null. Keys without a namespace get the project's.
func settingsOf(project string, inputs map[string]json.RawMessage, secret map[string]bool) ([]setting, error) {
	var settings []setting
	for name, raw := range inputs {
		if moduleprotocol.IsNull(raw) {
			continue
		}
		key := name
		if !strings.Contains(name, ":") {
			key = project + ":" + name
		}
		if name == "" || strings.Count(key, ":") != 1 || strings.HasPrefix(key, ":") || strings.HasSuffix(key, ":") {
			return nil, moduleprotocol.Fail(moduleprotocol.ConfigInvalid,
				"%s is no name of a Pulumi config value: it has to be name or namespace:name", moduleprotocol.Join("$.inputs", name))
		}
		value, err := configText(raw)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", moduleprotocol.Join("$.inputs", name), err)
		}
		settings = append(settings, setting{key, value, secret[name]})
	}
	slices.SortFunc(settings, func(a, b setting) int { return strings.Compare(a.Key, b.Key) })
	return settings, nil
}

func configText(raw json.RawMessage) (string, error) {
	var text string
	if json.Unmarshal(raw, &text) == nil {
		return text, nil
	}
	var compact bytes.Buffer
	err := json.Compact(&compact, raw)
	return compact.String(), err
}

// head is what a stack's config file says beside its config: how secrets are encrypted.
type head [][2]string

var headKeys = []string{"secretsprovider", "encryptedkey", "encryptionsalt"}

// readHead reads the head of a config file; plain says that there is nothing else in it.
func readHead(text string) (h head, plain bool) {
	for _, key := range headKeys {
		if value := topLevelScalar(text, key); value != "" {
			h = append(h, [2]string{key, value})
		}
	}
	for line := range strings.Lines(text) {
		key, _, _ := strings.Cut(line, ":")
		if trimmed := strings.TrimSpace(line); trimmed != "" && trimmed[0] != '#' && trimmed != "{}" && !slices.Contains(headKeys, key) {
			return h, false
		}
	}
	return h, true
}

// configFile writes a stack's config file as YAML that is JSON, but for characters that YAML has escaped and JSON has not.
func configFile(h head, settings []setting, encrypt func(string) (string, error)) (string, error) {
	var out strings.Builder
	out.WriteString("{\n")
	for _, entry := range h {
		fmt.Fprintf(&out, "  %s: %s,\n", quote(entry[0]), quote(entry[1]))
	}
	out.WriteString("  \"config\": {")
	for i, s := range settings {
		value := quote(s.Value)
		if s.Secret {
			sealed, err := encrypt(s.Value)
			if err != nil {
				return "", err
			}
			value = `{"secure": ` + quote(sealed) + "}"
		}
		if i > 0 {
			out.WriteString(",")
		}
		fmt.Fprintf(&out, "\n    %s: %s", quote(s.Key), value)
	}
	out.WriteString("\n  }\n}\n")
	return out.String(), nil
}

// quote writes text as a double-quoted YAML scalar. YAML takes printable characters only; JSON's own encoder writes others
// too, such as DEL.
func quote(text string) string {
	var out strings.Builder
	out.WriteByte('"')
	for _, r := range strings.ToValidUTF8(text, string(utf8.RuneError)) {
		switch {
		case r == '"' || r == '\\':
			out.WriteByte('\\')
			out.WriteRune(r)
		case r < 0x20 || r >= 0x7f && r < 0xa0 || r == 0x2028 || r == 0x2029 || r == 0xfeff || r == 0xfffe || r == 0xffff:
			fmt.Fprintf(&out, `\u%04x`, r)
		default:
			out.WriteRune(r)
		}
	}
	out.WriteByte('"')
	return out.String()
}

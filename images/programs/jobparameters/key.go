package jobparameters

import (
	"encoding/json"
	"slices"
	"strconv"
	"strings"

	"kiln.dev/programs/strictjson"
)

// keyOf is one text for all values that are the same JSON: 1 and 1.0 are, and the order of names says nothing. So that many
// values can be compared in a time that grows as they do.
func keyOf(value any) string { return string(appendKey(nil, value)) }

func appendKey(key []byte, value any) []byte {
	switch v := value.(type) {
	case json.Number:
		return appendNumber(key, v.String())
	case string:
		return strconv.AppendQuote(key, v)
	case []any:
		key = append(key, '[')
		for _, entry := range v {
			key = append(appendKey(key, entry), ',')
		}
		return append(key, ']')
	case *strictjson.Object:
		key = append(key, '{')
		for _, name := range slices.Sorted(slices.Values(v.Names)) {
			key = append(strconv.AppendQuote(key, name), ':')
			key = append(appendKey(key, v.Values[name]), ',')
		}
		return append(key, '}')
	default:
		return append(key, strictjson.Marshal(value)...)
	}
}

// appendNumber writes a number by its digits, without zeros at either end, and its power of ten: what it costs does not grow with
// the number, as exact arithmetic does.
func appendNumber(key []byte, text string) []byte {
	mantissa, exponent, _ := strings.Cut(strings.ToLower(text), "e")
	unsigned, negative := strings.CutPrefix(mantissa, "-")
	whole, fraction, _ := strings.Cut(unsigned, ".")
	digits := strings.TrimLeft(whole+fraction, "0")
	if digits == "" {
		return append(key, '0')
	}
	power := 0
	if exponent != "" {
		var err error
		if power, err = strconv.Atoi(exponent); err != nil || power > largestPower || power < -largestPower {
			return append(key, text...)
		}
	}
	short := strings.TrimRight(digits, "0")
	power += len(digits) - len(short) - len(fraction)
	if negative {
		key = append(key, '-')
	}
	return strconv.AppendInt(append(append(key, short...), 'e'), int64(power), 10)
}

// largestPower is far below what cannot be added to. A number beyond it is the same as one that is written the same way.
const largestPower = 1 << 50

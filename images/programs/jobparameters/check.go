package jobparameters

import (
	"encoding/json"
	"fmt"
	"math/big"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"kiln.dev/programs/strictjson"
)

// Check says what of a value the schema does not allow, and where. Errors have no values in them: one may be secret.
func (s *Schema) Check(value any, path string) error {
	if len(s.types) > 0 && !slices.ContainsFunc(s.types, func(name string) bool { return isType(value, name) }) {
		return fmt.Errorf("%s: has to be %s, and is %s", path, strings.Join(s.types, " or "), strictjson.Kind(value))
	}
	if s.allowed != nil && !s.allowed[keyOf(value)] {
		return fmt.Errorf("%s: has to be one of %s", path, strictjson.Marshal(s.enum))
	}
	switch v := value.(type) {
	case string:
		return s.checkText(v, path)
	case json.Number:
		return s.checkNumber(v, path)
	case []any:
		return s.checkList(v, path)
	case *strictjson.Object:
		return s.checkObject(v, path)
	}
	return nil
}

func (s *Schema) checkText(text, path string) error {
	if s.pattern != nil && !s.pattern.MatchString(text) {
		return fmt.Errorf("%s: does not match %q", path, s.pattern)
	}
	return s.checkCount(utf8.RuneCountInString(text), "Length", "characters", path)
}

func (s *Schema) checkList(list []any, path string) error {
	if s.unique {
		before := make(map[string]bool, len(list))
		for i, entry := range list {
			key := keyOf(entry)
			if before[key] {
				return fmt.Errorf("%s[%d]: is there twice", path, i)
			}
			before[key] = true
		}
	}
	if s.items != nil {
		for i, entry := range list {
			if err := s.items.Check(entry, fmt.Sprintf("%s[%d]", path, i)); err != nil {
				return err
			}
		}
	}
	return s.checkCount(len(list), "Items", "items", path)
}

func (s *Schema) checkObject(object *strictjson.Object, path string) error {
	for _, name := range s.required {
		if _, found := object.Values[name]; !found {
			return fmt.Errorf("%s: is missing", strictjson.Join(path, name))
		}
	}
	for _, name := range object.Names {
		at := strictjson.Join(path, name)
		inner := s.properties[name]
		if inner == nil && s.closed {
			return fmt.Errorf("%s: there is no such parameter%s", at, nearest(name, s.order))
		}
		if inner == nil {
			inner = s.others
		}
		if inner != nil {
			if err := inner.Check(object.Values[name], at); err != nil {
				return err
			}
		}
	}
	return s.checkCount(len(object.Names), "Properties", "properties", path)
}

func nearest(name string, known []string) string {
	for _, other := range known {
		if strings.EqualFold(strings.ReplaceAll(other, "_", "-"), strings.ReplaceAll(name, "_", "-")) {
			return ", but there is " + strings.TrimPrefix(strictjson.Join("", other), ".")
		}
	}
	return ""
}

func (s *Schema) checkCount(count int, of, things, path string) error {
	for _, word := range []string{"min", "max"} {
		limit, set := s.limits[word+of]
		if !set {
			continue
		}
		order := big.NewRat(int64(count), 1).Cmp(mustRational(limit))
		if word == "min" && order < 0 || word == "max" && order > 0 {
			return fmt.Errorf("%s: has %d %s: %s%s is %s", path, count, things, word, of, limit)
		}
	}
	return nil
}

func (s *Schema) checkNumber(number json.Number, path string) error {
	value, known := rationalOf(number)
	if !known {
		return fmt.Errorf("%s: has too many digits to be checked", path)
	}
	for _, word := range bounds {
		limit, set := s.limits[word]
		if !set {
			continue
		}
		bound := mustRational(limit)
		order := value.Cmp(bound)
		bad := map[string]bool{
			"minimum": order < 0, "maximum": order > 0, "exclusiveMinimum": order <= 0, "exclusiveMaximum": order >= 0,
			"multipleOf": word == "multipleOf" && !new(big.Rat).Quo(value, bound).IsInt(),
		}[word]
		if bad {
			return fmt.Errorf("%s: %s is %s", path, word, limit)
		}
	}
	return nil
}

func isType(value any, name string) bool {
	switch v := value.(type) {
	case nil:
		return name == "null"
	case bool:
		return name == "boolean"
	case string:
		return name == "string"
	case json.Number:
		rational, known := rationalOf(v)
		return name == "number" || name == "integer" && known && rational.IsInt()
	case []any:
		return name == "array"
	default:
		return name == "object"
	}
}

// longestNumber and largestExponent bound what exact arithmetic may cost: 1e999999999 is ten bytes.
const (
	longestNumber   = 400
	largestExponent = 400
)

func rationalOf(number json.Number) (*big.Rat, bool) {
	text := number.String()
	if len(text) > longestNumber {
		return nil, false
	}
	if _, exponent, found := strings.Cut(strings.ToLower(text), "e"); found {
		if n, err := strconv.Atoi(exponent); err != nil || n > largestExponent || n < -largestExponent {
			return nil, false
		}
	}
	return new(big.Rat).SetString(text)
}

// mustRational is for limits, which were read when the schema was.
func mustRational(number json.Number) *big.Rat {
	rational, _ := rationalOf(number)
	return rational
}

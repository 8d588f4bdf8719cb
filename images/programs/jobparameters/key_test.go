package jobparameters

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"kiln.dev/programs/strictjson"
)

func parsed(t *testing.T, text string) any {
	t.Helper()
	value, err := strictjson.Parse([]byte(text))
	if err != nil {
		t.Fatal(text, err)
	}
	return value
}

// TestKey: values have one key where they are the same JSON, and only there.
func TestKey(t *testing.T) {
	for _, same := range [][]string{
		{`1`, `1.0`, `1e0`, `10E-1`, `0.1e+1`, `0.010e2`},
		{`0`, `-0`, `0.0`, `0e99999999999999999999`},
		{`-12.50`, `-1250e-2`, `-0.0125E3`},
		{`1e999999999`, `10e999999998`},
		{`{"a":1,"b":[2]}`, `{"b":[2.0],"a":1e0}`},
	} {
		for _, text := range same {
			if keyOf(parsed(t, text)) != keyOf(parsed(t, same[0])) {
				t.Errorf("%s and %s", text, same[0])
			}
		}
	}
	seen := map[string]string{}
	for _, text := range []string{
		`1`, `-1`, `10`, `0.1`, `"1"`, `"1e0"`, `[1]`, `[1,1]`, `[[1],1]`, `[[1,1]]`, `["1,1"]`, `{"1":1}`, `{}`, `[]`, `null`, `"null"`, `true`, `false`, `"a\""`,
		`"a"`, `""`, `{"a":1}`, `{"a":{"b":1}}`, `{"a":1,"b":1}`, `1e99999999999999999999`, `1e99999999999999999998`, `100000000000000000000000000000000000000001`,
	} {
		key := keyOf(parsed(t, text))
		if other, known := seen[key]; known {
			t.Errorf("%s and %s are both %s", text, other, key)
		}
		seen[key] = text
	}
}

// inTime fails where a check of many values takes longer: by pairs it would take most of an hour.
func inTime(t *testing.T, text, schema string) error {
	t.Helper()
	done := make(chan error, 1)
	go func() {
		s, err := ParseSchema([]byte(schema))
		if err == nil {
			_, err = Read([]byte(text), strictjson.NewObject(), s)
		}
		done <- err
	}()
	select {
	case err := <-done:
		return err
	case <-time.After(time.Minute):
		t.Fatal("it takes longer than a minute")
		return nil
	}
}

func TestManyItems(t *testing.T) {
	numbers := make([]string, 60000)
	for i := range numbers {
		numbers[i] = fmt.Sprintf("%d.5", i)
	}
	list := strings.Join(numbers, ",")
	if err := inTime(t, `{"list":[`+list+`]}`, `{"properties":{"list":{"uniqueItems":true}}}`); err != nil {
		t.Error(err)
	}
	if err := inTime(t, `{"list":[`+list+`,50e-2]}`, `{"properties":{"list":{"uniqueItems":true}}}`); err == nil || err.Error() != "$.list[60000]: is there twice" {
		t.Error(err)
	}
	if err := inTime(t, `{"list":[`+list+`]}`, `{"properties":{"list":{"items":{"enum":[`+list+`]}}}}`); err != nil {
		t.Error(err)
	}
	// A path for each value, with the long name in it, would be a terabyte.
	if err := inTime(t, `{"`+strings.Repeat("n", 8<<20)+`":[`+list+list+`]}`, `{}`); err == nil || len(err.Error()) > 1000 {
		t.Error(err)
	}
}

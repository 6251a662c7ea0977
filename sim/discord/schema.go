package discord

import (
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// object is a decoded JSON object. Numbers in it are json.Number.
type object = map[string]any

type kind int

const (
	anything kind = iota
	str
	integer
	number
	boolean
	snowflake
	bitset // an integer, or its decimal digits in a string
	uri
	timestamp
	list
	record // an object with known fields
	dict   // an object with any keys and items of one schema
	union  // an object whose "type" selects the schema
)

// A schema is one row of the tables that describe what the API accepts.
type schema struct {
	kind     kind
	required bool
	nullable bool
	min, max float64 // length of str, list, dict; value of integer, number
	limited  bool    // min and max hold
	choices  []string
	fields   map[string]schema
	items    *schema
	variants map[int]schema
}

func text(lo, hi float64) schema { return schema{kind: str, min: lo, max: hi, limited: true} }
func whole(lo, hi float64) schema {
	return schema{kind: integer, min: lo, max: hi, limited: true}
}
func flag() schema           { return schema{kind: boolean} }
func id() schema             { return schema{kind: snowflake} }
func link(hi float64) schema { return schema{kind: uri, max: hi, limited: true} }
func listOf(s schema, lo, hi float64) schema {
	return schema{kind: list, items: &s, min: lo, max: hi, limited: true}
}

func dictOf(s schema, hi float64) schema {
	return schema{kind: dict, items: &s, max: hi, limited: true}
}
func fieldsOf(fields map[string]schema) schema { return schema{kind: record, fields: fields} }
func oneOf(variants map[int]schema) schema     { return schema{kind: union, variants: variants} }
func wholeOf(values ...int) schema {
	s := schema{kind: integer}
	for _, v := range values {
		s.choices = append(s.choices, strconv.Itoa(v))
	}
	return s
}
func textOf(values ...string) schema { return schema{kind: str, choices: values} }

// need returns s as a required field.
func need(s schema) schema { s.required = true; return s }

// orNull returns s as a field that may be null.
func orNull(s schema) schema { s.nullable = true; return s }

// A checker collects what is wrong with one body.
type checker struct {
	errs []fieldError
}

func (c *checker) add(path, code, format string, args ...any) {
	c.errs = append(c.errs, fieldError{path: path, code: code, message: fmt.Sprintf(format, args...)})
}

func (c *checker) result() *apiError { return invalidForm(c.errs...) }

func join(path, part string) string {
	if path == "" {
		return part
	}
	return path + "." + part
}

func at(path string, i int) string { return join(path, strconv.Itoa(i)) }

// check validates v against s and records each violation under path.
func (c *checker) check(path string, s schema, v any) {
	if v == nil {
		if !s.nullable || s.required {
			c.add(path, "BASE_TYPE_REQUIRED", "This field is required")
		}
		return
	}
	switch s.kind {
	case anything:
	case str, uri, timestamp:
		c.checkText(path, s, v)
	case integer, number:
		c.checkNumber(path, s, v)
	case boolean:
		if _, ok := v.(bool); !ok {
			c.add(path, "BOOLEAN_TYPE_CONVERT", "Must be either true or false.")
		}
	case snowflake, bitset:
		c.checkDigits(path, v)
	case list:
		c.checkList(path, s, v)
	case record:
		c.checkFields(path, s, v)
	case dict:
		c.checkDict(path, s, v)
	case union:
		c.checkUnion(path, s, v)
	}
}

func (c *checker) checkText(path string, s schema, v any) {
	t, ok := v.(string)
	if !ok {
		c.add(path, "STRING_TYPE_CONVERT", "Could not interpret %q as string.", fmt.Sprint(v))
		return
	}
	if len(s.choices) > 0 && !slices.Contains(s.choices, t) {
		c.add(path, "BASE_TYPE_CHOICES", "Value must be one of {%s}.", strings.Join(s.choices, ", "))
		return
	}
	c.checkLength(path, s, utf8.RuneCountInString(t))
	if s.kind == uri {
		u, err := url.Parse(t)
		if err != nil || !slices.Contains([]string{"http", "https", "attachment", "discord"}, u.Scheme) || u.Host == "" {
			c.add(path, "URL_TYPE_INVALID_SCHEME", "Scheme %q must be one of ('http', 'https').", scheme(t))
		}
	}
	if s.kind == timestamp {
		if _, err := time.Parse(time.RFC3339, t); err != nil {
			c.add(path, "DATE_TIME_TYPE_PARSE", "Could not parse %s. Should be ISO8601.", t)
		}
	}
}

func scheme(t string) string {
	before, _, ok := strings.Cut(t, ":")
	if !ok {
		return ""
	}
	return before
}

func (c *checker) checkLength(path string, s schema, n int) {
	if !s.limited || (float64(n) >= s.min && float64(n) <= s.max) {
		return
	}
	switch {
	case s.min == 0:
		c.add(path, "BASE_TYPE_MAX_LENGTH", "Must be %d or fewer in length.", int(s.max))
	case s.max == 0 || math.IsInf(s.max, 1):
		c.add(path, "BASE_TYPE_MIN_LENGTH", "Must be %d or more in length.", int(s.min))
	default:
		c.add(path, "BASE_TYPE_BAD_LENGTH", "Must be between %d and %d in length.", int(s.min), int(s.max))
	}
}

func (c *checker) checkNumber(path string, s schema, v any) {
	n, ok := v.(json.Number)
	if !ok {
		c.add(path, "NUMBER_TYPE_COERCE", "Value %q is not a number.", fmt.Sprint(v))
		return
	}
	f, err := n.Float64()
	if err != nil || (s.kind == integer && f != math.Trunc(f)) {
		c.add(path, "NUMBER_TYPE_COERCE", "Value %q is not int.", n.String())
		return
	}
	if len(s.choices) > 0 && !slices.Contains(s.choices, strconv.Itoa(int(f))) {
		c.add(path, "BASE_TYPE_CHOICES", "Value must be one of {%s}.", strings.Join(s.choices, ", "))
		return
	}
	if s.limited && f < s.min {
		c.add(path, "NUMBER_TYPE_MIN", "int value should be greater than or equal to %v.", s.min)
	}
	if s.limited && f > s.max {
		c.add(path, "NUMBER_TYPE_MAX", "int value should be less than or equal to %v.", s.max)
	}
}

func (c *checker) checkDigits(path string, v any) {
	t, ok := v.(string)
	if n, isNumber := v.(json.Number); isNumber {
		t, ok = n.String(), true
	}
	if _, err := strconv.ParseUint(t, 10, 64); !ok || err != nil {
		c.add(path, "NUMBER_TYPE_COERCE", "Value %q is not snowflake.", fmt.Sprint(v))
	}
}

func (c *checker) checkList(path string, s schema, v any) {
	items, ok := v.([]any)
	if !ok {
		c.add(path, "LIST_TYPE_CONVERT", "Only iterables may be used in a ListType")
		return
	}
	c.checkLength(path, s, len(items))
	for i, item := range items {
		c.check(at(path, i), *s.items, item)
	}
}

func (c *checker) checkDict(path string, s schema, v any) {
	m, ok := v.(object)
	if !ok {
		c.add(path, "DICT_TYPE_CONVERT", "Only dictionaries may be used in a DictType")
		return
	}
	c.checkLength(path, s, len(m))
	for _, k := range slices.Sorted(maps.Keys(m)) {
		c.check(join(path, k), *s.items, m[k])
	}
}

func (c *checker) checkFields(path string, s schema, v any) {
	m, ok := v.(object)
	if !ok {
		c.add(path, "MODEL_TYPE_CONVERT", "Only dictionaries may be used in a ModelType")
		return
	}
	for _, name := range slices.Sorted(maps.Keys(s.fields)) {
		field := s.fields[name]
		value, present := m[name]
		if !present {
			if field.required {
				c.add(join(path, name), "BASE_TYPE_REQUIRED", "This field is required")
			}
			continue
		}
		c.check(join(path, name), field, value)
	}
	for _, name := range slices.Sorted(maps.Keys(m)) {
		// null and false ask for nothing; clients of every kind send them.
		if _, known := s.fields[name]; !known && m[name] != nil && m[name] != false {
			c.add(join(path, name), "SIM_UNKNOWN_FIELD", "The API has no such field; the real service would drop it silently.")
		}
	}
}

func (c *checker) checkUnion(path string, s schema, v any) {
	m, ok := v.(object)
	if !ok {
		c.add(path, "MODEL_TYPE_CONVERT", "Only dictionaries may be used in a ModelType")
		return
	}
	variant, ok := s.variants[intOf(m["type"])]
	if _, isNumber := m["type"].(json.Number); !ok || !isNumber {
		var types []string
		for _, t := range slices.Sorted(maps.Keys(s.variants)) {
			types = append(types, strconv.Itoa(t))
		}
		names := strings.Join(types, ", ")
		if len(types) == 1 {
			names += ","
		}
		c.add(join(path, "type"), "UNION_TYPE_CHOICES", `Value of field "type" must be one of (%s).`, names)
		return
	}
	c.check(path, variant, v)
}

func intOf(v any) int {
	n, _ := v.(json.Number)
	f, _ := n.Float64()
	return int(f)
}

func textIn(v any) string { t, _ := v.(string); return t }
func boolIn(v any) bool   { b, _ := v.(bool); return b }
func listIn(v any) []any  { l, _ := v.([]any); return l }
func objectIn(v any) object {
	m, _ := v.(object)
	return m
}

// idIn returns a snowflake that may have been sent as a number.
func idIn(v any) string {
	if n, ok := v.(json.Number); ok {
		return n.String()
	}
	return textIn(v)
}

// objectsIn returns the objects of a list; anything else in it is skipped.
func objectsIn(v any) []object {
	items := listIn(v)
	out := make([]object, 0, len(items))
	for _, item := range items {
		if m, ok := item.(object); ok {
			out = append(out, m)
		}
	}
	return out
}

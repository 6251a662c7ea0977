package fal

import (
	"cmp"
	"errors"
	"fmt"
	"math/big"
	"path"
	"slices"
	"strconv"
	"strings"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/santhosh-tekuri/jsonschema/v6/kind"
)

// A complaint is one entry of the list that fal puts in "detail".
// https://fal.ai/docs/documentation/model-apis/errors
type complaint struct {
	Loc   []any          `json:"loc"`
	Msg   string         `json:"msg"`
	Type  string         `json:"type"`
	Ctx   map[string]any `json:"ctx,omitempty"`
	Input any            `json:"input,omitempty"`
	URL   string         `json:"url"`
}

func complain(kind, msg string, ctx map[string]any, input any, loc ...any) complaint {
	return complaint{
		Loc: append([]any{"body"}, loc...), Msg: msg, Type: kind, Ctx: ctx, Input: input,
		URL: "https://docs.fal.ai/errors#" + kind,
	}
}

// validate holds an input against the endpoint's document. It returns every
// violation in the order of the inputs, those of one input by name, and the fields that the document does
// not have: fal ignores those.
func (e endpoint) validate(in map[string]any) (wrong []complaint, ignored []string) {
	failure, failed := errors.AsType[*jsonschema.ValidationError](e.input().Validate(in))
	if !failed {
		return nil, nil
	}
	f := findings{in: in}
	f.add(failure, nil, "")
	slices.SortFunc(f.wrong, func(a, b complaint) int {
		return cmp.Or(cmp.Compare(e.place(a.Loc), e.place(b.Loc)), cmp.Compare(fmt.Sprint(a.Loc...), fmt.Sprint(b.Loc...)))
	})
	slices.Sort(f.ignored)
	return f.wrong, f.ignored
}

// place is where an input stands in fal's own order.
func (e endpoint) place(loc []any) int {
	if len(loc) < 2 {
		return -1
	}
	return slices.Index(e.order, fmt.Sprint(loc[1]))
}

// findings is what the validator's error says, in pydantic's words.
// https://docs.pydantic.dev/latest/errors/validation_errors/
type findings struct {
	in      map[string]any
	wrong   []complaint
	ignored []string
}

// add adds an error with its causes. In one of several types that a value may
// have, pydantic puts the name of the type into the location: union is where
// the value is, branch the name.
func (f *findings) add(e *jsonschema.ValidationError, union []string, branch string) {
	value, loc := f.find(e.InstanceLocation)
	if branch != "" {
		loc = slices.Insert(loc, len(union), any(branch))
	}
	bad := func(kind, msg string, ctx map[string]any) {
		f.wrong = append(f.wrong, complain(kind, msg, ctx, value, loc...))
	}
	bound := func(name, words, key string, limit *big.Rat) {
		n, _ := limit.Float64()
		bad(name, fmt.Sprintf("Input should be %s %v", words, n), map[string]any{key: n})
	}
	switch k := e.ErrorKind.(type) {
	case *kind.AnyOf:
		f.anyOf(e)
		return
	case *kind.AdditionalProperties:
		for _, name := range k.Properties {
			f.ignored = append(f.ignored, strings.Join(append(slices.Clone(e.InstanceLocation), name), "."))
		}
	case *kind.Required:
		for _, name := range k.Missing {
			f.wrong = append(f.wrong, complain("missing", "Field required", nil, value, append(slices.Clone(loc), name)...))
		}
	case *kind.Type:
		name, msg := typeError(k)
		bad(name, msg, nil)
	case *kind.Enum:
		expected := oneOf(k.Want)
		bad("literal_error", "Input should be "+expected, map[string]any{"expected": expected})
	case *kind.Minimum:
		bound("greater_than_equal", "greater than or equal to", "ge", k.Want)
	case *kind.Maximum:
		bound("less_than_equal", "less than or equal to", "le", k.Want)
	case *kind.ExclusiveMinimum:
		bound("greater_than", "greater than", "gt", k.Want)
	case *kind.MinLength:
		bad("string_too_short", fmt.Sprintf("String should have at least %d characters", k.Want), map[string]any{"min_length": k.Want})
	case *kind.MaxLength:
		bad("string_too_long", fmt.Sprintf("String should have at most %d characters", k.Want), map[string]any{"max_length": k.Want})
	case *kind.MaxItems:
		bad("too_long", fmt.Sprintf("List should have at most %d items after validation, not %d", k.Want, k.Got),
			map[string]any{"field_type": "List", "max_length": k.Want, "actual_length": k.Got})
	case *kind.Schema, *kind.Reference, *kind.Group:
	default:
		panic(fmt.Sprintf("sim/fal: a rule without an answer: %T", k)) // a test breaks every rule
	}
	for _, cause := range e.Causes {
		f.add(cause, union, branch)
	}
}

// anyOf adds what is wrong with a value that may have several types: nothing
// if it is one of them but for fields that are ignored. null is no type to
// pydantic.
func (f *findings) anyOf(e *jsonschema.ValidationError) {
	branches := slices.DeleteFunc(slices.Clone(e.Causes), func(c *jsonschema.ValidationError) bool {
		k, ok := c.ErrorKind.(*kind.Type)
		return ok && slices.Equal(k.Want, []string{"null"})
	})
	all := findings{in: f.in}
	for _, b := range branches {
		name := ""
		if len(branches) > 1 {
			name = branchName(b)
		}
		one := findings{in: f.in}
		one.add(b, e.InstanceLocation, name)
		if len(one.wrong) == 0 {
			f.ignored = append(f.ignored, one.ignored...)
			return
		}
		all.wrong = append(all.wrong, one.wrong...)
	}
	f.wrong = append(f.wrong, all.wrong...)
}

// branchName is what pydantic calls one of several types.
func branchName(e *jsonschema.ValidationError) string {
	switch k := e.ErrorKind.(type) {
	case *kind.Reference:
		return path.Base(k.URL)
	case *kind.Enum:
		return "literal[" + strings.Join(quoted(k.Want), ",") + "]"
	case *kind.Type:
		return pydantic[k.Want[0]].name
	}
	return ""
}

// quoted writes values as Python does: 'a', 24.
func quoted(values []any) []string {
	texts := make([]string, 0, len(values))
	for _, v := range values {
		if s, ok := v.(string); ok {
			v = "'" + s + "'"
		}
		texts = append(texts, fmt.Sprint(v))
	}
	return texts
}

// oneOf lists the values that are allowed: 'a', 'b' or 'c'.
func oneOf(values []any) string {
	texts := quoted(values)
	last := len(texts) - 1
	if last < 1 {
		return strings.Join(texts, "")
	}
	return strings.Join(texts[:last], ", ") + " or " + texts[last]
}

// pydantic is what pydantic calls the types of JSON schema and how it complains
// about a value that is not of the type.
var pydantic = map[string]struct{ name, kind, msg string }{
	"string":  {"str", "string_type", "Input should be a valid string"},
	"boolean": {"bool", "bool_type", "Input should be a valid boolean"},
	"integer": {"int", "int_type", "Input should be a valid integer"},
	"number":  {"float", "float_type", "Input should be a valid number"},
	"array":   {"list", "list_type", "Input should be a valid list"},
	"object":  {"model", "model_attributes_type", "Input should be a valid dictionary or object to extract fields from"},
}

// typeError is the type and the words of a complaint about a value of another
// type.
func typeError(k *kind.Type) (name, msg string) {
	want := k.Want[0]
	if want == "integer" && k.Got == "number" {
		return "int_from_float", "Input should be a valid integer, got a number with a fractional part"
	}
	return pydantic[want].kind, pydantic[want].msg
}

// find returns the value at a place in the input, and the place in pydantic's
// way, where the index of a list is a number.
func (f *findings) find(tokens []string) (value any, loc []any) {
	value = f.in
	for _, token := range tokens {
		switch v := value.(type) {
		case map[string]any:
			loc, value = append(loc, token), v[token]
		case []any:
			i, _ := strconv.Atoi(token) // the validator counted it
			loc, value = append(loc, i), v[i]
		}
	}
	return value, loc
}

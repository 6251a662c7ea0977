package slack

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// surface is where blocks are shown.
type surface int

const (
	onMessage surface = 1 << iota
	onModal
	onHome
	anywhere = onMessage | onModal | onHome
)

// A rule checks one JSON value and notes what is wrong with it.
type rule func(v *validation, at string, x any)

// validation collects what is wrong with a message's blocks or a view, in the
// words of response_metadata.messages.
type validation struct {
	surface  surface
	app      App
	embed    bool // links.embed:write was granted
	problems []string
	blockIDs map[string]bool
	markdown int // characters in markdown blocks so far
	tables   int
	focused  bool
	input    bool // within an input block
	files    bool // there is a file input
}

func (v *validation) errorf(at, format string, args ...any) {
	v.problems = append(v.problems, fmt.Sprintf(format, args...)+" [json-pointer:"+at+"]")
}

// checkBlocks checks a decoded array of blocks that stands at the pointer at.
func (v *validation) checkBlocks(at string, x any) {
	most := maxViewBlocks
	if v.surface == onMessage {
		most = maxMessageBlocks
	}
	v.blockIDs = map[string]bool{}
	items(0, most, (*validation).block)(v, at, x)
}

func (v *validation) block(at string, x any) {
	b, ok := x.(obj)
	if !ok {
		v.errorf(at, "must be an object")
		return
	}
	t, ok := blockTypes[str(b["type"])]
	switch {
	case b["type"] == nil:
		v.errorf(at, "missing required field: type")
		return
	case !ok, t.surfaces&v.surface == 0:
		v.errorf(at+"/type", "unsupported type: %v", b["type"])
		return
	}
	if id := str(b["block_id"]); id != "" {
		if v.blockIDs[id] {
			v.errorf(at+"/block_id", "block_id %q already exists", id)
		}
		v.blockIDs[id] = true
	}
	v.uniqueActions(at, b)
	v.input = b["type"] == "input"
	object(append(slices.Clone(t.fields), may("block_id", text(1, maxBlockID)))...)(v, at, x)
	v.input = false
	if t.also != nil {
		t.also(v, at, b)
	}
}

// uniqueActions notes action ids that occur twice within one block.
func (v *validation) uniqueActions(at string, b obj) {
	seen := map[string]bool{}
	for _, el := range elements(b) {
		id := str(el["action_id"])
		if id != "" && seen[id] {
			v.errorf(at+"/elements", "action_id %q already exists", id)
		}
		seen[id] = true
	}
}

// field is a field of an object with its rule.
type field struct {
	name string
	need bool
	rule rule
}

func need(name string, r rule) field { return field{name, true, r} }

func may(name string, r rule) field { return field{name, false, r} }

// object is a JSON object with "type" and exactly these fields.
func object(fields ...field) rule {
	return func(v *validation, at string, x any) {
		o, ok := x.(obj)
		if !ok {
			v.errorf(at, "must be an object")
			return
		}
		known := map[string]bool{"type": true}
		for _, f := range fields {
			known[f.name] = true
			value, given := o[f.name]
			switch {
			case given && value != nil:
				f.rule(v, at+"/"+f.name, value)
			case f.need:
				v.errorf(at, "missing required field: %s", f.name)
			}
		}
		for _, name := range sortedKeys(o) {
			if !known[name] {
				v.errorf(at, "invalid additional property: %s", name)
			}
		}
	}
}

// oneOfTypes is an object whose "type" chooses its rule.
func oneOfTypes(types ...string) rule {
	return func(v *validation, at string, x any) {
		o, ok := x.(obj)
		if !ok {
			v.errorf(at, "must be an object")
			return
		}
		kind := str(o["type"])
		el, ok := elementTypes[kind]
		if !ok || !slices.Contains(types, kind) || el.surfaces != 0 && el.surfaces&v.surface == 0 {
			v.errorf(at+"/type", "unsupported type: %v", o["type"])
			return
		}
		object(el.fields...)(v, at, x)
		if el.also != nil {
			el.also(v, at, o)
		}
	}
}

// items is an array of least to most values.
func items(least, most int, each rule) rule {
	return func(v *validation, at string, x any) {
		l, ok := x.([]any)
		if !ok {
			v.errorf(at, "must be an array")
			return
		}
		if len(l) < least {
			v.errorf(at, "no less than %d items required", least)
		}
		if len(l) > most {
			v.errorf(at, "no more than %d items allowed", most)
		}
		for i, item := range l {
			each(v, at+"/"+strconv.Itoa(i), item)
		}
	}
}

// text is a string of least to most characters.
func text(least, most int) rule {
	return func(v *validation, at string, x any) {
		s, ok := x.(string)
		if !ok {
			v.errorf(at, "must be a string")
			return
		}
		n := utf8.RuneCountInString(s)
		if n < least {
			v.errorf(at, "must be more than %d characters", least-1)
		}
		if n > most {
			v.errorf(at, "must be less than %d characters", most+1)
		}
	}
}

// link is an http or https URL.
func link(v *validation, at string, x any) {
	text(1, maxURL)(v, at, x)
	if s := str(x); !strings.HasPrefix(s, "http://") && !strings.HasPrefix(s, "https://") {
		v.errorf(at, "must be a valid URL")
	}
}

// plain is a plain_text object, rich any text object, both of at most so many
// characters.
func plain(most int) rule { return textObject(most, "plain_text") }

func rich(most int) rule { return textObject(most, "plain_text", "mrkdwn") }

func textObject(most int, types ...string) rule {
	return func(v *validation, at string, x any) {
		before := len(v.problems)
		o := asObj(x)
		switch kind := str(o["type"]); {
		case o == nil:
			v.errorf(at, "must be an object")
		case !slices.Contains(types, kind):
			v.errorf(at+"/type", "must be one of: %s", strings.Join(types, ", "))
		case kind == "plain_text":
			object(need("text", text(1, most)), may("emoji", boolean))(v, at, x)
		default:
			object(need("text", text(1, most)), may("verbatim", boolean))(v, at, x)
		}
		if len(v.problems) > before && len(types) > 1 {
			v.problems = slices.Insert(v.problems, before, "failed to match all allowed schemas [json-pointer:"+at+"]")
		}
	}
}

func boolean(v *validation, at string, x any) {
	if _, ok := x.(bool); !ok {
		v.errorf(at, "must be a boolean")
	}
}

// whole is a number from least to most.
func whole(least, most float64) rule {
	return func(v *validation, at string, x any) {
		n, ok := x.(float64)
		switch {
		case !ok || n != float64(int64(n)):
			v.errorf(at, "must be an integer")
		case n < least:
			v.errorf(at, "must be greater than or equal to %v", least)
		case n > most:
			v.errorf(at, "must be less than or equal to %v", most)
		}
	}
}

// oneOf is one of these strings.
func oneOf(values ...string) rule {
	return func(v *validation, at string, x any) {
		if !slices.Contains(values, str(x)) {
			v.errorf(at, "must be one of: %s", strings.Join(values, ", "))
		}
	}
}

// anything is not checked further.
func anything(*validation, string, any) {}

func sortedKeys(o obj) []string {
	names := make([]string, 0, len(o))
	for name := range o {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

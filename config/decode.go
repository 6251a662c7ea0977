package config

import (
	"bytes"
	"errors"
	"reflect"
	"strings"

	"github.com/pelletier/go-toml/v2"

	"ltxbot/internal/spell"
)

// The marks with which some editors begin a file.
var (
	markUTF8  = []byte("\xef\xbb\xbf")
	marksOf16 = [][]byte{[]byte("\xff\xfe"), []byte("\xfe\xff")}
)

// parse decodes the TOML in data onto the defaults; file is for messages. It
// goes on after a value or a line that is wrong, so that all of them are found at
// once: such a value is as the default.
func parse(file string, data []byte) (Config, *checker) {
	data = bytes.TrimPrefix(data, markUTF8)
	k := &checker{origin: &document{file: file}}
	for _, mark := range marksOf16 {
		if bytes.HasPrefix(data, mark) {
			return k.nothing("is UTF-16; save it as UTF-8")
		}
	}
	data = k.mend(data)
	origin := newDocument(data)
	origin.file = file
	k.origin = origin
	for _, line := range checkDurations(k) {
		if rest, ok := origin.without(data, line); ok {
			data = rest
		}
	}
	for {
		cfg := Default()
		cfg.origin = origin
		err := toml.NewDecoder(bytes.NewReader(data)).DisallowUnknownFields().Decode(&cfg)
		if err == nil {
			return cfg, k
		}
		if missing, ok := errors.AsType[*toml.StrictMissingError](err); ok {
			for i := range missing.Errors {
				e := &missing.Errors[i]
				k.at(e, "unknown key"+suggest(e.Key()))
			}
			return cfg, k
		}
		e, ok := errors.AsType[*toml.DecodeError](err)
		if !ok {
			return k.nothing(strings.TrimPrefix(err.Error(), "toml: "))
		}
		k.at(e, typeProblem(e))
		line, _ := e.Position()
		rest, ok := origin.without(data, line)
		if len(e.Key()) == 0 || !ok {
			k.unread = true
			return Default(), k
		}
		data = rest
	}
}

// nothing is the outcome for a file of which nothing can be read.
func (k *checker) nothing(text string) (Config, *checker) {
	k.add("", "", text)
	k.unread = true
	return Default(), k
}

// at adds a problem where the decoder found it. The decoder's picture of the
// lines around it is not used: it may show a secret.
func (k *checker) at(e *toml.DecodeError, text string) {
	line, column := e.Position()
	k.problems = append(k.problems, Problem{Key: strings.Join(e.Key(), "."), Text: text, Line: line, Column: column})
}

// checkDurations refuses durations that are not strings: the decoder would
// refuse them too, but without saying where. It returns their lines.
func checkDurations(k *checker) (lines []int) {
	for key := range k.origin.bare {
		if t := typeOf(keyPath(key)); t == reflect.TypeFor[Duration]() {
			k.add(key, "", errDuration.Error()+", in quotes")
			lines = append(lines, k.origin.find(key).line)
		}
	}
	return lines
}

// typeProblem says in words what a key's value must be; for text that is not
// TOML it is what the decoder says.
func typeProblem(e *toml.DecodeError) string {
	said := strings.TrimPrefix(e.Error(), "toml: ")
	if !strings.HasPrefix(said, "cannot ") {
		return said
	}
	t := typeOf(e.Key())
	if t == nil {
		return "is of the wrong type"
	}
	return "must be " + kindName(t)
}

// kindName says what a value of type t looks like in the file.
func kindName(t reflect.Type) string {
	switch t.Kind() {
	case reflect.Bool:
		return "true or false"
	case reflect.Int, reflect.Int64:
		return "a whole number"
	case reflect.Float64:
		return "a number"
	case reflect.Slice:
		if isTable(t.Elem()) {
			return "a list of tables, each with double brackets around its name"
		}
		return "a list, such as [\"a\", \"b\"]"
	case reflect.Struct, reflect.Map:
		if isTable(t) || t.Kind() == reflect.Map {
			return "a table"
		}
	}
	return "text in quotes"
}

// typeOf returns the type of the setting or table at path; nil if there is none.
func typeOf(path []string) reflect.Type {
	t := reflect.TypeFor[Config]()
	for _, name := range path {
		if t = child(t, name); t == nil {
			return nil
		}
	}
	return t
}

// child returns the type of the key name in tables of type t, or nil.
func child(t reflect.Type, name string) reflect.Type {
	if t.Kind() == reflect.Slice {
		t = t.Elem()
	}
	if t.Kind() != reflect.Struct || !isTable(t) {
		return nil
	}
	for f := range t.Fields() {
		if f.Anonymous {
			if c := child(f.Type, name); c != nil {
				return c
			}
		}
		if strings.EqualFold(f.Tag.Get("toml"), name) {
			return f.Type
		}
	}
	return nil
}

// keyPath splits a full name, "quota.tier[0].name", into the names alone.
func keyPath(key string) []string {
	parts := strings.Split(key, ".")
	for i, p := range parts {
		parts[i], _, _ = strings.Cut(p, "[")
	}
	return parts
}

// suggest returns `; did you mean "x"?` if a key like the last of path exists
// in its table.
func suggest(path []string) string {
	last := len(path) - 1
	t := typeOf(path[:max(last, 0)])
	if t == nil || last < 0 {
		return ""
	}
	best, distance := "", 3
	for _, name := range names(t) {
		if d := spell.Distance(strings.ToLower(path[last]), name); d < distance {
			best, distance = name, d
		}
	}
	if best == "" {
		return ""
	}
	return "; did you mean " + best + "?"
}

// names lists the keys of tables of type t.
func names(t reflect.Type) []string {
	if t.Kind() == reflect.Slice {
		t = t.Elem()
	}
	if t.Kind() != reflect.Struct {
		return nil
	}
	var all []string
	for f := range t.Fields() {
		if f.Anonymous {
			all = append(all, names(f.Type)...)
		} else if name, ok := f.Tag.Lookup("toml"); ok {
			all = append(all, name)
		}
	}
	return all
}

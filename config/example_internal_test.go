package config

import (
	"fmt"
	"io"
	"maps"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

//go:generate go test -run TestExampleFile . -update

// exampleHead is the first comment of the file, one paragraph a line.
const exampleHead = `Configuration of ltxbot. Written from the source by "go generate ./config".

Every key is here with its default: remove the # before one to change it. What has no # is what most people need. Unknown keys are refused.

A secret is a literal, "env:NAME" or "file:/path", and is never printed. The variables FAL_KEY, DISCORD_TOKEN, SLACK_BOT_TOKEN, SLACK_APP_TOKEN and SLACK_SIGNING_SECRET also work with no file at all. A duration is "90s", "20m", "1h30m" or "90d"; a day is 24 hours. Money is in US dollars.`

// exampleWidth is where comments are broken, in characters.
const exampleWidth = 80

// WriteExample writes config.example.toml: every key with what it means and
// its default. Comments begin with "# ", keys that are off with "#".
func WriteExample(w io.Writer) error {
	e := example{told: map[reflect.Type]bool{}}
	for line := range strings.SplitSeq(exampleHead, "\n") {
		e.comment(line)
	}
	e.tables("", reflect.ValueOf(Default()))
	_, err := io.WriteString(w, e.out.String())
	return err
}

// An example is a file under way.
type example struct {
	out  strings.Builder
	told map[reflect.Type]bool // embedded structs whose keys are explained above
}

// comment writes one paragraph, broken into lines.
func (e *example) comment(text string) {
	line := "#"
	for word := range strings.FieldsSeq(text) {
		if utf8.RuneCountInString(line)+1+utf8.RuneCountInString(word) > exampleWidth {
			e.out.WriteString(line + "\n")
			line = "#"
		}
		line += " " + word
	}
	e.out.WriteString(line + "\n")
}

// tables writes the tables in v, which has no keys of its own.
func (e *example) tables(prefix string, v reflect.Value) {
	for i := range v.NumField() {
		f := v.Type().Field(i)
		name, ok := f.Tag.Lookup("toml")
		if !ok || !holdsKeys(f.Type) {
			continue
		}
		name = join(prefix, name)
		e.out.WriteString("\n")
		e.comment(f.Tag.Get("doc"))
		switch f.Type.Kind() {
		case reflect.Slice:
			e.out.WriteString("#[[" + name + "]]\n")
			e.keys(reflect.Zero(f.Type.Elem()))
		case reflect.Map:
			e.free(name, v.Field(i).Interface())
		default:
			e.out.WriteString("[" + name + "]\n")
			e.keys(v.Field(i))
			e.tables(name, v.Field(i))
		}
	}
}

// holdsKeys tells a table, or a list of tables that is written with double
// brackets, from a value.
func holdsKeys(t reflect.Type) bool {
	if t.Kind() == reflect.Slice {
		return isTable(t.Elem()) && t.Elem() != reflect.TypeFor[Rolling]()
	}
	return t.Kind() == reflect.Map || isTable(t)
}

// keys writes the keys of one table. What the keys of a Limit mean is said
// where they come first.
func (e *example) keys(v reflect.Value) {
	told := e.told[v.Type()]
	e.told[v.Type()] = true
	for i := range v.NumField() {
		f := v.Type().Field(i)
		if f.Anonymous {
			e.keys(v.Field(i))
			continue
		}
		name, ok := f.Tag.Lookup("toml")
		if !ok || holdsKeys(f.Type) {
			continue
		}
		if doc := f.Tag.Get("doc"); doc != "" && !told {
			e.comment(doc)
		}
		mark := "#"
		if f.Tag.Get("need") != "" {
			mark = ""
		}
		value := f.Tag.Get("example")
		if value == "" {
			value = literal(v.Field(i))
		}
		e.out.WriteString(mark + name + " = " + value + "\n")
	}
}

// free writes a table whose keys anybody may name.
func (e *example) free(name string, table any) {
	if tables, ok := table.(Quality); ok {
		for i, word := range slices.Sorted(maps.Keys(tables)) {
			if i > 0 {
				e.out.WriteString("\n")
			}
			e.free(name+"."+word, tables[word])
		}
		return
	}
	e.out.WriteString("[" + name + "]\n")
	if prices, ok := table.(Prices); ok {
		for _, endpoint := range slices.Sorted(maps.Keys(prices)) {
			e.out.WriteString("#" + strconv.Quote(endpoint) + " = " + decimal(prices[endpoint]) + "\n")
		}
	}
	options, _ := table.(Options)
	for _, name := range slices.Sorted(maps.Keys(options)) {
		e.out.WriteString("#" + name + " = " + literal(reflect.ValueOf(options[name])) + "\n")
	}
}

// literal writes a value in TOML.
func literal(v reflect.Value) string {
	switch x := v.Interface().(type) {
	case Secret:
		if x.ref != "" {
			return strconv.Quote(x.ref)
		}
		return strconv.Quote(x.Reveal())
	case Duration:
		return strconv.Quote(x.String())
	case string:
		return strconv.Quote(x)
	case int64:
		return grouped(x)
	case float64:
		return decimal(x)
	}
	if v.Kind() != reflect.Slice {
		return fmt.Sprint(v.Interface())
	}
	elements := make([]string, v.Len())
	for i := range elements {
		elements[i] = literal(v.Index(i))
	}
	return "[" + strings.Join(elements, ", ") + "]"
}

// grouped writes a large number as 500_000_000.
func grouped(n int64) string {
	s := strconv.FormatInt(n, 10)
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "_" + s[i:]
	}
	return s
}

// decimal writes a number so that TOML reads it as one with a fraction.
func decimal(x float64) string {
	s := strconv.FormatFloat(x, 'f', -1, 64)
	if !strings.Contains(s, ".") {
		s += ".0"
	}
	return s
}

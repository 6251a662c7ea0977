package config

import (
	"bytes"
	"errors"
	"reflect"
	"sort"
	"strings"

	"github.com/pelletier/go-toml/v2"
)

// mostSlips is how many mistakes in the syntax of a file are told. More of them
// mostly come of the first one, such as a bracket that is never closed.
const mostSlips = 5

// mend adds the mistakes in the syntax and returns data without the lines that have
// them, so that what else is wrong is found at once. After one in a table's header,
// or after too many, what follows means nothing: then only what stands before is
// returned, and unread is set.
func (k *checker) mend(data []byte) []byte {
	for n := 0; ; n++ {
		err := toml.Unmarshal(data, new(map[string]any))
		e, ok := errors.AsType[*toml.DecodeError](err)
		if !ok {
			return data // it is right, or the decoder says no better what is wrong
		}
		line, _ := e.Position()
		lines := bytes.SplitAfter(data, []byte("\n"))
		if line < 1 || line > len(lines) {
			return data
		}
		if n == mostSlips {
			k.problems, k.unread = k.problems[:1], true
			return whole(lines[:k.problems[0].Line-1])
		}
		slip, header := newDocument(data).slip(line, lines, e)
		k.problems = append(k.problems, slip)
		if header {
			k.unread = true
			return whole(lines[:line-1])
		}
		text := lines[line-1]
		lines[line-1] = text[len(bytes.TrimRight(text, "\r\n")):]
		data = bytes.Join(lines, nil)
	}
}

// whole is the beginning of lines as far as it is TOML: the last of them may begin a
// value that goes on after them. That one is left out, with the key before it.
func whole(lines [][]byte) []byte {
	data := bytes.Join(lines, nil)
	if toml.Unmarshal(data, new(map[string]any)) == nil {
		return data
	}
	all := newDocument(data).all
	if len(all) == 0 {
		return nil
	}
	data = bytes.Join(lines[:all[len(all)-1].line-1], nil)
	if toml.Unmarshal(data, new(map[string]any)) != nil {
		return nil
	}
	return data
}

// slip is a mistake in the syntax of a line, and whether that is a table's header.
// The line is shown where it sets something that is known and not secret; not where it
// goes on with a value that begins before it.
func (d *document) slip(line int, lines [][]byte, e *toml.DecodeError) (p Problem, header bool) {
	p = Problem{Text: strings.TrimPrefix(e.Error(), "toml: ")}
	p.Line, p.Column = e.Position()
	text := strings.TrimSpace(string(lines[line-1]))
	if header = strings.HasPrefix(text, "["); header {
		if typeOf(keyPath(strings.Trim(text, "[] \t"))) != nil {
			p.Key = text
		}
		return p, true
	}
	if toml.Unmarshal(bytes.Join(lines[:line-1], nil), new(map[string]any)) != nil {
		return p, false
	}
	key, value, _ := strings.Cut(text, "=")
	table := ""
	if n := sort.Search(len(d.all), func(i int) bool { return d.all[i].line > line }); n > 0 {
		table = d.all[n-1].within
	}
	key = join(table, strings.TrimSpace(key))
	parent := typeOf(keyPath(table))
	switch t := typeOf(keyPath(key)); {
	case t == nil && (parent == nil || parent.Kind() != reflect.Map):
	case t == reflect.TypeFor[Secret](), strings.ContainsAny(value, "=:"): // the rest may be another setting
		p.Key = key
	default:
		p.Key, p.Value = key, strings.TrimSpace(value)
	}
	return p, false
}

package config

import (
	"bytes"
	"math"
	"sort"
	"strconv"
	"strings"

	"github.com/pelletier/go-toml/v2/unstable"
)

// A position is where a key stands in a file; line and column count from 1.
type position struct{ line, column int }

// A document remembers what file a Config came from and where each of its
// keys stands, so that Validate can point at the line.
type document struct {
	file string
	keys map[string]position // by full name: "quota.tier[0].name"
	bare map[string]bool     // keys whose value is not a string, array or table
	all  []expression
}

// An expression is a table's header, or a key with its value.
type expression struct {
	line   int // where it begins
	table  bool
	within string // the table that it begins, or is in
}

// newDocument finds all keys of data, which may be broken TOML: what stands
// before the first mistake is found.
func newDocument(data []byte) *document {
	d := &document{keys: map[string]position{}, bare: map[string]bool{}}
	var p unstable.Parser
	p.Reset(data)
	counts := map[string]int{}
	table := ""
	for p.NextExpression() {
		switch e := p.Expression(); e.Kind {
		case unstable.Table:
			table = d.add(&p, "", e, counts)
			d.all = append(d.all, expression{d.keys[table].line, true, table})
		case unstable.ArrayTable:
			name := d.add(&p, "", e, counts)
			table = name + "[" + strconv.Itoa(counts[name]) + "]"
			d.keys[table] = at(&p, e)
			counts[name]++
			d.all = append(d.all, expression{d.keys[table].line, true, table})
		case unstable.KeyValue:
			d.addValue(&p, table, e, counts)
			d.all = append(d.all, expression{at(&p, e).line, false, table})
		default: // a comment
		}
	}
	return d
}

// at is where the key of an expression stands.
func at(p *unstable.Parser, n *unstable.Node) position {
	it := n.Key()
	it.Next()
	start := p.Shape(it.Node().Raw).Start
	return position{start.Line, start.Column}
}

// without returns data with blanks in place of the key and value that stand at
// a line, and false when there are none, or a table's header. Lines stay where
// they are.
func (d *document) without(data []byte, line int) ([]byte, bool) {
	n := sort.Search(len(d.all), func(i int) bool { return d.all[i].line > line }) - 1
	if n < 0 || d.all[n].table {
		return nil, false
	}
	end := math.MaxInt
	if n+1 < len(d.all) {
		end = d.all[n+1].line
	}
	out := make([]byte, 0, len(data))
	number := 0
	for text := range bytes.Lines(data) {
		if number++; number >= d.all[n].line && number < end {
			text = text[len(bytes.TrimRight(text, "\r\n")):]
		}
		out = append(out, text...)
	}
	return out, !bytes.Equal(out, data)
}

// add records the key of node n inside table and returns its full name.
func (d *document) add(p *unstable.Parser, table string, n *unstable.Node, counts map[string]int) string {
	name := table
	var at position
	for it := n.Key(); it.Next(); {
		if at.line == 0 {
			start := p.Shape(it.Node().Raw).Start
			at = position{start.Line, start.Column}
		}
		if c := counts[name]; c > 0 && name != table {
			name += "[" + strconv.Itoa(c-1) + "]"
		}
		name = join(name, string(it.Node().Data))
	}
	if _, ok := d.keys[name]; !ok {
		d.keys[name] = at
	}
	return name
}

// addValue records a key and, for tables and arrays, what is inside its value.
func (d *document) addValue(p *unstable.Parser, table string, n *unstable.Node, counts map[string]int) {
	name := d.add(p, table, n, counts)
	switch v := n.Value(); v.Kind {
	case unstable.InlineTable:
		d.addInline(p, name, v, counts)
	case unstable.Array:
		for i, it := 0, v.Children(); it.Next(); i++ {
			element := name + "[" + strconv.Itoa(i) + "]"
			d.keys[element] = d.keys[name]
			if it.Node().Kind == unstable.InlineTable {
				d.addInline(p, element, it.Node(), counts)
			}
		}
	case unstable.String:
	default:
		d.bare[name] = true
	}
}

// addInline records the keys of an inline table.
func (d *document) addInline(p *unstable.Parser, name string, v *unstable.Node, counts map[string]int) {
	for it := v.Children(); it.Next(); {
		if it.Node().Kind == unstable.KeyValue {
			d.addValue(p, name, it.Node(), counts)
		}
	}
}

// find returns where key stands, or the nearest table that would hold it.
func (d *document) find(key string) position {
	for d != nil && key != "" {
		if at, ok := d.keys[key]; ok {
			return at
		}
		key = key[:max(strings.LastIndexAny(key, ".["), 0)]
	}
	return position{}
}

// has tells whether the file sets key.
func (d *document) has(key string) bool {
	if d == nil {
		return false
	}
	_, ok := d.keys[key]
	return ok
}

// join appends a name to a dotted key.
func join(table, name string) string {
	if table == "" {
		return name
	}
	return table + "." + name
}

package text

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"ltxbot/core/ltx"
	"ltxbot/core/usd"
)

// A Printer writes the texts of a catalogue in one language.
type Printer struct {
	catalog  *Catalog
	language string
	command  string
}

// Printer writes for somebody with this locale, who types command: "/ltx".
func (c *Catalog) Printer(locale, command string) Printer {
	return Printer{catalog: c, language: c.language(locale), command: command}
}

// Language is the language of the printer: "de".
func (v Printer) Language() string { return v.language }

// Command is what people type: "/ltx".
func (v Printer) Command() string { return v.command }

// Has reports whether there is a text for the key.
func (v Printer) Has(key string) bool {
	_, ok := v.catalog.find(v.language, key)
	return ok
}

// Text returns a text without its styles. args are pairs of a placeholder's
// name and its value: a string, an int, an int64, a float64, a usd.Micros, a
// time.Duration, a Span or []Span. A key that does not exist is returned as it
// is.
func (v Printer) Text(key string, args ...any) string {
	var b strings.Builder
	for _, s := range v.Spans(key, args...) {
		b.WriteString(s.Text)
	}
	return b.String()
}

// Spans is Text with its styles: code stays code.
func (v Printer) Spans(key string, args ...any) []Span {
	t, ok := v.catalog.find(v.language, key)
	if !ok {
		return []Span{{Text: key}}
	}
	var out []Span
	for _, p := range t {
		switch p.name {
		case "":
			out = join(out, Span{Text: p.literal, Style: p.style})
		case "command":
			out = join(out, Span{Text: v.command, Style: p.style})
		default:
			for _, s := range v.fill(p, args) {
				if s.Style == MentionOf && s.Text == "" {
					s.Text = v.somebody(len(out) == 0)
				}
				out = join(out, s)
			}
		}
	}
	for i, s := range out {
		if s.Style == CommandOf && s.Command == nil {
			out[i].Command = v.verb(s.Text)
		}
	}
	return out
}

// verb is the command that a text of the catalogue names.
func (v Printer) verb(typed string) *Command {
	words := strings.Fields(strings.TrimPrefix(typed, v.command))
	if len(words) == 0 {
		return &Command{}
	}
	return &Command{Verb: words[0], Args: words[1:]}
}

// somebody is what plain text has for a member, whose name only the platform
// knows.
func (v Printer) somebody(first bool) string {
	if first {
		return v.Text("format.somebody_first")
	}
	return v.Text("format.somebody")
}

// join adds a span, to the one before if both look the same.
func join(spans []Span, s Span) []Span {
	if n := len(spans); n > 0 && spans[n-1].Style == s.Style && s.Command == nil && spans[n-1].Command == nil &&
		(s.Style == Plain || s.Style == Strong || s.Style == Mono || s.Style == CommandOf) {
		spans[n-1].Text += s.Text
		return spans
	}
	return append(spans, s)
}

// fill is the value of a placeholder.
func (v Printer) fill(p part, args []any) []Span {
	for i := 0; i+1 < len(args); i += 2 {
		if args[i] != p.name {
			continue
		}
		switch value := args[i+1].(type) {
		case Span:
			return []Span{value}
		case []Span:
			return value
		default:
			return []Span{{Text: v.Value(value), Style: p.style}}
		}
	}
	return []Span{{Text: "{" + p.name + "}", Style: p.style}}
}

// Value writes a value as people in this language do.
func (v Printer) Value(value any) string {
	switch value := value.(type) {
	case string:
		return value
	case int:
		return strconv.Itoa(value)
	case int64:
		return strconv.FormatInt(value, 10)
	case float64:
		return v.Number(value)
	case usd.Micros:
		return v.Money(value)
	case time.Duration:
		return v.Duration(value)
	}
	return fmt.Sprint(value)
}

// Number writes a number with two decimals at most.
func (v Printer) Number(n float64) string {
	s := strconv.FormatFloat(math.Round(n*100)/100, 'f', -1, 64)
	return strings.Replace(s, ".", v.Text("format.decimal"), 1)
}

// NumberTyped writes a number as it is typed in a command.
func NumberTyped(n float64) string { return strconv.FormatFloat(n, 'f', -1, 64) }

// Money writes an amount; whole dollars without cents.
func (v Printer) Money(m usd.Micros) string {
	sign, digits, _ := strings.Cut(m.String(), "$")
	digits = strings.TrimSuffix(digits, ".00")
	return sign + v.Text("format.usd", "amount", strings.Replace(digits, ".", v.Text("format.decimal"), 1))
}

// Duration writes "48 s" or "2 min 5 s".
func (v Printer) Duration(d time.Duration) string {
	if d < time.Minute {
		n := math.Round(d.Seconds()*10) / 10
		if n >= 10 {
			n = math.Round(n)
		}
		return v.Text("format.seconds", "n", n)
	}
	d = d.Round(time.Second)
	return v.Text("format.minutes", "m", int(d/time.Minute), "s", int(d%time.Minute/time.Second))
}

// Plural is a text that has a form for one and a form for other numbers.
func (v Printer) Plural(key string, n int64) string {
	return v.Text(key+"."+pluralForm(v.language, n), "n", n)
}

// pluralForm is the name of the form that a language has for a whole number.
// https://www.unicode.org/cldr/charts/latest/supplemental/language_plural_rules.html
func pluralForm(language string, n int64) string {
	base, _, _ := strings.Cut(language, "-")
	switch {
	case base == "ja":
		return "other"
	case n == 1, n == 0 && base == "fr":
		return "one"
	}
	return "other"
}

// List joins names as a sentence does: "a, b or c".
func (v Printer) List(words []string, last string) []Span {
	var out []Span
	for i, w := range words {
		switch {
		case i == 0:
		case i == len(words)-1:
			out = join(out, Span{Text: v.Text(last)})
		default:
			out = join(out, Span{Text: ", "})
		}
		out = append(out, Span{Text: w, Style: Mono})
	}
	return out
}

// Option says what an option is for, in at most 100 characters. The table of
// parameters has it in English.
func (v Printer) Option(p ltx.Param) string {
	id := p.Name
	if id == "" {
		id = p.Option
	}
	if !v.Has("option." + id) {
		return p.Help
	}
	return v.Text("option." + id)
}

// Choice is what people read for a choice, in at most 75 characters. The table
// of parameters has it in English.
func (v Printer) Choice(p ltx.Param, c ltx.Choice) string {
	key := "choice." + p.Key() + "." + c.Typed()
	if !v.Has(key) {
		return c.Label
	}
	return v.Text(key)
}

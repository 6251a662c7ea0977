package bot

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"ltxbot/core/ltx"
	"ltxbot/core/usd"
)

// Text returns a text of the catalogue in somebody's language. args are pairs
// of a placeholder's name and its value: a string, an int, an int64, a
// float64, a usd.Micros, a time.Duration, a Span or []Span. A key that does
// not exist is returned as it is.
func (d *Desk) Text(locale, key string, args ...any) string {
	return d.voice(locale).text(key, args...)
}

// Spans is Text with its styles: code stays code.
func (d *Desk) Spans(locale, key string, args ...any) []Span {
	return d.voice(locale).spans(key, args...)
}

// Languages are those that have texts: "de", "en" and so on.
func (d *Desk) Languages() []string { return d.cfg.Catalog.Languages() }

// Language is the one of them in which somebody with this locale reads.
func (d *Desk) Language(locale string) string { return d.cfg.Catalog.language(locale) }

// OptionHelp says what an option is for, in at most 100 characters.
func (d *Desk) OptionHelp(locale string, p ltx.Param) string { return d.voice(locale).option(p) }

// ChoiceLabel is what people read for a choice, in at most 75 characters.
func (d *Desk) ChoiceLabel(locale string, p ltx.Param, c ltx.Choice) string {
	return d.voice(locale).choice(p, c)
}

// A voice speaks one language.
type voice struct {
	catalog  *Catalog
	language string
	command  string
}

func (d *Desk) voice(locale string) voice {
	return voice{catalog: d.cfg.Catalog, language: d.cfg.Catalog.language(locale), command: d.cfg.Command}
}

// text is a text without styles.
func (v voice) text(key string, args ...any) string {
	var b strings.Builder
	for _, s := range v.spans(key, args...) {
		b.WriteString(s.Text)
	}
	return b.String()
}

// spans is a text with its placeholders filled in.
func (v voice) spans(key string, args ...any) []Span {
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
	return out
}

// somebody is what plain text has for a member, whose name only the platform
// knows.
func (v voice) somebody(first bool) string {
	if first {
		return v.text("format.somebody_first")
	}
	return v.text("format.somebody")
}

// join adds a span, to the one before if both look the same.
func join(spans []Span, s Span) []Span {
	if n := len(spans); n > 0 && spans[n-1].Style == s.Style && (s.Style == Plain || s.Style == Strong || s.Style == Mono) {
		spans[n-1].Text += s.Text
		return spans
	}
	return append(spans, s)
}

// fill is the value of a placeholder.
func (v voice) fill(p part, args []any) []Span {
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
			return []Span{{Text: v.value(value), Style: p.style}}
		}
	}
	return []Span{{Text: "{" + p.name + "}", Style: p.style}}
}

// value writes a value as people in this language do.
func (v voice) value(value any) string {
	switch value := value.(type) {
	case string:
		return value
	case int:
		return strconv.Itoa(value)
	case int64:
		return strconv.FormatInt(value, 10)
	case float64:
		return v.number(value)
	case usd.Micros:
		return v.money(value)
	case time.Duration:
		return v.duration(value)
	}
	return fmt.Sprint(value)
}

// number writes a number with two decimals at most.
func (v voice) number(n float64) string {
	s := strconv.FormatFloat(math.Round(n*100)/100, 'f', -1, 64)
	return strings.Replace(s, ".", v.text("format.decimal"), 1)
}

// numberTyped writes a number as it is typed in a command.
func numberTyped(n float64) string { return strconv.FormatFloat(n, 'f', -1, 64) }

// money writes an amount; whole dollars without cents.
func (v voice) money(m usd.Micros) string {
	sign, digits, _ := strings.Cut(m.String(), "$")
	digits = strings.TrimSuffix(digits, ".00")
	return sign + v.text("format.usd", "amount", strings.Replace(digits, ".", v.text("format.decimal"), 1))
}

// duration writes "48 s" or "2 min 5 s".
func (v voice) duration(d time.Duration) string {
	if d < time.Minute {
		n := math.Round(d.Seconds()*10) / 10
		if n >= 10 {
			n = math.Round(n)
		}
		return v.text("format.seconds", "n", n)
	}
	d = d.Round(time.Second)
	return v.text("format.minutes", "m", int(d/time.Minute), "s", int(d%time.Minute/time.Second))
}

// plural is a text that has a form for one and a form for other numbers.
func (v voice) plural(key string, n int64) string {
	return v.text(key+"."+pluralForm(v.language, n), "n", n)
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

// list joins names as a sentence does: "a, b or c".
func (v voice) list(words []string, last string) []Span {
	var out []Span
	for i, w := range words {
		switch {
		case i == 0:
		case i == len(words)-1:
			out = join(out, Span{Text: v.text(last)})
		default:
			out = join(out, Span{Text: ", "})
		}
		out = append(out, Span{Text: w, Style: Mono})
	}
	return out
}

// option says what an option is for. The table has it in English.
func (v voice) option(p ltx.Param) string {
	id := p.Name
	if id == "" {
		id = p.Option
	}
	if _, ok := v.catalog.find(v.language, "option."+id); !ok {
		return p.Help
	}
	return v.text("option." + id)
}

// choice is what people read for a choice. The table has it in English.
func (v voice) choice(p ltx.Param, c ltx.Choice) string {
	key := "choice." + p.Key() + "." + c.Typed()
	if _, ok := v.catalog.find(v.language, key); !ok {
		return c.Label
	}
	return v.text(key)
}

// since is a point in time, shown as its distance from now.
func since(t time.Time) Span { return Span{Text: clock(t), Style: Since, At: t} }

// clockTime is a point in time, shown as date and time of day.
func clockTime(t time.Time) Span { return Span{Text: clock(t), Style: ClockTime, At: t} }

// clock is a point in time for where a platform does not render it.
func clock(t time.Time) string { return t.UTC().Format("2006-01-02 15:04 UTC") }

// mention names a member.
func mention(member string) Span { return Span{Style: MentionOf, Member: member} }

// mono is a piece of code, a name or an id.
func mono(s string) Span { return Span{Text: s, Style: Mono} }

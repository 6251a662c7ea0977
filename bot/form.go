package bot

import (
	"context"
	"slices"
	"strings"
	"time"

	"ltxbot/core/ltx"
)

// Form is a dialog with fields to fill in. What it sends are settings by the
// fields' keys; a blank one says nothing, or takes back what the edited job
// had.
type Form struct {
	Title  string
	Submit string
	Fields []Field // the most used first; a platform with room for few takes those
}

// Field is one input of a form.
type Field struct {
	Key      string // the option: "camera"
	Label    string
	Hint     string
	Value    string
	Kind     FieldKind
	Choices  []Choice // of Pick
	MaxLen   int      // of a text, in characters; 0 = no limit
	Required bool
}

// FieldKind is how a field is filled in.
type FieldKind string

// The kinds of fields.
const (
	TextLine FieldKind = "line"
	TextArea FieldKind = "area"
	Pick     FieldKind = "pick"
)

// Choice is one value to choose, and what people read.
type Choice struct {
	Value string
	Label string
}

// advancedKey is the field for what has none of its own.
const advancedKey = "advanced"

// onForm tells whether a parameter has a field of its own.
func onForm(p ltx.Param) bool { return p.Basic }

// NewForm is the form for a video: empty, or filled in with a request. The
// hidden part of LoRA links is not in it. qualities are those that the operator
// offers.
func NewForm(p Printer, qualities []string, from *ltx.Request) Form {
	if from == nil || from.IsZero() {
		return FilledForm(p, qualities, nil)
	}
	f := FilledForm(p, qualities, shownSettings(*from))
	f.Title = p.Text("form.title_edit")
	return f
}

// FilledForm is the form for a new video, filled in with settings.
func FilledForm(p Printer, qualities []string, settings []ltx.Setting) Form {
	v, values := voice{p}, formValues(settings)
	f := Form{Title: v.Text("form.title"), Submit: v.Text("form.submit")}
	for _, param := range ltx.Params() {
		if onForm(param) {
			f.Fields = append(f.Fields, v.field(param, qualities, values[param.Key()]))
		}
	}
	f.Fields = append(f.Fields, Field{
		Key: advancedKey, Label: v.Text("form.more"), Hint: v.Text("form.more_hint"), Kind: TextLine,
		Value: values[advancedKey],
	})
	return f
}

// formValues are settings by the field that they belong to.
func formValues(settings []ltx.Setting) map[string]string {
	values := map[string]string{}
	var more []string
	for _, s := range settings {
		p, ok := ltx.Lookup(s.Key)
		switch {
		case !ok || p.Operator:
		case p.Kind == ltx.KindAdvanced:
			more = append(more, s.Value)
		case onForm(p):
			values[p.Key()] = s.Value
		case strings.ContainsFunc(s.Value, func(r rune) bool { return r == ',' || isSpace(r) || isOpening(r) }):
			more = append(more, s.Key+"="+quote(s.Value))
		default:
			more = append(more, s.Key+"="+s.Value)
		}
	}
	values[advancedKey] = strings.Join(more, " ")
	return values
}

// shownSettings are the settings of a request without the hidden part of LoRA
// links.
func shownSettings(r ltx.Request) []ltx.Setting {
	settings := r.Settings()
	for i, s := range settings {
		if p, ok := ltx.Lookup(s.Key); ok && p.Kind == ltx.KindLoRAs {
			settings[i].Value = hideQueries(s.Value)
		}
	}
	return settings
}

// field is the input for one parameter.
func (v voice) field(p ltx.Param, qualities []string, value string) Field {
	if p.MaxLen > 0 {
		value = shorten(value, p.MaxLen)
	}
	f := Field{
		Key: p.Key(), Label: v.label(p), Hint: v.Option(p), Value: value, Kind: TextLine,
		MaxLen: p.MaxLen, Required: p.MinLen > 0,
	}
	switch p.Kind {
	case ltx.KindText:
		f.Kind = TextArea
	case ltx.KindBool:
		f.Kind = Pick
		f.Choices = []Choice{{"yes", v.Text("form.yes")}, {"no", v.Text("form.no")}}
	case ltx.KindChoice, ltx.KindSize, ltx.KindPreset:
		f.Kind, f.Choices = Pick, Choices(v.Printer, p, qualities)
	case ltx.KindInt, ltx.KindFloat, ltx.KindDuration, ltx.KindLoRAs, ltx.KindAdvanced:
	}
	if f.Kind == Pick && value != "" && !slices.ContainsFunc(f.Choices, func(c Choice) bool { return c.Value == value }) {
		f.Choices = append([]Choice{{value, value}}, f.Choices...)
	}
	return f
}

// Choices are what can be picked for a parameter. The qualities are the
// operator's.
func Choices(v Printer, p ltx.Param, qualities []string) []Choice {
	var out []Choice
	if p.Kind == ltx.KindPreset {
		for _, name := range qualities {
			i := slices.IndexFunc(p.Choices, func(c ltx.Choice) bool { return c.Value == name })
			label := name
			if i >= 0 {
				label = v.Choice(p, p.Choices[i])
			}
			out = append(out, Choice{name, label})
		}
		return out
	}
	for _, c := range p.Choices {
		out = append(out, Choice{c.Typed(), v.Choice(p, c)})
	}
	return out
}

// label is the name of a field.
func (v voice) label(p ltx.Param) string { return v.Text("label." + p.Key()) }

// Remix is the form for making a video of a message: of its text, or of the
// job of ours that it names.
func (d *Desk) Remix(c Caller, text string) Form {
	ctx, cancel := context.WithTimeout(context.Background(), remixLimit)
	defer cancel()
	for _, word := range strings.FieldsFunc(text, func(r rune) bool { return !strings.ContainsRune(jobAlphabet, r) }) {
		if len(word) != jobIDLength || !looksLikeJob(word) {
			continue
		}
		if j, err := d.visible(ctx, c, word); err == nil {
			return d.Form(c.Locale, &j.Request)
		}
	}
	line, err := ParseLine(text)
	if err != nil || line.Verb != "" {
		line = Line{Settings: []ltx.Setting{{Key: promptKey, Value: text}}}
	}
	return FilledForm(d.Printer(c.Locale), d.cfg.Rules().QualityNames(), line.Settings)
}

// remixLimit is how long a form may wait for a job: platforms give up on one
// after three seconds.
const remixLimit = time.Second

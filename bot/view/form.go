package view

import (
	"slices"
	"strings"

	"ltxbot/bot/command"
	"ltxbot/bot/text"
	"ltxbot/core/ltx"
)

// Form is a dialog with fields to fill in. What it sends are settings by the
// fields' keys; a blank one says nothing, or takes back what the edited job
// had.
type Form struct {
	Title  string
	Submit string
	Fields []Field // the most used first; a platform with room for few takes those
	// Job is the job that the form edits; "" for none. What the form does not
	// show stays as it is there.
	Job  string
	Note string // what it costs; "" = nothing is said
	// Step is what the form does with the job's video, if it does not edit the
	// job: ActExtend and its like.
	Step Action
	// Inputs are files that go with what is filled in, unless others take
	// their place.
	Inputs []ltx.Setting
}

// Field is one input of a form.
type Field struct {
	Key      string // the option: "camera"
	Label    string
	Hint     string
	Value    string
	Kind     FieldKind
	Choices  []Choice // of Pick
	Most     int      // of Files: how many there may be
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
	Files    FieldKind = "files"
)

// Choice is one value to choose, and what people read.
type Choice struct {
	Value string
	Label string
}

// AdvancedKey is the field for what has none of its own.
const AdvancedKey = "advanced"

// FilesKey is the field for files of any kind: each goes where its kind is
// taken.
const FilesKey = "files"

// mostFiles is how many files a video can be made of: two pictures, a sound,
// and a clip.
const mostFiles = 4

// OnForm tells whether a parameter has a field of its own.
func OnForm(p ltx.Param) bool { return p.Basic }

// NewForm is the form for a video: empty, or filled in with a request. The
// hidden part of LoRA links is not in it. qualities are those that the operator
// offers.
func NewForm(p text.Printer, qualities []string, from *ltx.Request) Form {
	if from == nil || from.IsZero() {
		return FilledForm(p, qualities, nil)
	}
	f := FilledForm(p, qualities, shownSettings(*from))
	f.Title = p.Text("form.title_edit")
	for i, field := range f.Fields {
		f.Fields[i].Required = field.Required && field.Value != "" // a request without it is one already
	}
	return f
}

// filesField is the field for files. kept are the names of those that stay if
// it is left empty.
func (v voice) filesField(kept []string) Field {
	hint := v.Text("form.files_hint")
	if len(kept) > 0 {
		hint = v.Text("form.files_kept", "files", text.Shorten(strings.Join(kept, ", "), maxKept))
	}
	return Field{Key: FilesKey, Label: v.Text("label.files"), Hint: hint, Kind: Files, Most: mostFiles}
}

// maxKept is how much room the names of files have in a hint, in UTF-16 units.
const maxKept = 50

// namesOf are the names of the files among settings.
func namesOf(settings []ltx.Setting) []string {
	var names []string
	for _, s := range settings {
		if p, ok := ltx.Lookup(s.Key); ok && p.Kind == ltx.KindMedia && s.Value != "" {
			names = append(names, text.OneLine(s.Value))
		}
	}
	return names
}

// FilledForm is the form for a new video, filled in with settings.
func FilledForm(p text.Printer, qualities []string, settings []ltx.Setting) Form {
	v, values := voice{p}, formValues(settings)
	f := Form{Title: v.Text("form.title"), Submit: v.Text("form.submit")}
	for _, param := range ltx.Params() {
		if OnForm(param) {
			f.Fields = append(f.Fields, v.field(param, qualities, values[param.Key()]))
		}
		if param.Key() == command.PromptKey {
			f.Fields = append(f.Fields, v.filesField(namesOf(settings)))
		}
	}
	f.Fields = append(f.Fields, Field{
		Key: AdvancedKey, Label: v.Text("form.more"), Hint: v.Text("form.more_hint"), Kind: TextLine,
		Value: values[AdvancedKey],
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
		case !ok || p.Operator || p.Kind == ltx.KindMedia: // a file stays with the request
		case p.Kind == ltx.KindAdvanced:
			more = append(more, s.Value)
		case OnForm(p):
			values[p.Key()] = s.Value
		case strings.ContainsFunc(s.Value, func(r rune) bool { return r == ',' || command.IsSpace(r) || command.IsOpening(r) }):
			more = append(more, s.Key+"="+command.Quote(s.Value))
		default:
			more = append(more, s.Key+"="+s.Value)
		}
	}
	values[AdvancedKey] = strings.Join(more, " ")
	return values
}

// shownSettings are the settings of a request without the hidden part of LoRA
// links.
func shownSettings(r ltx.Request) []ltx.Setting {
	settings := r.Settings()
	for i, s := range settings {
		if p, ok := ltx.Lookup(s.Key); ok && p.Kind == ltx.KindLoRAs {
			settings[i].Value = command.HideQueries(s.Value)
		}
	}
	return settings
}

// StepForm is the form for what goes on from a finished video: these
// parameters, the prompt filled in.
func StepForm(p text.Printer, qualities []string, title, prompt string, params ...string) Form {
	v := voice{p}
	f := Form{Title: v.Text(title), Submit: v.Text("form.submit")}
	for _, key := range params {
		param, ok := ltx.Lookup(key)
		if !ok {
			continue
		}
		value := ""
		if key == command.PromptKey {
			value = prompt
		}
		field := v.field(param, qualities, value)
		if param.Kind == ltx.KindMedia {
			field.Kind, field.Most = Files, 1
		}
		f.Fields = append(f.Fields, field)
	}
	return f
}

// field is the input for one parameter.
func (v voice) field(p ltx.Param, qualities []string, value string) Field {
	if p.MaxLen > 0 {
		value = text.Shorten(value, p.MaxLen)
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
	case ltx.KindInt, ltx.KindFloat, ltx.KindDuration, ltx.KindLoRAs, ltx.KindAdvanced, ltx.KindMedia:
	}
	if f.Kind == Pick && value != "" && !slices.ContainsFunc(f.Choices, func(c Choice) bool { return c.Value == value }) {
		f.Choices = append([]Choice{{value, value}}, f.Choices...)
	}
	return f
}

// Choices are what can be picked for a parameter. The qualities are the
// operator's.
func Choices(v text.Printer, p ltx.Param, qualities []string) []Choice {
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

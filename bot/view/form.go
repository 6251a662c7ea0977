package view

import (
	"slices"
	"strings"

	"ltxbot/bot/command"
	"ltxbot/bot/text"
	"ltxbot/core/ltx"
	"ltxbot/core/team"
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
	// Order is what the form gives an order about, in place of a video: its
	// fields are arguments of it.
	Order *team.Order
}

// Field is one input of a form.
type Field struct {
	Key      string // the option: "camera"
	Label    string
	Hint     string
	Value    string
	Kind     FieldKind
	Choices  []Choice // of Pick and PickSome
	Most     int      // of Files: how many there may be
	MaxLen   int      // of a text, in characters; 0 = no limit
	Required bool
	// Leads is set where what is chosen decides on the other fields: where a
	// platform can, it shows the form anew.
	Leads bool
	// Needs is the field without which this one means nothing; "" = none.
	Needs string
}

// FieldKind is how a field is filled in.
type FieldKind string

// The kinds of fields.
const (
	TextLine FieldKind = "line"
	TextArea FieldKind = "area"
	Pick     FieldKind = "pick"
	PickSome FieldKind = "some" // its value is a list with commas
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

// RemoveKey is the field for which files of the edited job go: its value are
// their options.
const RemoveKey = "remove"

// mostFiles is how many files a video can be made of: two pictures, a sound,
// and a clip.
const mostFiles = 4

// OnForm tells whether a parameter has a field of its own.
func OnForm(p ltx.Param) bool { return p.Basic }

// Fill is what a form is filled in with, and what there is to choose.
type Fill struct {
	Settings []ltx.Setting // that the fields show
	Options  ltx.Options   // that there are beside them
	Models   []ltx.Offer   // to choose from; none or one = there is no choice
	Usual    string        // the model unless one is chosen
	// Of are the settings of the job whose request it changes; nil = it makes a new
	// one.
	Of []ltx.Setting
}

// VideoForm is the form for a video. The hidden part of LoRA links is not in it. A
// parameter that means nothing beside the rest has a field only if it is set: then
// it can be emptied.
func VideoForm(p text.Printer, fill Fill) Form {
	v, values := printer{p}, formValues(fill.Settings)
	f := Form{Title: v.Text("form.title"), Submit: v.Text("form.submit")}
	if fill.Of != nil {
		f.Title = v.Text("form.title_edit")
	}
	add := func(key string) {
		param, _ := ltx.Lookup(key)
		if field, ok := v.fieldOf(fill, param, values[key]); ok {
			f.Fields = append(f.Fields, field)
		}
	}
	add(command.PromptKey)
	f.Fields = append(f.Fields, v.filesField(namesOf(fill.Settings)))
	if remove, ok := v.removeField(fill); ok {
		f.Fields = append(f.Fields, remove)
	}
	first := []string{"model", "edit", "start_time"} // others depend on these
	for _, key := range first {
		add(key)
	}
	for _, param := range ltx.Params() {
		if OnForm(param) && param.Key() != command.PromptKey && !slices.Contains(first, param.Key()) {
			add(param.Key())
		}
	}
	f.Fields = append(f.Fields, Field{
		Key: AdvancedKey, Label: v.Text("form.more"), Hint: v.Text("form.more_hint"), Kind: TextLine,
		Value: values[AdvancedKey],
	})
	if fill.Of != nil {
		for i, field := range f.Fields {
			f.Fields[i].Required = field.Required && field.Value != "" // a request without it is one already
		}
	}
	return f
}

// StepForm is the form for what goes on from a finished video: these parameters
// and the field RemoveKey.
func StepForm(p text.Printer, title string, fill Fill, params ...string) Form {
	v, values := printer{p}, formValues(fill.Settings)
	f := Form{Title: v.Text(title), Submit: v.Text("form.submit")}
	for _, key := range params {
		if key == RemoveKey {
			if remove, ok := v.removeField(fill); ok {
				f.Fields = append(f.Fields, remove)
			}
			continue
		}
		param, _ := ltx.Lookup(key)
		field, ok := v.fieldOf(fill, param, values[key])
		if param.Kind == ltx.KindMedia {
			field, ok = v.field(param, ""), true
			field.Kind, field.Most = Files, 1
			if now := mediaOf(fill.Settings, key); now != "" {
				field.Hint = v.kept([]string{now})
			}
		}
		if ok {
			field.Required = field.Required || key == "size" // another shape is all that the form is for
			f.Fields = append(f.Fields, field)
		}
	}
	return f
}

// filesField is the field for files. kept are the names of those that stay if
// it is left empty.
func (v printer) filesField(kept []string) Field {
	hint := v.Text("form.files_hint")
	if len(kept) > 0 {
		hint = v.kept(kept)
	}
	return Field{Key: FilesKey, Label: v.Text("label.files"), Hint: hint, Kind: Files, Most: mostFiles}
}

// kept says which files stay.
func (v printer) kept(names []string) string {
	return v.Text("form.files_kept", "files", text.Shorten(strings.Join(names, ", "), maxKept))
}

// removeField is the field for which files of the edited job go; false when it
// has none.
func (v printer) removeField(fill Fill) (Field, bool) {
	f := Field{Key: RemoveKey, Label: v.Text("label.remove"), Hint: v.Text("form.remove_hint"), Kind: PickSome, Leads: true}
	var gone []string
	for _, p := range ltx.Params() {
		name := mediaOf(fill.Of, p.Key())
		if name == "" {
			continue
		}
		f.Choices = append(f.Choices, Choice{p.Key(), v.Text("form.file", "what", v.label(p), "name", text.Shorten(name, maxFileName))})
		if mediaOf(fill.Settings, p.Key()) == "" {
			gone = append(gone, p.Key())
		}
	}
	f.Value = strings.Join(gone, ",")
	return f, len(f.Choices) > 0
}

// maxFileName is how much room the name of a file has beside what it is, in
// UTF-16 units.
const maxFileName = 30

// mediaOf is the name of the file that is set for an option, or "".
func mediaOf(settings []ltx.Setting, option string) string {
	for _, s := range settings {
		if p, ok := ltx.Lookup(s.Key); ok && p.Kind == ltx.KindMedia && p.Key() == option && s.Value != "" {
			return text.OneLine(s.Value)
		}
	}
	return ""
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
func shownSettings(r ltx.Request) []ltx.Setting { return Shown(r.Settings()) }

// Shown are settings without the hidden part of LoRA links.
func Shown(settings []ltx.Setting) []ltx.Setting {
	settings = slices.Clone(settings)
	for i, s := range settings {
		if p, ok := ltx.Lookup(s.Key); ok && p.Kind == ltx.KindLoRAs {
			settings[i].Value = command.HideQueries(s.Value)
		}
	}
	return settings
}

// fieldOf is the field for a parameter in a form; false when it has none there.
func (v printer) fieldOf(fill Fill, p ltx.Param, value string) (Field, bool) {
	taken := fill.Options.Take(p)
	if !taken && value == "" {
		return Field{}, false
	}
	f := v.field(fill.Options.Offered(p), value)
	switch p.Key() {
	case "model":
		f.Leads, f.Hint = true, v.Text("form.model_hint", "model", fill.Usual)
		f.Choices = v.modelChoices(p, fill.Models)
		if len(f.Choices) < 2 && value == "" {
			return Field{}, false
		}
	case "edit":
		f.Leads = true
		if mediaOf(fill.Settings, "clip") == "" {
			f.Needs = FilesKey
		}
	}
	if p.Kind == ltx.KindPreset {
		f.Choices = Choices(v.Printer, p, fill.Options.Qualities())
	}
	if !taken {
		f.Hint = v.Text("form.not_taken", "model", fill.Options.Model)
	}
	f.keepValue()
	return f, true
}

// modelChoices are the models with what the video costs with each.
func (v printer) modelChoices(p ltx.Param, offers []ltx.Offer) []Choice {
	choices := make([]Choice, 0, len(offers))
	for _, o := range offers {
		label := v.Choice(p, o.Choice)
		if o.Cost > 0 {
			label += " · " + v.Text("price.estimate", "price", o.Cost)
		}
		choices = append(choices, Choice{o.Value, label})
	}
	return choices
}

// field is the input for one parameter.
func (v printer) field(p ltx.Param, value string) Field {
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
		f.Kind, f.Choices = Pick, Choices(v.Printer, p, nil)
	case ltx.KindInt, ltx.KindFloat, ltx.KindDuration, ltx.KindLoRAs, ltx.KindStyle, ltx.KindAdvanced, ltx.KindMedia:
	}
	return f
}

// Chose tells whether a choice is chosen from the start.
func (f Field) Chose(value string) bool {
	return value == f.Value || f.Kind == PickSome && slices.Contains(strings.Split(f.Value, ","), value)
}

// keepValue adds the value to the choices, where it is none of them.
func (f *Field) keepValue() {
	if f.Kind == Pick && f.Value != "" && !slices.ContainsFunc(f.Choices, func(c Choice) bool { return c.Value == f.Value }) {
		f.Choices = append([]Choice{{f.Value, f.Value}}, f.Choices...)
	}
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
func (v printer) label(p ltx.Param) string { return v.Text("label." + p.Key()) }

package demo

import (
	"fmt"
	"slices"
	"strings"
)

// form is a dialog on somebody's screen.
type form struct {
	title  string
	note   string // above the fields; "" for none
	fields []formField
	submit string // labels of its two buttons
	close  string
	filled map[string]string // by key: what the person has written or chosen
}

// formField is one input of a form.
type formField struct {
	key      string
	label    string
	value    string // that it opened with
	options  []option
	required bool
	wrong    string // what the bot says about it

	takesFiles bool
}

// option is one choice of a menu.
type option struct{ label, value string }

// fill writes into a field: "Prompt: a fox".
func (f *form) fill(line string) error {
	name, text, ok := strings.Cut(line, ":")
	name, text = strings.TrimSpace(name), strings.TrimSpace(text)
	at := slices.IndexFunc(f.fields, func(field formField) bool {
		return strings.EqualFold(field.label, name) || strings.EqualFold(field.key, name)
	})
	if !ok || at < 0 {
		return fmt.Errorf("the form has no field %q; write it as FIELD: VALUE", name)
	}
	field := f.fields[at]
	if len(field.options) > 0 && text != "" {
		n := slices.IndexFunc(field.options, func(o option) bool { return strings.EqualFold(o.label, text) || strings.EqualFold(o.value, text) })
		if n < 0 {
			return fmt.Errorf("%s has no choice %q", field.label, text)
		}
		text = field.options[n].value
	}
	f.filled[field.key] = text
	return nil
}

// event is what a person sees when the form opens.
func (f *form) event(platform, who, user string) Event {
	var b strings.Builder
	b.WriteString(f.title + "\n")
	if f.note != "" {
		b.WriteString(f.note + "\n")
	}
	for _, field := range f.fields {
		b.WriteString(field.String() + "\n")
	}
	return Event{
		Kind: Opened, Platform: platform, Who: who, Only: user, Text: b.String(), Buttons: []string{f.submit, f.close},
		hint: fmt.Sprintf("fill %s: …, then press %s", f.fields[0].label, f.submit),
	}
}

// mostOptions are written out; of more, the first.
const mostOptions = 4

func (f formField) String() string {
	text := f.label
	if f.required {
		text += " *"
	}
	text += ": " + f.value
	for _, o := range f.options {
		if o.value == f.value {
			text = strings.TrimSuffix(text, f.value) + o.label
		}
	}
	text = strings.TrimSpace(text)
	if f.takesFiles {
		text += "  📎"
	}
	if len(f.options) > 0 {
		var labels []string
		for _, o := range f.options[:min(mostOptions, len(f.options))] {
			labels = append(labels, o.label)
		}
		if more := len(f.options) - mostOptions; more > 0 {
			labels = append(labels, fmt.Sprintf("%d more", more))
		}
		text += "  ▾ " + strings.Join(labels, ", ")
	}
	if f.wrong != "" {
		text += "\n  ✗ " + f.wrong
	}
	return text
}

package discord

import (
	"cmp"
	"context"
	"slices"

	"ltxbot/bot"
	"ltxbot/bot/text"
	"ltxbot/bot/view"
	"ltxbot/core/generate"
	"ltxbot/core/library"
	"ltxbot/core/ltx"
	"ltxbot/core/team"
)

// Limits of modals.
// https://discord.com/developers/docs/interactions/receiving-and-responding#interaction-response-object-modal
// https://discord.com/developers/docs/components/reference#label
const (
	maxModalTitle = 45
	maxLabel      = 45
	maxLabelHint  = 100
	maxInput      = 4000
	maxOptionText = 100
	maxOptions    = 25
)

// Styles of text inputs.
// https://discord.com/developers/docs/components/reference#text-input-text-input-styles
const (
	inputShort     = 1
	inputParagraph = 2
)

// maxFields is how many fields a modal holds.
const maxFields = 5

// modalFields are the fields for which there is room in a modal of a form that
// edits or begins a video, in this order. What the rest sets stays as it was in
// the job that is edited.
var modalFields = []string{"prompt", "model", "edit", "size", "duration", "camera", "audio", "negative", "lora", "seed"}

// modal is a form as Discord takes it.
type modal struct {
	CustomID   string      `json:"custom_id"`
	Title      string      `json:"title"`
	Components []component `json:"components"`
}

// open shows a form. The files that go with it are remembered: a form can't
// hold them.
func (b *Bot) open(ctx context.Context, i *interaction, f view.Form) {
	draft := ""
	if len(f.Inputs) > 0 {
		draft = b.putDraft(i.user(), f.Inputs)
	}
	if err := b.answer(ctx, i, callbackModal, newModal(f, draft), nil); err != nil && !acknowledged(err) {
		b.log.WarnContext(ctx, "cannot open a form", "interaction", i.ID, "error", err)
	}
}

// newModal lays a form out.
func newModal(f view.Form, draft string) modal {
	step := f.Step
	if f.Order != nil {
		step = view.Action(f.Order.Verb)
	}
	m := modal{CustomID: formKey{f.Job, draft, step}.id(formPrefix), Title: cut(text.OneLine(f.Title), maxModalTitle)}
	if f.Note != "" && len(f.Fields) < maxFields {
		m.Components = append(m.Components, component{Type: typeTextDisplay, Content: escape(text.OneLine(f.Note), maxInput)})
	}
	fields := slices.Clone(fieldsFor(f))
	if f.Note != "" && len(m.Components) == 0 && len(fields) > 0 {
		fields[0].Hint = f.Note // where there is no room for a text of its own
	}
	for _, field := range fields {
		m.Components = append(m.Components, newLabel(field))
	}
	return m
}

// fieldsFor are the fields for which a modal has room: of a form for a video the
// ones that people use most, of any other the first ones.
func fieldsFor(f view.Form) []view.Field {
	fields := f.Fields
	if f.Step == "" && len(fields) > maxFields {
		fields = nil
		for _, key := range modalFields {
			n := slices.IndexFunc(f.Fields, func(f view.Field) bool { return f.Key == key })
			if n >= 0 && f.Fields[n].Needs == "" { // the one that it needs has no room
				fields = append(fields, f.Fields[n])
			}
		}
	}
	return fields[:min(len(fields), maxFields)]
}

// newLabel lays one field out.
func newLabel(f view.Field) component {
	label := component{
		Type: typeLabel, Label: cut(text.OneLine(f.Label), maxLabel), Description: cut(text.OneLine(f.Hint), maxLabelHint),
	}
	input := component{CustomID: f.Key, Required: &f.Required}
	switch {
	case f.Kind == view.Files:
		input.Type, input.MaxValues = typeFileUpload, f.Most
	case f.Kind == view.Pick && len(f.Choices) > 0:
		input.Type, input.Options = typeStringSelect, selectOptions(f)
	case f.Kind == view.PickSome:
		input.Type, input.Options = typeStringSelect, selectOptions(f)
		input.MinValues, input.MaxValues = new(int), len(input.Options)
	default:
		input.Type, input.Style = typeTextInput, inputShort
		if f.Kind == view.TextArea {
			input.Style = inputParagraph
		}
		input.MaxLength = maxInput
		if f.MaxLen > 0 {
			input.MaxLength = min(f.MaxLen, maxInput)
		}
		input.Value = cut(f.Value, input.MaxLength)
	}
	label.Component = &input
	return label
}

// selectOptions are the choices of a field, with its value even if that is
// none of them.
func selectOptions(f view.Field) []selectOption {
	var out []selectOption
	found := f.Kind == view.PickSome
	for _, c := range f.Choices {
		if c.Value == "" || length(c.Value) > maxOptionText || len(out) == maxOptions {
			continue
		}
		o := selectOption{Label: cut(text.OneLine(c.Label), maxOptionText), Value: c.Value, Default: f.Chose(c.Value)}
		found = found || o.Default
		out = append(out, o)
	}
	if f.Value != "" && !found && length(f.Value) <= maxOptionText {
		out = append([]selectOption{{Label: f.Value, Value: f.Value, Default: true}}, out...)
		out = out[:min(len(out), maxOptions)]
	}
	return out
}

// submit makes a video of a filled in form. A refusal has a button that opens
// the form again with what was typed.
func (b *Bot) submit(ctx context.Context, i *interaction) {
	k, ok := parseKey(formPrefix, i.Data.CustomID)
	if !ok {
		b.reply(ctx, i, b.note(i.Locale, "discord.unknown_button"))
		return
	}
	if view.HasLibraryForm(string(k.step)) {
		b.submitOrder(ctx, i, k)
		return
	}
	files := filesOf(b.draft(i.user(), k.draft))
	if k.draft != "" && len(files) == 0 {
		b.reply(ctx, i, b.note(i.Locale, "inputs.forgotten")) // a video without them is not what was asked for
		return
	}
	typed := bot.WithInputs(files, b.readable(ctx, i, i.fields()))
	if b.answerVerb(ctx, i, typed) {
		return
	}
	b.generate(ctx, i, bot.Ask{Settings: typed, Prompt: bot.FieldPrompt, Parent: k.job, Step: k.step}, func(o *outgoing) {
		b.addEditAgain(o, i, k, typed)
	})
}

// addEditAgain puts a button under a message that opens the form again with what
// was typed.
func (b *Bot) addEditAgain(o *outgoing, i *interaction, k formKey, typed []ltx.Setting) {
	k.draft = b.putDraft(i.user(), typed)
	o.addButton(component{
		Type: typeButton, Style: stylePrimary, CustomID: k.id(draftPrefix),
		Label: cut(b.text(i.Locale, "discord.edit_again"), maxButtonLabel),
	})
}

// submitOrder carries out the order of a form about the team's library. A
// refusal has a button that opens the form again with what was typed.
func (b *Bot) submitOrder(ctx context.Context, i *interaction, k formKey) {
	quick, cancel := context.WithTimeout(ctx, quickWithin)
	defer cancel()
	args := map[string]string{}
	typed := i.fields()
	for _, s := range typed {
		args[s.Key] = s.Value
	}
	o, c := library.Filled(team.Order{Verb: string(k.step), Args: args}), b.caller(i)
	m, wrong, _ := b.cfg.Service.WrongOrder(quick, c, o, false)
	if len(wrong) == 0 {
		m = b.cfg.Service.LoRAs(quick, c, o)
		b.reply(ctx, i, &m)
		return
	}
	out := newMessage(m)
	b.addEditAgain(&out, i, k, typed)
	b.replyWith(ctx, i, out)
}

// addButton puts a button under a message.
func (o *outgoing) addButton(button component) {
	row := component{Type: typeActionRow, Components: []component{button}}
	for n := range o.Components {
		if o.Components[n].Type == typeContainer {
			o.Components[n].Components = append(o.Components[n].Components, row)
			return
		}
	}
	o.Components = append(o.Components, row)
}

// reopen shows a form again with what was typed. Typed texts are remembered
// for a while only; after that the form is filled in as at first.
func (b *Bot) reopen(ctx context.Context, i *interaction, k formKey) {
	quick, cancel := context.WithTimeout(ctx, quickWithin)
	defer cancel()
	f := b.cfg.Service.Form(quick, b.caller(i), generate.Job{})
	if view.HasLibraryForm(string(k.step)) {
		f = view.LibraryForm(b.printer(i.Locale), team.Order{Verb: string(k.step)}, 0)
	}
	if k.job != "" {
		if p := b.cfg.Service.Press(quick, b.caller(i), cmp.Or(k.step, view.ActEdit), k.job); p.Form != nil {
			f = *p.Form
		}
	}
	f.Fields = slices.Clone(f.Fields)
	typed := b.draft(i.user(), k.draft)
	for _, s := range typed {
		fill(f.Fields, s)
	}
	f.Inputs = filesOf(typed)
	b.open(ctx, i, f)
}

// filesOf are the files among settings.
func filesOf(settings []ltx.Setting) []ltx.Setting {
	return slices.DeleteFunc(slices.Clone(settings), func(s ltx.Setting) bool { return s.File.Ref == "" })
}

func fill(fields []view.Field, s ltx.Setting) {
	for n := range fields {
		if fields[n].Key == s.Key {
			fields[n].Value = s.Value
		}
	}
}

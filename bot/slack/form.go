package slack

import (
	"context"
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/slack-go/slack"

	"ltxbot/bot"
	"ltxbot/bot/adapter"
	"ltxbot/bot/command"
	"ltxbot/bot/text"
	"ltxbot/bot/view"
	"ltxbot/core/generate"
	"ltxbot/core/library"
	"ltxbot/core/ltx"
	"ltxbot/core/team"
)

// The forms and shortcuts of the app.
const (
	CallbackForm    = "ltx_form"
	ShortcutMessage = "ltx_generate_message"
	ShortcutGlobal  = "ltx_generate_global"
)

// whereField is the field for the conversation that gets the video.
const whereField = "where"

// suggested are the fields where choices appear while one types. The others
// have few choices, or values that are too long for one.
var suggested = []string{"size"}

// formData is what a form must know when it is sent. Slack keeps it with the
// form.
type formData struct {
	Channel     string `json:"c,omitempty"`
	ChannelName string `json:"n,omitempty"`
	Thread      string `json:"t,omitempty"`
	ResponseURL string `json:"u,omitempty"`
	At          int64  `json:"a,omitempty"` // Unix seconds of ResponseURL
	Parent      string `json:"p,omitempty"` // the job that is edited

	Step  view.Action `json:"s,omitempty"` // what is done with that job's video, if it is not edited
	Files []carried   `json:"f,omitempty"` // that go with what is filled in
	Order *team.Order `json:"l,omitempty"` // about the team's library, in place of a video
}

// carried is a file that goes with a form: the option that it is for, its
// reference, and its name.
type carried struct {
	Option string `json:"o"`
	Ref    string `json:"r"`
	Name   string `json:"n,omitempty"`
}

// maxCarriedName is how much of a name goes with a form, in characters: the
// form has room for so much.
const maxCarriedName = 60

// maxFieldFile is the largest file that a field of a form takes, in MB.
// https://docs.slack.dev/reference/block-kit/block-elements/file-input-element
const maxFieldFile = 10

// shortcut opens the form: empty, or for a message. That of a message with a LoRA
// adds it to the team's library.
func (b *Bot) shortcut(ctx context.Context, in inbound) {
	o, i := in.origin(), in.interaction
	if i.CallbackID == ShortcutMessage {
		c := b.unidentified(o)
		if lora, ok := b.loraIn(ctx, o, i.Message.Files); ok {
			if f := b.cfg.Service.FileForm(c, lora); f != nil {
				b.openForm(ctx, o, *f)
				return
			}
		}
		files, no := b.given(ctx, o, i.Message.Files)
		b.openForm(ctx, o, b.cfg.Service.Remix(c, b.remixText(ctx, o, i.Message), files, no...)) //nolint:contextcheck // Remix bounds itself
		return
	}
	b.openEmpty(ctx, o)
}

// openEmpty shows an empty form.
func (b *Bot) openEmpty(ctx context.Context, o origin) {
	quick, cancel := context.WithTimeout(ctx, pressWithin)
	defer cancel()
	b.openForm(ctx, o, b.cfg.Service.Form(quick, b.unidentified(o), generate.Job{}))
}

// remixText is what a message says. One of the bot's own names its job in a
// button.
func (b *Bot) remixText(ctx context.Context, o origin, m posted) string {
	for field := range strings.SplitSeq(string(m.Blocks), `"`) {
		if _, job, ok := view.ParseButtonID(field); ok {
			return job
		}
	}
	ctx, cancel := context.WithTimeout(ctx, pressWithin)
	defer cancel()
	rest, _ := cutMention(m.Text, b.namesOf(ctx, o))
	return b.read(ctx, o, rest)
}

// openForm shows a form. It is called before anything that takes time: the
// trigger lives for three seconds.
// https://docs.slack.dev/surfaces/modals#trigger_id
func (b *Bot) openForm(ctx context.Context, o origin, f view.Form) {
	o.acknowledge()
	d := formData{Channel: o.Channel, ChannelName: o.ChannelName, Thread: o.Thread, Parent: f.Job, Step: f.Step, Order: f.Order}
	for _, s := range f.Inputs {
		d.Files = append(d.Files, carried{Option: s.Key, Ref: s.File.Ref, Name: cut(s.File.Name, maxCarriedName)})
	}
	if d.ResponseURL, d.At = o.ResponseURL, o.Received.Unix(); d.ResponseURL == "" {
		d.At = 0
	}
	c, err := b.client(ctx, o.installation())
	if err == nil {
		err = b.tryForm(ctx, o, c, f, d)
	}
	if err == nil || adapter.Lost(err) {
		return
	}
	b.log.WarnContext(ctx, "cannot open a form", "workspace", o.Workspace, "error", err)
	b.tell(ctx, o, b.sentence(b.people.locale(o), "slack.form_trouble"))
}

// tryForm shows a form with fields for files if the bot may read them, and
// without them if Slack says that it may not.
func (b *Bot) tryForm(ctx context.Context, o origin, c *client, f view.Form, d formData) error {
	quick, cancel := context.WithTimeout(ctx, namesWithin)
	defer cancel()
	_, _ = c.identity(quick) // from memory, or what the bot may do is asked for
	for files := c.may(scopeFiles); ; files = false {
		shown := f
		if !files {
			shown = withoutFiles(f)
		}
		view, err := b.modal(b.people.locale(o), shown, d)
		if err != nil {
			return err
		}
		err = c.once(ctx, "open form", func(ctx context.Context) error {
			_, err := c.api.OpenViewContext(ctx, o.Trigger, view)
			return err
		})
		if !files || !hasCode(err, "missing_scope", "invalid_arguments") {
			return err
		}
	}
}

// withoutFiles is a form without its fields for files.
func withoutFiles(f view.Form) view.Form {
	f.Fields = slices.DeleteFunc(slices.Clone(f.Fields), func(f view.Field) bool {
		return f.Kind == view.Files || f.Needs == view.FilesKey
	})
	return f
}

// follow shows an open form anew, after something was chosen on which its other
// fields depend. What was filled in stays. If that does not succeed, the form is
// as it was, and what does not fit is refused when it is sent.
// https://docs.slack.dev/reference/methods/views.update
func (b *Bot) follow(ctx context.Context, in inbound) {
	o, settings, d, _ := filledIn(in)
	o.acknowledge()
	ctx, cancel := context.WithTimeout(ctx, replyWithin)
	defer cancel()
	f, ok := b.cfg.Service.Follow(ctx, bot.Ask{Caller: b.unidentified(o), Settings: settings, Parent: d.Parent, Step: d.Step})
	if !ok {
		return
	}
	c, err := b.client(ctx, o.installation())
	if err == nil {
		err = b.updateForm(ctx, o, c, f, d, in.interaction.View)
	}
	if err != nil && !hasCode(err, "hash_conflict", "not_found") { // it was changed again, or closed
		b.log.WarnContext(ctx, "cannot show a form anew", "workspace", o.Workspace, "error", err)
	}
}

func (b *Bot) updateForm(ctx context.Context, o origin, c *client, f view.Form, d formData, open openView) error {
	if !c.may(scopeFiles) {
		f = withoutFiles(f)
	}
	v, err := b.modal(b.people.locale(o), f, d)
	if err != nil {
		return err
	}
	return c.again(ctx, "update form", func(ctx context.Context) error {
		_, err := c.api.UpdateViewContext(ctx, v, "", open.Hash, open.ID)
		return err
	})
}

// modal lays a form out.
func (b *Bot) modal(locale string, f view.Form, d formData) (slack.ModalViewRequest, error) {
	data, err := json.Marshal(d)
	if err != nil {
		return slack.ModalViewRequest{}, err
	}
	if utf8.RuneCount(data) > maxPrivateData {
		d.ResponseURL = ""
		if data, err = json.Marshal(d); err != nil {
			return slack.ModalViewRequest{}, err
		}
	}
	v := slack.ModalViewRequest{
		Type: slack.VTModal, CallbackID: CallbackForm, PrivateMetadata: string(data),
		Title:  plainText(cut(text.OneLine(f.Title), maxViewTitle)),
		Submit: plainText(cut(text.OneLine(f.Submit), maxViewTitle)),
		Close:  plainText(cut(b.text(locale, "slack.form.close"), maxViewTitle)),
	}
	if f.Note != "" {
		v.Blocks.BlockSet = append(v.Blocks.BlockSet, slack.NewContextBlock("", plainText(cut(text.OneLine(f.Note), maxFieldLabel))))
	}
	fields := f.Fields[:min(len(f.Fields), maxViewBlocks-2)]
	focus := slices.IndexFunc(fields, func(f view.Field) bool { return f.Required })
	for n, field := range fields {
		v.Blocks.BlockSet = append(v.Blocks.BlockSet, b.field(locale, field, n == focus))
	}
	if d.Channel == "" && d.Order == nil {
		v.Blocks.BlockSet = append(v.Blocks.BlockSet, b.whereBlock(locale))
	}
	return v, nil
}

// whereBlock asks where the video goes, when that is not where the form was
// opened.
func (b *Bot) whereBlock(locale string) slack.Block {
	menu := slack.NewOptionsSelectBlockElement(slack.OptTypeConversations, nil, whereField)
	menu.DefaultToCurrentConversation, menu.ResponseURLEnabled = true, true
	label := plainText(b.text(locale, "slack.form.where"))
	block := slack.NewInputBlock(whereField, label, plainText(b.text(locale, "slack.form.where_h")), menu)
	block.Optional = true
	return block
}

// field lays one field out. focus is set for the one that the cursor is in.
func (b *Bot) field(locale string, f view.Field, focus bool) slack.Block {
	var hint *slack.TextBlockObject
	if text := cut(text.OneLine(f.Hint), maxFieldLabel); text != "" {
		hint = plainText(text)
	}
	block := slack.NewInputBlock(f.Key, plainText(cut(text.OneLine(f.Label), maxFieldLabel)), hint, b.input(locale, f, focus))
	block.Optional, block.DispatchAction = !f.Required, f.Leads
	return block
}

func (b *Bot) input(locale string, f view.Field, focus bool) slack.BlockElement {
	options := optionsOf(f.Choices)
	switch {
	case f.Key == view.LoRAFileKey: // Slack has no name for its type
		return slack.NewFileInputBlockElement(f.Key).WithMaxFiles(f.Most)
	case f.Kind == view.Files:
		return slack.NewFileInputBlockElement(f.Key).WithFileTypes(fileTypes...).WithMaxFiles(f.Most)
	case slices.Contains(suggested, f.Key):
		menu := slack.NewOptionsSelectBlockElement(slack.OptTypeExternal, b.hint(locale, "slack.form.type"), f.Key)
		atOnce := 0
		menu.MinQueryLength = &atOnce
		menu.InitialOption = initial(options, f.Value)
		return menu
	case f.Kind == view.Pick && len(options) > 0:
		menu := slack.NewOptionsSelectBlockElement(slack.OptTypeStatic, b.hint(locale, "slack.form.pick"), f.Key, options...)
		menu.InitialOption = initial(options, f.Value)
		return menu
	}
	if f.Kind == view.PickSome {
		boxes := slack.NewCheckboxGroupsBlockElement(f.Key, options...)
		for _, o := range options {
			if f.Chose(o.Value) {
				boxes.InitialOptions = append(boxes.InitialOptions, o)
			}
		}
		return boxes
	}
	text := slack.NewPlainTextInputBlockElement(nil, f.Key)
	text.Multiline = f.Kind == view.TextArea
	text.MaxLength = maxInput
	if f.MaxLen > 0 {
		text.MaxLength = min(f.MaxLen, maxInput)
	}
	text.InitialValue = cut(f.Value, text.MaxLength)
	text.FocusOnLoad = focus
	return text
}

func (b *Bot) hint(locale, key string) *slack.TextBlockObject {
	return plainText(cut(b.text(locale, key), maxPlaceholder))
}

// optionsOf are choices as options of a menu. A value that does not fit is
// left out: cut, it would be another one.
func optionsOf(list []view.Choice) []*slack.OptionBlockObject {
	var out []*slack.OptionBlockObject
	for _, c := range list {
		label := cut(text.OneLine(c.Label), maxOptionText)
		if label == "" {
			label = cut(c.Value, maxOptionText)
		}
		if c.Value != "" && utf8.RuneCountInString(c.Value) <= maxOptionValue && len(out) < maxOptions {
			out = append(out, slack.NewOptionBlockObject(c.Value, plainText(label), nil))
		}
	}
	return out
}

// initial is the option with a value, or nil.
func initial(options []*slack.OptionBlockObject, value string) *slack.OptionBlockObject {
	for _, o := range options {
		if o.Value == value {
			return o
		}
	}
	return nil
}

// suggest answers a menu that asks for choices, from memory only.
func (b *Bot) suggest(in inbound) any {
	o, i := in.origin(), in.interaction
	locale := b.people.locale(o)
	typed := strings.TrimSpace(i.Value)
	c := bot.Caller{Platform: platform, Member: memberOf(o), Team: b.team(o), Locale: locale}
	found := b.cfg.Service.Suggest(c, i.ActionID, typed)
	known := slices.ContainsFunc(found, func(c view.Choice) bool { return strings.EqualFold(c.Value, typed) })
	if typed != "" && !known {
		found = append(found, view.Choice{Value: typed, Label: b.text(locale, "slack.form.as_is", "typed", typed)})
	}
	return choices(found)
}

// choices answers a menu that asks for choices.
// https://docs.slack.dev/reference/interaction-payloads/block_suggestion-payload
func choices(found []view.Choice) any {
	options := optionsOf(found)
	if options == nil {
		options = []*slack.OptionBlockObject{}
	}
	return slack.OptionsResponse{Options: options}
}

// submit makes a video of a filled in form. What is wrong stands under its
// field, and the form stays open.
func (b *Bot) submit(ctx context.Context, in inbound) {
	i := in.interaction
	if i.View.CallbackID != CallbackForm {
		return
	}
	o, settings, d, left := filledIn(in)
	if d.Order != nil {
		b.submitOrder(ctx, in, o, d, settings)
		return
	}
	if len(left) > 0 {
		why := b.cfg.Service.NoPlace(b.people.locale(o), left)
		in.ack.give(fieldErrors(i.View, map[string]string{view.FilesKey: why.Plain}, ""))
		return
	}
	a := bot.Ask{Caller: b.unidentified(o), Settings: settings, Prompt: bot.FieldPrompt, Parent: d.Parent, Step: d.Step}
	if wrong := b.cfg.Service.Wrong(ctx, a); len(wrong) > 0 {
		in.ack.give(fieldErrors(i.View, wrong, ""))
		return
	}
	b.generate(ctx, o, a)
}

// orderWithin bounds an order of a form: what is wrong with it stands in the
// acknowledgement.
const orderWithin = 2 * time.Second

// submitOrder carries out the order of a form about the team's library, after
// what is wrong with it stands in the acknowledgement.
func (b *Bot) submitOrder(ctx context.Context, in inbound, o origin, d formData, filled []ltx.Setting) {
	quick, cancel := context.WithTimeout(ctx, orderWithin)
	defer cancel()
	order := *d.Order
	args := maps.Clone(order.Args)
	if args == nil {
		args = map[string]string{}
	}
	var file ltx.Media
	for _, s := range filled {
		if s.File.Ref != "" {
			file = s.File
			continue
		}
		args[s.Key] = s.Value
	}
	order.Args = args
	order = library.Filled(order)
	b.people.invalidate(o, b.cfg.AdminGroups) // who may is asked of Slack at this moment
	asked := o
	asked.ack = nil // what is wrong goes into the acknowledgement
	c := b.caller(quick, asked)
	if _, wrong, newer := b.cfg.Service.WrongOrder(quick, c, order, file.Ref != ""); len(wrong) > 0 {
		answer := fieldErrors(in.interaction.View, wrong, "")
		if newer != nil {
			answer = b.inItsPlace(o, *newer, d, answer)
		}
		in.ack.give(answer)
		return
	}
	if file.Ref != "" {
		b.withFile(ctx, o, bot.UploadWithin, file, func(ctx context.Context, c bot.Caller, open opener) view.Message {
			return b.cfg.Service.UploadLoRA(ctx, c, order, open)
		})
		return
	}
	o.acknowledge()
	reply, done := context.WithTimeout(ctx, replyWithin)
	defer done()
	b.tell(reply, o, b.cfg.Service.LoRAs(reply, c, order))
}

// inItsPlace is the acknowledgement that shows another form in place of the one
// that was sent. What was filled in stays. other is given if it can't be shown.
// https://docs.slack.dev/surfaces/modals#updating_response
func (b *Bot) inItsPlace(o origin, f view.Form, d formData, other any) any {
	d.Order = f.Order
	v, err := b.modal(b.people.locale(o), f, d)
	if err != nil {
		return other
	}
	return slack.NewUpdateViewSubmissionResponse(&v)
}

// filledIn reads a form that was sent: where the video goes, the settings, and
// the names of files for which there is no place. A form sent twice is one job.
func filledIn(in inbound) (o origin, settings []ltx.Setting, d formData, left []string) {
	i := in.interaction
	o = in.origin()
	if json.Unmarshal([]byte(i.View.Private), &d) != nil {
		d = formData{}
	}
	o.Event = FormEvent(i.View.ID)
	o.Channel, o.ChannelName, o.Thread = d.Channel, d.ChannelName, d.Thread
	if o.ResponseURL = ""; in.received.Unix()-d.At < int64(responseLife.Seconds()) {
		o.ResponseURL = d.ResponseURL
	}
	var files []ltx.Setting
	for _, c := range d.Files {
		settings = append(settings, ltx.FileSetting(c.Option, ltx.Media{Ref: c.Ref, Name: c.Name}))
	}
	for _, key := range slices.Sorted(maps.Keys(i.View.State.Values)) {
		for _, value := range i.View.State.Values[key] {
			if value.Type == string(slack.METFileInput) {
				more, no := inputs(key, value.Files)
				files, left = append(files, more...), append(left, no...)
				continue
			}
			if key != whereField {
				settings = append(settings, ltx.Setting{Key: key, Value: value.text()})
				continue
			}
			o.Channel = value.Conversation
			for _, u := range i.ResponseURLs {
				if u.Channel == o.Channel {
					o.ResponseURL = u.URL
				}
			}
		}
	}
	return o, bot.WithInputs(settings, files), d, left
}

// inputs are settings for the files in a field: those in the field for all
// kinds, or in that of one option. A field without one says nothing: what the
// edited job has stays.
func inputs(field string, files []sharedFile) (settings []ltx.Setting, left []string) {
	given := make([]bot.GivenFile, 0, len(files))
	for _, f := range files {
		given = append(given, f.given())
	}
	if field == view.FilesKey {
		return bot.Inputs(given)
	}
	for _, f := range given {
		settings = append(settings, ltx.FileSetting(field, f.Media))
	}
	return settings, nil
}

// submission is the acknowledgement of a form that stays open.
// https://docs.slack.dev/surfaces/modals#displaying_errors
type submission struct {
	Action string            `json:"response_action"`
	Errors map[string]string `json:"errors"`
}

// fieldErrors shows what is wrong under the fields. What belongs to none of
// them, or is about all, stands under the first that people see.
func fieldErrors(v openView, wrong map[string]string, about string) any {
	out := submission{Action: "errors", Errors: map[string]string{}}
	var rest []string
	if about != "" {
		rest = append(rest, about)
	}
	for _, key := range slices.Sorted(maps.Keys(wrong)) {
		field := key
		if p, _ := ltx.Lookup(key); p.Kind == ltx.KindMedia && !v.has(key) {
			field = view.FilesKey
		}
		if v.has(field) {
			out.Errors[field] = strings.TrimSpace(out.Errors[field] + " " + wrong[key])
			continue
		}
		rest = append(rest, wrong[key])
	}
	if len(rest) == 0 {
		return out
	}
	first := leadingField(v, about == "")
	out.Errors[first] = strings.TrimSpace(strings.Join(append([]string{out.Errors[first]}, rest...), " "))
	return out
}

// leadingField is the field under which stands what belongs to no other: that for
// experts' inputs, if it is about one, or the first that people see.
func leadingField(v openView, detail bool) string {
	for _, key := range []string{view.AdvancedKey, "options", "link", "name", command.PromptKey, "size"} {
		if v.has(key) && (detail || key != view.AdvancedKey) {
			return key
		}
	}
	return command.PromptKey
}

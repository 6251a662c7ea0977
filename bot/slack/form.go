package slack

import (
	"context"
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/slack-go/slack"

	"ltxbot/bot"
	"ltxbot/bot/text"
	"ltxbot/bot/view"
	"ltxbot/core/ltx"
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
}

// shortcut opens the form: empty, or for a message.
func (b *Bot) shortcut(ctx context.Context, in inbound) {
	o, i := in.origin(), in.interaction
	if i.CallbackID == ShortcutMessage {
		c := b.unvouched(o)
		b.openForm(ctx, o, b.cfg.Service.Remix(c, b.remixText(ctx, o, i.Message)), formData{}) //nolint:contextcheck // Remix bounds itself
		return
	}
	b.openForm(ctx, o, b.cfg.Service.Form(b.people.locale(o), nil), formData{})
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
func (b *Bot) openForm(ctx context.Context, o origin, f view.Form, d formData) {
	o.acknowledge()
	d.Channel, d.ChannelName, d.Thread = o.Channel, o.ChannelName, o.Thread
	if d.ResponseURL, d.At = o.ResponseURL, o.Received.Unix(); d.ResponseURL == "" {
		d.At = 0
	}
	view, err := b.modal(b.people.locale(o), f, d)
	var c *client
	if err == nil {
		c, err = b.client(ctx, o.installation())
	}
	if err == nil {
		err = c.once(ctx, "open form", func(ctx context.Context) error {
			_, err := c.api.OpenViewContext(ctx, o.Trigger, view)
			return err
		})
	}
	if err == nil || lost(err) {
		return
	}
	b.log.WarnContext(ctx, "cannot open a form", "workspace", o.Workspace, "error", err)
	b.tell(ctx, o, b.sentence(b.people.locale(o), "slack.form_trouble"))
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
	for _, field := range f.Fields[:min(len(f.Fields), maxViewBlocks-1)] {
		v.Blocks.BlockSet = append(v.Blocks.BlockSet, b.field(locale, field))
	}
	if d.Channel == "" {
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

// field lays one field out.
func (b *Bot) field(locale string, f view.Field) slack.Block {
	var hint *slack.TextBlockObject
	if text := cut(text.OneLine(f.Hint), maxFieldLabel); text != "" {
		hint = plainText(text)
	}
	block := slack.NewInputBlock(f.Key, plainText(cut(text.OneLine(f.Label), maxFieldLabel)), hint, b.input(locale, f))
	block.Optional = !f.Required
	return block
}

func (b *Bot) input(locale string, f view.Field) slack.BlockElement {
	options := optionsOf(f.Choices)
	switch {
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
	text := slack.NewPlainTextInputBlockElement(nil, f.Key)
	text.Multiline = f.Kind == view.TextArea
	text.MaxLength = maxInput
	if f.MaxLen > 0 {
		text.MaxLength = min(f.MaxLen, maxInput)
	}
	text.InitialValue = cut(f.Value, text.MaxLength)
	text.FocusOnLoad = f.Required
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
	o, settings, d := filledIn(in)
	if _, err := b.cfg.Rules().Parse(settings); err != nil {
		if wrong := view.FieldErrors(b.print(b.people.locale(o)), err); len(wrong) > 0 {
			in.ack.give(fieldErrors(i.View, wrong, ""))
			return
		}
	}
	b.generate(ctx, o, bot.Ask{Settings: settings, Parent: d.Parent})
}

// filledIn reads a form that was sent: where the video goes, and the settings.
// A form sent twice is one job.
func filledIn(in inbound) (origin, []ltx.Setting, formData) {
	o, i := in.origin(), in.interaction
	var d formData
	if json.Unmarshal([]byte(i.View.Private), &d) != nil {
		d = formData{}
	}
	o.Event = FormEvent(i.View.ID)
	o.Channel, o.ChannelName, o.Thread = d.Channel, d.ChannelName, d.Thread
	if o.ResponseURL = ""; in.received.Unix()-d.At < int64(responseLife.Seconds()) {
		o.ResponseURL = d.ResponseURL
	}
	var settings []ltx.Setting
	for _, key := range slices.Sorted(maps.Keys(i.View.State.Values)) {
		for _, value := range i.View.State.Values[key] {
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
	return o, settings, d
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
		if _, ok := v.State.Values[key]; ok {
			out.Errors[key] = wrong[key]
			continue
		}
		rest = append(rest, wrong[key])
	}
	if len(rest) == 0 {
		return out
	}
	first := "prompt"
	if _, ok := v.State.Values["advanced"]; ok && about == "" {
		first = "advanced"
	}
	out.Errors[first] = strings.TrimSpace(strings.Join(append([]string{out.Errors[first]}, rest...), " "))
	return out
}

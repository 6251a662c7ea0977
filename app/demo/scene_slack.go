package demo

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"ltxbot/bot/slack"
	simslack "ltxbot/sim/slack"
	page "ltxbot/web/demo"
)

// slackChannel is what a person sees of the channel on Slack.
func (w *world) slackChannel(p *person) page.Channel {
	c := page.Channel{
		Platform: slackName, Title: "Slack", Place: "Acme", Name: w.d.slack.channel.Name(),
		Hint: "Message or /command", Examples: slackExamples, Form: w.slackForm(p),
	}
	dm := p.slack.user.DM().ID()
	for _, m := range p.slack.seen() {
		shown := w.slackMessage(m)
		switch {
		case m.Channel == dm:
			shown.Where = directMessage
		case m.ThreadTS != "":
			shown.Where = "in a thread"
		}
		c.Messages = append(c.Messages, shown)
	}
	return c
}

// slackExamples are what one can try at once.
var slackExamples = []page.Example{
	{Label: "A canoe", Line: "/ltx a red canoe glides over a foggy lake camera:jib_up"},
	{Label: "From a picture", Line: "/ltx the sun sets and the water glitters", Picture: true},
	{Label: "The form", Line: "/ltx"},
	{Label: "Help", Line: "/ltx help"},
}

// slackNames is how Slack's client calls somebody.
func (w *world) slackNames(id string) string {
	for _, p := range w.d.people {
		if p.slack.user.ID() == id {
			return p.name
		}
	}
	switch id {
	case w.d.slack.channel.Workspace().Bot().ID():
		return "ltx"
	case w.d.slack.channel.ID():
		return w.d.slack.channel.Name()
	}
	return id
}

func (w *world) slackMessage(m simslack.Message) page.Message {
	out := page.Message{ID: m.TS, Author: m.Author, App: m.FromApp, At: slackTime(m.TS), Only: m.EphemeralTo != "", Edited: m.Edited}
	if out.Trouble = m.AuthorID == "USLACKBOT"; !out.Only {
		out.Apps = []page.Option{{Label: "Make a video of this", Value: slack.ShortcutMessage}} // as in the manifest
	}
	if len(m.Blocks) == 0 && m.Text != "" {
		out.Parts = append(out.Parts, page.Part{Text: w.hereOnSlack(page.Mrkdwn(m.Text, w.slackNames))})
	}
	for _, b := range m.Blocks {
		out.Parts = append(out.Parts, w.slackParts(b)...)
	}
	for _, f := range m.Files {
		out.Parts = append(out.Parts, page.Part{Files: []page.File{file(f.ID, f.Name, f.Mimetype, f.AltText, f.Size)}})
	}
	return out
}

// slackTime is when a message was posted.
func slackTime(ts string) time.Time {
	seconds, rest, _ := strings.Cut(ts, ".")
	s, err := strconv.ParseInt(seconds, 10, 64)
	if err != nil {
		return time.Time{}
	}
	micros, _ := strconv.ParseInt((rest + "000000")[:6], 10, 64)
	return time.Unix(s, micros*1000)
}

// hereOnSlack makes links to messages lead to them on the page.
func (w *world) hereOnSlack(texts []page.Text) []page.Text {
	for _, t := range texts {
		for i, s := range t.Spans {
			u, err := url.Parse(s.Link)
			if err != nil || !strings.HasSuffix(u.Host, ".slack.com") {
				continue
			}
			path := strings.Split(strings.Trim(u.Path, "/"), "/")
			if at := path[len(path)-1]; path[0] == "archives" && len(at) > 7 && at[0] == 'p' {
				t.Spans[i].Link = "#" + slackName + "-" + at[1:len(at)-6] + "." + at[len(at)-6:]
			}
		}
	}
	return texts
}

// object is JSON as blocks hold it.
type object = map[string]any

func objectOf(x any) object  { o, _ := x.(object); return o }
func listOf(x any) []any     { l, _ := x.([]any); return l }
func stringOf(x any) string  { s, _ := x.(string); return s }
func numberOf(x any) float64 { n, _ := x.(float64); return n }

// slackParts are a block from top to bottom.
// https://docs.slack.dev/reference/block-kit/blocks
func (w *world) slackParts(b simslack.Block) []page.Part {
	text := func(texts ...page.Text) page.Part { return page.Part{Text: w.hereOnSlack(texts)} }
	switch b["type"] {
	case "header":
		return []page.Part{text(page.Text{Kind: page.Heading, Spans: []page.Span{{Text: stringOf(objectOf(b["text"])["text"])}}})}
	case "rich_text":
		return []page.Part{text(w.richTexts(b)...)}
	case "divider":
		return []page.Part{{Line: true}}
	case "context":
		var out []page.Part
		for _, e := range listOf(b["elements"]) {
			texts := w.slackText(objectOf(e))
			for i := range texts {
				texts[i].Kind = page.Small
			}
			out = append(out, text(texts...))
		}
		return out
	case "actions":
		return slackActions(listOf(b["elements"]))
	}
	var out []page.Part
	if t := objectOf(b["text"]); t != nil {
		out = append(out, text(w.slackText(t)...))
	}
	for _, f := range listOf(b["fields"]) {
		out = append(out, text(w.slackText(objectOf(f))...))
	}
	if a := objectOf(b["accessory"]); a != nil {
		out = append(out, w.picture(stringOf(a["image_url"]), stringOf(a["alt_text"]))...)
		out = append(out, slackActions([]any{a})...)
	}
	return out
}

// slackText is a text object.
func (w *world) slackText(t object) []page.Text {
	if t["type"] == "mrkdwn" {
		return page.Mrkdwn(stringOf(t["text"]), w.slackNames)
	}
	return []page.Text{{Spans: []page.Span{{Text: stringOf(t["text"])}}}}
}

// slackActions are buttons and menus.
func slackActions(elements []any) []page.Part {
	var out []page.Part
	var buttons page.Part
	for _, x := range elements {
		e := objectOf(x)
		switch e["type"] {
		case "button":
			question := stringOf(objectOf(objectOf(e["confirm"])["text"])["text"])
			buttons.Buttons = append(buttons.Buttons, page.Button{
				Label: stringOf(objectOf(e["text"])["text"]), Key: stringOf(e["action_id"]), Style: stringOf(e["style"]),
				Link: stringOf(e["url"]), Question: question,
			})
		case "static_select", "overflow":
			menu := page.Menu{Label: stringOf(objectOf(e["placeholder"])["text"]), Key: stringOf(e["action_id"])}
			for _, o := range listOf(e["options"]) {
				option := objectOf(o)
				menu.Options = append(menu.Options, page.Option{Label: stringOf(objectOf(option["text"])["text"]), Value: stringOf(option["value"])})
			}
			out = append(out, page.Part{Menu: &menu})
		}
	}
	if len(buttons.Buttons) > 0 {
		out = append([]page.Part{buttons}, out...)
	}
	return out
}

// richKinds are how the parts of rich text look.
// https://docs.slack.dev/reference/block-kit/blocks/rich-text-block
var richKinds = map[string]page.TextKind{
	"rich_text_section": page.Plain, "rich_text_quote": page.Quote, "rich_text_preformatted": page.Code,
}

// richTexts are the paragraphs of a block of rich text.
func (w *world) richTexts(b object) []page.Text {
	var out []page.Text
	for _, x := range listOf(b["elements"]) {
		e := objectOf(x)
		if e["type"] == "rich_text_list" {
			for _, item := range listOf(e["elements"]) {
				out = append(out, page.Text{Kind: page.Item, Spans: w.richSpans(objectOf(item))})
			}
			continue
		}
		out = append(out, page.Text{Kind: richKinds[stringOf(e["type"])], Spans: w.richSpans(e)})
	}
	return out
}

func (w *world) richSpans(section object) []page.Span {
	elements := listOf(section["elements"])
	out := make([]page.Span, 0, len(elements))
	for _, x := range elements {
		e := objectOf(x)
		style := objectOf(e["style"])
		s := page.Span{Text: stringOf(e["text"]), Bold: style["bold"] == true, Italic: style["italic"] == true, Code: style["code"] == true}
		switch e["type"] {
		case "user":
			s = page.Span{Text: "@" + w.slackNames(stringOf(e["user_id"])), Mention: true}
		case "channel":
			s = page.Span{Text: "#" + w.slackNames(stringOf(e["channel_id"])), Mention: true}
		case "emoji":
			s.Text = ":" + stringOf(e["name"]) + ":"
		case "date":
			s = page.Moment(int64(numberOf(e["timestamp"])), stringOf(e["format"]) == page.SlackAgo)
		case "link":
			if s.Text == "" {
				s.Text = stringOf(e["url"])
			}
			s = page.Link(s.Text, stringOf(e["url"]))
		}
		out = append(out, s)
	}
	return out
}

// slackForm is the form that lies over the channel, or nil.
func (w *world) slackForm(p *person) *page.Form {
	views := p.slack.user.Views()
	if len(views) == 0 {
		return nil
	}
	v := views[len(views)-1]
	f := &page.Form{ID: v.ID, Title: v.Title, Submit: v.Submit, Close: v.Close}
	for _, b := range v.Blocks {
		if b["type"] == "context" {
			for _, part := range w.slackParts(b) {
				f.Note = append(f.Note, part.Text...)
			}
		}
	}
	for _, in := range v.Blocks.Inputs() {
		f.Fields = append(f.Fields, slackField(in, v))
	}
	return f
}

// slackField is an input of a form.
func slackField(in simslack.Input, v simslack.View) page.Field {
	f := page.Field{
		Key: in.BlockID, Label: in.Label, Help: in.Hint, Placeholder: in.Placeholder, Kind: page.Line,
		Value: strings.Join(in.Initial, ", "), Required: !in.Optional, Wrong: v.Errors[in.BlockID],
	}
	for _, o := range in.Options {
		f.Options = append(f.Options, page.Option{Label: o.Label, Value: o.Value})
	}
	switch in.Type {
	case "file_input":
		f.Kind = page.Uploads
	case "external_select":
		f.Kind = page.Typed
	case "static_select":
		f.Kind = page.Pick
	}
	for _, b := range v.Blocks {
		if e := objectOf(b["element"]); b["block_id"] == in.BlockID {
			f.Most = int(numberOf(e["max_length"]))
			if e["multiline"] == true {
				f.Kind = page.Area
			}
		}
	}
	return f
}

// sayOnSlack types a line on Slack.
func (w *world) sayOnSlack(ctx context.Context, p *person, line string, files []File) error {
	if strings.HasPrefix(line, "/") {
		_, err := p.slack.say(ctx, line, files)
		return slackRefusal(err)
	}
	_, err := p.slack.share(line, files) // people talk with each other, too
	return slackRefusal(err)
}

func (w *world) pressOnSlack(ctx context.Context, p *person, d page.Action) error {
	for _, m := range p.slack.seen() {
		if m.TS != d.Message {
			continue
		}
		var values []string
		if d.Value != "" {
			values = append(values, d.Value)
		}
		_, err := p.slack.user.Click(ctx, m, d.Key, values...)
		return slackRefusal(err)
	}
	return errGone
}

func (w *world) sendOnSlack(ctx context.Context, p *person, d page.Action) error {
	views := p.slack.user.Views()
	if len(views) == 0 || views[len(views)-1].ID != d.Form {
		return errNoForm
	}
	view := views[len(views)-1]
	values := map[string][]string{}
	for _, in := range view.Blocks.Inputs() {
		text, given := d.Fields[in.BlockID]
		switch {
		case in.Type == "file_input":
			ids, err := giveToSlack(p, d.Uploads[in.BlockID])
			if err != nil {
				return err
			}
			values[in.BlockID] = ids
		case !given:
		case text == "":
			values[in.BlockID] = nil
		default:
			values[in.BlockID] = []string{text}
		}
	}
	_, err := p.slack.user.SubmitView(ctx, view, values)
	wrong, ok := errors.AsType[*simslack.ActionError](err)
	if !ok || wrong.Code != "invalid_form" {
		return slackRefusal(err)
	}
	return errors.New("the form stays open: " + strings.Join(slices.Sorted(maps.Values(wrong.Fields)), " "))
}

// giveToSlack uploads files for a form, and returns their ids.
func giveToSlack(p *person, files []page.Upload) ([]string, error) {
	ids := make([]string, 0, len(files))
	for _, f := range files {
		id, err := p.slack.user.AddFile(simslack.FileSpec{Name: f.Name, Content: f.Data})
		if err != nil {
			return nil, err
		}
		ids = append(ids, id)
	}
	return ids, nil
}

// slackProblems are what Slack's client says, by the name of the problem.
var slackProblems = map[string]string{
	"operation_timeout": "the app did not answer in time",
	"dispatch_failed":   "the app did not answer: it is down",
	"unknown_command":   "there is no such command",
}

// slackRefusal is what a person reads when something does not work out.
func slackRefusal(err error) error {
	no, ok := errors.AsType[*simslack.ActionError](err)
	if !ok {
		return err
	}
	if said := slackProblems[no.Code]; said != "" {
		return fmt.Errorf("it does not work on Slack: %s (%s)", said, no.Code)
	}
	return fmt.Errorf("it does not work on Slack: %s: %s", no.Action, no.Code)
}

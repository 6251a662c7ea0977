package demo

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"

	simdiscord "ltxbot/sim/discord"
	page "ltxbot/web/demo"
)

// Types of components and styles of buttons.
// https://discord.com/developers/docs/components/reference
const (
	discordSelect    = 3
	discordRow       = 1
	discordButton    = 2
	discordText      = 10
	discordThumbnail = 11
	discordGallery   = 12
	discordFile      = 13
	discordSeparator = 14
	discordContainer = 17
)

// discordMessageCommand is the type of a command in the menu of a message.
// https://discord.com/developers/docs/interactions/application-commands#application-command-object-application-command-types
const discordMessageCommand = 3

// discordStyles are the looks of buttons by their number.
var discordStyles = map[int]string{1: "primary", 3: "success", 4: "danger"}

// discordChannel is what a person sees of the channel on Discord.
func (w *world) discordChannel(p *person) page.Channel {
	c := page.Channel{
		Platform: discordName, Title: "Discord", Place: "Acme", Name: w.d.discord.channel.Name,
		Hint: "Message or /command", Examples: discordExamples, Form: w.discordForm(p),
	}
	dm := p.discord.user.DM()
	for _, m := range slices.Concat(w.d.discord.channel.MessagesFor(p.discord.user), dm.MessagesFor(p.discord.user)) {
		shown := w.discordMessage(m)
		if m.ChannelID == dm.ID {
			shown.Where = directMessage
		}
		c.Messages = append(c.Messages, shown)
	}
	return c
}

// discordExamples are what one can try at once.
var discordExamples = []page.Example{
	{Label: "A cowboy", Line: "/ltx prompt:a cowboy walks through a dusty town at high noon camera:dolly_in"},
	{Label: "From a picture", Line: "/ltx prompt:the sun sets and the water glitters", Picture: true},
	{Label: "My quota", Line: "/ltx-quota show"},
	{Label: "Help", Line: "/ltx-help"},
}

// discordNames is how Discord's client calls somebody.
func (w *world) discordNames(id string) string {
	for _, p := range w.d.people {
		if p.discord.user.ID == id {
			return p.name
		}
	}
	switch id {
	case w.d.discord.server.Bot().ID:
		return "ltx"
	case w.d.discord.channel.ID:
		return w.d.discord.channel.Name
	}
	return id
}

func (w *world) discordMessage(m simdiscord.Message) page.Message {
	w.mu.Lock()
	used := w.used[m.Interaction]
	w.mu.Unlock()
	out := page.Message{
		ID: m.ID, Author: m.Author, App: m.Bot, At: m.Created, Used: used, Only: m.EphemeralTo != "", Loading: m.Loading,
		Edited: !m.Edited.IsZero() && !m.Bot,
	}
	if m.Loading {
		return out
	}
	if m.EphemeralTo == "" { // the client offers none there
		for _, c := range w.d.discord.server.Commands(nil) {
			if c.Type == discordMessageCommand {
				out.Apps = append(out.Apps, page.Option{Label: c.Name, Value: c.Name})
			}
		}
	}
	if m.Content != "" {
		out.Parts = append(out.Parts, w.discordText(m.Content))
	}
	files := map[string]page.File{}
	for _, a := range m.Attachments {
		files[a.ID] = file(a.ID, a.Name, a.ContentType, a.Description, a.Size)
		if a.Shown && len(m.Components) == 0 {
			out.Parts = append(out.Parts, page.Part{Files: []page.File{files[a.ID]}})
		}
	}
	for _, c := range m.Components {
		out.Framed = out.Framed || c.Type == discordContainer
		out.Parts = append(out.Parts, w.discordParts(c, files)...)
	}
	return out
}

func (w *world) discordText(text string) page.Part {
	texts := page.Markdown(text, w.discordNames)
	for _, t := range texts {
		for i := range t.Spans {
			t.Spans[i].Link = hereOnDiscord(t.Spans[i].Link)
		}
	}
	return page.Part{Text: texts}
}

// hereOnDiscord is where a link to a message leads on the page.
func hereOnDiscord(address string) string {
	u, err := url.Parse(address)
	if err != nil || u.Host != "discord.com" {
		return address
	}
	path := strings.Split(strings.Trim(u.Path, "/"), "/")
	if path[0] != "channels" || len(path) < 4 {
		return address
	}
	return "#" + discordName + "-" + path[3]
}

// discordParts are a component from top to bottom.
func (w *world) discordParts(c simdiscord.Component, files map[string]page.File) []page.Part {
	var out []page.Part
	switch c.Type {
	case discordText:
		out = append(out, w.discordText(c.Content))
	case discordThumbnail, discordGallery, discordFile:
		for _, m := range c.Media {
			out = append(out, w.picture(m.URL, m.Description)...)
			f, ok := files[m.AttachmentID]
			if f.Alt = cmp.Or(m.Description, f.Alt); ok {
				out = append(out, page.Part{Files: []page.File{f}})
			}
		}
	case discordSeparator:
		out = append(out, page.Part{Line: true})
	case discordSelect:
		menu := page.Menu{Label: c.Placeholder, Key: c.CustomID}
		for _, o := range c.Options {
			menu.Options = append(menu.Options, page.Option{Label: o.Name, Value: fmt.Sprint(o.Value)})
		}
		out = append(out, page.Part{Menu: &menu})
	}
	if c.Type == discordRow && len(c.Components) > 0 && c.Components[0].Type == discordButton {
		part := page.Part{}
		for _, b := range c.Components {
			part.Buttons = append(part.Buttons, page.Button{
				Label: strings.TrimSpace(b.Emoji + " " + b.Label), Key: b.CustomID, Style: discordStyles[b.Style],
				Link: hereOnDiscord(b.URL), Disabled: b.Disabled,
			})
		}
		return append(out, part)
	}
	for _, inner := range c.Components {
		out = append(out, w.discordParts(inner, files)...)
	}
	if c.Accessory != nil {
		out = append(out, w.discordParts(*c.Accessory, files)...)
	}
	return out
}

// discordForm is the form that lies over the channel, or nil.
func (w *world) discordForm(p *person) *page.Form {
	w.mu.Lock()
	i := w.forms[p.name]
	w.mu.Unlock()
	if i == nil {
		return nil
	}
	m, ok := i.Modal()
	if !ok {
		return nil
	}
	f := &page.Form{ID: i.ID, Title: m.Title, Submit: "Submit", Close: "Cancel"} // the labels of the client
	if m.Text != "" {
		f.Note = page.Markdown(m.Text, w.discordNames)
	}
	for _, in := range m.Fields {
		field := page.Field{
			Key: in.CustomID, Label: in.Label, Help: in.Description, Placeholder: in.Placeholder, Kind: page.Line,
			Value: in.Value + strings.Join(in.Selected, ", "), Required: in.Required, Most: in.MaxLength,
		}
		for _, o := range in.Options {
			field.Options = append(field.Options, page.Option{Label: o.Name, Value: fmt.Sprint(o.Value)})
		}
		switch {
		case in.Type == simdiscord.FileUpload:
			field.Kind = page.Uploads
		case len(field.Options) > 0:
			field.Kind = page.Pick
		case in.Paragraph:
			field.Kind = page.Area
		}
		f.Fields = append(f.Fields, field)
	}
	return f
}

// sayOnDiscord types a line on Discord.
func (w *world) sayOnDiscord(ctx context.Context, p *person, line string, files []File) error {
	s := p.discord
	if strings.HasPrefix(line, "/") || strings.Contains(line, theBot) {
		a, err := s.say(ctx, line, files)
		w.await(p, a)
		return refusal(err)
	}
	if len(files) == 0 {
		s.user.Say(s.channel, s.mentions(line))
		return nil
	}
	_, err := s.user.Share(s.channel, s.mentions(line), uploads(files)...)
	return refusal(err)
}

func (w *world) pressOnDiscord(ctx context.Context, p *person, d page.Action) error {
	m, ok := w.d.discord.server.Message(d.Message)
	if !ok {
		return errGone
	}
	var i *simdiscord.Interaction
	var err error
	if d.Value != "" {
		i, err = p.discord.user.Select(ctx, m, d.Key, d.Value)
	} else {
		i, err = p.discord.user.Click(ctx, m, d.Key)
	}
	w.await(p, p.discord.act(i))
	return refusal(err)
}

func (w *world) sendOnDiscord(ctx context.Context, p *person, d page.Action) error {
	w.mu.Lock()
	by := w.forms[p.name]
	w.mu.Unlock()
	if by == nil || by.ID != d.Form {
		return errNoForm
	}
	form, _ := by.Modal()
	values := map[string]any{}
	for _, field := range form.Fields {
		text, given := d.Fields[field.CustomID]
		switch {
		case len(d.Uploads[field.CustomID]) > 0:
			var files []File
			for _, f := range d.Uploads[field.CustomID] {
				files = append(files, File{Name: f.Name, Data: f.Data})
			}
			values[field.CustomID] = uploads(files)
		case !given:
		case len(field.Options) > 0 && text == "":
			values[field.CustomID] = []string{}
		default:
			values[field.CustomID] = text
		}
	}
	i, err := p.discord.user.SubmitModal(ctx, by, values)
	if err != nil {
		return refusal(err)
	}
	w.mu.Lock()
	if w.forms[p.name] == by {
		delete(w.forms, p.name)
	}
	w.mu.Unlock()
	w.await(p, p.discord.act(i))
	return nil
}

// refusal is what a person reads when the client does not let it do something.
func refusal(err error) error {
	if no, ok := errors.AsType[*simdiscord.RefusedError](err); ok {
		if no.Field == "" {
			return errors.New("the Discord client does not send this: " + no.Reason)
		}
		return fmt.Errorf("the Discord client does not send this: %s: %s", no.Field, no.Reason)
	}
	return err
}

// answerWithin is how long Discord's client waits for the bot, and a little
// more.
// https://discord.com/developers/docs/interactions/receiving-and-responding#responding-to-an-interaction
const answerWithin = 3*time.Second + 200*time.Millisecond

// await says what the client says if the bot does not answer in time.
func (w *world) await(p *person, a *act) {
	if a == nil {
		return
	}
	w.busy.Go(func() {
		select {
		case <-time.After(answerWithin):
			if a.failed() {
				w.complain(discordName, p.name, "The application did not respond")
			}
		case <-w.done:
		}
	})
}

package discord

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"
)

// A Message is what a person sees of a message at one moment.
type Message struct {
	ID          string
	ChannelID   string
	Author      string // name
	AuthorID    string
	Bot         bool
	Content     string
	Embeds      []Embed
	Components  []Component // as a tree
	Buttons     []Button    // all buttons, in reading order
	Attachments []Attachment
	Flags       int
	EphemeralTo string // user id, empty when everybody in the channel sees it
	Loading     bool   // "… is thinking"
	ReplyTo     string // message id
	Interaction string // id of the interaction that it answers
	Nonce       string
	Pings       Pings
	Created     time.Time
	Edited      time.Time
	Edits       int
	History     []Revision // what it said before each edit
	Deleted     bool
}

// A Revision is what a message said until it was edited.
type Revision struct {
	At    time.Time
	Text  string
	Flags int
}

// A Button is a button of a message.
type Button struct {
	Label    string
	Emoji    string
	CustomID string
	URL      string
	Style    int
	Disabled bool
}

// An Attachment is a file of a message. URL is signed and expires.
type Attachment struct {
	ID          string
	Name        string
	Description string
	ContentType string
	Size        int64
	SHA256      string // hex
	URL         string
	Shown       bool // false when Components V2 do not refer to it
}

// An Embed is a legacy rich embed.
type Embed struct {
	Title       string
	Description string
	URL         string
	Author      string
	Footer      string
	Color       int
	Image       string
	Thumbnail   string
	Fields      []EmbedField
}

// An EmbedField is one field of an Embed.
type EmbedField struct {
	Name   string
	Value  string
	Inline bool
}

// A Component is one node of a message's components.
// https://discord.com/developers/docs/components/reference
type Component struct {
	Type        int
	Number      int // its id in the message
	Content     string
	Label       string
	Emoji       string
	CustomID    string
	URL         string
	Style       int
	Disabled    bool
	Placeholder string
	AccentColor int
	Options     []Choice
	Media       []Media
	Components  []Component
	Accessory   *Component
}

// A Media is what a gallery, a thumbnail or a file component shows.
type Media struct {
	URL          string
	AttachmentID string
	ContentType  string
	Description  string
	Spoiler      bool
}

// Text returns all that a person reads in the message, line by line: content,
// embeds, text components, and the names of the files that are shown.
func (m Message) Text() string {
	if m.Loading {
		return m.Author + " is thinking…"
	}
	lines := []string{}
	if m.Content != "" {
		lines = append(lines, m.Content)
	}
	for _, e := range m.Embeds {
		lines = append(lines, e.lines()...)
	}
	for _, c := range m.Components {
		lines = append(lines, c.lines()...)
	}
	return strings.Join(lines, "\n")
}

func (e Embed) lines() []string {
	all := []string{e.Author, e.Title, e.Description}
	for _, f := range e.Fields {
		all = append(all, f.Name+": "+f.Value)
	}
	return slices.DeleteFunc(append(all, e.Footer), func(s string) bool { return s == "" })
}

func (c Component) lines() []string {
	var out []string
	if c.Type == textDisplay {
		out = append(out, c.Content)
	}
	for _, inner := range c.Components {
		out = append(out, inner.lines()...)
	}
	return out
}

// Button returns the button with a custom id or, failing that, a label.
func (m Message) Button(name string) (Button, bool) {
	for _, same := range []func(Button) bool{
		func(b Button) bool { return b.CustomID == name },
		func(b Button) bool { return b.Label == name },
	} {
		if n := slices.IndexFunc(m.Buttons, same); n >= 0 {
			return m.Buttons[n], true
		}
	}
	return Button{}, false
}

// text is what the message says, for its history.
func (m *message) text() string { return m.snapshot().Text() }

func (m *message) snapshot() Message {
	out := Message{
		ID: m.id, ChannelID: m.channel.ID, Author: m.author.Name, AuthorID: m.author.ID, Bot: m.author.bot,
		Content: m.content, Flags: m.flags, EphemeralTo: m.ephemeralTo, Loading: m.flags&flagLoading != 0,
		Nonce: idIn(m.nonce), Pings: m.pings, Created: m.created, Edited: m.edited, Edits: len(m.history),
		History: slices.Clone(m.history), Deleted: m.deleted,
	}
	if m.replyTo != nil {
		out.ReplyTo = m.replyTo.id
	}
	if m.interaction != nil {
		out.Interaction = m.interaction.ID
	}
	for _, e := range m.embedsJSON() {
		out.Embeds = append(out.Embeds, newEmbed(e))
	}
	shown := map[string]bool{}
	for _, c := range m.componentsJSON() {
		out.Components = append(out.Components, newComponent(c, shown, &out.Buttons))
	}
	for _, f := range m.files {
		out.Attachments = append(out.Attachments, Attachment{
			ID: f.id, Name: f.name, Description: f.description, ContentType: f.contentType, Size: f.size, SHA256: f.sha256,
			URL: f.url(), Shown: m.flags&flagComponentsV2 == 0 || shown[f.id],
		})
	}
	return out
}

func newEmbed(e object) Embed {
	out := Embed{
		Title: textIn(e["title"]), Description: textIn(e["description"]), URL: textIn(e["url"]),
		Author: textIn(objectIn(e["author"])["name"]), Footer: textIn(objectIn(e["footer"])["text"]), Color: intOf(e["color"]),
		Image: textIn(objectIn(e["image"])["url"]), Thumbnail: textIn(objectIn(e["thumbnail"])["url"]),
	}
	for _, f := range objectsIn(e["fields"]) {
		out.Fields = append(out.Fields, EmbedField{Name: textIn(f["name"]), Value: textIn(f["value"]), Inline: boolIn(f["inline"])})
	}
	return out
}

// newComponent reads a resolved component. It notes which attachments are
// shown and collects the buttons.
func newComponent(c object, shown map[string]bool, buttons *[]Button) Component {
	out := Component{
		Type: intOf(c["type"]), Number: intOf(c["id"]), Content: textIn(c["content"]), Label: textIn(c["label"]),
		Emoji: textIn(objectIn(c["emoji"])["name"]), CustomID: textIn(c["custom_id"]), URL: textIn(c["url"]),
		Style: intOf(c["style"]), Disabled: boolIn(c["disabled"]), Placeholder: textIn(c["placeholder"]),
		AccentColor: intOf(c["accent_color"]),
	}
	if out.Type == button {
		*buttons = append(*buttons, Button{
			Label: out.Label, Emoji: out.Emoji, CustomID: out.CustomID, URL: out.URL, Style: out.Style, Disabled: out.Disabled,
		})
	}
	for _, o := range objectsIn(c["options"]) {
		out.Options = append(out.Options, Choice{Name: textIn(o["label"]), Value: textIn(o["value"])})
	}
	media := objectsIn(c["items"])
	if out.Type == thumbnail || out.Type == fileComponent {
		media = []object{c}
	}
	for _, item := range media {
		about := objectIn(item["media"])
		if out.Type == fileComponent {
			about = objectIn(item["file"])
		}
		one := Media{
			URL: textIn(about["url"]), AttachmentID: textIn(about["attachment_id"]), ContentType: textIn(about["content_type"]),
			Description: textIn(item["description"]), Spoiler: boolIn(item["spoiler"]),
		}
		shown[one.AttachmentID] = true
		out.Media = append(out.Media, one)
	}
	for _, inner := range objectsIn(c["components"]) {
		out.Components = append(out.Components, newComponent(inner, shown, buttons))
	}
	if inner, ok := c["accessory"].(object); ok {
		one := newComponent(inner, shown, buttons)
		out.Accessory = &one
	}
	return out
}

// Messages returns what everybody in the channel sees, and the ephemeral
// messages of each, oldest first. Deleted ones are not among them.
func (c *Channel) Messages() []Message {
	c.server.mu.Lock()
	defer c.server.mu.Unlock()
	var out []Message
	for _, m := range c.messages {
		if !m.deleted {
			out = append(out, m.snapshot())
		}
	}
	return out
}

// MessagesFor returns what one person sees in the channel.
func (c *Channel) MessagesFor(u *User) []Message {
	return slices.DeleteFunc(c.Messages(), func(m Message) bool { return m.EphemeralTo != "" && m.EphemeralTo != u.ID })
}

// WaitMessage blocks until a message of the channel fulfils ok, and returns
// the first one.
func (c *Channel) WaitMessage(ctx context.Context, ok func(Message) bool) (Message, error) {
	s := c.server
	s.mu.Lock()
	changes := s.watch(ctx)
	for _, m := range c.messages {
		if m.deleted {
			continue
		}
		if found := m.snapshot(); ok(found) {
			s.mu.Unlock()
			return found, nil
		}
	}
	s.mu.Unlock()
	for change := range changes {
		if change.Message.ChannelID == c.ID && !change.Message.Deleted && ok(change.Message) {
			return change.Message, nil
		}
	}
	if ctx.Err() != nil {
		return Message{}, fmt.Errorf("wait for a message in #%s: %w", c.Name, context.Cause(ctx))
	}
	return Message{}, errClosed
}

// Message returns the present state of a message, also of a deleted one.
func (s *Server) Message(id string) (Message, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, c := range s.world.channels {
		for _, m := range c.messages {
			if m.id == id {
				return m.snapshot(), true
			}
		}
	}
	return Message{}, false
}

// AttachmentPath returns where the bytes of an attachment are on disk, until
// the simulator is closed.
func (s *Server) AttachmentPath(id string) (string, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	f := s.world.files[id]
	if f == nil {
		return "", false
	}
	return f.path, true
}

// DeleteMessage deletes a message as a moderator does.
func (s *Server) DeleteMessage(id string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if m := s.world.messages[id]; m != nil {
		s.remove(m)
	}
}

// A Command is a registered command, as a page may list it.
type Command struct {
	ID          string
	Version     string
	Type        int
	Name        string
	Description string
	Definition  map[string]any
}

// Commands returns the commands registered in a guild, or with nil the global
// ones.
func (s *Server) Commands(g *Guild) []Command {
	s.mu.Lock()
	defer s.mu.Unlock()
	scope := ""
	if g != nil {
		scope = g.ID
	}
	registered := s.scope(scope).commands
	out := make([]Command, 0, len(registered))
	for _, c := range registered {
		out = append(out, Command{
			ID: c.id, Version: c.version, Type: c.kind, Name: c.name,
			Description: textIn(c.def["description"]), Definition: c.def,
		})
	}
	return out
}

// CommandCreates returns how many command creates of the day are used up in a
// guild, or with nil globally.
func (s *Server) CommandCreates(g *Guild) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	if g == nil {
		return s.scope("").creates.used
	}
	return s.scope(g.ID).creates.used
}

package demo

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"ltxbot/bot/discord"
	"ltxbot/core/generate"
	simdiscord "ltxbot/sim/discord"
	page "ltxbot/web/demo"
)

// discordStage is a Discord channel with somebody in it.
type discordStage struct {
	server  *simdiscord.Server
	channel *simdiscord.Channel
	user    *simdiscord.User

	mentions func(line string) string // with people as the client sends them

	mu   sync.Mutex
	open *discordForm // on the person's screen, or nil
}

// discordForm is a form with what opened it.
type discordForm struct {
	form

	by *simdiscord.Interaction
}

// say types a slash command as a person does: what has the name of an option
// goes there, and everything else is the prompt. What the client would not let
// a person send is sent all the same, so that the bot's own answer shows.
func (s *discordStage) say(ctx context.Context, line string, files []File) (*act, error) {
	if s.screen() != nil {
		return nil, errCovered
	}
	if !strings.HasPrefix(line, "/") {
		return nil, errReadsCommands
	}
	line = s.mentions(line)
	beside := make([]simdiscord.Argument, 0, len(files))
	for _, o := range optionsFor(files) {
		beside = append(beside, simdiscord.Arg(o.Option, simdiscord.File{Name: o.Name, Data: o.Data}))
	}
	i, err := s.user.Type(ctx, s.channel, line, beside...)
	if _, refused := errors.AsType[*simdiscord.RefusedError](err); refused && isGenerate(line) && len(files) == 0 {
		i, err = s.user.TypeUnchecked(ctx, s.channel, line)
	}
	return s.act(i), err
}

// errReadsCommands says that the bot reads no messages on Discord.
var errReadsCommands = errors.New("the bot reads no messages on Discord, only commands: /ltx prompt:a cowboy walks through a dusty town")

// act is what came of an interaction.
func (s *discordStage) act(i *simdiscord.Interaction) *act {
	if i == nil {
		return nil
	}
	return &act{
		job: generate.NewID("discord:" + i.ID),
		answered: func() bool {
			if _, ok := i.Modal(); ok {
				return true
			}
			if m, ok := i.Response(); ok && !m.Loading {
				return true
			}
			// A refusal for one person takes the place of a public wait.
			return slices.ContainsFunc(s.channel.MessagesFor(s.user), func(m simdiscord.Message) bool {
				return m.Interaction == i.ID && m.EphemeralTo != "" && !m.Loading
			})
		},
		failed: i.Failed,
	}
}

func (s *discordStage) press(ctx context.Context, label string, found func()) (*act, error) {
	if f := s.screen(); f != nil {
		return s.pressForm(ctx, f, label, found)
	}
	var there []string
	for _, m := range slices.Backward(slices.Concat(s.user.DM().MessagesFor(s.user), s.channel.MessagesFor(s.user))) {
		for _, b := range m.Buttons {
			if b.Disabled {
				continue
			}
			if strings.EqualFold(b.Label, label) {
				found()
				i, err := s.user.Click(ctx, m, b.CustomID)
				a := s.act(i)
				if a != nil {
					a.job = generate.NewID(discord.PressEvent(i.ID, m.ID, s.user.ID, b.CustomID))
				}
				return a, err
			}
			there = append(there, b.Label)
		}
		for _, o := range menuOf(m) {
			if strings.EqualFold(o.label, label) {
				found()
				i, err := s.user.Select(ctx, m, o.menu, o.value)
				return s.act(i), err
			}
			there = append(there, o.label)
		}
	}
	return nil, noButton(label, there)
}

// menuOption is an entry of a menu under a message.
type menuOption struct{ menu, label, value string }

func menuOf(m simdiscord.Message) []menuOption {
	var out []menuOption
	var each func([]simdiscord.Component)
	each = func(list []simdiscord.Component) {
		for _, c := range list {
			for _, o := range c.Options {
				out = append(out, menuOption{c.CustomID, o.Name, fmt.Sprint(o.Value)})
			}
			each(c.Components)
		}
	}
	each(m.Components)
	return out
}

// noButton says what there is to press instead.
func noButton(label string, there []string) error {
	var once []string
	for _, l := range there {
		if !slices.Contains(once, l) {
			once = append(once, l)
		}
	}
	if len(once) == 0 {
		return fmt.Errorf("%w: %q", errNoButton, label)
	}
	return fmt.Errorf("%w: %q; there is [%s]", errNoButton, label, strings.Join(once, "] ["))
}

// screen is the form that is open, or nil.
func (s *discordStage) screen() *discordForm {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.open
}

func (s *discordStage) show(f *discordForm) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.open = f
}

// pressForm sends the form, or closes it.
func (s *discordStage) pressForm(ctx context.Context, f *discordForm, label string, found func()) (*act, error) {
	switch {
	case strings.EqualFold(label, f.close):
		found()
		s.show(nil)
		return nil, nil //nolint:nilnil // nothing comes of it, which is no error
	case !strings.EqualFold(label, f.submit):
		return nil, noButton(label, []string{f.submit, f.close})
	}
	values := map[string]any{}
	for _, field := range f.fields {
		switch text, filled := f.filled[field.key]; {
		case !filled:
		case field.takesFiles:
			files, err := readFiles(text)
			if err != nil {
				return nil, err
			}
			values[field.key] = uploads(files)
		case len(field.options) > 0 && text == "":
			values[field.key] = []string{}
		default:
			values[field.key] = text
		}
	}
	found()
	i, err := s.user.SubmitModal(ctx, f.by, values)
	if err == nil {
		s.show(nil)
	}
	return s.act(i), err
}

// uploads are files as a form takes them.
func uploads(files []File) []simdiscord.File {
	out := make([]simdiscord.File, 0, len(files))
	for _, f := range files {
		out = append(out, simdiscord.File{Name: f.Name, Data: f.Data})
	}
	return out
}

func (s *discordStage) fill(line string) error {
	f := s.screen()
	if f == nil {
		return errNoForm
	}
	return f.fill(line)
}

// formOf is the form that the bot has opened in answer to i, or nil.
func (s *discordStage) formOf(i *simdiscord.Interaction) *discordForm {
	if i == nil || i.User != s.user {
		return nil
	}
	m, ok := i.Modal()
	if !ok {
		return nil
	}
	// The buttons have the client's labels.
	f := &discordForm{form: form{title: m.Title, note: strings.TrimSpace(s.read(m.Text)), submit: "Submit", close: "Cancel", filled: map[string]string{}}, by: i}
	for _, in := range m.Fields {
		field := formField{key: in.CustomID, label: in.Label, value: in.Value, required: in.Required, takesFiles: in.Type == simdiscord.FileUpload}
		for _, o := range in.Options {
			field.options = append(field.options, option{o.Name, fmt.Sprint(o.Value)})
		}
		field.value += strings.Join(in.Selected, ", ")
		f.fields = append(f.fields, field)
	}
	return f
}

func (s *discordStage) watch(ctx context.Context, tell func(Event)) {
	changes := s.server.Watch(ctx)
	go func() {
		last := map[string]string{}
		for c := range changes {
			if c.Kind == simdiscord.InteractionAnswered {
				if f := s.formOf(c.Interaction); f != nil {
					s.show(f)
					tell(f.event("discord", "ltx", s.user.Name))
				}
			}
			if e, ok := s.event(c, last); ok {
				tell(e)
			}
		}
	}()
}

// markup is what a Discord client shows as something else: mentions and times.
// https://discord.com/developers/docs/reference#message-formatting
var markup = regexp.MustCompile(`<@(\d+)>|<t:(\d+):(\w)>`)

// plain takes away what only makes text bold, small or large.
// https://support.discord.com/hc/en-us/articles/210298617
var plain = strings.NewReplacer("**", "", "\n-# ", "\n", "\n### ", "\n", "```\n", "", "\n```", "")

// link is a text with an address behind it.
var link = regexp.MustCompile(`\[([^\]\n]+)\]\(<?https?://[^)\s]+\)`)

// escaped is a character that is to be shown as it is.
var escaped = regexp.MustCompile(`\\([[:punct:]])`)

// read is text as the client shows it.
func (s *discordStage) read(text string) string {
	text = strings.TrimPrefix(plain.Replace("\n"+text), "\n")
	text = link.ReplaceAllString(text, "$1")
	text = escaped.ReplaceAllString(text, "$1")
	return markup.ReplaceAllStringFunc(text, func(tag string) string {
		m := markup.FindStringSubmatch(tag)
		if m[1] == s.user.ID {
			return "@" + s.user.Name
		}
		seconds, err := strconv.ParseInt(m[2], 10, 64)
		switch at := time.Unix(seconds, 0); {
		case err != nil:
			return tag
		case m[3] == "R":
			return page.Relative(time.Until(at))
		default:
			return at.Format(clock)
		}
	})
}

// clock is a point in time as clients write it.
const clock = "2 January 15:04"

// shown are the changes that a person sees.
var shown = map[simdiscord.ChangeKind]EventKind{
	simdiscord.MessagePosted:  Posted,
	simdiscord.MessageEdited:  Edited,
	simdiscord.MessageDeleted: Deleted,
}

// event is what a person sees of a change; last is what each message said.
func (s *discordStage) event(c simdiscord.Change, last map[string]string) (Event, bool) {
	m := c.Message
	e := Event{Platform: "discord", Who: m.Author, Text: s.read(m.Text()), Message: m.ID}
	kind, ok := shown[c.Kind]
	mine := m.ChannelID == s.channel.ID || m.ChannelID == s.user.DM().ID
	if !ok || !mine || m.EphemeralTo != "" && m.EphemeralTo != s.user.ID {
		return Event{}, false
	}
	e.Kind = kind
	if m.Loading {
		e.Kind, e.Text = Ack, ""
	}
	if m.ChannelID != s.channel.ID {
		e.Where = directMessage
	}
	if kind == Deleted {
		e.Text = firstLine(e.Text)
		return e, true
	}
	if m.EphemeralTo != "" {
		e.Only = s.user.Name
	}
	for _, b := range m.Buttons {
		if !b.Disabled {
			e.Buttons = append(e.Buttons, b.Label)
		}
	}
	for _, o := range menuOf(m) {
		e.Menu = append(e.Menu, o.label)
	}
	for _, a := range m.Attachments {
		e.Files = append(e.Files, fmt.Sprintf("%s (%d kB)", a.Name, (a.Size+999)/1000))
		if path, ok := s.server.AttachmentPath(a.ID); ok && playable(a.ContentType) {
			e.videos = append(e.videos, shownVideo{path, filepath.Ext(a.Name)})
		}
	}
	if e.Kind == Posted && slices.Contains(m.Pings.Users, s.user.ID) {
		e.Pings = []string{s.user.Name}
	}
	looks := fmt.Sprint(e.Text, e.Buttons, e.Files)
	if last[m.ID] == looks {
		return Event{}, false
	}
	last[m.ID] = looks
	return e, true
}

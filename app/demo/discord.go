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
	"time"

	"ltxbot/bot"
	"ltxbot/bot/discord"
	"ltxbot/core/generate"
	"ltxbot/core/ltx"
	simdiscord "ltxbot/sim/discord"
)

// discordStage is a Discord channel with somebody in it.
type discordStage struct {
	server  *simdiscord.Server
	channel *simdiscord.Channel
	user    *simdiscord.User
}

// say fills in a slash command as the client does. What the client would not
// let a person send is sent all the same, so that the bot's own answer shows.
func (s *discordStage) say(ctx context.Context, line string) (*act, error) {
	name, rest, _ := strings.Cut(strings.TrimPrefix(strings.TrimSpace(line), "/"), " ")
	if name != "ltx" {
		i, err := s.user.Type(ctx, s.channel, line)
		return s.act(i), err
	}
	parsed, err := bot.ParseLine(rest)
	if err != nil {
		return nil, err
	}
	if parsed.Verb != "" {
		return nil, fmt.Errorf("on Discord that is a command of its own: /ltx-%s", parsed.Verb)
	}
	var args []simdiscord.Argument
	for _, set := range parsed.Settings {
		args = append(args, simdiscord.Arg(optionOf(set.Key), set.Value))
	}
	i, err := s.user.Slash(ctx, s.channel, name, args...)
	if _, refused := errors.AsType[*simdiscord.RefusedError](err); refused {
		i, err = s.user.SlashRaw(ctx, s.channel, name, rawOptions(name, parsed.Settings))
	}
	return s.act(i), err
}

// optionOf is the option that a key stands for, or the key itself.
func optionOf(key string) string {
	if p, ok := ltx.Lookup(key); ok && p.Option != "" {
		return p.Option
	}
	return key
}

// optionString is the type of an option that holds text.
// https://discord.com/developers/docs/interactions/application-commands#application-command-object-application-command-option-type
const optionString = 3

// rawOptions is the data of a command as no client would send it.
func rawOptions(name string, settings []ltx.Setting) map[string]any {
	options := make([]any, 0, len(settings))
	for _, set := range settings {
		options = append(options, map[string]any{"name": optionOf(set.Key), "type": optionString, "value": set.Value})
	}
	return map[string]any{"name": name, "options": options}
}

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

func (s *discordStage) press(ctx context.Context, label string) (*act, error) {
	messages := s.channel.MessagesFor(s.user)
	for _, m := range slices.Backward(messages) {
		for _, b := range m.Buttons {
			if strings.EqualFold(b.Label, label) {
				i, err := s.user.Click(ctx, m, b.CustomID)
				a := s.act(i)
				if a != nil {
					a.job = generate.NewID(discord.PressEvent(i.ID, m.ID, s.user.ID, b.CustomID))
				}
				return a, err
			}
		}
	}
	return nil, fmt.Errorf("there is no button %q", label)
}

func (s *discordStage) watch(ctx context.Context, tell func(Event)) {
	changes := s.server.Watch(ctx)
	go func() {
		last := map[string]string{}
		for c := range changes {
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

// escaped is a character that is to be shown as it is.
var escaped = regexp.MustCompile(`\\([[:punct:]])`)

// read is text as the client shows it.
func (s *discordStage) read(text string) string {
	text = strings.TrimPrefix(plain.Replace("\n"+text), "\n")
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
			return relative(time.Until(at))
		default:
			return at.Format("2 January 15:04")
		}
	})
}

// relative is a time as clients write it: "in 2 minutes", "3 seconds ago".
func relative(d time.Duration) string {
	text := d.Abs().Round(time.Second).String()
	if d >= time.Hour || d <= -time.Hour {
		text = d.Abs().Round(time.Minute).String()
	}
	if d < 0 {
		return text + " ago"
	}
	return "in " + text
}

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
	if !ok {
		return Event{}, false
	}
	e.Kind = kind
	if m.Loading {
		e.Kind, e.Text = Ack, ""
	}
	if kind == Deleted {
		e.Text = ""
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
	for _, a := range m.Attachments {
		e.Files = append(e.Files, fmt.Sprintf("%s (%d kB)", a.Name, (a.Size+999)/1000))
		if path, ok := s.server.AttachmentPath(a.ID); ok && playable(a.ContentType) {
			e.video, e.ext = path, filepath.Ext(a.Name)
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

package discord

import (
	"context"
	"strings"

	"ltxbot/bot/adapter"
	"ltxbot/bot/view"
	"ltxbot/core/generate"
)

// NamesWithin is how long the names in a text are waited for.
const NamesWithin = namesWithin

// What tests of this package's insides reach.
var (
	Escape     = escape
	Length     = length
	Cut        = cut
	InlineCode = inlineCode
	CodeBlock  = codeBlock
	MaskedLink = maskedLink
)

// CommandsForTest are the commands to register.
func (b *Bot) CommandsForTest(guild string) []Command { return b.commands(guild) }

// ReadChannel is a request with the bot's token.
func (b *Bot) ReadChannel(ctx context.Context, id string) error {
	return b.rest.do(ctx, call{op: "read channel", route: routeChannel(id)})
}

// Limiter holds requests back.
type Limiter struct{ l *limiter }

// NewLimiter is the limiter of a process.
func NewLimiter(m adapter.Meter) Limiter { return Limiter{newLimiter(m)} }

// Take waits until a request with the bot's token may be sent.
func (l Limiter) Take(ctx context.Context) error {
	return l.l.take(ctx, route{kind: "GET channel"}, longestWait)
}

// Command is a command to register.
type Command = appCommand

// Option is an option of a command.
type Option = commandOption

// Size is how long the command is.
func (c appCommand) Size() int { return c.size() }

// InEnglish is the command without other languages.
func (c appCommand) InEnglish() Command {
	c.DescriptionLocalizations = nil
	c.Options = inEnglish(c.Options)
	return c
}

func inEnglish(options []commandOption) []commandOption {
	for n := range options {
		options[n].DescriptionLocalizations = nil
		for m := range options[n].Choices {
			options[n].Choices[m].NameLocalizations = nil
		}
		options[n].Options = inEnglish(options[n].Options)
	}
	return options
}

// NewMessage and NewModal are what is sent.
var (
	NewMessage = newMessage
	NewModal   = newModal
)

// NewVideoForTest is a message with a video.
func NewVideoForTest(m view.Message, name, alt string) outgoing {
	return newVideo(m, []upload{{generate.File{Name: name}, alt}})
}

// TextForTest is all text of a message.
func TextForTest(m view.Message) string {
	var b strings.Builder
	for _, c := range render(m, nil)[0].Components {
		b.WriteString(c.Content)
	}
	return b.String()
}

// Typed is how a command is typed here.
var Typed = typedCommand

// DefaultTiming is the timing of a bot with an empty config.
func DefaultTiming() Timing {
	var t Timing
	t.setDefaults()
	return t
}

// Package view makes the messages of the bot of jobs, limits, reports and
// errors.
//
// Each view is a function of a text.Printer and the values it shows, and has no
// effect. The golden files in testdata hold all of them.
package view

import (
	"slices"
	"strings"

	"ltxbot/bot/command"
	"ltxbot/bot/text"
	"ltxbot/core/ltx"
)

// Message is what the bot says, before a platform lays it out. All text in it
// is plain: a renderer escapes every span for its platform, so that no prompt,
// LoRA name or error can ping anybody or break the layout.
type Message struct {
	Blocks  []Block
	Buttons []Button
	Menu    []Button // in one menu, so that the row stays short; Prompt is what it says
	Prompt  string
	// Plain is the whole message as one line of plain text, for screen
	// readers and notifications.
	Plain string
}

// Block is one part of a message, from top to bottom.
type Block struct {
	Kind  BlockKind
	Spans []text.Span // of Heading, Text, Note, Quote and Code
	Facts []Fact      // of Facts
	Bar   float64     // of Bar: 0 to 1
	// Picture is the address of a small picture beside a Text, which describes
	// it; empty = none. It holds no secret.
	Picture string
}

// BlockKind says how a block looks.
type BlockKind string

// The kinds of blocks.
const (
	Heading BlockKind = "heading" // one short line, larger
	Text    BlockKind = "text"
	Quote   BlockKind = "quote" // a person's words: the prompt
	Note    BlockKind = "note"  // small print: price, quota, what was adjusted
	Code    BlockKind = "code"  // to be copied: a command line
	Facts   BlockKind = "facts" // label and value pairs
	Bar     BlockKind = "bar"   // progress
)

// Fact is a label with its value: "Size", "1024×576".
type Fact struct {
	Label string
	Value []text.Span
}

// Sorry is the message about an incident: one of the texts under [error].
func Sorry(p text.Printer, key, incident string) Message {
	v := printer{p}
	var m Message
	m.add(v.say(Text, key), v.say(Note, "error.reference", "id", incident))
	return m.done()
}

// Answer is a message of one text.
func Answer(p text.Printer, key string, args ...any) Message {
	v := printer{p}
	var m Message
	m.add(v.say(Text, key, args...))
	return m.done()
}

// add appends blocks and leaves out those that say nothing.
func (m *Message) add(blocks ...Block) {
	for _, b := range blocks {
		if b.Kind == Bar || len(b.Facts) > 0 || text.Flat(b.Spans) != "" || hasTime(b.Spans) {
			m.Blocks = append(m.Blocks, b)
		}
	}
}

func hasTime(spans []text.Span) bool {
	for _, s := range spans {
		if s.Style == text.Since || s.Style == text.ClockTime || s.Style == text.MentionOf {
			return true
		}
	}
	return false
}

// maxPlain is how long the plain text of a message gets, in UTF-16 units:
// what a screen reader should read, not the whole manual.
const maxPlain = 1000

// done fills in the plain text.
func (m Message) done() Message {
	var parts []string
	for _, b := range m.Blocks {
		switch b.Kind {
		case Bar, Code:
		case Facts:
			for _, f := range b.Facts {
				if s := text.Flat(f.Value); s != "" {
					parts = append(parts, f.Label+": "+s)
				}
			}
		case Heading, Text, Note, Quote:
			if s := text.Flat(b.Spans); s != "" {
				parts = append(parts, s)
			}
		}
	}
	m.Plain = text.Shorten(text.OneLine(strings.Join(parts, " · ")), maxPlain)
	return m
}

// WithoutPictures is the message for where its pictures can't be shown.
func (m Message) WithoutPictures() Message {
	m.Blocks = slices.Clone(m.Blocks)
	for i := range m.Blocks {
		m.Blocks[i].Picture = ""
	}
	return m
}

// block is a block of text.
func block(kind BlockKind, spans ...text.Span) Block { return Block{Kind: kind, Spans: spans} }

// A printer writes the parts of messages in one language.
type printer struct{ text.Printer }

// example is a command that makes a video, as it is typed: what follows the
// command's name.
func (v printer) example(line string) text.Span {
	l, err := command.Parse(line)
	if err != nil {
		return text.Span{Text: v.Command() + " " + line, Style: text.Mono}
	}
	return v.video(line, l.Settings)
}

// verbOf is the command of a verb, with what follows it.
func (v printer) verbOf(verb string, args ...string) text.Span {
	typed := strings.Join(append([]string{v.Command(), verb}, args...), " ")
	return text.Span{Text: typed, Style: text.CommandOf, Command: &text.Command{Verb: verb, Args: args}}
}

// video is the command that makes a video with settings, which are typed as in
// line.
func (v printer) video(line string, settings []ltx.Setting) text.Span {
	return text.Span{Text: strings.TrimSpace(v.Command() + " " + line), Style: text.CommandOf, Command: &text.Command{Settings: settings}}
}

// Offer adds a command to send again, and which files have to come with it. One in
// which nothing could be corrected is there for what was typed not to be lost.
func (m *Message) Offer(p text.Printer, settings []ltx.Setting, corrected bool) {
	v := printer{p}
	if typed, _ := byHand(settings); len(typed) == 0 {
		return
	}
	key := "tell.typed"
	if !corrected {
		key = "tell.as_typed"
	}
	m.add(v.say(Note, key), v.toCopy(settings))
	m.add(v.attach(settings)...)
}

// say is a block of one text of the catalogue.
func (v printer) say(kind BlockKind, key string, args ...any) Block {
	return Block{Kind: kind, Spans: v.Spans(key, args...)}
}

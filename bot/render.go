package bot

import (
	"fmt"
	"io"
	"math"
	"strings"
	"time"
	"unicode/utf16"

	"github.com/rivo/uniseg"

	"ltxbot/core/ltx"
)

// add appends blocks and leaves out those that say nothing.
func (m *Message) add(blocks ...Block) {
	for _, b := range blocks {
		if b.Kind == Bar || len(b.Facts) > 0 || flat(b.Spans) != "" || hasTime(b.Spans) {
			m.Blocks = append(m.Blocks, b)
		}
	}
}

func hasTime(spans []Span) bool {
	for _, s := range spans {
		if s.Style == Since || s.Style == ClockTime || s.Style == MentionOf {
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
				if s := flat(f.Value); s != "" {
					parts = append(parts, f.Label+": "+s)
				}
			}
		case Heading, Text, Note, Quote:
			if s := flat(b.Spans); s != "" {
				parts = append(parts, s)
			}
		}
	}
	m.Plain = shorten(oneLine(strings.Join(parts, " · ")), maxPlain)
	return m
}

// block is a block of text.
func block(kind BlockKind, spans ...Span) Block { return Block{Kind: kind, Spans: spans} }

// A voice writes the parts of messages in one language.
type voice struct{ Printer }

// example is a command that makes a video, as it is typed: what follows the
// command's name.
func (v voice) example(line string) Span {
	l, err := ParseLine(line)
	if err != nil {
		return Span{Text: v.Command() + " " + line, Style: Mono}
	}
	return v.video(line, l.Settings)
}

// verbOf is the command of a verb.
func (v voice) verbOf(verb string) Span {
	return Span{Text: v.Command() + " " + verb, Style: CommandOf, Command: &Command{Verb: verb}}
}

// video is the command that makes a video with settings, which are typed as in
// line.
func (v voice) video(line string, settings []ltx.Setting) Span {
	return Span{Text: strings.TrimSpace(v.Command() + " " + line), Style: CommandOf, Command: &Command{Settings: settings}}
}

// Offer adds a command to correct and send again.
func (m *Message) Offer(p Printer, settings []ltx.Setting) {
	v := voice{p}
	m.add(v.say(Note, "tell.typed"), block(Code, v.video(typedLine(settings), settings)))
}

// say is a block of one text of the catalogue.
func (v voice) say(kind BlockKind, key string, args ...any) Block {
	return Block{Kind: kind, Spans: v.Spans(key, args...)}
}

// dotted joins pieces of a line: "a · b · c".
func dotted(pieces ...[]Span) []Span {
	var out []Span
	for _, p := range pieces {
		if len(p) == 0 {
			continue
		}
		if len(out) > 0 {
			out = join(out, Span{Text: " · "})
		}
		for _, s := range p {
			out = join(out, s)
		}
	}
	return out
}

// spaced joins sentences with a space between each two.
func spaced(sentences ...[]Span) []Span {
	var out []Span
	for _, p := range sentences {
		if len(p) == 0 {
			continue
		}
		if len(out) > 0 {
			out = join(out, Span{Text: " "})
		}
		for _, s := range p {
			out = join(out, s)
		}
	}
	return out
}

// flat is the text of spans. A mention that begins a message has none.
func flat(spans []Span) string {
	var b strings.Builder
	for _, s := range spans {
		b.WriteString(s.Text)
	}
	return strings.TrimSpace(b.String())
}

func oneLine(s string) string { return strings.Join(strings.Fields(s), " ") }

// shorten cuts a text to at most most UTF-16 units, which is how platforms
// count, and never within a character as people see it.
func shorten(s string, most int) string {
	if units(s) <= most {
		return s
	}
	kept, room, state := 0, most-1, -1
	for rest := s; rest != ""; {
		var cluster string
		cluster, rest, _, state = uniseg.FirstGraphemeClusterInString(rest, state)
		if room -= units(cluster); room < 0 {
			break
		}
		kept += len(cluster)
	}
	return strings.TrimRight(s[:kept], " \n\t,.;:") + "…"
}

// units counts UTF-16 units.
func units(s string) int {
	n := 0
	for _, r := range s {
		n += max(1, utf16.RuneLen(r))
	}
	return n
}

// String is the message as WriteText writes it.
func (m Message) String() string {
	var b strings.Builder
	_ = WriteText(&b, m) // a Builder takes everything
	return b.String()
}

// WriteText writes a message for a terminal: plain text, a line of buttons in
// brackets below it. Times are as far from now as they are.
func WriteText(w io.Writer, m Message) error {
	var b strings.Builder
	for i, block := range m.Blocks {
		if i > 0 && block.Kind != m.Blocks[i-1].Kind && (block.Kind == Heading || block.Kind == Code || m.Blocks[i-1].Kind == Code) {
			b.WriteByte('\n')
		}
		writeBlock(&b, block)
	}
	for i, button := range m.Buttons {
		if i > 0 {
			b.WriteByte(' ')
		}
		b.WriteString("[" + button.Label + "]")
	}
	if len(m.Buttons) > 0 {
		b.WriteByte('\n')
	}
	if _, err := io.WriteString(w, b.String()); err != nil {
		return fmt.Errorf("write message: %w", err)
	}
	return nil
}

// barWidth is how many characters a bar has in a terminal.
const barWidth = 20

// linePrefix marks the kinds of blocks in a terminal.
var linePrefix = map[BlockKind]string{Heading: "# ", Quote: "> ", Code: "    "}

func writeBlock(b *strings.Builder, block Block) {
	switch block.Kind {
	case Bar:
		b.WriteString(TextBar(block.Bar, barWidth) + "\n")
	case Facts:
		width := 0
		for _, f := range block.Facts {
			width = max(width, uniseg.StringWidth(f.Label))
		}
		for _, f := range block.Facts {
			pad := strings.Repeat(" ", width-uniseg.StringWidth(f.Label))
			b.WriteString(f.Label + pad + "  " + terminal(f.Value) + "\n")
		}
	case Heading, Text, Note, Quote, Code:
		for line := range strings.SplitSeq(terminal(block.Spans), "\n") {
			b.WriteString(linePrefix[block.Kind] + line + "\n")
		}
	}
}

// TextBar draws a bar of so many characters: "▰▰▰▱▱".
func TextBar(part float64, width int) string {
	full := int(math.Round(min(max(part, 0), 1) * float64(width)))
	return strings.Repeat("▰", full) + strings.Repeat("▱", width-full)
}

// terminal is the text of spans with what a platform would render.
func terminal(spans []Span) string {
	var b strings.Builder
	for _, s := range spans {
		switch s.Style {
		case MentionOf:
			b.WriteString("@" + s.Member[strings.LastIndexByte(s.Member, ':')+1:])
		case Since:
			b.WriteString(fromNow(time.Until(s.At)))
		case ClockTime:
			b.WriteString(s.At.Format("2006-01-02 15:04 MST"))
		case Link:
			b.WriteString(s.Text + " (" + s.URL + ")")
		case Plain, Strong, Mono, CommandOf:
			b.WriteString(s.Text)
		}
	}
	return b.String()
}

// fromNow writes a distance in time: "in 2m0s", "3s ago", "just now".
func fromNow(d time.Duration) string {
	switch d = d.Round(time.Second); {
	case d == 0:
		return "just now"
	case d < 0:
		return (-d).String() + " ago"
	}
	return "in " + d.String()
}

package view

import (
	"fmt"
	"io"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/rivo/uniseg"

	"ltxbot/bot/text"
)

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
	if len(m.Menu) > 0 {
		b.WriteString("[" + m.Prompt + " ▾")
		for _, button := range m.Menu {
			b.WriteString(" | " + button.Label)
		}
		b.WriteString("]\n")
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
		if block.Picture != "" {
			b.WriteString("(" + block.Picture + ")\n")
		}
	}
}

// TextBar draws a bar of so many characters: "▰▰▰▱▱".
func TextBar(part float64, width int) string {
	full := int(math.Round(min(max(part, 0), 1) * float64(width)))
	return strings.Repeat("▰", full) + strings.Repeat("▱", width-full)
}

// terminal is the text of spans with what a platform would render.
func terminal(spans []text.Span) string {
	var b strings.Builder
	for _, s := range spans {
		switch s.Style {
		case text.MentionOf:
			b.WriteString("@" + s.Member[strings.LastIndexByte(s.Member, ':')+1:])
		case text.Since:
			b.WriteString(fromNow(time.Until(s.At)))
		case text.ClockTime:
			b.WriteString(s.At.Format("2006-01-02 15:04 MST"))
		case text.Link:
			b.WriteString(s.Text + " (" + s.URL + ")")
		case text.Plain, text.Strong, text.Mono, text.CommandOf:
			b.WriteString(s.Text)
		}
	}
	return b.String()
}

// fromNow writes a distance in time, to the nearest whole unit: "in 2 minutes",
// "3 seconds ago", "just now".
func fromNow(d time.Duration) string {
	far := d.Abs()
	if far < time.Second/2 {
		return "just now"
	}
	n, unit := far.Round(time.Second)/time.Second, "second"
	for _, u := range []struct {
		length time.Duration
		below  time.Duration // how many of the unit before reach it
		name   string
	}{{time.Minute, 60, "minute"}, {time.Hour, 60, "hour"}, {24 * time.Hour, 24, "day"}} {
		if n < u.below {
			break
		}
		n, unit = far.Round(u.length)/u.length, u.name
	}
	said := strconv.FormatInt(int64(n), 10) + " " + unit
	if n != 1 {
		said += "s"
	}
	if d < 0 {
		return said + " ago"
	}
	return "in " + said
}

package discord

import (
	"fmt"
	"slices"
	"strings"

	"ltxbot/bot/text"
	"ltxbot/bot/view"
)

// Limits of a message's components.
// https://discord.com/developers/docs/components/reference
const (
	maxMessageText = 4000 // over all TextDisplays
	maxButtonLabel = 80
	maxRowButtons  = 5
	maxAltText     = 1024
	maxPlaceholder = 150
)

// Types of components.
// https://discord.com/developers/docs/components/reference#component-object-component-types
const (
	typeActionRow    = 1
	typeButton       = 2
	typeStringSelect = 3
	typeTextInput    = 4
	typeSection      = 9
	typeTextDisplay  = 10
	typeThumbnail    = 11
	typeMediaGallery = 12
	typeContainer    = 17
	typeLabel        = 18
	typeFileUpload   = 19
)

// Styles of buttons.
// https://discord.com/developers/docs/components/reference#button-button-styles
const (
	stylePrimary   = 1
	styleSecondary = 2
	styleDanger    = 4
)

// component is one component of a message or a modal; which fields count
// depends on its type.
type component struct {
	Type        int            `json:"type"`
	CustomID    string         `json:"custom_id,omitempty"`
	Style       int            `json:"style,omitempty"`
	Label       string         `json:"label,omitempty"`
	Description string         `json:"description,omitempty"`
	Content     string         `json:"content,omitempty"`
	Value       string         `json:"value,omitempty"`
	Placeholder string         `json:"placeholder,omitempty"`
	MaxLength   int            `json:"max_length,omitempty"`
	MinValues   *int           `json:"min_values,omitempty"`
	MaxValues   int            `json:"max_values,omitempty"`
	Required    *bool          `json:"required,omitempty"`
	Options     []selectOption `json:"options,omitempty"`
	Items       []galleryItem  `json:"items,omitempty"`
	Components  []component    `json:"components,omitempty"`
	Component   *component     `json:"component,omitempty"` // of a label
	Accessory   *component     `json:"accessory,omitempty"` // of a section
	Media       *mediaItem     `json:"media,omitempty"`     // of a thumbnail
}

// galleryItem is one picture or video of a MediaGallery.
type galleryItem struct {
	Media       mediaItem `json:"media"`
	Description string    `json:"description,omitempty"`
}

type mediaItem struct {
	URL string `json:"url"`
}

// selectOption is one value of a select menu.
type selectOption struct {
	Label   string `json:"label"`
	Value   string `json:"value"`
	Default bool   `json:"default,omitempty"`
}

// render lays a message out: a container with the text, the videos after its
// first block, small pictures beside theirs, and the buttons.
func render(m view.Message, videos []upload) []component {
	texts := fit(m.Blocks, maxMessageText)
	var inner []component
	addText := func(parts []string) {
		parts = slices.DeleteFunc(slices.Clone(parts), func(s string) bool { return s == "" })
		if len(parts) > 0 {
			inner = append(inner, component{Type: typeTextDisplay, Content: strings.Join(parts, "\n")})
		}
	}
	if len(videos) > 0 {
		lead := min(1, len(texts))
		addText(texts[:lead])
		gallery := component{Type: typeMediaGallery}
		for _, v := range videos {
			gallery.Items = append(gallery.Items, galleryItem{
				Media: mediaItem{URL: "attachment://" + v.file.Name}, Description: cut(text.Clean(v.alt), maxAltText),
			})
		}
		inner = append(inner, gallery)
		texts = texts[lead:]
	}
	from := 0
	for n, b := range m.Blocks[len(m.Blocks)-len(texts):] {
		if b.Picture != "" && texts[n] != "" {
			addText(texts[from:n])
			inner = append(inner, pictured(texts[n], b))
			from = n + 1
		}
	}
	addText(texts[from:])
	if len(inner) == 0 && m.Plain != "" {
		addText([]string{escape(text.OneLine(m.Plain), maxMessageText)})
	}
	for row := range slices.Chunk(m.Buttons, maxRowButtons) {
		inner = append(inner, component{Type: typeActionRow, Components: buttons(row)})
	}
	if len(m.Menu) > 0 {
		inner = append(inner, component{Type: typeActionRow, Components: []component{menu(m)}})
	}
	return []component{{Type: typeContainer, Components: inner}}
}

// pictured is a text with a small picture beside it.
func pictured(words string, b view.Block) component {
	return component{
		Type: typeSection, Components: []component{{Type: typeTextDisplay, Content: words}},
		Accessory: &component{Type: typeThumbnail, Media: &mediaItem{URL: b.Picture}, Description: cut(text.Clean(text.Flat(b.Spans)), maxAltText)},
	}
}

// menu is a menu of buttons.
func menu(m view.Message) component {
	out := component{
		Type: typeStringSelect, CustomID: view.MenuID(m.Menu[0].Job), Placeholder: cut(text.OneLine(m.Prompt), maxPlaceholder),
	}
	for _, b := range m.Menu[:min(len(m.Menu), maxOptions)] {
		out.Options = append(out.Options, selectOption{Label: cut(text.OneLine(b.Label), maxOptionText), Value: view.ButtonID(b.Action, b.Job)})
	}
	return out
}

func buttons(row []view.Button) []component {
	out := make([]component, 0, len(row))
	for _, b := range row {
		style := styleSecondary
		switch {
		case b.Danger:
			style = styleDanger
		case b.Action == view.ActAgain || b.Action == view.ActRetry:
			style = stylePrimary
		}
		out = append(out, component{
			Type: typeButton, Style: style, Label: cut(text.OneLine(b.Label), maxButtonLabel),
			CustomID: view.ButtonID(b.Action, b.Job),
		})
	}
	return out
}

// fit writes the blocks, and shortens the longest ones until all of them
// together are no longer than limit.
func fit(blocks []view.Block, limit int) []string {
	blocks = slices.Clone(blocks)
	texts := make([]string, len(blocks))
	for i := range blocks {
		blocks[i].Spans = bounded(typed(blocks[i].Spans))
		texts[i] = writeBlock(blocks[i], limit)
	}
	for {
		total, longest := 0, 0
		for i, t := range texts {
			total += length(t) + 1 // and a line break
			if length(t) > length(texts[longest]) {
				longest = i
			}
		}
		over := total - limit
		if over <= 0 || len(texts) == 0 || texts[longest] == "" {
			return texts
		}
		texts[longest] = writeBlock(blocks[longest], max(0, length(texts[longest])-over))
	}
}

// maxSpan is how many bytes of a span are looked at: more than a message has
// room for, whatever is in it.
const maxSpan = 4 * maxMessageText

// bounded cuts off what nobody will see of very long texts, so that they cost
// no time.
func bounded(parts []text.Span) []text.Span {
	parts = slices.Clone(parts)
	for i, s := range parts {
		if len(s.Text) > maxSpan {
			parts[i].Text = strings.ToValidUTF8(s.Text[:maxSpan], "")
		}
	}
	return parts
}

// writeBlock writes a block in Discord's markdown, in at most limit. Its
// result is empty when there is no room for anything.
func writeBlock(b view.Block, limit int) string {
	switch b.Kind {
	case view.Heading:
		return prefixed("### ", spans(b.Spans, limit-len("### "), text.OneLine))
	case view.Note:
		return prefixed("-# ", spans(b.Spans, limit-len("-# "), text.OneLine))
	case view.Quote:
		return writeQuote(b.Spans, limit)
	case view.Code:
		return codeBlock(text.Unstyled(b.Spans), limit)
	case view.Facts:
		return writeFacts(b.Facts, limit)
	case view.Bar:
		return whole(view.TextBar(b.Bar, barLength), limit)
	case view.Text:
		return spans(b.Spans, limit, text.Clean)
	}
	return spans(b.Spans, limit, text.Clean)
}

func prefixed(prefix, text string) string {
	if strings.TrimSpace(text) == "" {
		return ""
	}
	return prefix + text
}

// writeQuote puts every line in a quote. Line breaks cost room for the marks,
// so the longest text that fits with them is searched for.
func writeQuote(parts []text.Span, limit int) string {
	const mark = "> "
	quote := func(room int) string {
		text := strings.TrimSpace(spans(parts, room, text.Clean))
		return prefixed(mark, strings.ReplaceAll(text, "\n", "\n"+mark))
	}
	best := quote(limit - len(mark))
	if length(best) <= limit {
		return best
	}
	best = ""
	for low, high := 1, limit-len(mark)-1; low <= high; {
		room := (low + high) / 2
		if quoted := quote(room); length(quoted) <= limit {
			best, low = quoted, room+1
		} else {
			high = room - 1
		}
	}
	return best
}

func writeFacts(facts []view.Fact, limit int) string {
	var lines []string
	used := 0
	for _, f := range facts {
		label := "**" + escape(text.OneLine(f.Label), limit) + "** "
		line := label + spans(f.Value, limit-used-length(label), text.OneLine)
		if used += length(line) + 1; used > limit+1 {
			break
		}
		lines = append(lines, line)
	}
	return strings.Join(lines, "\n")
}

// barLength is how many pieces a progress bar has.
const barLength = 12

// spans writes spans one after the other, in at most limit. shape makes a
// text fit for where it stands: on one line, or without dangerous characters.
func spans(parts []text.Span, limit int, shape func(string) string) string {
	var b strings.Builder
	used := 0
	for i, s := range parts {
		words := writeSpan(s, limit-used, keepEdges(shape))
		if words == "" && s.Text != "" && s.Style != text.Plain {
			break // no room
		}
		b.WriteString(words)
		used += length(words)
		if used >= limit && i < len(parts)-1 {
			break
		}
	}
	return b.String()
}

// keepEdges keeps a space at either end of a text that shape would trim:
// spans follow one another without one.
func keepEdges(shape func(string) string) func(string) string {
	return func(text string) string {
		shaped := shape(text)
		if strings.TrimSpace(text) == "" {
			return strings.Repeat(" ", min(len(text), 1))
		}
		if startsWithSpace(text) && !startsWithSpace(shaped) {
			shaped = " " + shaped
		}
		if endsWithSpace(text) && !endsWithSpace(shaped) {
			shaped += " "
		}
		return shaped
	}
}

func startsWithSpace(s string) bool { return strings.TrimLeft(s, " \t\r\n") != s }
func endsWithSpace(s string) bool   { return strings.TrimRight(s, " \t\r\n") != s }

// writeSpan writes one span in at most limit; it is empty when there is no
// room for it.
func writeSpan(s text.Span, limit int, shape func(string) string) string {
	if limit <= 0 {
		return ""
	}
	switch s.Style {
	case text.Plain:
		return escape(shape(s.Text), limit)
	case text.Strong:
		text := escape(strings.TrimSpace(text.OneLine(s.Text)), limit-len("****"))
		if text == "" {
			return ""
		}
		return "**" + text + "**"
	case text.Mono, text.CommandOf:
		return inlineCode(s.Text, limit)
	case text.MentionOf:
		return whole(mention(s), limit)
	case text.ClockTime:
		return whole(fmt.Sprintf("<t:%d:f>", s.At.Unix()), limit)
	case text.Since:
		return whole(fmt.Sprintf("<t:%d:R>", s.At.Unix()), limit)
	case text.Link:
		return maskedLink(s.Text, s.URL, limit)
	}
	return escape(shape(s.Text), limit)
}

// whole is a text that cannot be cut.
func whole(text string, limit int) string {
	if length(text) > limit {
		return ""
	}
	return text
}

// channelPrefix begins the Member of a span that names a channel.
const channelPrefix = "discord-channel:"

// mention shows a member's name, or a channel's. It pings only those in
// allowed_mentions.
func mention(s text.Span) string {
	if id, ok := strings.CutPrefix(s.Member, channelPrefix); ok && isSnowflake(id) {
		return "<#" + id + ">"
	}
	id, ok := strings.CutPrefix(s.Member, "discord:")
	if !ok || !isSnowflake(id) {
		return escape(text.OneLine(s.Text), maxMessageText)
	}
	return "<@" + id + ">"
}

// isSnowflake reports whether a text is an id.
// https://discord.com/developers/docs/reference#snowflakes
func isSnowflake(id string) bool {
	return id != "" && len(id) <= 20 && strings.Trim(id, "0123456789") == ""
}

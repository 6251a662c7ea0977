package slack

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/slack-go/slack"

	"ltxbot/bot/text"
	"ltxbot/bot/view"
)

// Limits of blocks, in characters.
// https://docs.slack.dev/reference/block-kit/blocks
// https://docs.slack.dev/reference/block-kit/block-elements
// https://docs.slack.dev/reference/block-kit/composition-objects
const (
	maxMessageBlocks = 50
	maxViewBlocks    = 100
	maxHeader        = 150
	maxSection       = 3000
	maxContext       = 2000
	maxAlt           = 2000
	maxRowButtons    = 25
	maxButtonLabel   = 75
	maxButtonValue   = 2000
	maxConfirmTitle  = 100
	maxConfirmText   = 300
	maxConfirmButton = 30
	maxOptionText    = 75
	maxOptionValue   = 150
	maxOptions       = 100
	maxPlaceholder   = 150
	maxFieldLabel    = 2000
	maxInput         = 3000
	maxURL           = 3000
	maxViewTitle     = 24
	maxPrivateData   = 3000
	// maxRichText is this bot's own limit for one rich text block: Slack
	// names none.
	maxRichText = 3000
)

// A layout lays messages out as blocks.
type layout struct {
	text  func(key string) string    // sentences in the reader's language
	pings func(user string) bool     // who may be mentioned; nil = everybody
	value func(b view.Button) string // what a button carries besides its id; nil = nothing
}

// layout is how messages look for somebody with this locale.
func (b *Bot) layout(locale string) layout {
	return layout{text: func(key string) string { return b.text(locale, key) }}
}

// only restricts mentions to one user. In what is posted, a mention notifies.
func (l layout) only(user string) layout {
	l.pings = func(u string) bool { return u == user }
	return l
}

// blocks lays a message out in at most limit blocks. Everything that people
// wrote is in rich text, or in plain text, which Slack does not interpret, or
// escaped.
func (l layout) blocks(m view.Message, limit int) []slack.Block {
	rows := slices.Collect(slices.Chunk(m.Buttons, maxRowButtons))
	rows = rows[:min(len(rows), limit)]
	var menu slack.BlockElement
	if len(m.Menu) > 0 && len(rows) > 0 {
		menu = l.menu(m)
	}
	room := limit - len(rows)
	out := make([]slack.Block, 0, len(m.Blocks)+len(rows))
	for _, b := range m.Blocks {
		if block := l.block(b); block != nil && len(out) < room {
			out = append(out, block)
		}
	}
	if len(out) == 0 && m.Plain != "" && room > 0 {
		out = append(out, richText(section(plainSpan(text.OneLine(m.Plain)))))
	}
	for n, row := range rows {
		block := l.buttons(row)
		if n == len(rows)-1 && menu != nil {
			block.Elements.ElementSet = append(block.Elements.ElementSet, menu)
		}
		out = append(out, block)
	}
	return out
}

// block lays one block out; it is nil when there is nothing to show.
func (l layout) block(b view.Block) slack.Block {
	switch b.Kind {
	case view.Heading:
		if slices.ContainsFunc(b.Spans, func(s text.Span) bool { return s.Style == text.MentionOf && l.mention(s) != "" }) {
			return richText(section(l.rich(strong(b.Spans), maxHeader)...)) // a header would show an id
		}
		text := cut(text.OneLine(text.Unstyled(b.Spans)), maxHeader)
		if text == "" {
			return nil
		}
		return slack.NewHeaderBlock(plainText(text))
	case view.Note:
		return l.note(b.Spans)
	case view.Facts:
		return l.facts(b.Facts)
	case view.Bar:
		return richText(section(plainSpan(writeBar(b.Bar))))
	case view.Quote:
		elements := l.rich(b.Spans, maxRichText)
		if len(elements) == 0 {
			return nil
		}
		return richText(&slack.RichTextQuote{Type: slack.RTEQuote, Elements: elements})
	case view.Code:
		text := cut(strings.TrimSpace(text.Clean(text.Unstyled(b.Spans))), maxRichText)
		if text == "" {
			return nil
		}
		return richText(&slack.RichTextPreformatted{Type: slack.RTEPreformatted, Elements: []slack.RichTextSectionElement{plainSpan(text)}})
	case view.Text:
		if address := webAddress(b.Picture); address != "" {
			return l.pictured(b.Spans, address)
		}
	}
	elements := l.rich(b.Spans, maxRichText)
	if len(elements) == 0 {
		return nil
	}
	return richText(section(elements...))
}

func richText(elements ...slack.RichTextElement) slack.Block {
	return slack.NewRichTextBlock("", elements...)
}

// strong are spans with what is plain made bold.
func strong(spans []text.Span) []text.Span {
	out := slices.Clone(spans)
	for n := range out {
		if out[n].Style == text.Plain {
			out[n].Style = text.Strong
		}
	}
	return out
}

func section(elements ...slack.RichTextSectionElement) slack.RichTextElement {
	return slack.NewRichTextSection(elements...)
}

func plainSpan(text string) slack.RichTextSectionElement {
	return slack.NewRichTextSectionTextElement(text, nil)
}

// plainText is a text that Slack shows as it is.
func plainText(text string) *slack.TextBlockObject {
	emoji := false
	return &slack.TextBlockObject{Type: slack.PlainTextType, Text: text, Emoji: &emoji}
}

// rich writes spans as elements of rich text, of at most limit characters.
func (l layout) rich(spans []text.Span, limit int) []slack.RichTextSectionElement {
	var out []slack.RichTextSectionElement
	for _, s := range spans {
		element, size := l.richSpan(s, limit)
		if limit -= size; element != nil {
			out = append(out, element)
		}
		if limit <= 0 {
			break
		}
	}
	return out
}

// dateLength is what a date counts for in a text.
const dateLength = 24

// richSpan writes one span in at most room characters, and says how many it
// took.
func (l layout) richSpan(s text.Span, room int) (slack.RichTextSectionElement, int) {
	words := cut(text.Clean(s.Text), room)
	size := utf8.RuneCountInString(words)
	switch s.Style {
	case text.MentionOf:
		if user := l.mention(s); user != "" {
			return slack.NewRichTextSectionUserElement(user, nil), len(user)
		}
	case text.ClockTime, text.Since:
		fallback := clockText(s.At)
		return slack.NewRichTextSectionDateElement(s.At.Unix(), dateFormats[s.Style], nil, &fallback), dateLength
	case text.Link:
		if address := webAddress(s.URL); address != "" {
			return slack.NewRichTextSectionLinkElement(address, words, nil), size
		}
	case text.Plain, text.Strong, text.Mono, text.CommandOf:
	}
	if words == "" {
		return nil, 0
	}
	return slack.NewRichTextSectionTextElement(words, textStyles[s.Style]), size
}

// textStyles are the styles of rich text.
var textStyles = map[text.Style]*slack.RichTextSectionTextStyle{
	text.Strong:    {Bold: true},
	text.Mono:      {Code: true},
	text.CommandOf: {Code: true},
}

// dateFormats are how points in time look, in the reader's time zone.
// https://docs.slack.dev/messaging/formatting-message-text#date-formatting
var dateFormats = map[text.Style]string{
	text.ClockTime: "{date_short_pretty} {time}",
	text.Since:     "{ago}",
}

// clockText is a point in time for clients that know no dates.
func clockText(t time.Time) string { return t.UTC().Format("2006-01-02 15:04 UTC") }

// mention is the user that a span shows, or "" when it must not be mentioned.
func (l layout) mention(s text.Span) string {
	user := userOf(s.Member)
	if user == "" || l.pings != nil && !l.pings(user) {
		return ""
	}
	return user
}

// userOf is the user id in a member's name, or "".
func userOf(member string) string {
	parts := strings.Split(member, ":")
	if len(parts) != 3 || parts[0] != platform {
		return ""
	}
	user := parts[2]
	if user == "" || user[0] != 'U' && user[0] != 'W' || strings.Trim(user, "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789") != "" {
		return ""
	}
	return user
}

// facts are lines of a bold label and a value.
func (l layout) facts(facts []view.Fact) slack.Block {
	var elements []slack.RichTextSectionElement
	room := maxRichText
	for n, f := range facts {
		label := text.OneLine(f.Label) + " "
		if n > 0 {
			label = "\n" + label
		}
		room -= utf8.RuneCountInString(label)
		if room <= 0 {
			break
		}
		elements = append(elements, slack.NewRichTextSectionTextElement(label, textStyles[text.Strong]))
		for _, s := range f.Value {
			s.Text = strings.ReplaceAll(text.Clean(s.Text), "\n", " ")
			element, size := l.richSpan(s, room)
			if room -= size; element != nil {
				elements = append(elements, element)
			}
			if room <= 0 {
				break
			}
		}
	}
	if len(elements) == 0 {
		return nil
	}
	return richText(section(elements...))
}

// note is small print.
func (l layout) note(spans []text.Span) slack.Block {
	words := l.mrkdwn(spans, maxContext)
	if words == nil {
		return nil
	}
	return slack.NewContextBlock("", words)
}

// pictured is a text with a small picture beside it, which it describes.
func (l layout) pictured(spans []text.Span, address string) slack.Block {
	words := l.mrkdwn(spans, maxSection)
	if words == nil {
		return nil
	}
	picture := slack.NewImageBlockElement(address, cut(text.OneLine(text.Unstyled(spans)), maxAlt))
	return slack.NewSectionBlock(words, nil, slack.NewAccessory(picture))
}

// mrkdwn are spans in Slack's markup, for what has no rich text; nil when they
// say nothing.
func (l layout) mrkdwn(spans []text.Span, room int) *slack.TextBlockObject {
	var b strings.Builder
	for _, s := range spans {
		text := l.markup(s, room)
		if text == "" && s.Text != "" {
			break // no room
		}
		b.WriteString(text)
		room -= utf8.RuneCountInString(text)
	}
	text := strings.TrimSpace(b.String())
	if text == "" {
		return nil
	}
	return &slack.TextBlockObject{Type: slack.MarkdownType, Text: text, Verbatim: true}
}

// markup writes one span as mrkdwn in at most room characters; it is empty
// when there is no room.
func (l layout) markup(s text.Span, room int) string {
	words := strings.ReplaceAll(text.Clean(s.Text), "\n", " ")
	switch s.Style {
	case text.MentionOf:
		if user := l.mention(s); user != "" {
			return whole("<@"+user+">", room)
		}
	case text.ClockTime, text.Since:
		return whole(fmt.Sprintf("<!date^%d^%s|%s>", s.At.Unix(), dateFormats[s.Style], clockText(s.At)), room)
	case text.Link:
		if address := webAddress(s.URL); address != "" {
			label := strings.ReplaceAll(words, "|", "/")
			return whole("<"+entities.Replace(address)+"|"+escape(label, max(1, room-utf8.RuneCountInString(address)-3))+">", room)
		}
	case text.Mono, text.CommandOf:
		inner := strings.TrimSpace(strings.ReplaceAll(words, "`", "ˋ"))
		if inner == "" || room < 3 {
			return ""
		}
		return "`" + escape(inner, room-2) + "`"
	case text.Strong:
		inner := strings.TrimSpace(words)
		if inner == "" || room < 3 {
			return ""
		}
		return "*" + escape(unmarked(inner), room-2) + "*"
	case text.Plain:
	}
	return escape(unmarked(words), room)
}

// whole is a text that cannot be cut.
func whole(text string, room int) string {
	if utf8.RuneCountInString(text) > room {
		return ""
	}
	return text
}

// barLength is how many pieces a progress bar has.
const barLength = 12

func writeBar(part float64) string {
	if math.IsNaN(part) {
		part = 0
	}
	part = min(max(part, 0), 1)
	return fmt.Sprintf("%s %d %%", view.TextBar(part, barLength), int(part*100))
}

// menu is a menu of buttons.
func (l layout) menu(m view.Message) slack.BlockElement {
	options := make([]*slack.OptionBlockObject, 0, len(m.Menu))
	for _, b := range m.Menu {
		options = append(options, slack.NewOptionBlockObject(view.ButtonID(b.Action, b.Job), plainText(cut(text.OneLine(b.Label), maxOptionText)), nil))
	}
	prompt := plainText(cut(text.OneLine(m.Prompt), maxPlaceholder))
	return slack.NewOptionsSelectBlockElement(slack.OptTypeStatic, prompt, view.MenuID(m.Menu[0].Job), options...)
}

// buttons is a row of buttons.
func (l layout) buttons(row []view.Button) *slack.ActionBlock {
	elements := make([]slack.BlockElement, 0, len(row))
	for _, b := range row {
		button := slack.NewButtonBlockElement(view.ButtonID(b.Action, b.Job), b.Job, plainText(cut(text.OneLine(b.Label), maxButtonLabel)))
		if l.value != nil {
			button.Value = cut(l.value(b), maxButtonValue)
		}
		switch {
		case b.Danger:
			button.Style = slack.StyleDanger
		case b.Action == view.ActAgain || b.Action == view.ActRetry:
			button.Style = slack.StylePrimary
		}
		question := b.Confirm
		if question == "" && b.Action == view.ActCancel {
			question = l.text("slack.confirm.stop")
		}
		if question != "" {
			button.Confirm = l.confirm(question)
		}
		elements = append(elements, button)
	}
	return slack.NewActionBlock("", elements...)
}

func (l layout) confirm(question string) *slack.ConfirmationBlockObject {
	return &slack.ConfirmationBlockObject{
		Title:   plainText(cut(l.text("slack.confirm.title"), maxConfirmTitle)),
		Text:    plainText(cut(text.OneLine(question), maxConfirmText)),
		Confirm: plainText(cut(l.text("slack.confirm.yes"), maxConfirmButton)),
		Deny:    plainText(cut(l.text("slack.confirm.no"), maxConfirmButton)),
		Style:   slack.StyleDanger,
	}
}

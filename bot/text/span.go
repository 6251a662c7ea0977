package text

import (
	"slices"
	"strings"
	"time"

	"ltxbot/core/ltx"
)

// NamedSpan is a member, by name where it can't be mentioned: on another platform,
// or where nobody is to be notified.
func NamedSpan(member string) Span { return Span{Style: MentionOf, Member: member, Text: member} }

// ShownValue is how much of a typed value is repeated, in UTF-16 units.
const ShownValue = 60

// Span is a piece of text of one style.
type Span struct {
	Text    string
	Style   Style
	Member  string    // of MentionSpan: "discord:8035…"; shows the name, pings only where the platform is told to
	At      time.Time // of TimeSpan and SinceSpan
	URL     string    // of LinkSpan
	Command *Command  // of CommandOf
}

// Command is a command of the bot, for a platform that has its own way to type
// it: either a verb, or settings of a video. With neither it is the bare name.
type Command struct {
	Verb     string   // "jobs"
	Args     []string // of the verb
	Settings []ltx.Setting
}

// Style is how a span looks, or what a platform makes of it.
type Style string

// The styles of spans.
const (
	Plain     Style = ""
	Strong    Style = "strong"
	Mono      Style = "mono"
	MentionOf Style = "mention"
	ClockTime Style = "time"  // a point in time, in the reader's time zone
	Since     Style = "since" // the same, as "in 2 minutes", "3 minutes ago"
	Link      Style = "link"
	CommandOf Style = "command" // a command to be typed; Text is how it is typed where a command is one line of text
)

// Dotted joins pieces of a line: "a · b · c".
func Dotted(pieces ...[]Span) []Span { return joined(" · ", pieces) }

// Spaced joins sentences with a space between each two.
func Spaced(sentences ...[]Span) []Span { return joined(" ", sentences) }

// joined are all pieces that say something, with a text between each two.
func joined(between string, pieces [][]Span) []Span {
	says := func(s Span) bool { return s.Text != "" || s.Style != Plain }
	var out []Span
	for _, p := range pieces {
		if !slices.ContainsFunc(p, says) {
			continue
		}
		if len(out) > 0 {
			out = join(out, Span{Text: between})
		}
		for _, s := range p {
			out = join(out, s)
		}
	}
	return out
}

// Unstyled is what spans say, without their styles. A mention that begins a
// message says nothing.
func Unstyled(spans []Span) string {
	var b strings.Builder
	for _, s := range spans {
		b.WriteString(s.Text)
	}
	return b.String()
}

// Flat is Unstyled without space around it.
func Flat(spans []Span) string { return strings.TrimSpace(Unstyled(spans)) }

// SinceSpan is a point in time, shown as its distance from now.
func SinceSpan(t time.Time) Span { return Span{Text: clock(t), Style: Since, At: t} }

// TimeSpan is a point in time, shown as date and time of day.
func TimeSpan(t time.Time) Span { return Span{Text: clock(t), Style: ClockTime, At: t} }

// clock is a point in time for where a platform does not render it.
func clock(t time.Time) string { return t.UTC().Format("2006-01-02 15:04 UTC") }

// MentionSpan names a member.
func MentionSpan(member string) Span { return Span{Style: MentionOf, Member: member} }

// MonoSpan is a piece of code, a name or an id.
func MonoSpan(s string) Span { return Span{Text: s, Style: Mono} }

package bot

import (
	"time"

	"ltxbot/core/ltx"
)

// Message is what the bot says, before a platform lays it out. All text in it
// is plain: a renderer escapes every span for its platform, so that no prompt,
// LoRA name or error can ping anybody or break the layout.
type Message struct {
	Blocks  []Block
	Buttons []Button
	// Plain is the whole message as one line of plain text, for screen
	// readers and notifications.
	Plain string
}

// Block is one part of a message, from top to bottom.
type Block struct {
	Kind  BlockKind
	Spans []Span  // of Heading, Text, Note, Quote and Code
	Facts []Fact  // of Facts
	Bar   float64 // of Bar: 0 to 1
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
	Value []Span
}

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

// Button is something to press. Its ID is made of an Action and a job id, and
// works for as long as the message stands.
type Button struct {
	Action  Action
	Job     string
	Label   string
	Danger  bool
	Confirm string // question to ask first; empty = none (platforms without confirm dialogs ask in their own way or not at all)
}

// Action is what a button does.
type Action string

// The actions of buttons.
const (
	ActCancel  Action = "cancel"
	ActAgain   Action = "again"   // the same request, a new seed
	ActSame    Action = "same"    // the same request and seed
	ActEdit    Action = "edit"    // a form with the request filled in
	ActDetails Action = "details" // every parameter, only for who presses
	ActDelete  Action = "delete"  // remove the video message
	ActRetry   Action = "retry"   // after a failure
)

package demo

import (
	"context"
	"errors"
	"io"
	"time"
)

// A World is what the page shows, and where people do something. Its methods
// may be called from many goroutines.
type World interface {
	// Scene is what a person sees now. It returns ErrNoPerson for a name that
	// nobody has.
	Scene(ctx context.Context, person string) (Scene, error)
	// Changed returns a channel that is closed when a Scene may have changed.
	Changed() <-chan struct{}
	// Do does something as a person. The text of its error is for that person.
	Do(ctx context.Context, person string, d Action) error
	// Suggest is what a client offers while a person types.
	Suggest(ctx context.Context, person string, q Question) []Suggestion
	// Open opens a file that a message or a form shows, or returns ErrNoFile.
	Open(on, id string) (Media, error)
}

// The errors of a World that the page acts on.
var (
	ErrNoPerson = errors.New("nobody has this name")
	ErrNoFile   = errors.New("there is no such file")
)

// A Scene is all that one person sees.
type Scene struct {
	People []Person
	// Console signs the person in to the bot's console; empty = there is none.
	Console  string
	Channels []Channel
	Guide    []Step
	Guided   bool // the guide has not been closed
	Plugs    []Plug
	Pulled   string // what the last one that was pulled does
	Ledger   Ledger
	Fal      Fal
	// Confirm is what a person has to agree to before anything is made: that
	// videos cost money. Empty where they cost none.
	Confirm string
}

// A Person is somebody whose eyes one can take.
type Person struct {
	Name  string // also in addresses
	Title string // "member", "admin"
	Here  bool   // the scene is what this person sees
}

// A Channel is a channel of a platform.
type Channel struct {
	Platform string // "discord", "slack"
	Title    string // "Discord"
	Place    string // "Acme"
	Name     string // "videos"
	Hint     string // in the empty line where one types
	Examples []Example
	Messages []Message // oldest first
	Older    bool      // there are older messages than these
	Form     *Form     // that is open over the channel
}

// An Example is a line that one can try.
type Example struct {
	Label   string
	Line    string
	Picture bool // a picture goes with it
}

// A Message is what a person sees of one message.
type Message struct {
	ID      string // of the platform
	Where   string // "direct message"; empty = in the channel
	Author  string
	App     bool // it comes from the bot
	At      time.Time
	Used    string // "ben used /ltx", above the message
	Only    bool   // nobody else sees it
	Loading bool
	Edited  bool
	Framed  bool // the parts stand in a frame
	Trouble bool // the platform says that something went wrong
	Parts   []Part
	Apps    []Option // what the bot can do with it, in the menu of the message
}

// A Part is one piece of a message, from top to bottom. One of its fields is
// set.
type Part struct {
	Text    []Text
	Files   []File
	Buttons []Button
	Menu    *Menu
	Line    bool // a line across
}

// TextKind is how lines look.
type TextKind string

// The kinds of text.
const (
	Plain   TextKind = ""
	Heading TextKind = "heading"
	Small   TextKind = "small"
	Quote   TextKind = "quote"
	Code    TextKind = "code"
	Item    TextKind = "item" // of a list
)

// A Text is a paragraph.
type Text struct {
	Kind  TextKind
	Spans []Span
}

// A Span is a run of characters that look alike.
type Span struct {
	Text    string
	Bold    bool
	Italic  bool
	Strike  bool
	Code    bool
	Mention bool
	Link    string    // an http or https address
	At      time.Time // a moment; Text is how it is written
	Ago     bool      // the moment is written as a distance from now
}

// A File is a picture, a sound, a video or something else.
type File struct {
	ID   string
	Name string
	Type string // media type
	Alt  string
	Size int64 // bytes
	// Small is set for a picture beside a text, which tells what it is.
	Small bool
}

// A Button is pressed, or leads to an address.
type Button struct {
	Label    string
	Key      string // what the platform calls it
	Style    string // "primary", "danger", or empty
	Link     string
	Question string // asked before
	Disabled bool
}

// A Menu is a list to choose from.
type Menu struct {
	Label   string
	Key     string
	Options []Option
}

// An Option is one choice.
type Option struct{ Label, Value string }

// A Form is a dialog of the platform.
type Form struct {
	ID     string // another form has another one
	Title  string
	Note   []Text
	Fields []Field
	Submit string
	Close  string
}

// FieldKind is what a field takes.
type FieldKind string

// The kinds of fields.
const (
	Line    FieldKind = "line"
	Area    FieldKind = "area"
	Pick    FieldKind = "pick"
	Typed   FieldKind = "typed" // text with suggestions
	Uploads FieldKind = "uploads"
)

// A Field is one input of a form.
type Field struct {
	Key         string
	Label       string
	Help        string
	Placeholder string
	Kind        FieldKind
	Value       string
	Options     []Option
	Required    bool
	Most        int    // characters, or files; 0 = no limit of the form
	Wrong       string // what is wrong with what it holds
}

// A Step is one of the first minute.
type Step struct {
	Text string
	Done bool
}

// A Plug is something that can be made to go wrong, or right again.
type Plug struct {
	Key, Label, Help string
	Off              bool // it can't be pulled now
	Danger           bool
}

// Ledger is who may make how much, and what was paid.
type Ledger struct {
	Down   bool // the bot does not run
	Gauges []Gauge
	Jobs   []Job
}

// A Gauge is a limit and how far it is used.
type Gauge struct {
	Label, Text string
	Used, Most  float64
}

// A Job is what the bot knows of one.
type Job struct {
	ID, Member, State, Hold, Held, Paid string
}

// Fal is what the other side of the bot sees.
type Fal struct {
	Live   bool
	Jobs   []FalJob
	Calls  []Count
	Billed string
}

// A FalJob is a request at fal.
type FalJob struct {
	ID, Endpoint, Prompt, State, Billed string
}

// A Count is how often something was done.
type Count struct {
	Name string
	N    int
}

// An Action is what somebody does.
type Action struct {
	Kind    ActionKind
	On      string // the platform
	Message string
	Key     string // of the button, the menu or the plug
	Value   string // that is chosen
	Line    string // that is typed
	Picture bool   // the sample picture goes with it
	Files   []Upload
	Form    string // that is sent or closed
	Fields  map[string]string
	Uploads map[string][]Upload // into fields of the form
}

// ActionKind is what is done.
type ActionKind string

// The kinds of actions.
const (
	Say     ActionKind = "say"
	Press   ActionKind = "press"
	Choose  ActionKind = "choose" // from the menu of a message
	Send    ActionKind = "send"   // a form
	Close   ActionKind = "close"  // a form
	Pull    ActionKind = "pull"   // a plug
	Agree   ActionKind = "agree"  // to what Scene.Confirm says
	Dismiss ActionKind = "dismiss"
)

// An Upload is a file that somebody gives.
type Upload struct {
	Name string
	Data []byte
}

// A Question is what a person has typed so far.
type Question struct {
	On    string
	Line  string
	Form  string // with Field: of a form
	Field string
}

// A Suggestion is something that the client offers.
type Suggestion struct {
	Label, Note string
	Line        string // what stands there when it is taken
}

// Media is an open file.
type Media struct {
	io.ReadSeekCloser

	Name string
	Type string
	Made time.Time
}

package demo

import (
	"context"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"
	"time"

	"ltxbot/internal/retry"
)

// Event is something that a person sees happen.
type Event struct {
	At       float64   `json:"at"` // seconds since the command
	Kind     EventKind `json:"kind"`
	Platform string    `json:"platform"`
	Who      string    `json:"who"`
	Only     string    `json:"only,omitempty"`  // the one person who sees it
	Where    string    `json:"where,omitempty"` // "direct message"; empty = in the channel
	Text     string    `json:"text,omitempty"`
	Buttons  []string  `json:"buttons,omitempty"`
	Menu     []string  `json:"menu,omitempty"` // entries of the menu beside the buttons
	Files    []string  `json:"files,omitempty"`
	Pings    []string  `json:"pings,omitempty"`
	Message  string    `json:"message,omitempty"` // the platform's id

	videos []shownVideo
	hint   string // what to type in the demo
	said   string // the text as it was sent: how long ago something was does not change it
}

// shownVideo is a video in a message.
type shownVideo struct {
	path string // of the bytes
	ext  string // of its name: ".mp4"
}

// EventKind is what happened.
type EventKind string

// The kinds of events.
const (
	Typed   EventKind = "typed"
	Pressed EventKind = "pressed"
	Filled  EventKind = "filled in"
	Ack     EventKind = "ack"
	Posted  EventKind = "posted"
	Edited  EventKind = "edited"
	Deleted EventKind = "deleted"
	Opened  EventKind = "form"
)

// recorder keeps events and passes them on.
type recorder struct {
	start time.Time
	tell  func(Event)

	mu   sync.Mutex
	seen []Event
}

// typed is a command that is typed.
func typed(platform, line string, files []File) Event {
	e := Event{Kind: Typed, Platform: platform, Who: "ada", Text: line}
	for _, f := range files {
		e.Files = append(e.Files, f.Name)
	}
	return e
}

func newRecorder(tell func(Event)) *recorder {
	return &recorder{start: time.Now(), tell: tell}
}

func (r *recorder) add(e Event) {
	r.mu.Lock()
	defer r.mu.Unlock()
	e.At = time.Since(r.start).Round(time.Millisecond).Seconds()
	r.seen = append(r.seen, e)
	if r.tell != nil {
		r.tell(e)
	}
}

func (r *recorder) events() []Event {
	r.mu.Lock()
	defer r.mu.Unlock()
	return append([]Event(nil), r.seen...)
}

// videos are those of all messages, as they are now, in the order in which the
// messages were posted.
func (r *recorder) videos() (all []shownVideo) {
	r.mu.Lock()
	defer r.mu.Unlock()
	in := map[string][]shownVideo{}
	var order []string
	for _, e := range r.seen {
		if _, known := in[e.Message]; !known {
			order = append(order, e.Message)
		}
		in[e.Message] = e.videos
	}
	for _, message := range order {
		all = append(all, in[message]...)
	}
	return all
}

// opened reports whether a form was opened.
func (r *recorder) opened() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.ContainsFunc(r.seen, func(e Event) bool { return e.Kind == Opened })
}

// A transcript is complete when so many looks in a row found nothing new. They
// are counted, not timed: a process that gets no processor for a while takes
// no looks, and what was sent has still to be shown.
const (
	quietLooks = 15
	quietPause = 10 * time.Millisecond
)

// settle waits until nothing happens any more.
func (r *recorder) settle(ctx context.Context) {
	known := -1
	for looks := 0; looks <= quietLooks; looks++ {
		if n := len(r.events()); n != known {
			known, looks = n, 0
		}
		if !retry.Wait(ctx, quietPause) {
			return
		}
	}
}

// Write prints an event for a person at a terminal.
func (e Event) Write(w io.Writer) error {
	var b strings.Builder
	fmt.Fprintf(&b, "%5.1fs  ", e.At)
	switch e.Kind {
	case Typed, Pressed, Filled:
		fmt.Fprintf(&b, "%s %s: %s\n", e.Who, e.Kind, e.Text)
		for _, f := range e.Files {
			b.WriteString("        📎 " + f + "\n")
		}
	case Ack:
		fmt.Fprintf(&b, "%s is thinking…\n", e.Who)
	case Deleted:
		fmt.Fprintf(&b, "%s deleted%s: %s\n", e.Who, e.where(), e.Text)
	case Posted, Edited, Opened:
		fmt.Fprintf(&b, "%s %s%s", e.Who, e.action(), e.where())
		if e.Only != "" {
			fmt.Fprintf(&b, ", only for %s", e.Only)
		}
		b.WriteString(":\n")
		if text := strings.TrimSpace(e.Text); text != "" {
			b.WriteString("        │ " + strings.ReplaceAll(text, "\n", "\n        │ ") + "\n")
		}
		for _, f := range e.Files {
			b.WriteString("        │ 🎞 " + f + "\n")
		}
		if len(e.Buttons) > 0 {
			b.WriteString("        │ [" + strings.Join(e.Buttons, "] [") + "]\n")
		}
		if len(e.Menu) > 0 {
			b.WriteString("        │ ▾ [" + strings.Join(e.Menu, "] [") + "]\n")
		}
		if len(e.Pings) > 0 {
			b.WriteString("        │ notifies " + strings.Join(e.Pings, ", ") + "\n")
		}
		if e.hint != "" {
			b.WriteString("        → " + e.hint + "\n")
		}
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// action is what was done, for a person to read.
func (e Event) action() string {
	if e.Kind == Opened {
		return "opened a form"
	}
	return string(e.Kind)
}

// where is where it was done, unless that is the channel.
func (e Event) where() string {
	if e.Where == "" {
		return ""
	}
	return " in a " + e.Where
}

// directMessage is where an event is that is not in the channel.
const directMessage = "direct message"

// firstLine is enough to know a message by.
func firstLine(text string) string {
	line, _, _ := strings.Cut(strings.TrimSpace(text), "\n")
	return line
}

// playable reports whether a file is an output of the model.
func playable(contentType string) bool {
	return strings.HasPrefix(contentType, "video/") || contentType == "image/gif"
}

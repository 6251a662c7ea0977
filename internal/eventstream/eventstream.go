// Package eventstream tells the EventSource of an open page what is new.
package eventstream

import (
	"bytes"
	"net/http"
	"time"
)

// An Event is what a page is told.
type Event struct {
	Name string // empty = "message"
	Data []byte // in one line
}

// KeepAlive is how often a silent stream says that it is there: proxies close
// connections that are silent for a minute.
const KeepAlive = 20 * time.Second

// writeWithin is how long a page may take to read what it is told.
const writeWithin = 10 * time.Second

// Serve sends what next says, and asks it again when changed is closed and every
// KeepAlive. It ends when next says that there is no more, when the request's
// context is done, and when the page does not read.
// https://html.spec.whatwg.org/multipage/server-sent-events.html
func Serve(w http.ResponseWriter, r *http.Request, next func() (events []Event, changed <-chan struct{}, more bool)) {
	out := http.NewResponseController(w)
	_ = out.SetReadDeadline(time.Time{}) // that of the server is for requests, and would end the stream
	defer func() { _ = out.SetWriteDeadline(time.Time{}) }()
	h := w.Header()
	h.Set("Content-Type", "text/event-stream")
	h.Set("Cache-Control", "no-store")
	h.Set("X-Accel-Buffering", "no") // or nginx holds the events back
	alive := time.NewTicker(KeepAlive)
	defer alive.Stop()
	var text []byte
	for {
		events, changed, more := next()
		for _, e := range events {
			text = append(text, e.text()...)
		}
		_ = out.SetWriteDeadline(time.Now().Add(writeWithin))
		if _, err := w.Write(text); err != nil || out.Flush() != nil || !more {
			return
		}
		text = nil
		select {
		case <-changed:
		case <-alive.C:
			text = []byte(":\n\n")
		case <-r.Context().Done():
			return
		}
	}
}

// text is an event as it is sent.
func (e Event) text() []byte {
	var b bytes.Buffer
	if e.Name != "" {
		b.WriteString("event: " + e.Name + "\n")
	}
	b.WriteString("data: ")
	b.Write(e.Data)
	b.WriteString("\n\n")
	return b.Bytes()
}

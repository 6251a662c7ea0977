package slack

import (
	"cmp"
	"context"
	"encoding/json"
	"time"
)

// ackDeadline is how long the app may take to acknowledge what it is sent.
// https://docs.slack.dev/interactivity/implementing-slash-commands
const ackDeadline = 3 * time.Second

// envelope is one payload on its way to the app, over a socket or as an HTTP
// request.
type envelope struct {
	kind    string // slash_commands, interactive or events_api
	to      endpoint
	payload obj
	accepts bool // whether the acknowledgement may carry an answer
	retry   int
	reason  string
}

// endpoint is the request URL that an envelope goes to in HTTP mode.
type endpoint int

const (
	toCommands endpoint = iota
	toInteractions
	toOptions
	toEvents
)

// An ActionError is what a person sees when an action does not work out: the
// client refuses it, the app does not answer, or a form has mistakes.
type ActionError struct {
	// Action is what the person did, such as "slash command".
	Action string
	// Code is Slack's name for the problem, such as operation_timeout,
	// dispatch_failed or invalid_form.
	Code string
	// Fields are the mistakes in a form, by block id.
	Fields map[string]string
}

func (e *ActionError) Error() string { return "slack: " + e.Action + ": " + e.Code }

// A Receipt is what became of something a person did.
type Receipt struct {
	// EnvelopeID is the envelope's id over Socket Mode, empty over HTTP.
	EnvelopeID string
	// TriggerID and ResponseURL are what the app was given.
	TriggerID, ResponseURL string
	// ActionTS is the moment of a click, as the app was told it.
	ActionTS string
	// Took is the time until the acknowledgement.
	Took time.Duration
	// Answer is what the acknowledgement carried.
	Answer json.RawMessage
	// TS is the message that the answer put into the channel, if any.
	TS string
}

// pending is an envelope that waits for its acknowledgement.
type pending struct {
	sent   time.Time
	done   chan struct{}
	over   bool
	answer json.RawMessage
	code   string // why there will be none
	took   time.Duration
}

// resolve ends the wait; the first call counts. s.mu is held.
func (p *pending) resolve(answer json.RawMessage, code string) {
	if p.over {
		return
	}
	p.over, p.answer, p.code = true, answer, code
	close(p.done)
}

// An Ack is one acknowledgement frame, with what the server thought of it.
type Ack struct {
	EnvelopeID string
	At         time.Time
	Took       time.Duration
	// Bytes is the size of the frame.
	Bytes int
	// Payload is the answer it carried.
	Payload json.RawMessage
	// Dropped says why it had no effect: "late", "repeated", "unknown",
	// "too large", "fragmented", "malformed", or empty.
	Dropped string
}

// Acks are the acknowledgement frames so far, oldest first.
func (s *Server) Acks() []Ack {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]Ack(nil), s.acks...)
}

// deliver sends e to the app and waits for its acknowledgement, for 3 s on the
// server's clock.
func (s *Server) deliver(ctx context.Context, action string, e envelope) (Receipt, error) {
	if !s.enter() {
		return Receipt{}, &ActionError{Action: action, Code: "server_closed"}
	}
	defer s.wg.Done()
	s.mu.Lock()
	viaHTTP := s.endpoints != Endpoints{}
	s.mu.Unlock()
	send := s.deliverSocket
	if viaHTTP {
		send = s.deliverHTTP
	}
	rec, code := send(ctx, e)
	if err := ctx.Err(); err != nil {
		return rec, err
	}
	if code != "" {
		return rec, &ActionError{Action: action, Code: code}
	}
	return rec, nil
}

// deliverSocket sends e over one of the live connections, chosen at random.
func (s *Server) deliverSocket(ctx context.Context, e envelope) (Receipt, string) {
	s.mu.Lock()
	conn := s.pickConn()
	if conn == nil || s.closed {
		s.mu.Unlock()
		return Receipt{}, "dispatch_failed"
	}
	id := envelopeID()
	p := &pending{sent: s.clock.Now(), done: make(chan struct{})}
	s.pending[id] = p
	lost := s.fault("envelope", false) != nil
	s.mu.Unlock()
	cancel := s.clock.after(s, cmp.Or(s.opts.AnswerWithin, ackDeadline), func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		p.resolve(nil, "operation_timeout")
	})
	defer cancel()
	defer func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		delete(s.pending, id)
		s.late[id] = p.code == "operation_timeout"
	}()
	if !lost {
		conn.send(e.frame(id))
	}
	select {
	case <-p.done:
	case <-ctx.Done():
		return Receipt{EnvelopeID: id}, "abandoned"
	}
	return Receipt{EnvelopeID: id, Took: p.took, Answer: p.answer}, p.code
}

// frame is the envelope as a WebSocket message.
func (e envelope) frame(id string) obj {
	f := obj{"envelope_id": id, "type": e.kind, "payload": e.payload, "accepts_response_payload": e.accepts}
	if e.kind == "events_api" {
		f["retry_attempt"], f["retry_reason"] = e.retry, e.reason
	}
	return f
}

// acknowledge takes a frame that the app has sent; s.mu is held.
func (s *Server) acknowledge(frame []byte, fragmented bool) {
	var f struct {
		EnvelopeID string          `json:"envelope_id"`
		Payload    json.RawMessage `json:"payload"`
	}
	a := Ack{At: s.clock.Now(), Bytes: len(frame)}
	switch err := json.Unmarshal(frame, &f); {
	case fragmented:
		a.Dropped = "fragmented"
	case err != nil:
		a.Dropped = "malformed"
	case len(frame) >= maxAckFrame:
		a.Dropped = "too large"
	}
	a.EnvelopeID, a.Payload = f.EnvelopeID, f.Payload
	p := s.pending[f.EnvelopeID]
	if a.Dropped == "" && (p == nil || p.over) {
		late, known := s.late[f.EnvelopeID]
		switch {
		case late, p != nil && p.code != "":
			a.Dropped = "late"
		case known, p != nil:
			a.Dropped = "repeated"
		default:
			a.Dropped = "unknown"
		}
	}
	if p != nil {
		a.Took = a.At.Sub(p.sent)
	}
	if a.Dropped == "" {
		p.took = a.Took
		p.resolve(f.Payload, "")
	}
	if len(s.acks) >= keepRequests {
		s.acks = append([]Ack(nil), s.acks[keepRequests/2:]...)
	}
	s.acks = append(s.acks, a)
	s.changed()
}

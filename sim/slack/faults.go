package slack

import (
	"net/http"
	"slices"
	"strconv"
	"time"
)

// FaultKind is a way for a call to go wrong.
type FaultKind string

// The kinds of fault. LoseReply and Malformed happen after the call has taken
// effect; the others instead of it, except Delay, after which it goes on.
const (
	LoseReply   FaultKind = "lose_reply"   // it takes effect and the connection breaks
	Malformed   FaultKind = "malformed"    // it takes effect and the reply is half a JSON object
	DropBefore  FaultKind = "drop_before"  // the connection breaks before it is read
	Delay       FaultKind = "delay"        // it waits for Fault.Delay first
	HTTPStatus  FaultKind = "http_status"  // Fault.Status with a plain body
	RateLimited FaultKind = "rate_limited" // 429 with Retry-After
	HTML        FaultKind = "html"         // 200 with a web page
	APIError    FaultKind = "api_error"    // {"ok":false,"error":Fault.Error}
)

// A Fault is something that goes wrong on purpose.
type Fault struct {
	// Method is a Web API method, or one of "upload", "download",
	// "response_url", "socket" (the WebSocket handshake) and "envelope" (a
	// delivery to the app, for which only DropBefore means something), or "*"
	// for every Web API method.
	Method string
	// Kind is how it goes wrong.
	Kind FaultKind
	// After lets that many calls pass first.
	After int
	// Times is how often it happens; zero means once, negative always.
	Times int
	// Delay is the time that Delay waits, on the server's clock.
	Delay time.Duration
	// Status is the code of HTTPStatus; zero means 503.
	Status int
	// RetryAfter is rounded up to seconds; zero means 1 s.
	RetryAfter time.Duration
	// Error is the name for APIError; empty means internal_error.
	Error string
}

// Inject scripts a fault. The function it returns takes it back.
func (s *Server) Inject(f Fault) (cancel func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if f.Times == 0 {
		f.Times = 1
	}
	own := &f
	s.faults = append(s.faults, own)
	return func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.faults = slices.DeleteFunc(s.faults, func(x *Fault) bool { return x == own })
	}
}

func (k FaultKind) afterEffect() bool { return k == LoseReply || k == Malformed }

// fault takes the first scripted fault for a call, of those that come after
// its effect or of the others; s.mu is held.
func (s *Server) fault(name string, afterEffect bool) *Fault {
	_, isMethod := s.methods[name]
	for i, f := range s.faults {
		if f.Method != name && (f.Method != "*" || !isMethod) || f.Kind.afterEffect() != afterEffect {
			continue
		}
		if f.After > 0 {
			f.After--
			continue
		}
		taken := *f
		if f.Times > 0 {
			if f.Times--; f.Times == 0 {
				s.faults = slices.Delete(s.faults, i, i+1)
			}
		}
		return &taken
	}
	return nil
}

// applyFault makes a call go wrong before its effect. It reports whether the
// call is over.
func (s *Server) applyFault(w http.ResponseWriter, r *http.Request, name string) (over bool) {
	s.mu.Lock()
	f := s.fault(name, false)
	due, cancel := make(chan struct{}), func() {}
	if f != nil {
		if f.Kind == Delay { // from before anybody sees the call
			cancel = s.clock.after(s, f.Delay, func() { close(due) })
		}
		s.record(Request{Time: s.clock.Now(), Method: name, Fault: f.Kind})
		s.changed()
	}
	s.mu.Unlock()
	defer cancel()
	if f == nil {
		return false
	}
	switch f.Kind {
	case Delay:
		select {
		case <-due:
			return false
		case <-r.Context().Done():
		case <-s.done:
		}
	case HTTPStatus:
		status := f.Status
		if status == 0 {
			status = http.StatusServiceUnavailable
		}
		http.Error(w, http.StatusText(status), status)
	case RateLimited:
		seconds := max(1, int((f.RetryAfter+time.Second-1)/time.Second))
		w.Header().Set("Retry-After", strconv.Itoa(seconds))
		s.writeJSON(w, http.StatusTooManyRequests, obj{"ok": false, "error": "ratelimited"})
	case HTML:
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		s.write(w, "<!DOCTYPE html><html><head><title>Slack</title></head><body>Server error</body></html>")
	case APIError:
		code := f.Error
		if code == "" {
			code = "internal_error"
		}
		s.writeJSON(w, http.StatusOK, obj{"ok": false, "error": code})
	case DropBefore, LoseReply, Malformed:
		panic(http.ErrAbortHandler)
	}
	return true
}

// breakReply makes a call go wrong after its effect.
func (s *Server) breakReply(w http.ResponseWriter, f *Fault) {
	if f.Kind == LoseReply {
		panic(http.ErrAbortHandler)
	}
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	s.write(w, `{"ok":true,"ts":"17`)
}

func (s *Server) write(w http.ResponseWriter, body string) {
	if _, err := w.Write([]byte(body)); err != nil {
		s.log.Debug("reply", "error", err)
	}
}

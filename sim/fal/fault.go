package fal

import (
	"bytes"
	"encoding/json"
	"maps"
	"net"
	"net/http"
	"strconv"
	"sync"
	"time"

	"ltxbot/internal/retry"
)

// An Op is one thing that a client can ask for.
type Op string

// The operations that faults can be injected into.
const (
	OpSubmit  Op = "submit"
	OpStatus  Op = "status"
	OpStream  Op = "stream"
	OpResult  Op = "result"
	OpCancel  Op = "cancel"
	OpHistory Op = "history"
	OpPricing Op = "pricing"
	OpUpload  Op = "upload"
	OpMedia   Op = "media"
	OpJWKS    Op = "jwks"
	OpPurge   Op = "purge"
)

// A Fault makes an operation go wrong. Its fields can be combined: first Delay,
// then, unless one of Drop and Status forbids it, the request is handled, and
// then the answer is spoilt.
type Fault struct {
	Op    Op
	Times int // how often; 0 is once, negative always
	After int // how many requests go well first

	Delay time.Duration // before anything else

	Drop   bool        // reset the connection, the request is not handled
	Status int         // answer this instead of handling the request...
	Handle bool        // ...after having handled it all the same
	Header http.Header // with Status
	Body   string      // with Status
	KeepID bool        // with Handle: keep the x-fal-request-id of the true answer

	Lose      bool        // handle, then reset the connection
	Set       http.Header // handle, then set these headers of the answer
	Malformed bool        // handle, then answer JSON that ends in the middle
	Cut       int         // handle, then send this many bytes (events of a stream) and break off
}

// Inject adds a fault. Faults of one operation are used in the order they
// came.
func (s *Server) Inject(f Fault) {
	if f.Times == 0 {
		f.Times = 1
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.faults = append(s.faults, &f)
}

// Heal removes all faults.
func (s *Server) Heal() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.faults = nil
}

// fault takes the next fault of op, the zero Fault if there is none.
func (s *Server) fault(op Op) Fault {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, f := range s.faults {
		switch {
		case f.Op != op || f.Times == 0:
		case f.After > 0:
			f.After--
			return Fault{}
		default:
			if f.Times > 0 {
				f.Times--
			}
			return *f
		}
	}
	return Fault{}
}

// A reply is an answer that is not sent yet.
type reply struct {
	status int
	header http.Header
	body   []byte
}

func jsonReply(status int, v any) reply {
	body, err := json.Marshal(v)
	if err != nil {
		body, status = []byte(`{"detail":"Internal Server Error"}`), http.StatusInternalServerError
	}
	return reply{status: status, header: http.Header{"Content-Type": {"application/json"}}, body: body}
}

func (r reply) clone() reply {
	return reply{status: r.status, header: r.header.Clone(), body: r.body}
}

func (r reply) send(w http.ResponseWriter) {
	maps.Copy(w.Header(), r.header)
	w.Header().Set("Content-Length", strconv.Itoa(len(r.body)))
	w.WriteHeader(r.status)
	_, _ = w.Write(r.body) // the client may be gone
}

// answering serves op with a function that makes a whole reply, and lets
// faults get in between.
func (s *Server) answering(op Op, h func(*http.Request) reply) http.HandlerFunc {
	return s.serving(op, func(w http.ResponseWriter, r *http.Request, f Fault) {
		a := h(r)
		if f.Handle && f.Status != 0 {
			id := a.header.Get("x-fal-request-id")
			if a = f.reply(); f.KeepID {
				a.header.Set("x-fal-request-id", id)
			}
		}
		maps.Copy(a.header, f.Set)
		if f.Malformed {
			a.body = bytes.TrimRight(a.body, "}]")
			a.body = a.body[:max(1, len(a.body)-1)]
		}
		if f.Cut > 0 && f.Cut < len(a.body) {
			whole := len(a.body)
			a.body = a.body[:f.Cut]
			breakOff(w, a, whole)
		}
		a.send(w)
	})
}

// A logged is a response whose request is logged before any of it is sent: who has
// the answer finds it there.
type logged struct {
	http.ResponseWriter

	enter func(status int)
}

func (l logged) WriteHeader(status int) {
	l.enter(status)
	l.ResponseWriter.WriteHeader(status)
}

func (l logged) Unwrap() http.ResponseWriter { return l.ResponseWriter }

// serving counts and logs the requests of op, and applies the faults that do
// not need the reply.
func (s *Server) serving(op Op, h func(http.ResponseWriter, *http.Request, Fault)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		s.count(op)
		e := Entry{
			Op: op, Method: r.Method, Path: r.URL.Path, Query: r.URL.Query(),
			Keyed: r.Header.Get("Authorization") != "", At: time.Now(),
		}
		var once sync.Once
		enter := func(status int) {
			once.Do(func() {
				e.Status = status
				s.enter(e)
			})
		}
		defer enter(0)
		f := s.fault(op)
		if f.Delay > 0 && !retry.Wait(r.Context(), f.Delay) {
			return
		}
		switch {
		case f.Drop:
			enter(0)
			reset(w)
		case f.Lose:
			h(blackHole{}, r, f)
			enter(0)
			reset(w)
		case f.Status != 0 && !f.Handle:
			f.reply().send(logged{w, enter})
		default:
			h(logged{w, enter}, r, f)
		}
	}
}

// reply is what a fault answers instead of the truth: JSON, or a proxy's page
// when Body is not JSON.
func (f Fault) reply() reply {
	r := reply{status: f.Status, header: f.Header.Clone(), body: []byte(f.Body)}
	if r.header == nil {
		r.header = http.Header{}
	}
	if r.header.Get("Content-Type") == "" {
		r.header.Set("Content-Type", "text/html")
		if json.Valid(r.body) {
			r.header.Set("Content-Type", "application/json")
		}
	}
	return r
}

// reset breaks the connection so that the client sees "connection reset".
func reset(w http.ResponseWriter) {
	conn, _, err := http.NewResponseController(w).Hijack()
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	if tcp, ok := conn.(*net.TCPConn); ok {
		_ = tcp.SetLinger(0) // a reset is all we want
	}
	_ = conn.Close()
}

// breakOff sends what there is of a body that was to be whole bytes long, and
// ends the connection.
func breakOff(w http.ResponseWriter, r reply, whole int) {
	maps.Copy(w.Header(), r.header)
	w.Header().Set("Content-Length", strconv.Itoa(whole))
	w.WriteHeader(r.status)
	_, _ = w.Write(r.body)
	_ = http.NewResponseController(w).Flush()
	panic(http.ErrAbortHandler)
}

// blackHole is where a lost reply goes.
type blackHole struct{}

func (blackHole) Header() http.Header         { return http.Header{} }
func (blackHole) Write(p []byte) (int, error) { return len(p), nil }
func (blackHole) WriteHeader(int)             {}

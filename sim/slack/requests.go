package slack

import (
	"maps"
	"slices"
	"time"
)

// A Request is one call that the app has made. It never holds tokens or other
// secrets.
type Request struct {
	Time time.Time
	// Method is the Web API method, or "upload", "download", "response_url",
	// "socket".
	Method string
	// Args are the arguments, without the token.
	Args map[string]any
	// Status is the HTTP status and Error the name of the refusal, if any.
	Status int
	Error  string
	// Fault is what was made to go wrong, if anything. A delayed call has two
	// entries: one when it came, without arguments, and one when it went on.
	Fault FaultKind
}

// keepRequests bounds the log of requests.
const keepRequests = 20_000

// Requests are the calls so far, oldest first; of one method, or of all when
// method is empty.
func (s *Server) Requests(method string) []Request {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.DeleteFunc(slices.Clone(s.requests), func(r Request) bool { return method != "" && r.Method != method })
}

func (s *Server) record(r Request) {
	if len(s.requests) >= keepRequests {
		s.requests = slices.Delete(s.requests, 0, keepRequests/2)
	}
	s.requests = append(s.requests, r)
}

// logCall records a Web API call.
func (s *Server) logCall(c *call, status int, refusal *apiError, f *Fault) {
	r := Request{Time: s.clock.Now(), Method: c.name, Args: maps.Clone(c.args), Status: status}
	for _, hidden := range []string{"client_secret", "code", "token"} {
		delete(r.Args, hidden)
	}
	if refusal != nil {
		r.Error = refusal.code
	}
	if f != nil {
		r.Fault = f.Kind
	}
	s.record(r)
}

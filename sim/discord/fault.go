package discord

import (
	"net/http"
	"time"
)

// A Fault is something that goes wrong with requests to one route. Exactly
// one of the actions below is set.
type Fault struct {
	// Route is the pattern of the route, see RouteCallback and the others.
	// Empty means every route.
	Route string
	// Skip is how many requests pass before the fault strikes.
	Skip int
	// Times is how often it strikes. Zero means once, negative for ever.
	Times int

	LoseReply  bool          // the request is done, then the connection drops
	Drop       bool          // the connection drops and nothing is done
	Delay      time.Duration // real time to wait before it is done
	Status     int           // JSON answer with this status, nothing is done
	BadGateway bool          // HTML 502 of the edge, nothing is done
	Limit      Limit         // a 429, nothing is done
	RetryAfter time.Duration // of the 429

	skipped int
	struck  int
}

// A Limit is a kind of 429.
type Limit int

// The kinds of 429.
const (
	NoLimit         Limit = iota
	UserLimit             // this bot in this bucket
	SharedLimit           // the resource is busy, not the bot's fault
	GlobalLimit           // the bot's 50 requests a second; no bucket headers
	CloudflareLimit       // HTML, only Retry-After
)

// Inject adds a fault. Faults of the same route strike in the order in which
// they were added, one for each request.
func (s *Server) Inject(f Fault) *Fault {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.faults = append(s.faults, &f)
	return &f
}

// ClearFaults removes all request faults.
func (s *Server) ClearFaults() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.faults = nil
}

// Struck returns how often the fault has struck.
func (s *Server) Struck(f *Fault) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return f.struck
}

// nextFault returns the fault that strikes this request, if any.
func (s *Server) nextFault(r *route) *Fault {
	for _, f := range s.faults {
		limit := max(f.Times, 1)
		if (f.Route != "" && f.Route != r.pattern) || (f.Times >= 0 && f.struck >= limit) {
			continue
		}
		if f.skipped < f.Skip {
			f.skipped++
			continue
		}
		f.struck++
		return f
	}
	return nil
}

// faultBefore applies a fault that strikes before the request is done. It
// reports whether the connection was dropped.
func (s *Server) faultBefore(r *http.Request, route *route, reply *response) (dropped bool, fault *Fault) {
	s.mu.Lock()
	fault = s.nextFault(route)
	s.mu.Unlock()
	if fault == nil {
		return false, nil
	}
	if fault.Delay > 0 && !s.wait(r, fault.Delay) {
		return true, fault
	}
	switch {
	case fault.Drop:
		return true, fault
	case fault.BadGateway:
		reply.status = http.StatusBadGateway
		reply.html = "<html><head><title>502 Bad Gateway</title></head><body><center><h1>502 Bad Gateway</h1></center><hr><center>cloudflare</center></body></html>"
	case fault.Status != 0:
		reply.status = fault.Status
		reply.body = object{"message": "internal server error", "code": 0}
	case fault.Limit == CloudflareLimit:
		cloudflare(reply, fault.RetryAfter)
	case fault.Limit != NoLimit:
		limitedReply(reply, map[Limit]string{UserLimit: scopeUser, SharedLimit: scopeShared, GlobalLimit: scopeGlobal}[fault.Limit], fault.RetryAfter)
	}
	return false, fault
}

// wait waits d of real time. It reports false when the client has gone or the
// simulator is closing.
func (s *Server) wait(r *http.Request, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-r.Context().Done():
		return false
	case <-s.done:
		return false
	}
}

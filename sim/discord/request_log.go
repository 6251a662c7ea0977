package discord

import (
	"context"
	"errors"
	"maps"
	"slices"
	"time"
)

var errClosed = errors.New("discord simulator is closed")

// maxRequestLog bounds what Requests remembers.
const maxRequestLog = 50000

// A Request is one REST request as it was answered, without secrets.
type Request struct {
	At     time.Time
	Method string
	Route  string            // pattern, empty when there is no such route
	Params map[string]string // of the route, tokens left out
	Status int
	Code   int  // Discord's error code
	Lost   bool // the client got no answer
}

type requestLog []Request

// withoutToken returns the route's parameters that are not secret.
func withoutToken(params map[string]string) map[string]string {
	out := maps.Clone(params)
	delete(out, "token")
	return out
}

func (s *Server) log(r Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	r.At = s.now()
	if len(s.requests) >= maxRequestLog {
		s.requests = slices.Clone(s.requests[maxRequestLog/2:])
	}
	s.requests = append(s.requests, r)
	s.changed(Change{Kind: RequestServed, Request: r})
}

// Requests returns the REST requests so far, oldest first.
func (s *Server) Requests() []Request {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.requests)
}

// RequestsTo returns the requests to one route.
func (s *Server) RequestsTo(route string) []Request {
	return slices.DeleteFunc(s.Requests(), func(r Request) bool { return r.Route != route })
}

// WaitRequest blocks until a request fulfils ok.
func (s *Server) WaitRequest(ctx context.Context, ok func(Request) bool) (Request, error) {
	var found Request
	err := s.await(ctx, "a request", func() bool {
		n := slices.IndexFunc(s.requests, ok)
		if n >= 0 {
			found = s.requests[n]
		}
		return n >= 0
	})
	return found, err
}

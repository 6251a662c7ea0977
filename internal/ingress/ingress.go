// Package ingress is what all endpoints that anybody on the internet can call
// have in common: the memory that bodies may take before it is known who sent
// them, and the record of what was refused.
package ingress

import (
	"fmt"
	"log/slog"
	"maps"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"
)

// Endpoint names where a request came to: a label of metrics.
type Endpoint string

// The endpoints.
const (
	Admin   Endpoint = "admin"
	Discord Endpoint = "discord"
	Slack   Endpoint = "slack"
	Install Endpoint = "install" // of the Slack app
	Webhook Endpoint = "webhook" // of fal
	Console Endpoint = "console" // the pages under /admin
)

// Endpoints are all of them.
var Endpoints = []Endpoint{Admin, Discord, Slack, Install, Webhook, Console}

// Reason is why a request was refused: a label of metrics.
type Reason string

// The reasons.
const (
	Unsigned     Reason = "unsigned"      // headers of a signature are missing or make no sense
	Stale        Reason = "stale"         // signed too long ago, or in the future
	BadSignature Reason = "bad_signature" // signed by somebody else
	Replayed     Reason = "replayed"      // it was here before
	BadToken     Reason = "bad_token"     // a wrong admin token, or none
	TooOften     Reason = "too_often"
	TooLarge     Reason = "too_large"
	Incomplete   Reason = "incomplete" // the body ended early, or came too slowly
	NoRoom       Reason = "no_room"    // too many bodies at a time
	Unreadable   Reason = "unreadable" // signed, and not what it should be
	Unknown      Reason = "unknown"    // about something that is not there
	Foreign      Reason = "foreign"    // a form that another site has sent
	Forbidden    Reason = "forbidden"  // by somebody who may not do that
)

// answers are the reasons with what the caller is told.
var answers = map[Reason]struct {
	status int
	text   string
}{
	Unsigned:     {http.StatusUnauthorized, "the request is not signed"},
	Stale:        {http.StatusUnauthorized, "the signature is too old, or the clocks differ"},
	BadSignature: {http.StatusUnauthorized, "the signature is not valid"},
	Replayed:     {http.StatusConflict, "the request was sent before"},
	BadToken:     {http.StatusUnauthorized, "the token is missing or wrong"},
	TooOften:     {http.StatusTooManyRequests, "too many requests; try again later"},
	TooLarge:     {http.StatusRequestEntityTooLarge, "the body is too large"},
	Incomplete:   {http.StatusBadRequest, "the body is not complete"},
	NoRoom:       {http.StatusServiceUnavailable, "too many requests at a time; try again"},
	Unreadable:   {http.StatusBadRequest, "the body cannot be read"},
	Unknown:      {http.StatusNotFound, "there is no such thing"},
	Foreign:      {http.StatusForbidden, "this form was sent by another site"},
	Forbidden:    {http.StatusForbidden, "you may not do that"},
}

// Reasons are all of them, sorted.
func Reasons() []Reason { return slices.Sorted(maps.Keys(answers)) }

// logEvery is how often refusals are logged, however many there are.
const logEvery = time.Minute

// A Guard is shared by all endpoints of a process. Its methods may be called
// from many goroutines.
type Guard struct {
	log   *slog.Logger
	count func(Endpoint, Reason)
	room  room

	mu     sync.Mutex
	since  map[string]int // refusals that are not logged yet
	timer  *time.Timer    // of the next line; nil = the next refusal is logged at once
	closed bool
}

// New makes a guard that tells count of each refusal; nil = nobody counts.
func New(log *slog.Logger, count func(Endpoint, Reason)) *Guard {
	if count == nil {
		count = func(Endpoint, Reason) {}
	}
	return &Guard{log: log, count: count, since: map[string]int{}}
}

// Close logs what was not logged yet.
func (g *Guard) Close() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.closed = true
	if g.timer != nil {
		g.timer.Stop()
		g.write()
	}
}

// Refuse answers a request that is refused.
func (g *Guard) Refuse(w http.ResponseWriter, at Endpoint, why Reason) {
	g.Note(at, why)
	if why == NoRoom {
		w.Header().Set("Retry-After", "1")
	}
	answer := answers[why]
	http.Error(w, answer.text, answer.status)
}

// Note counts and logs a refusal that its caller answers.
func (g *Guard) Note(at Endpoint, why Reason) {
	g.count(at, why)
	g.mu.Lock()
	defer g.mu.Unlock()
	g.since[string(at)+" "+string(why)]++
	if g.timer == nil && !g.closed {
		g.write()
		g.timer = time.AfterFunc(logEvery, g.tick)
	}
}

// tick is called logEvery after the line before.
func (g *Guard) tick() {
	g.mu.Lock()
	defer g.mu.Unlock()
	switch {
	case g.closed:
	case len(g.since) == 0:
		g.timer = nil
	default:
		g.write()
		g.timer.Reset(logEvery)
	}
}

// write logs what was refused since the line before.
func (g *Guard) write() {
	if len(g.since) == 0 {
		return
	}
	total := 0
	parts := make([]string, 0, len(g.since))
	for _, what := range slices.Sorted(maps.Keys(g.since)) {
		total += g.since[what]
		parts = append(parts, fmt.Sprintf("%s: %d", what, g.since[what]))
	}
	clear(g.since)
	g.log.Warn("HTTP requests refused", "requests", total, "reasons", strings.Join(parts, ", "))
}

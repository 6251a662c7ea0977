package web

import (
	"bytes"
	"context"
	"encoding/json"
	"hash/maphash"
	"maps"
	"net/http"
	"strings"
	"sync"
	"time"

	"ltxbot/core/generate"
	"ltxbot/internal/eventstream"
)

// livePages are the routes whose pages are kept up to date. The script of the page
// asks for its own address as an event stream, and gets the part of the page that
// the template "live" is, each time that it has changed.
var livePages = map[string]bool{"GET /admin/{$}": true, "GET /admin/jobs/{id}": true}

// streamed reports whether a request wants what changes in a page.
func streamed(to route, r *http.Request) bool {
	return livePages[to.pattern] && strings.Contains(r.Header.Get("Accept"), "text/event-stream")
}

// live is what a page of livePages shows.
type live interface {
	// live reports whether it may still change.
	live() bool
}

func (o overview) live() bool { return true }
func (s story) live() bool    { return s.Unfinished }

// How many pages are open at a time, and how often it is looked whether jobs have
// changed, once for all of them.
const (
	maxStreams    = 500
	maxOwnStreams = 20 // of a person
	lookPause     = 2 * time.Second
)

// watch looks at the jobs for all open pages.
type watch struct {
	jobs Jobs
	fail func(ctx context.Context, err error)
	life context.Context //nolint:containedctx // the watch's own, ended by end
	end  context.CancelFunc

	mu      sync.Mutex
	pages   map[string]int     // by owner
	open    int                // all of them
	stop    context.CancelFunc // of the look that goes on while a page is open
	sums    map[string]uint64  // of the jobs, by team
	version map[string]int     // by team, "" is all: grows when one of its jobs changes
	changed chan struct{}      // closed when a version grows
	pieces  map[pieceKey]*piece
}

func newWatch(jobs Jobs, fail func(context.Context, error)) *watch {
	w := &watch{jobs: jobs, fail: fail, pages: map[string]int{}, version: map[string]int{}, changed: make(chan struct{}), pieces: map[pieceKey]*piece{}}
	w.life, w.end = context.WithCancel(context.Background())
	return w
}

// enter lets a page of an owner in, and reports whether there was room. The caller
// calls leave once.
func (w *watch) enter(owner string) (leave func(), ok bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.open >= maxStreams || w.pages[owner] >= maxOwnStreams {
		return nil, false
	}
	w.open++
	w.pages[owner]++
	if w.open == 1 {
		ctx, stop := context.WithCancel(w.life)
		w.stop = stop
		go w.follow(ctx)
	}
	return func() {
		w.mu.Lock()
		defer w.mu.Unlock()
		if w.pages[owner]--; w.pages[owner] == 0 {
			delete(w.pages, owner)
		}
		if w.open--; w.open == 0 {
			w.stop()
			w.sums = nil
			clear(w.pieces)
		}
	}, true
}

// follow looks at the jobs until nobody watches any more.
func (w *watch) follow(ctx context.Context) {
	pause := time.NewTicker(lookPause)
	defer pause.Stop()
	for {
		sums, err := w.look(ctx)
		switch {
		case ctx.Err() != nil:
			return
		case err != nil:
			w.fail(ctx, err)
		default:
			w.take(sums)
		}
		select {
		case <-pause.C:
		case <-ctx.Done():
			return
		}
	}
}

// savedJob is what is different after each save of a job.
type savedJob struct {
	id      string
	version int64
}

// hashSeed is for sums that are compared in this process alone.
var hashSeed = maphash.MakeSeed()

// look sums up, for each team, the jobs under way, as far as a list looks, and the
// newest ones.
func (w *watch) look(ctx context.Context) (map[string]uint64, error) {
	sums := map[string]uint64{}
	for _, q := range []generate.Query{{Unfinished: true, Limit: maxLook}, {Limit: recentJobs}} {
		jobs, err := w.jobs.Jobs(ctx, q)
		if err != nil {
			return nil, err
		}
		for _, j := range jobs {
			sums[j.Team] += maphash.Comparable(hashSeed, savedJob{j.ID, j.Version})
		}
	}
	return sums, nil
}

// take compares with what was there before. At the first look everything may have
// changed since the page was made.
func (w *watch) take(sums map[string]uint64) {
	w.mu.Lock()
	defer w.mu.Unlock()
	before := w.sums
	w.sums = sums
	if before != nil && maps.Equal(before, sums) {
		return
	}
	for _, some := range []map[string]uint64{before, sums} {
		for team := range some {
			if before[team] != sums[team] {
				w.version[team]++
			}
		}
	}
	w.version[""]++
	close(w.changed)
	w.changed = make(chan struct{})
}

// at is which version a team is at, and what is closed at the next one of any.
func (w *watch) at(team string) (version int, changed <-chan struct{}) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.version[team], w.changed
}

// pieceKey says for whom a piece is the same.
type pieceKey struct {
	address, team, account, member string
	role                           Role
}

// piece is the live part of a page, as it is at a version.
type piece struct {
	mu      sync.Mutex
	version int
	html    []byte // nil = not made yet
	last    bool   // it does not change any more
}

// piece returns the piece of a key. Those of a version are made once for all pages.
func (w *watch) piece(k pieceKey) *piece {
	w.mu.Lock()
	defer w.mu.Unlock()
	p := w.pieces[k]
	if p == nil {
		if len(w.pieces) >= maxStreams {
			clear(w.pieces)
		}
		p = &piece{}
		w.pieces[k] = p
	}
	return p
}

// errTooManyPages says that no more pages are kept up to date.
var errTooManyPages = &problem{http.StatusServiceUnavailable, "Too many pages are open", "Close some of them. This one works, and shows what is new when you load it again."}

// stream keeps an open page up to date. Who somebody is, is asked anew before each
// piece; the session is looked at whenever the stream says that it is there.
func (s *Server) stream(to route, q *request) error {
	if err := s.admit(to, q); err != nil {
		return err
	}
	leave, ok := s.watch.enter(q.who.Owner)
	if !ok {
		return errTooManyPages
	}
	defer leave()
	ctx, cancel := context.WithCancel(q.Context())
	defer cancel()
	defer context.AfterFunc(s.watch.life, cancel)()
	r := q.WithContext(ctx)

	version, shown := -1, []byte(nil)
	eventstream.Serve(q.w, r, func() ([]eventstream.Event, <-chan struct{}, bool) {
		now, changed := s.watch.at(q.team)
		if now == version {
			return nil, changed, s.visitor(r) != nil
		}
		html, last, err := s.pieceOf(to, r, now)
		switch known := problemOf(err); {
		case known == errPlatformSilent:
			return nil, changed, true // the next change may be shown
		case known != nil:
			return nil, nil, false
		case ctx.Err() != nil:
			return nil, nil, false
		case err != nil:
			s.watch.fail(ctx, err)
			return nil, changed, true
		}
		version = now
		var events []eventstream.Event
		if !bytes.Equal(html, shown) {
			shown = html
			text, _ := json.Marshal(string(html)) //nolint:errchkjson // a string
			events = append(events, eventstream.Event{Data: text})
		}
		if last {
			events = append(events, eventstream.Event{Name: "end"})
		}
		return events, changed, !last
	})
	return nil
}

// pieceOf is the live part of a page at a version, for who sent the request.
func (s *Server) pieceOf(to route, r *http.Request, version int) (html []byte, last bool, err error) {
	q := &request{Request: r, w: unsent{}, piece: &piece{version: version}}
	if err := s.admit(to, q); err != nil {
		return nil, false, err
	}
	p := s.watch.piece(pieceKey{r.URL.RequestURI(), q.team, q.account, q.person.Member, q.role})
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.html == nil || p.version != version {
		if err := to.do(s, q); err != nil {
			return nil, false, err
		}
		if q.piece.html == nil {
			return nil, true, nil // it has become another page
		}
		p.version, p.html, p.last = version, q.piece.html, q.piece.last
	}
	return p.html, p.last, nil
}

// unsent is the answer of a page of which only a piece is wanted.
type unsent struct{}

func (unsent) Header() http.Header         { return http.Header{} }
func (unsent) Write(b []byte) (int, error) { return len(b), nil }
func (unsent) WriteHeader(int)             {}

// Close ends the streams of all open pages.
func (s *Server) Close() { s.watch.end() }

package faults_test

import (
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"sync"
	"testing"
)

// A gate stands before all simulators and counts the requests that pass. At
// one of them it kills the bot: before the simulator hears of the request, or
// when it has done what was asked and its answer is on the way.
type gate struct {
	mu     sync.Mutex
	count  int
	at     int // the request that kills, counted on from now; 0 = none
	after  bool
	strike func()
	struck string // which request it was
	// hold, if set, sees each answer before it goes on its way.
	hold func(*http.Response)
}

// open makes a way through the gate to a simulator, and returns its address.
func (g *gate) open(t testing.TB, name, target string) string {
	t.Helper()
	to, err := url.Parse(target)
	if err != nil {
		t.Fatal(err)
	}
	proxy := &httputil.ReverseProxy{
		Rewrite: func(r *httputil.ProxyRequest) {
			r.Out.URL.Scheme, r.Out.URL.Host = to.Scheme, to.Host
			r.Out.Host = r.In.Host
		},
		FlushInterval: -1,
		Transport:     &http.Transport{DisableCompression: true, MaxIdleConnsPerHost: 16},
		ModifyResponse: func(r *http.Response) error {
			if hit, _ := r.Request.Context().Value(hitKey{}).(bool); hit {
				g.fire(name + " after " + r.Request.Method + " " + shape(r.Request.URL.Path))
				return errStruck
			}
			if g.hold != nil {
				g.hold(r)
			}
			return nil
		},
		ErrorHandler: func(http.ResponseWriter, *http.Request, error) { panic(http.ErrAbortHandler) },
	}
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		hit, after := g.pass()
		switch {
		case hit && after:
			r = r.WithContext(withHit(r.Context()))
		case hit:
			g.fire(name + " before " + r.Method + " " + shape(r.URL.Path))
			panic(http.ErrAbortHandler)
		}
		proxy.ServeHTTP(w, r)
	}))
	server.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, slog.LevelError) // they break on purpose
	server.Start()
	t.Cleanup(server.Close)
	return server.URL
}

var errStruck = errors.New("the bot was killed here")

// pass counts a request and says whether it is the one that kills.
func (g *gate) pass() (hit, after bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.count++
	if g.at == 0 {
		return false, false
	}
	g.at--
	return g.at == 0, g.after
}

// arm makes the n-th request from now kill.
func (g *gate) arm(n int, after bool, strike func()) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.at, g.after, g.strike, g.struck = n, after, strike, ""
}

// disarm lets everything pass, and says where the gate has struck.
func (g *gate) disarm() string {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.at = 0
	return g.struck
}

func (g *gate) fire(where string) {
	g.mu.Lock()
	strike := g.strike
	g.struck = where
	g.mu.Unlock()
	strike()
}

// shape is a path without the ids and tokens in it.
func shape(path string) string {
	if len(path) > 60 {
		path = path[:60] + "…"
	}
	return fmt.Sprintf("%q", path)
}

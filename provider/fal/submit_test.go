package fal_test

import (
	"bufio"
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"ltxbot/core/generate"
	"ltxbot/provider/fal"
	sim "ltxbot/sim/fal"
)

// knowledge is what an error of Submit tells.
func knowledge(err error) string {
	pe, refused := errors.AsType[*generate.ProviderError](err)
	switch {
	case err == nil:
		return "accepted"
	case errors.Is(err, generate.ErrNotSent):
		return "not sent"
	case refused && pe.Temporary:
		return "refused for now"
	case refused:
		return "refused"
	}
	return "unknown"
}

func TestSubmitTellsWhatIsKnown(t *testing.T) {
	t.Parallel()
	fromFal := func(extra ...string) http.Header {
		h := http.Header{"X-Fal-Request-Id": {"0198-never-heard-of"}}
		for i := 0; i+1 < len(extra); i += 2 {
			h.Set(extra[i], extra[i+1])
		}
		return h
	}
	const page = "<html>bad gateway</html>"
	for _, tc := range []struct {
		name  string
		fault sim.Fault
		want  string
		made  int // requests that fal took
	}{
		{"all goes well", sim.Fault{}, "accepted", 1},
		{"the connection is reset before it is handled", sim.Fault{Drop: true}, "unknown", 0},
		{"the reply is lost", sim.Fault{Lose: true}, "unknown", 1},
		{"the reply comes too late", sim.Fault{Delay: time.Minute}, "unknown", 0},
		{"the reply is cut off, the header has the id", sim.Fault{Cut: 20}, "accepted", 1},
		{"the reply is garbled, the header has the id", sim.Fault{Malformed: true}, "accepted", 1},
		{"a 200 without an id", sim.Fault{Status: 200, Body: `{"status":"IN_QUEUE"}`, Handle: true}, "unknown", 1},
		{"a 200 that is no JSON", sim.Fault{Status: 200, Body: page}, "unknown", 0},
		{"a 200 with an id that is none", sim.Fault{Status: 200, Body: `{"request_id":"../../x"}`}, "unknown", 0},
		{"a 200 without a body, the header has the id", sim.Fault{Status: 200, Handle: true, KeepID: true}, "accepted", 1},
		{"a proxy's 502", sim.Fault{Status: 502, Body: page}, "unknown", 0},
		{"a proxy's 502 for what fal took", sim.Fault{Status: 502, Body: page, Handle: true}, "unknown", 1},
		{"a proxy's 500", sim.Fault{Status: 500}, "unknown", 0},
		{"a proxy's 503", sim.Fault{Status: 503, Body: page}, "unknown", 0},
		{"a proxy's 504", sim.Fault{Status: 504, Body: page}, "unknown", 0},
		{"a 408", sim.Fault{Status: 408}, "unknown", 0},
		{"a 499", sim.Fault{Status: 499}, "unknown", 0},
		{"a 500 that names a request", sim.Fault{Status: 500, Header: fromFal()}, "accepted", 0},
		{"a 500 of fal, which took the request", sim.Fault{Status: 500, Handle: true, KeepID: true}, "accepted", 1},
		{"a 503 that names a request", sim.Fault{Status: 503, Header: fromFal()}, "accepted", 0},
		{"a 503 that names a request in its body", sim.Fault{Status: 503, Body: `{"detail":"no","request_id":"0198-never-heard-of"}`}, "accepted", 0},
		{"a 503 that names a request and wants a retry", sim.Fault{Status: 503, Header: fromFal("X-Fal-Needs-Retry", "1")}, "accepted", 0},
		{"a 429 that names a request", sim.Fault{Status: 429, Header: fromFal()}, "accepted", 0},
		{"a 400 that names a request and wants a retry", sim.Fault{Status: 400, Header: fromFal("X-Fal-Retryable", "true")}, "accepted", 0},
		{"a 408 that names a request", sim.Fault{Status: 408, Header: fromFal()}, "accepted", 0},
		{"a 499 that names a request", sim.Fault{Status: 499, Header: fromFal()}, "accepted", 0},
		{"a 422 that names a request", sim.Fault{Status: 422, Header: fromFal(), Body: `{"detail":[{"loc":["body","fps"],"type":"less_than_equal"}]}`}, "refused", 0},
		{"a 503 that wants a retry", sim.Fault{Status: 503, Header: http.Header{"X-Fal-Needs-Retry": {"1"}}}, "refused for now", 0},
		{"a 503 that is retryable", sim.Fault{Status: 503, Header: http.Header{"X-Fal-Retryable": {"true"}}}, "refused for now", 0},
		{"a 429", sim.Fault{Status: 429, Body: `{"detail":"slow down"}`}, "refused for now", 0},
		{"a redirect", sim.Fault{Status: 307, Header: http.Header{"Location": {"/queue/fal-ai/ltx-2.3-22b/text-to-video/lora"}}}, "refused", 0},
		{"a 400", sim.Fault{Status: 400, Body: `{"detail":"no","error_type":"bad_request"}`}, "refused", 0},
		{"a 401", sim.Fault{Status: 401, Body: `{"detail":"invalid key credentials"}`}, "refused", 0},
		{"a 403", sim.Fault{Status: 403, Body: `{"detail":"User is locked."}`}, "refused", 0},
		{"a 404", sim.Fault{Status: 404, Body: `{"detail":"Application \"x\" not found"}`}, "refused", 0},
		{"a 422", sim.Fault{Status: 422, Body: `{"detail":[{"loc":["body","fps"],"type":"less_than_equal","ctx":{"le":60}}]}`}, "refused", 0},
	} {
		t.Run(tc.name, func(t *testing.T) {
			w := newWorld(t, sim.Options{}, func(c *fal.Config) { c.Timeouts.Submit = time.Second })
			tc.fault.Op, tc.fault.Times = sim.OpSubmit, -1
			w.sim.Inject(tc.fault)
			s, err := w.Submit(t.Context(), jobRequest(t, prompt))
			if got := knowledge(err); got != tc.want {
				t.Errorf("got %s (%v), want %s", got, err, tc.want)
			}
			named := tc.fault.Header.Get("X-Fal-Request-Id")
			if tc.made == 0 && strings.Contains(tc.fault.Body, "request_id\":\"0198") {
				named = "0198-never-heard-of"
			}
			if tc.made > 0 && err == nil {
				named = w.sim.RequestIDs()[0]
			}
			if s.RequestID != named {
				t.Errorf("submission: %+v, want request %q", s, named)
			}
			if err != nil {
				w.assertError(t, err)
			}
			if n := w.sim.Count(sim.OpSubmit); n != 1 {
				t.Errorf("%d requests were sent", n)
			}
			if n := len(w.sim.RequestIDs()); n != tc.made {
				t.Errorf("fal took %d requests, want %d", n, tc.made)
			}
		})
	}
}

func TestSubmitCarriesRetryAfter(t *testing.T) {
	w := newWorld(t, sim.Options{})
	w.sim.Inject(sim.Fault{Op: sim.OpSubmit, Status: 429, Header: http.Header{"Retry-After": {"7"}}})
	_, err := w.Submit(t.Context(), jobRequest(t, prompt))
	pe, _ := errors.AsType[*generate.ProviderError](err)
	if pe == nil || pe.RetryAfter != 7*time.Second || pe.Kind != generate.FailBusy || w.lastSeen() != "submit busy" {
		t.Errorf("got %+v, observed %s", pe, w.lastSeen())
	}
}

func TestSubmitThatProvablyWasNotSent(t *testing.T) {
	closed := func(t *testing.T) string {
		l := listen(t)
		_ = l.Close()
		return l.Addr().String()
	}
	hangUp := func(t *testing.T) string { // accepts and closes: no TLS handshake
		l := listen(t)
		go func() {
			for {
				conn, err := l.Accept()
				if err != nil {
					return
				}
				_ = conn.Close()
			}
		}()
		return l.Addr().String()
	}
	silent := func(t *testing.T) string { return listen(t).Addr().String() }
	for _, tc := range []struct {
		name   string
		scheme string
		addr   func(*testing.T) string
		dial   func(context.Context, string, string) (net.Conn, error)
	}{
		{"nobody listens", "http", closed, nil},
		{"the name does not resolve", "http", closed, func(context.Context, string, string) (net.Conn, error) {
			return nil, &net.OpError{Op: "dial", Err: &net.DNSError{Err: "no such host", Name: "queue.fal.run", IsNotFound: true}}
		}},
		{"the TLS handshake is refused", "https", hangUp, nil},
		{"the TLS handshake takes too long", "https", silent, nil},
	} {
		t.Run(tc.name, func(t *testing.T) {
			w := newWorld(t, sim.Options{}, func(c *fal.Config) {
				c.QueueURL = tc.scheme + "://" + tc.addr(t)
				c.Transport = &http.Transport{DialContext: tc.dial, TLSClientConfig: &tls.Config{MinVersion: tls.VersionTLS12}}
				c.Timeouts.Submit = 200 * time.Millisecond
			})
			_, err := w.Submit(t.Context(), jobRequest(t, prompt))
			if !errors.Is(err, generate.ErrNotSent) {
				t.Errorf("got %v", err)
			}
			w.assertError(t, err)
			if w.lastSeen() != "submit not_sent" {
				t.Errorf("observed %s", w.lastSeen())
			}
		})
	}
	t.Run("the context has ended", func(t *testing.T) {
		w := newWorld(t, sim.Options{})
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if _, err := w.Submit(ctx, jobRequest(t, prompt)); !errors.Is(err, generate.ErrNotSent) || !errors.Is(err, context.Canceled) {
			t.Errorf("got %v", err)
		}
	})
	t.Run("the job cannot be asked for", func(t *testing.T) {
		w := newWorld(t, sim.Options{})
		for _, o := range []generate.JobRequest{{}, {Endpoint: lora}, {Endpoint: "nonsense", Request: jobRequest(t, prompt).Request}} {
			if _, err := w.Submit(t.Context(), o); !errors.Is(err, generate.ErrNotSent) {
				t.Errorf("%+v: got %v", o.Endpoint, err)
			}
		}
	})
}

func listen(t *testing.T) net.Listener {
	t.Helper()
	l, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	return l
}

// TestSubmitIsNeverReplayedByNetHTTP has a server that answers the first
// request of each connection, keeps the connection alive whatever the client
// says, and hangs up on the second request. A client that used the connection
// again would lose its second submit, or have it repeated by net/http.
func TestSubmitIsNeverReplayedByNetHTTP(t *testing.T) {
	var posts, conns atomic.Int32
	l := listen(t)
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			conns.Add(1)
			go func() {
				defer conn.Close()
				in := bufio.NewReader(conn)
				for n := 0; ; n++ {
					req, err := http.ReadRequest(in)
					if err != nil {
						return
					}
					_, _ = io.Copy(io.Discard, req.Body)
					if req.Method == http.MethodPost {
						posts.Add(1)
					}
					if n > 0 {
						return
					}
					const body = `{"request_id":"abc"}`
					_, _ = io.WriteString(conn, "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nConnection: keep-alive\r\nContent-Length: 20\r\n\r\n"+body)
				}
			}()
		}
	}()
	w := newWorld(t, sim.Options{}, func(c *fal.Config) { c.QueueURL = "http://" + l.Addr().String() })
	const submits = 3
	for range submits {
		if _, err := w.Submit(t.Context(), jobRequest(t, prompt)); err != nil {
			t.Fatal(err)
		}
	}
	if posts.Load() != submits || conns.Load() != submits {
		t.Errorf("%d posts on %d connections for %d submits", posts.Load(), conns.Load(), submits)
	}
}

// TestSubmitOnADyingConnectionIsSentOnce has a server that reads a whole
// request and hangs up, every time.
func TestSubmitOnADyingConnectionIsSentOnce(t *testing.T) {
	var posts atomic.Int32
	l := listen(t)
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			if req, err := http.ReadRequest(bufio.NewReader(conn)); err == nil {
				_, _ = io.Copy(io.Discard, req.Body)
				posts.Add(1)
			}
			_ = conn.Close()
		}
	}()
	w := newWorld(t, sim.Options{}, func(c *fal.Config) { c.QueueURL = "http://" + l.Addr().String() })
	_, err := w.Submit(t.Context(), jobRequest(t, prompt))
	if knowledge(err) != "unknown" || posts.Load() != 1 {
		t.Errorf("%s after %d posts: %v", knowledge(err), posts.Load(), err)
	}
	w.assertError(t, err)
}

// TestSubmitOverHTTP2HasItsOwnConnection has a server that speaks HTTP/2, as
// fal's does.
func TestSubmitOverHTTP2HasItsOwnConnection(t *testing.T) {
	var mu sync.Mutex
	conns := map[string]int{}
	srv := httptest.NewUnstartedServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		conns[r.Proto+" "+r.RemoteAddr]++
		_, _ = io.WriteString(rw, `{"request_id":"abc"}`)
	}))
	srv.EnableHTTP2 = true
	srv.StartTLS()
	t.Cleanup(srv.Close)
	w := newWorld(t, sim.Options{}, func(c *fal.Config) {
		c.QueueURL = srv.URL
		c.Transport = srv.Client().Transport.(*http.Transport)
	})
	for range 3 {
		w.submit(t, prompt)
	}
	mu.Lock()
	defer mu.Unlock()
	if len(conns) != 3 {
		t.Errorf("connections: %v", conns)
	}
	for c := range conns {
		if !strings.HasPrefix(c, "HTTP/2.0 ") {
			t.Errorf("a connection of %s", c)
		}
	}
}

// Calls that were under way at the same time leave their connections for the
// next ones.
func TestConnectionsAreUsedAgain(t *testing.T) {
	var arrived sync.WaitGroup
	var dialled atomic.Int64
	srv := httptest.NewUnstartedServer(http.HandlerFunc(func(rw http.ResponseWriter, _ *http.Request) {
		arrived.Done()
		arrived.Wait()
		_, _ = io.WriteString(rw, `{"status":"IN_PROGRESS"}`)
	}))
	srv.Config.ConnState = func(_ net.Conn, s http.ConnState) {
		if s == http.StateNew {
			dialled.Add(1)
		}
	}
	srv.Start()
	t.Cleanup(srv.Close)
	w := newWorld(t, sim.Options{}, func(c *fal.Config) { c.QueueURL = srv.URL })
	for range 3 {
		arrived.Add(fal.MaxCalls)
		var calls sync.WaitGroup
		for range fal.MaxCalls {
			calls.Go(func() {
				if _, err := w.Status(t.Context(), generate.Submission{RequestID: "abc", Endpoint: lora}); err != nil {
					t.Error(err)
				}
			})
		}
		calls.Wait()
	}
	if n := dialled.Load(); n > fal.MaxCalls {
		t.Errorf("%d connections for %d calls at a time", n, fal.MaxCalls)
	}
}

func TestURLsOfAReplyAreUsedOnlyOnTheQueueHost(t *testing.T) {
	w := newWorld(t, sim.Options{})
	reply := func(base string) sim.Fault {
		return sim.Fault{Op: sim.OpSubmit, Status: 200, Body: `{"request_id":"abc","status_url":"` + base + `/status?x=1#y","response_url":"` + base + `","cancel_url":"` + base + `/cancel"}`}
	}
	own := w.sim.QueueURL() + "/fal-ai/elsewhere/requests/abc"
	w.sim.Inject(reply(own))
	s := w.submit(t, prompt)
	if s.StatusURL != own+"/status" || s.ResponseURL != own || s.CancelURL != own+"/cancel" {
		t.Errorf("own URLs: %+v", s)
	}
	for _, base := range []string{
		"https://evil.example/requests/abc", "http://queue.fal.run/x", strings.Replace(own, "http:", "https:", 1),
		strings.Replace(own, "://", "://user@", 1), "//" + w.sim.MediaHost(), "not a url\x7f",
	} {
		w.sim.Inject(reply(base))
		if s := w.submit(t, prompt); s.StatusURL+s.ResponseURL+s.CancelURL != "" {
			t.Errorf("%s: %+v", base, s)
		}
	}
	w.sim.Inject(reply(own + "/" + strings.Repeat("x", 2048)))
	if s := w.submit(t, prompt); s.StatusURL+s.ResponseURL+s.CancelURL != "" {
		t.Errorf("a URL without end is kept: %d bytes", len(s.StatusURL))
	}
	// A foreign URL in a saved submission is not used either.
	real := w.submit(t, prompt)
	real.StatusURL, real.ResponseURL, real.CancelURL = "https://evil.example/s", "https://evil.example/r", "https://evil.example/c"
	w.await(t, real)
	if _, err := w.Result(t.Context(), real); err != nil {
		t.Error(err)
	}
	real.RequestID = "../../../x"
	if _, err := w.Status(t.Context(), real); err == nil {
		t.Error("a request id with slashes was used")
	}
}

package ingress_test

import (
	"bytes"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"ltxbot/internal/ingress"
)

// post is a request with that body, whose length the caller tells or not.
func post(body io.Reader, length int64) *http.Request {
	r := httptest.NewRequest(http.MethodPost, "/", body)
	r.ContentLength = length
	return r
}

// stalled is a body that stops after its bytes, until it is let go.
type stalled struct {
	io.Reader
	end <-chan struct{}
}

func (s stalled) Read(p []byte) (int, error) {
	n, err := s.Reader.Read(p)
	if n == 0 {
		<-s.end
		return 0, err
	}
	return n, nil
}

func TestABodyIsReadUpToItsLimit(t *testing.T) {
	const limit = 1 << 20
	for _, c := range []struct {
		name   string
		size   int
		length int64
		want   int
	}{
		{"an empty one", 0, 0, 200},
		{"a small one", 100, 100, 200},
		{"one that fills the first buffer", 8 << 10, 8 << 10, 200},
		{"one of the largest", limit, limit, 200},
		{"one whose length is not told", limit, -1, 200},
		{"one that says it is too large", limit + 1, limit + 1, 413},
		{"one that does not say that it is too large", limit + 1, -1, 413},
	} {
		t.Run(c.name, func(t *testing.T) {
			g := ingress.New(slog.New(slog.DiscardHandler), nil)
			sent := bytes.Repeat([]byte("x"), c.size)
			w := httptest.NewRecorder()
			got, release, ok := g.Body(w, post(bytes.NewReader(sent), c.length), ingress.Discord, limit)
			if ok != (c.want == 200) || w.Code != c.want {
				t.Fatalf("ok = %v, status = %d, want %d", ok, w.Code, c.want)
			}
			if ok && !bytes.Equal(got, sent) {
				t.Errorf("%d bytes are not the %d that were sent", len(got), len(sent))
			}
			if ok {
				release()
			}
		})
	}
}

func TestABodyThatBreaksOffIsRefused(t *testing.T) {
	g := ingress.New(slog.New(slog.DiscardHandler), nil)
	w := httptest.NewRecorder()
	if _, _, ok := g.Body(w, post(io.MultiReader(strings.NewReader("x"), brokenReader{}), -1), ingress.Slack, 100); ok || w.Code != http.StatusBadRequest {
		t.Errorf("ok = %v, status = %d", ok, w.Code)
	}
}

type brokenReader struct{}

func (brokenReader) Read([]byte) (int, error) { return 0, io.ErrUnexpectedEOF }

// A thousand bodies of 1 MB that never end take 16 MB; a small one is still
// read, and all of it is given back.
func TestBodiesUnderWayAreCappedInTotal(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := ingress.New(slog.New(slog.DiscardHandler), nil)
		release := make(chan struct{})
		large := bytes.Repeat([]byte("x"), 1<<20)
		var mu sync.Mutex
		status := map[int]int{}
		send := func(body []byte) {
			w := httptest.NewRecorder()
			_, done, ok := g.Body(w, post(stalled{bytes.NewReader(body), release}, int64(len(body)+1)), ingress.Discord, 2<<20)
			if ok {
				done()
			}
			mu.Lock()
			defer mu.Unlock()
			status[w.Code]++
		}
		var all sync.WaitGroup
		for range 1000 {
			all.Go(func() { send(large) })
		}
		synctest.Wait()
		mu.Lock()
		held := 1000 - status[http.StatusServiceUnavailable]
		mu.Unlock()
		if held < 4 || held > 16 {
			t.Errorf("%d bodies of 1 MB are held; 16 MB is the most", held)
		}
		w := httptest.NewRecorder()
		if _, done, ok := g.Body(w, post(strings.NewReader("small"), 5), ingress.Discord, 1<<20); !ok {
			t.Errorf("beside them, a small body is refused with %d", w.Code)
		} else {
			done()
		}
		for range 5000 {
			all.Go(func() { send(large[:1000]) })
		}
		synctest.Wait()
		mu.Lock()
		refused := status[http.StatusServiceUnavailable] - (1000 - held)
		mu.Unlock()
		if refused < 5000-4096 {
			t.Errorf("of 5000 small bodies %d are refused; 4096 buffers of 8 kB are 32 MB", refused)
		}
		close(release)
		all.Wait()
		if status[http.StatusOK] != 6000-status[http.StatusServiceUnavailable] {
			t.Errorf("answers: %v", status)
		}
		for range 8 { // while one grows it is there twice
			if _, _, ok := g.Body(httptest.NewRecorder(), post(bytes.NewReader(large), 1<<20), ingress.Discord, 1<<20); !ok {
				t.Fatal("room was not given back")
			}
		}
	})
}

func TestRefusalsAreCountedAndLoggedOnceAMinute(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log lines
		counted := map[string]int{}
		g := ingress.New(slog.New(slog.NewTextHandler(&log, nil)), func(at ingress.Endpoint, why ingress.Reason) {
			counted[string(at)+" "+string(why)]++
		})
		lines := func() int { synctest.Wait(); return strings.Count(log.String(), "\n") }
		for range 20_000 {
			g.Refuse(httptest.NewRecorder(), ingress.Discord, ingress.BadSignature)
		}
		g.Note(ingress.Admin, ingress.BadToken)
		if n := lines(); n != 1 || !strings.Contains(log.String(), "discord bad_signature: 1") {
			t.Errorf("the first is not logged at once, or others are: %d lines\n%s", n, log.String())
		}
		elapse(59 * time.Second)
		if n := lines(); n != 1 {
			t.Errorf("%d lines before the minute is over", n)
		}
		elapse(2 * time.Second)
		if n := lines(); n != 2 || !strings.Contains(log.String(), `requests=20000 reasons="admin bad_token: 1, discord bad_signature: 19999"`) {
			t.Errorf("%d lines after a minute\n%s", n, log.String())
		}
		elapse(10 * time.Minute)
		if n := lines(); n != 2 {
			t.Errorf("%d lines when nothing was refused", n)
		}
		g.Note(ingress.Webhook, ingress.Stale)
		g.Note(ingress.Webhook, ingress.Stale)
		g.Close()
		if n := lines(); n != 4 {
			t.Errorf("%d lines; what came last is not logged at the end", n)
		}
		if counted["discord bad_signature"] != 20_000 || counted["admin bad_token"] != 1 || counted["webhook stale"] != 2 {
			t.Errorf("counted %v", counted)
		}
	})
}

// lines is a log that is read while it is written.
type lines struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lines) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(b)
}

func (l *lines) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

func TestEachReasonHasAnAnswer(t *testing.T) {
	for _, why := range ingress.Reasons() {
		w := httptest.NewRecorder()
		ingress.New(slog.New(slog.DiscardHandler), nil).Refuse(w, ingress.Slack, why)
		if w.Code < 400 || w.Code > 503 || strings.TrimSpace(w.Body.String()) == "" {
			t.Errorf("%s is answered %d %q", why, w.Code, w.Body)
		}
	}
}

// elapse lets time pass in a bubble of synctest.
func elapse(d time.Duration) { <-time.NewTimer(d).C }

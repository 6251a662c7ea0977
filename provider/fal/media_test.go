package fal_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"ltxbot/core/generate"
	"ltxbot/provider/fal"
	sim "ltxbot/sim/fal"
)

// video makes one and returns where it is.
func (w *world) video(t *testing.T) string {
	t.Helper()
	s := w.submit(t, prompt)
	w.await(t, s)
	r, err := w.Result(t.Context(), s)
	if err != nil {
		t.Fatal(err)
	}
	return r.Output.URL
}

func TestOpenResumesWhereItBroke(t *testing.T) {
	const size = 1 << 20
	w := newWorld(t, sim.Options{FileSize: size})
	u := w.video(t)
	w.sim.Inject(sim.Fault{Op: sim.OpMedia, Cut: 300_000, Times: 3})
	var got bytes.Buffer
	opened := 0
	for got.Len() < size && opened < 10 {
		opened++
		m, err := w.Open(t.Context(), u, int64(got.Len()))
		if err != nil {
			t.Fatal(err)
		}
		if m.Offset != int64(got.Len()) || m.Size != size {
			t.Fatalf("offset %d of %d, want %d of %d", m.Offset, m.Size, got.Len(), size)
		}
		_, err = got.ReadFrom(m.Body)
		if closeErr := m.Body.Close(); closeErr != nil {
			t.Error(closeErr)
		}
		if err != nil {
			w.assertError(t, err)
		}
		if (err == nil) != (got.Len() == size) {
			t.Fatalf("after %d bytes: %v", got.Len(), err)
		}
	}
	if opened != 4 || !bytes.HasPrefix(got.Bytes(), sim.Clip()) {
		t.Errorf("opened %d times, %d bytes", opened, got.Len())
	}
	for _, e := range w.sim.Log() {
		if e.Op == sim.OpMedia && e.Keyed {
			t.Error("the key was sent with a download")
		}
	}
}

func TestOpenAnswers(t *testing.T) {
	for _, tc := range []struct {
		name  string
		fault sim.Fault
		check func(generate.Media, error) bool
		calls int
	}{
		{"a server that ignores the range", sim.Fault{Status: 200, Body: "whole"}, func(m generate.Media, err error) bool {
			return err == nil && m.Offset == 0 && m.Size == 5
		}, 1},
		{"a range of unknown size", sim.Fault{Status: 206, Body: "x", Header: http.Header{"Content-Range": {"bytes 10-10/*"}}}, func(m generate.Media, err error) bool {
			return err == nil && m.Offset == 10 && m.Size == -1
		}, 1},
		{"a range without a header, every time", sim.Fault{Status: 206, Body: "x", Times: -1}, func(_ generate.Media, err error) bool { return err != nil }, 4},
		{"an expired file", sim.Fault{Status: 404}, func(_ generate.Media, err error) bool { return errors.Is(err, generate.ErrGone) }, 1},
		{"a removed file", sim.Fault{Status: 410}, func(_ generate.Media, err error) bool { return errors.Is(err, generate.ErrGone) }, 1},
		{"a hidden file", sim.Fault{Status: 403}, func(_ generate.Media, err error) bool {
			pe, _ := errors.AsType[*generate.ProviderError](err)
			return pe != nil && !pe.Temporary
		}, 1},
		{"a bad gateway, once", sim.Fault{Status: 502}, func(m generate.Media, err error) bool { return err == nil && m.Offset == 10 }, 2},
		{"a reset, once", sim.Fault{Drop: true}, func(m generate.Media, err error) bool { return err == nil && m.Offset == 10 }, 0},
		{"too many calls", sim.Fault{Status: 429, Times: -1, Header: http.Header{"Retry-After": {"60"}}}, func(_ generate.Media, err error) bool {
			pe, _ := errors.AsType[*generate.ProviderError](err)
			return pe != nil && pe.Temporary && pe.RetryAfter == time.Minute
		}, 1},
	} {
		t.Run(tc.name, func(t *testing.T) {
			w := newWorld(t, sim.Options{})
			u := w.video(t)
			tc.fault.Op = sim.OpMedia
			w.sim.Inject(tc.fault)
			m, err := w.Open(t.Context(), u+"?"+signature, 10)
			if m.Body != nil {
				defer m.Body.Close()
			}
			if !tc.check(m, err) {
				t.Errorf("got %+v, %v", m, err)
			}
			if n := w.sim.Count(sim.OpMedia); tc.calls > 0 && n != tc.calls {
				t.Errorf("%d calls, want %d", n, tc.calls)
			}
			if err != nil {
				w.assertError(t, err)
			}
		})
	}
}

func TestOpenContactsMediaHostsOnly(t *testing.T) {
	var foreign atomic.Int32
	elsewhere := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { foreign.Add(1) }))
	t.Cleanup(elsewhere.Close)
	w := newWorld(t, sim.Options{})
	host := elsewhere.Listener.Addr().String()
	_, port, _ := strings.Cut(host, ":")
	for _, u := range []string{
		elsewhere.URL + "/x.mp4?" + signature,
		"http://localhost:" + port + "/x.mp4",
		"http://fal.media/x.mp4",
		"https://evilfal.media/x.mp4",
		"https://fal.media.evil.example/x.mp4",
		"https://fal.media:8443/x.mp4",
		"https://user:pass@fal.media/x.mp4",
		"https://127.0.0.1/x.mp4",
		"ftp://fal.media/x.mp4",
		"file:///etc/passwd",
		"data:video/mp4;base64,AAAA",
		"//fal.media/x",
		"",
		"http://\x7f",
	} {
		m, err := w.Open(t.Context(), u, 0)
		if err == nil {
			_ = m.Body.Close()
		}
		w.assertError(t, err)
	}
	t.Run("nor does a redirect lead elsewhere", func(t *testing.T) {
		u := w.video(t)
		w.sim.Inject(sim.Fault{Op: sim.OpMedia, Status: 302, Header: http.Header{"Location": {elsewhere.URL + "/?" + signature}}})
		_, err := w.Open(t.Context(), u, 0)
		w.assertError(t, err)
	})
	if n := foreign.Load(); n != 0 {
		t.Errorf("%d calls to a foreign host", n)
	}
}

func TestOpenFollowsFiveRedirectsBetweenMediaHosts(t *testing.T) {
	w := newWorld(t, sim.Options{})
	u := w.video(t)
	hop := sim.Fault{Op: sim.OpMedia, Status: 302, Header: http.Header{"Location": {u + "?" + signature}}, Times: 5}
	w.sim.Inject(hop)
	m, err := w.Open(t.Context(), u, 0)
	if err != nil {
		t.Fatal(err)
	}
	_ = m.Body.Close()
	before := w.sim.Count(sim.OpMedia)
	hop.Times = -1
	w.sim.Inject(hop)
	if _, err = w.Open(t.Context(), u, 0); err == nil || w.sim.Count(sim.OpMedia)-before != 4*6 {
		t.Errorf("%d calls, %v", w.sim.Count(sim.OpMedia)-before, err)
	}
	w.assertError(t, err)
}

func TestMediaHostPatterns(t *testing.T) {
	refused := errors.New("refused by the dialer")
	var dialled atomic.Value
	w := newWorld(t, sim.Options{}, func(c *fal.Config) {
		c.Retry.Attempts = 1
		c.Transport = &http.Transport{Proxy: func(r *http.Request) (*url.URL, error) {
			dialled.Store(r.URL.Host)
			return nil, refused
		}}
	})
	for u, want := range map[string]bool{
		"https://fal.media/a":          true,
		"https://v3b.fal.media/a":      true,
		"https://a.b.FAL.media./a":     true,
		"https://v3.fal.media:443/a":   true,
		"https://media/a":              false,
		"https://xfal.media/a":         false,
		"https://v3b.fal.media:8080/a": false,
	} {
		_, err := w.Open(t.Context(), u, 0)
		if errors.Is(err, refused) != want {
			t.Errorf("%s: %v", u, err)
		}
	}
}

func TestDownloadThatFallsSilentEnds(t *testing.T) {
	release := make(chan struct{})
	srv := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		rw.Header().Set("Content-Length", "10")
		_, _ = io.WriteString(rw, "five.")
		_ = http.NewResponseController(rw).Flush()
		select {
		case <-release:
		case <-r.Context().Done():
		}
	}))
	t.Cleanup(srv.Close)
	t.Cleanup(func() { close(release) })
	w := newWorld(t, sim.Options{}, func(c *fal.Config) {
		c.MediaHosts = []string{strings.TrimPrefix(srv.URL, "http://")}
		c.Timeouts.Idle = time.Second
	})
	m, err := w.Open(t.Context(), srv.URL+"/x.mp4", 0)
	if err != nil {
		t.Fatal(err)
	}
	defer m.Body.Close()
	got, err := io.ReadAll(m.Body)
	if string(got) != "five." || err == nil || err.Error() != "download: the stream fell silent" {
		t.Errorf("%q, %v", got, err)
	}

	ctx, cancel := context.WithCancel(t.Context())
	if m, err = w.Open(ctx, srv.URL+"/x.mp4", 0); err != nil {
		t.Fatal(err)
	}
	defer m.Body.Close()
	cancel()
	if _, err := io.ReadAll(m.Body); !errors.Is(err, context.Canceled) {
		t.Errorf("after the caller's end: %v", err)
	}
}

func TestContentRange(t *testing.T) {
	for in, want := range map[string][2]int64{
		"bytes 100-199/200": {100, 200},
		"bytes 0-0/*":       {0, -1},
		"bytes 5-9/3":       {-1, -1},
		"bytes */200":       {-1, -1},
		"bytes -5-9/20":     {-1, -1},
		"":                  {-1, -1},
		"bytes 1-2/x":       {-1, -1},
	} {
		start, size, err := fal.ContentRange(in)
		if (err != nil) != (want[0] < 0) || err == nil && (start != want[0] || size != want[1]) {
			t.Errorf("%q: %d of %d, %v", in, start, size, err)
		}
	}
}

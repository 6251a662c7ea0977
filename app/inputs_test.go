package app_test

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strconv"
	"testing"
	"time"

	"ltxbot/app"
	"ltxbot/core/generate"
	"ltxbot/internal/publichttp"
)

func TestALinkThatCannotBeFetchedSaysWhy(t *testing.T) {
	srv := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Retry-After", r.URL.Query().Get("after"))
		if status, err := strconv.Atoi(r.URL.Path[1:]); err == nil {
			w.WriteHeader(status)
		}
		if r.URL.Path == "/round" {
			http.Redirect(w, r, "/round", http.StatusFound)
		}
		_, _ = io.WriteString(w, "picture")
	}))
	t.Cleanup(srv.Close)
	client := func(list ...string) app.Links {
		c, err := publichttp.New(publichttp.Options{
			Hosts: list, Allow: func(a netip.Addr) bool { return a == netip.MustParseAddr("127.0.0.1") },
			TLS: &tls.Config{RootCAs: srv.Client().Transport.(*http.Transport).TLSClientConfig.RootCAs},
		})
		if err != nil {
			t.Fatal(err)
		}
		return app.Links{Client: c}
	}
	noNames(t)
	links := client()
	for link, want := range map[string]generate.FailureKind{
		"http://127.0.0.1/x":       generate.FailInputLink,
		"https://127.0.0.2/x":      generate.FailInputLink,
		"https://nothing.invalid/": generate.FailInputHost,
		srv.URL + "/404":           generate.FailInputGone,
		srv.URL + "/403":           generate.FailInputGone,
		srv.URL + "/400":           generate.FailInputFetch,
		srv.URL + "/round":         generate.FailInputFetch,
		srv.URL + "/200?too=large": generate.FailInputLarge,
	} {
		_, err := links.Open(t.Context(), link, 6)
		wrong, ok := errors.AsType[*generate.InputError](err)
		if !ok || wrong.Kind != want {
			t.Errorf("%s: %v, want %s", link, err, want)
		}
	}
	if _, err := client("example.com").Open(t.Context(), srv.URL, 6); err == nil {
		t.Error("a host that is not allowed is asked")
	}
	_, err := links.Open(t.Context(), srv.URL+"/503", 7)
	if _, final := errors.AsType[*generate.InputError](err); err == nil || final {
		t.Errorf("a host that is busy: %v", err)
	}
	_, err = links.Open(t.Context(), srv.URL+"/503?after=9", 7)
	if later, ok := errors.AsType[*generate.RetryError](err); !ok || later.After != 9*time.Second {
		t.Errorf("a host that asks for time: %v", err)
	}
	m, err := links.Open(t.Context(), srv.URL+"/200", 7)
	if err != nil {
		t.Fatal(err)
	}
	defer m.Body.Close()
	if b, err := io.ReadAll(m.Body); string(b) != "picture" || err != nil || m.Size != 7 {
		t.Errorf("%q of %d bytes, %v", b, m.Size, err)
	}
}

// noNames has the resolver know no name during a test.
func noNames(t *testing.T) {
	t.Helper()
	server, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	go func() {
		message := make([]byte, 512)
		for {
			n, from, err := server.ReadFrom(message)
			if err != nil {
				return
			}
			message[2] |= 0x80 // an answer
			message[3] = 0x83  // NXDOMAIN
			_, _ = server.WriteTo(message[:n], from)
		}
	}()
	before := net.DefaultResolver
	net.DefaultResolver = &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, "udp", server.LocalAddr().String())
	}}
	t.Cleanup(func() {
		net.DefaultResolver = before
		_ = server.Close()
	})
}

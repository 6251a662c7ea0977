package publichttp_test

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"ltxbot/internal/leak"
	"ltxbot/internal/publichttp"
)

// A server that has answered before it read all lingers for half a second.
func TestMain(m *testing.M) {
	leak.Verify(m, goleak.IgnoreAnyFunction("net/http.(*conn).closeWriteAndWait"))
}

func TestOnlyAddressesOnThePublicInternetArePublic(t *testing.T) {
	for address, want := range map[string]bool{
		"8.8.8.8": true, "1.1.1.1": true, "100.63.255.255": true, "100.128.0.1": true, "172.15.0.1": true, "172.32.0.1": true,
		"2606:4700::1111": true, "2a00:1450::1": true, "::ffff:8.8.8.8": true, "64:ff9b::8.8.8.8": true,

		"0.0.0.0": false, "0.1.2.3": false, "10.0.0.1": false, "127.0.0.1": false, "127.255.255.254": false,
		"100.64.0.1": false, "100.100.100.200": false, "100.127.255.255": false, // carrier-grade NAT, metadata
		"169.254.169.254": false, "169.254.170.2": false, // metadata of AWS, Google, Azure; of ECS
		"168.63.129.16": false, "192.0.0.192": false, // of Azure and Oracle
		"172.16.0.1": false, "172.31.255.255": false, "192.168.1.1": false,
		"192.0.2.1": false, "198.18.0.1": false, "198.19.255.255": false, "198.51.100.1": false, "203.0.113.1": false,
		"192.88.99.1": false, "224.0.0.1": false, "239.255.255.255": false, "240.0.0.1": false, "255.255.255.255": false,

		"::": false, "::1": false, "fe80::1": false, "fe80::1%eth0": false, "fc00::1": false, "fd00:ec2::254": false, "ff02::1": false,
		"::ffff:127.0.0.1": false, "::ffff:169.254.169.254": false, "::ffff:10.0.0.1": false, "::127.0.0.1": false,
		"64:ff9b::10.0.0.1": false, "64:ff9b::169.254.169.254": false, "64:ff9b:1::10.0.0.1": false,
		"2002:a00:1::1": false, "2001::1": false, "2001:2::1": false, "2001:db8::1": false, "3fff::1": false, "5f00::1": false, "100::1": false,
		"2001:4860:4860::8888": true, "2606:4700::1111%eth0": false,
	} {
		if got := publichttp.Public(netip.MustParseAddr(address)); got != want {
			t.Errorf("%s is public: %v, want %v", address, got, want)
		}
	}
	if publichttp.Public(netip.Addr{}) {
		t.Error("no address is public")
	}
}

// here lets a client contact 127.0.0.1 alone.
func here(a netip.Addr) bool { return a == netip.MustParseAddr("127.0.0.1") }

// serve starts a host and returns its address and a client that may contact it.
func serve(t *testing.T, h http.HandlerFunc, list ...string) (string, *publichttp.Client) {
	t.Helper()
	srv := httptest.NewTLSServer(h)
	t.Cleanup(srv.Close)
	pool := srv.Client().Transport.(*http.Transport).TLSClientConfig.RootCAs
	c, err := publichttp.New(publichttp.Options{Hosts: list, UserAgent: "ltxbot/test", Allow: here, TLS: &tls.Config{RootCAs: pool}})
	if err != nil {
		t.Fatal(err)
	}
	return srv.URL, c
}

func fetch(ctx context.Context, c *publichttp.Client, link string, most int64) (string, publichttp.File, error) {
	f, err := c.Open(ctx, link, most)
	if err != nil {
		return "", f, err
	}
	b, err := io.ReadAll(f.Body)
	return string(b), f, errors.Join(err, f.Body.Close())
}

func TestAFileIsFetched(t *testing.T) {
	var seen http.Header
	u, c := serve(t, func(w http.ResponseWriter, r *http.Request) {
		seen = r.Header
		w.Header().Set("Content-Type", "image/png; charset=x")
		http.SetCookie(w, &http.Cookie{Name: "a", Value: "b"})
		if r.URL.Path == "/first" {
			http.Redirect(w, r, "/second/cat%20one.png?b", http.StatusFound)
			return
		}
		_, _ = io.WriteString(w, "picture")
	})
	got, f, err := fetch(t.Context(), c, u+"/first?secret=1", 100)
	if err != nil || got != "picture" || f.Type != "image/png" || f.Name != "cat one.png" || f.Size != 7 {
		t.Errorf("%q, %+v, %v", got, f, err)
	}
	if seen.Get("Referer") != "" || seen.Get("Cookie") != "" || seen.Get("Authorization") != "" || seen.Get("User-Agent") != "ltxbot/test" {
		t.Errorf("the second host is sent %v", seen)
	}
}

func TestALinkThatMayNotBeFetchedReachesNobody(t *testing.T) {
	u, c := serve(t, func(_ http.ResponseWriter, r *http.Request) { t.Errorf("%s was reached", r.URL) })
	host := strings.TrimPrefix(u, "https://")
	_, port, _ := strings.Cut(host, ":")
	open, err := publichttp.New(publichttp.Options{})
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		name   string
		client *publichttp.Client
		link   string
		want   error
	}{
		{"plain http", c, "http://" + host, publichttp.ErrLink},
		{"another scheme", c, "ftp://" + host, publichttp.ErrLink},
		{"a file", c, "file:///etc/passwd", publichttp.ErrLink},
		{"no host", c, "https:///x", publichttp.ErrLink},
		{"no link", c, "\x7f", publichttp.ErrLink},
		{"a password", c, "https://me:hunter2@" + host, publichttp.ErrLink},
		{"an address inside", open, u, publichttp.ErrInside},
		{"a name of an address inside", open, "https://localhost:" + port, publichttp.ErrInside},
		{"an address in another notation", open, "https://[::ffff:127.0.0.1]:" + port, publichttp.ErrInside},
		{"an address of metadata", open, "https://169.254.169.254/latest", publichttp.ErrInside},
	} {
		_, err := c.Open(t.Context(), "", 1)
		if err == nil {
			t.Fatal("an empty link is opened")
		}
		if _, err = tt.client.Open(t.Context(), tt.link+"?signature=1", 100); !errors.Is(err, tt.want) {
			t.Errorf("%s: %v, want %v", tt.name, err, tt.want)
		}
		if strings.Contains(fmt.Sprint(err), "signature") || strings.Contains(fmt.Sprint(err), "hunter2") {
			t.Errorf("%s: the error tells the link: %v", tt.name, err)
		}
	}
}

func TestARedirectIsCheckedLikeALink(t *testing.T) {
	var to string
	u, c := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/away" {
			http.Redirect(w, r, to, http.StatusMovedPermanently)
			return
		}
		_, _ = io.WriteString(w, "here")
	})
	port := u[strings.LastIndex(u, ":"):]
	for where, want := range map[string]error{
		u + "/x":                      nil,
		"http://127.0.0.1" + port:     publichttp.ErrLink,
		"https://127.0.0.2" + port:    publichttp.ErrInside,
		"https://me@127.0.0.1" + port: publichttp.ErrLink,
	} {
		to = where
		if _, _, err := fetch(t.Context(), c, u+"/away", 100); !errors.Is(err, want) {
			t.Errorf("to %s: %v, want %v", where, err, want)
		}
	}
	_, narrow := serve(t, nil, "example.com")
	if err := narrow.Check("https://example.com/a"); err != nil {
		t.Error(err)
	}
	if _, err := narrow.Open(t.Context(), u, 100); !errors.Is(err, publichttp.ErrHost) {
		t.Errorf("a host that is not listed: %v", err)
	}
}

func TestFiveRedirectsAreFollowed(t *testing.T) {
	left := 0
	u, c := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if left--; left >= 0 {
			http.Redirect(w, r, "/again", http.StatusTemporaryRedirect)
		}
	})
	for n, want := range map[int]error{5: nil, 6: publichttp.ErrRedirects} {
		left = n
		if _, _, err := fetch(t.Context(), c, u, 100); !errors.Is(err, want) {
			t.Errorf("%d redirects: %v, want %v", n, err, want)
		}
	}
}

func TestAFileThatIsTooLargeIsNotRead(t *testing.T) {
	told := true
	u, c := serve(t, func(w http.ResponseWriter, _ *http.Request) {
		if !told {
			_ = http.NewResponseController(w).Flush()
		}
		_, _ = io.WriteString(w, strings.Repeat("x", 101))
	})
	for _, told = range []bool{true, false} {
		got, _, err := fetch(t.Context(), c, u, 100)
		if !errors.Is(err, publichttp.ErrTooLarge) || len(got) > 101 {
			t.Errorf("its size is told %v: %d bytes, %v", told, len(got), err)
		}
		if got, _, err := fetch(t.Context(), c, u, 101); err != nil || len(got) != 101 {
			t.Errorf("as large as is allowed: %d bytes, %v", len(got), err)
		}
	}
}

func TestAnAnswerWithoutAFile(t *testing.T) {
	var status int
	var after string
	u, c := serve(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Retry-After", after)
		w.WriteHeader(status)
	})
	for code, want := range map[int]error{404: publichttp.ErrMissing, 410: publichttp.ErrMissing, 401: publichttp.ErrForbidden, 403: publichttp.ErrForbidden} {
		status = code
		if _, err := c.Open(t.Context(), u, 100); !errors.Is(err, want) {
			t.Errorf("%d: %v, want %v", code, err, want)
		}
	}
	for code, temporary := range map[int]bool{204: false, 206: false, 400: false, 405: false, 408: true, 429: true, 500: true, 503: true} {
		status = code
		for asked, want := range map[string]time.Duration{"": 0, "7": 7 * time.Second, "86400": publichttp.MaxRetryWait, "-1": 0, "soon": 0} {
			after = asked
			_, err := c.Open(t.Context(), u, 100)
			got, ok := errors.AsType[*publichttp.StatusError](err)
			if !ok || got.Temporary() != temporary || got.After != want {
				t.Errorf("%d, again after %q: %v", code, asked, err)
			}
		}
	}
}

// What a host sends may repeat a link, or be one with a key: no error quotes it.
func TestNoErrorQuotesTheHost(t *testing.T) {
	raw := func(answer string) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			conn, _, err := http.NewResponseController(w).Hijack()
			if err != nil {
				t.Error(err)
				return
			}
			_, _ = io.WriteString(conn, strings.ReplaceAll(answer, "{link}", r.URL.String()))
			_ = conn.Close()
		}
	}
	for name, h := range map[string]http.HandlerFunc{
		"a redirect to what is no link":   raw("HTTP/1.1 302 Found\r\nLocation: https://cdn.example.com:x/f?sig=hush\r\n\r\n"),
		"a redirect with a broken path":   raw("HTTP/1.1 302 Found\r\nLocation: https://cdn.example.com/%zz?sig=hush\r\n\r\n"),
		"a redirect to http":              raw("HTTP/1.1 302 Found\r\nLocation: http://cdn.example.com/f?sig=hush\r\n\r\n"),
		"a redirect to no host":           raw("HTTP/1.1 302 Found\r\nLocation: https://nothing.invalid/f?sig=hush\r\n\r\n"),
		"a redirect with a password":      raw("HTTP/1.1 302 Found\r\nLocation: https://ann:hush@cdn.example.com/\r\n\r\n"),
		"a redirect to nobody":            raw("HTTP/1.1 302 Found\r\nLocation: https://127.0.0.1:1/f?sig=hush\r\n\r\n"),
		"a redirect to an address inside": raw("HTTP/1.1 302 Found\r\nLocation: https://10.0.0.1/f?sig=hush\r\n\r\n"),
		"an answer that is none":          raw("you asked for {link}\r\n\r\n"),
		"a status that is none":           raw("HTTP/1.1 {link}\r\n\r\n"),
		"a header that is none":           raw("HTTP/1.1 200 OK\r\n{link}\r\n\r\n"),
		"a length that is none":           raw("HTTP/1.1 200 OK\r\nContent-Length: {link}\r\n\r\n"),
		"a coding that is none":           raw("HTTP/1.1 200 OK\r\nTransfer-Encoding: {link}\r\n\r\n"),
		"chunks that are none":            raw("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n{link}\r\n"),
		"a trailer that is none":          raw("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: X\r\n\r\n0\r\n{link}\r\n\r\n"),
		"no answer":                       raw(""),
		"a type that is none":             raw("HTTP/1.1 418 {link}\r\nContent-Type: {link}\r\nRetry-After: {link}\r\n\r\n"),
	} {
		t.Run(name, func(t *testing.T) {
			u, c := serve(t, h)
			_, _, err := fetch(t.Context(), c, u+"/f?token=hush", 100)
			if err == nil || strings.Contains(err.Error(), "hush") || strings.Contains(err.Error(), "/f") {
				t.Errorf("the error is %v", err)
			}
		})
	}
}

func TestTheStartOfAFileIsFetched(t *testing.T) {
	const whole = "0123456789"
	var status int
	var size string
	u, c := serve(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("ETag", `"v1"`)
		if r.Header.Get("If-None-Match") == `"v1"` {
			w.WriteHeader(http.StatusNotModified)
			return
		}
		if got := r.Header.Get("Range"); got != "bytes=0-3" {
			t.Errorf("asked for %q", got)
		}
		if status == http.StatusOK {
			_, _ = io.WriteString(w, whole)
			return
		}
		w.Header().Set("Content-Range", "bytes 0-3/"+size)
		w.WriteHeader(status)
		_, _ = io.WriteString(w, whole[:4])
	})
	for _, tt := range []struct {
		name   string
		status int
		size   string
		want   int64
	}{
		{"a part", http.StatusPartialContent, "10", 10},
		{"a part of a file whose size the host does not know", http.StatusPartialContent, "*", -1},
		{"a part of nonsense", http.StatusPartialContent, "-7", -1},
		{"all of it, which the host sends instead", http.StatusOK, "", 10},
	} {
		status, size = tt.status, tt.size
		f, err := c.OpenStart(t.Context(), u, 4, `"v0"`)
		if err != nil {
			t.Fatalf("%s: %v", tt.name, err)
		}
		b := make([]byte, 4)
		_, err = io.ReadFull(f.Body, b)
		if string(b) != "0123" || err != nil || f.Size != tt.want || f.ETag != `"v1"` || f.Body.Close() != nil {
			t.Errorf("%s: %q, %v, %+v", tt.name, b, err, f)
		}
	}
	status = http.StatusOK
	f, err := c.OpenStart(t.Context(), u, 4, "")
	if err != nil {
		t.Fatal(err)
	}
	if b, err := io.ReadAll(f.Body); !errors.Is(err, publichttp.ErrTooLarge) || len(b) > 5 {
		t.Errorf("more than was asked for is read: %q, %v", b, err)
	}
	_ = f.Body.Close()
	if _, err := c.OpenStart(t.Context(), u, 4, `"v1"`); !errors.Is(err, publichttp.ErrUnchanged) {
		t.Errorf("the version that is known: %v", err)
	}
}

func TestAHostThatFallsSilentIsLeft(t *testing.T) {
	gone := make(chan struct{})
	u, c := serve(t, func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.WriteString(w, "five.")
		_ = http.NewResponseController(w).Flush()
		select {
		case <-gone:
		case <-r.Context().Done():
		}
	})
	defer close(gone)
	c.LimitSilence(time.Second)
	if got, _, err := fetch(t.Context(), c, u, 100); got != "five." || !errors.Is(err, publichttp.ErrSlow) {
		t.Errorf("%q, %v", got, err)
	}
	ctx, cancel := context.WithCancelCause(t.Context())
	c.LimitSilence(time.Minute)
	f, err := c.Open(ctx, u, 100)
	if err != nil {
		t.Fatal(err)
	}
	stopped := errors.New("stopped")
	cancel(stopped)
	if _, err := io.ReadAll(f.Body); !errors.Is(err, stopped) {
		t.Errorf("stopped by its caller: %v", err)
	}
	_ = f.Body.Close()
}

// TestNoProxyIsAsked: a proxy would resolve names by itself, and the addresses
// that are contacted could not be checked.
func TestNoProxyIsAsked(t *testing.T) {
	u, _ := url.Parse("http://127.0.0.1:1")
	t.Setenv("HTTPS_PROXY", u.String())
	host, c := serve(t, func(http.ResponseWriter, *http.Request) {})
	if _, _, err := fetch(t.Context(), c, host, 1); err != nil {
		t.Error(err)
	}
}

func TestHowLongAFetchMayTake(t *testing.T) {
	if publichttp.HeaderLimit != 20*time.Second || publichttp.SilenceLimit != 30*time.Second || publichttp.WholeLimit != 5*time.Minute ||
		publichttp.MaxRetryWait != 5*time.Minute || publichttp.MaxRedirects != 5 {
		t.Errorf("%s for the headers, %s of silence, %s for all, %s until the next try, %d redirects", publichttp.HeaderLimit,
			publichttp.SilenceLimit, publichttp.WholeLimit, publichttp.MaxRetryWait, publichttp.MaxRedirects)
	}
}

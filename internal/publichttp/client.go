// Package publichttp fetches what a link leads to that a person gave. It
// contacts public addresses only, over https, and takes a bounded number of
// redirects, bytes and seconds: a link must not reach what only the bot can
// reach. It sends no cookie, no Referer and no credentials.
package publichttp

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"maps"
	"mime"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"path"
	"strconv"
	"strings"
	"syscall"
	"time"

	"ltxbot/internal/hosts"
)

// Timeouts and bounds of a fetch.
const (
	maxRedirects = 5
	maxHeader    = 64 << 10         // bytes of the headers of an answer
	headerLimit  = 20 * time.Second // for a connection, and again for the headers
	silenceLimit = 30 * time.Second // without a byte
	wholeLimit   = 5 * time.Minute  // for all of it, from the first connection on
	maxRetryWait = 5 * time.Minute  // that an answer may ask for
)

// The reasons why a link can't be fetched.
var (
	ErrLink      = errors.New("not an https link")
	ErrHost      = errors.New("the host is not one of those that are allowed")
	ErrNoHost    = errors.New("no host has this name")
	ErrInside    = errors.New("the address is not public")
	ErrRedirects = errors.New("too many redirects")
	ErrTooLarge  = errors.New("the file is too large")
	ErrMissing   = errors.New("nothing is there")
	ErrForbidden = errors.New("the host does not let the bot see it")
	ErrSlow      = errors.New("the host is too slow")
	ErrUnchanged = errors.New("the file is the one that is known")
	ErrAnswer    = errors.New("the answer of the host can't be read")
)

// A StatusError is an answer without a file for another reason.
type StatusError struct {
	Status int
	After  time.Duration // to wait before the next try, as the host asks; 0 = not told
}

func (e *StatusError) Error() string { return "the host answered " + strconv.Itoa(e.Status) }

// Temporary reports whether the same fetch may succeed later.
func (e *StatusError) Temporary() bool {
	return e.Status == http.StatusRequestTimeout || e.Status == http.StatusTooManyRequests || e.Status >= http.StatusInternalServerError
}

// Options are how a Client fetches.
type Options struct {
	Hosts     []string // patterns of internal/hosts; empty = every host
	UserAgent string

	// Allow decides on the addresses that are contacted, and TLS on the
	// certificates; nil is Public and the system's. Both are for tests: there is
	// no config for them.
	Allow func(netip.Addr) bool
	TLS   *tls.Config
}

// A Client fetches links.
type Client struct {
	http      *http.Client
	hosts     hosts.List
	allow     func(netip.Addr) bool
	userAgent string
	silence   time.Duration
}

// New checks o and returns a client. It makes no connection.
func New(o Options) (*Client, error) {
	list, err := hosts.Parse(o.Hosts)
	if err != nil {
		return nil, err
	}
	c := &Client{hosts: list, allow: o.Allow, userAgent: o.UserAgent, silence: silenceLimit}
	if c.allow == nil {
		c.allow = Public
	}
	// The address is checked when the connection is made, after the name was
	// resolved: a name may lead elsewhere each time that it is asked for.
	dialer := &net.Dialer{Timeout: headerLimit, Control: c.control}
	c.http = &http.Client{
		CheckRedirect: c.checkRedirect,
		Transport: &http.Transport{
			Proxy:                  nil, // it would resolve the name by itself
			DialContext:            dialer.DialContext,
			TLSClientConfig:        o.TLS,
			TLSHandshakeTimeout:    headerLimit,
			ResponseHeaderTimeout:  headerLimit,
			MaxResponseHeaderBytes: maxHeader,
			DisableKeepAlives:      true,
			DisableCompression:     true, // a small body could become a huge one
		},
	}
	return c, nil
}

// control refuses a connection to an address that is not allowed.
func (c *Client) control(_, address string, _ syscall.RawConn) error {
	to, err := netip.ParseAddrPort(address)
	if err != nil || !c.allow(to.Addr()) {
		return ErrInside
	}
	return nil
}

func (c *Client) checkRedirect(req *http.Request, via []*http.Request) error {
	if len(via) > maxRedirects {
		return ErrRedirects
	}
	req.Header.Del("Referer") // it would hand on a link that may hold a secret
	return c.check(req.URL)
}

// check allows https on an allowed host.
func (c *Client) check(u *url.URL) error {
	switch {
	case u.Scheme != "https" || u.Hostname() == "" || u.User != nil:
		return ErrLink
	case len(c.hosts) > 0 && !c.hosts.Has(u.Hostname()):
		return ErrHost
	}
	return nil
}

// Check reports whether a link may be fetched, as far as it shows by itself.
func (c *Client) Check(link string) error {
	u, err := url.Parse(link)
	if err != nil {
		return ErrLink
	}
	return c.check(u)
}

// A File is what a link leads to, under way. The caller closes Body. Reading
// more bytes than were allowed is ErrTooLarge.
type File struct {
	Body io.ReadCloser
	Size int64  // bytes; -1 when not told
	Type string // as the host says: "image/png"
	Name string // the last part of the path; may be empty
	ETag string // of this version of the file; may be empty
}

// Open fetches a link to a file of at most most bytes. Its error names the host
// of the link and no more. What is none of the reasons above may pass.
func (c *Client) Open(ctx context.Context, link string, most int64) (File, error) {
	return c.begin(ctx, link, most, nil)
}

// OpenStart fetches the first most bytes of a file of any size, and tells the
// size of the whole file. A host that knows no ranges sends more, which is not
// read. When etag is not empty and the file is still of that version, the error
// is ErrUnchanged.
func (c *Client) OpenStart(ctx context.Context, link string, most int64, etag string) (File, error) {
	header := http.Header{"Range": {"bytes=0-" + strconv.FormatInt(most-1, 10)}}
	if etag != "" {
		header.Set("If-None-Match", etag)
	}
	return c.begin(ctx, link, most, header)
}

// begin fetches a link; header is for a part of the file, or nil for all of it.
func (c *Client) begin(ctx context.Context, link string, most int64, header http.Header) (File, error) {
	if err := c.Check(link); err != nil {
		return File{}, fmt.Errorf("fetch a link: %w", err)
	}
	ctx, cancel := context.WithCancelCause(ctx)
	whole := time.AfterFunc(wholeLimit, func() { cancel(ErrSlow) })
	end := func() {
		whole.Stop()
		cancel(nil)
	}
	f, err := c.open(ctx, link, most, header)
	if err != nil {
		end()
		return File{}, fmt.Errorf("fetch a link: %w", err)
	}
	f.Body = &body{
		ReadCloser: f.Body, ctx: ctx, left: most, timeout: c.silence, end: end,
		timer: time.AfterFunc(c.silence, func() { cancel(ErrSlow) }),
	}
	return f, nil
}

func (c *Client) open(ctx context.Context, link string, most int64, header http.Header) (File, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, link, nil)
	if err != nil {
		return File{}, ErrLink
	}
	maps.Copy(req.Header, header)
	req.Header.Set("User-Agent", c.userAgent)
	req.Header.Set("Accept", "*/*")
	resp, err := c.http.Do(req)
	if err != nil {
		return File{}, bare(ctx, err)
	}
	size := resp.ContentLength
	if err := refusal(resp, header != nil); err != nil {
		_ = resp.Body.Close()
		return File{}, err
	}
	switch {
	case resp.StatusCode == http.StatusPartialContent:
		size = wholeSize(resp.Header.Get("Content-Range"))
	case header == nil && size > most:
		_ = resp.Body.Close()
		return File{}, ErrTooLarge
	}
	kind, _, _ := mime.ParseMediaType(resp.Header.Get("Content-Type"))
	name := path.Base(resp.Request.URL.Path)
	if name == "." || name == "/" {
		name = ""
	}
	return File{Body: resp.Body, Size: size, Type: kind, Name: name, ETag: resp.Header.Get("ETag")}, nil
}

// refusal is why an answer has no file, or none of the part that was asked for.
func refusal(resp *http.Response, part bool) error {
	switch resp.StatusCode {
	case http.StatusOK:
		return nil
	case http.StatusPartialContent:
		if part {
			return nil
		}
	case http.StatusNotModified:
		return ErrUnchanged
	case http.StatusNotFound, http.StatusGone:
		return ErrMissing
	case http.StatusUnauthorized, http.StatusForbidden:
		return ErrForbidden
	}
	return &StatusError{Status: resp.StatusCode, After: retryAfter(resp.Header.Get("Retry-After"))}
}

// wholeSize reads the size of the file behind a part of it: "bytes 0-99/1234";
// -1 when it is not told.
func wholeSize(contentRange string) int64 {
	_, size, _ := strings.Cut(contentRange, "/")
	n, err := strconv.ParseInt(size, 10, 64)
	if err != nil || n < 0 {
		return -1
	}
	return n
}

// retryAfter reads the seconds that a host asks for. A date is ignored.
func retryAfter(v string) time.Duration {
	seconds, err := strconv.Atoi(v)
	if err != nil || seconds < 0 {
		return 0
	}
	return min(time.Duration(min(seconds, 1<<20))*time.Second, maxRetryWait)
}

// bare is why a fetch was stopped or failed, without the link. Package net/http
// quotes what a host has sent, which may be another link: none of that is kept.
func bare(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	if failed, ok := errors.AsType[*url.Error](err); ok {
		err = failed.Err
	}
	for _, plain := range []error{ErrLink, ErrHost, ErrRedirects, io.EOF, io.ErrUnexpectedEOF} {
		if errors.Is(err, plain) {
			return plain
		}
	}
	if name, ok := errors.AsType[*net.DNSError](err); ok && name.IsNotFound {
		return ErrNoHost
	}
	if network, ok := errors.AsType[net.Error](err); ok { // ErrInside is in it
		return network
	}
	if certificate, ok := errors.AsType[*tls.CertificateVerificationError](err); ok {
		return certificate
	}
	return ErrAnswer
}

// body is a File's. It ends with ErrTooLarge behind left bytes and with ErrSlow
// when nothing comes.
type body struct {
	io.ReadCloser
	ctx     context.Context //nolint:containedctx // of this fetch
	left    int64
	timeout time.Duration
	timer   *time.Timer
	end     func()
}

func (b *body) Read(p []byte) (int, error) {
	if int64(len(p)) > b.left+1 {
		p = p[:b.left+1]
	}
	b.timer.Reset(b.timeout)
	n, err := b.ReadCloser.Read(p)
	b.timer.Stop()
	if b.left -= int64(n); b.left < 0 {
		return n, ErrTooLarge
	}
	// A host that notices that it is left may still send an end, which is none.
	if err != nil && (err != io.EOF || b.ctx.Err() != nil) { //nolint:errorlint // io.Reader returns io.EOF itself
		err = fmt.Errorf("fetch a link: %w", bare(b.ctx, err))
	}
	return n, err
}

func (b *body) Close() error {
	b.timer.Stop()
	err := b.ReadCloser.Close()
	b.end()
	return err
}

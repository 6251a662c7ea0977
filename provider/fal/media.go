package fal

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"ltxbot/core/generate"
)

// maxRedirects is how often a download may be sent on.
const maxRedirects = 5

// checkRedirect lets a download be redirected to another media host only.
func (c *Client) checkRedirect(req *http.Request, via []*http.Request) error {
	if len(via) > maxRedirects {
		return errors.New("too many redirects")
	}
	req.Header.Del("Referer") // it would hand a signed URL on
	return c.hosts.check(req.URL)
}

// Open implements generate.Provider. The body ends with an error when the
// connection breaks or falls silent: call Open again with the offset reached.
// It waits until fewer than maxDownloads bodies are open.
func (c *Client) Open(ctx context.Context, mediaURL string, offset int64) (m generate.Media, err error) {
	defer c.done(opOpen, time.Now(), &err)
	u, err := url.Parse(mediaURL)
	if err != nil {
		return m, errors.New("open: not a URL")
	}
	if err := c.hosts.check(u); err != nil {
		return m, fmt.Errorf("open: %w", err)
	}
	leave, err := enter(ctx, c.downloads)
	if err != nil {
		return m, fmt.Errorf("open: %w", err)
	}
	for n := 0; ; n++ {
		m, pause, err := c.open(ctx, u, offset, leave)
		if err == nil {
			return m, nil
		}
		pe, refused := errors.AsType[*generate.ProviderError](err)
		final := errors.Is(err, generate.ErrForeign) || errors.Is(err, generate.ErrGone) || refused && !pe.Temporary
		if final || n+1 >= c.retry.Attempts || pause > c.retry.Max ||
			!wait(ctx, max(pause, c.retry.delay(n, c.rand()))) {
			leave()
			return generate.Media{}, err
		}
	}
}

// open makes one attempt. With its error comes the wait that the host asks for.
// ended is called when the body is closed.
func (c *Client) open(ctx context.Context, u *url.URL, offset int64, ended func()) (generate.Media, time.Duration, error) {
	ctx, cancel := context.WithCancelCause(ctx)
	fail := func(err error, pause time.Duration) (generate.Media, time.Duration, error) {
		cancel(nil)
		return generate.Media{}, pause, err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, u.String(), nil)
	if err != nil {
		return fail(fmt.Errorf("open: %w", c.scrub.err(err)), 0)
	}
	req.Header.Set("User-Agent", c.userAgent)
	if offset > 0 {
		req.Header.Set("Range", fmt.Sprintf("bytes=%d-", offset))
	}
	late := time.AfterFunc(c.limits.Call, func() { cancel(errSlow) })
	resp, err := c.media.Do(req) //nolint:bodyclose // the caller closes it, by download.Close
	late.Stop()
	if err != nil {
		return fail(fmt.Errorf("open: %w", c.scrub.err(explain(ctx, err))), 0)
	}
	m := generate.Media{Size: resp.ContentLength, ContentType: resp.Header.Get("Content-Type")}
	switch resp.StatusCode {
	case http.StatusOK:
	case http.StatusPartialContent:
		if m.Offset, m.Size, err = contentRange(resp.Header.Get("Content-Range")); err != nil {
			_ = resp.Body.Close()
			return fail(fmt.Errorf("open: %w", err), 0)
		}
	default:
		a, _ := readAnswer(resp, maxBody) // the status says enough
		if a.status == http.StatusNotFound || a.status == http.StatusGone {
			return fail(fmt.Errorf("open: HTTP %d: %w", a.status, generate.ErrGone), 0)
		}
		return fail(&generate.ProviderError{
			Op: opOpen, Kind: generate.FailProvider, HTTPStatus: a.status,
			RetryAfter: a.retryAfter(), Temporary: passes(a.status),
		}, a.retryAfter())
	}
	m.Body = &download{
		watchdog: newWatchdog(resp.Body, c.limits.Idle, func() { cancel(errSilent) }),
		ctx:      func() error { return context.Cause(ctx) },
		close: func() error {
			cancel(nil)
			defer ended()
			return resp.Body.Close()
		},
		scrub: c.scrub,
	}
	return m, 0, nil
}

// contentRange reads "bytes 100-199/200" and returns where the body starts and
// the size of the whole, -1 when that is "*".
func contentRange(s string) (start, size int64, err error) {
	span, total, ok := strings.Cut(strings.TrimPrefix(s, "bytes "), "/")
	first, _, dashed := strings.Cut(span, "-")
	start, err = strconv.ParseInt(first, 10, 64)
	if !ok || !dashed || err != nil || start < 0 {
		return 0, 0, errors.New("a partial answer without a usable Content-Range")
	}
	if total == "*" {
		return start, -1, nil
	}
	if size, err = strconv.ParseInt(total, 10, 64); err != nil || size < start {
		return 0, 0, errors.New("a partial answer without a usable Content-Range")
	}
	return start, size, nil
}

// A download is the body of a media file. Its errors name no URL.
type download struct {
	*watchdog
	ctx   func() error // why the download was stopped, if it was
	close func() error
	scrub scrubber
}

func (d *download) Read(p []byte) (int, error) {
	n, err := d.watchdog.Read(p)
	cause := d.ctx()
	// A host that notices that it is left may still send an end, which is none.
	if err != nil && (err != io.EOF || cause != nil) { //nolint:errorlint // io.Reader returns io.EOF itself
		if cause != nil {
			err = cause
		}
		err = fmt.Errorf("download: %w", d.scrub.err(err))
	}
	return n, err
}

func (d *download) Close() error {
	d.stop()
	return d.close()
}

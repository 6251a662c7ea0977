package fal

import (
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"mime"
	"net/http"
	"net/url"
	"time"

	"github.com/tmaxmax/go-sse"

	"ltxbot/core/generate"
)

// errSilent ends a status stream that says nothing for too long; fal does not
// document a keep-alive.
var errSilent = errors.New("the stream fell silent")

// Watch implements generate.Provider with fal's status stream. It neither
// retries nor reconnects: polling is the truth, the stream a hint.
func (c *Client) Watch(ctx context.Context, s generate.Submission) iter.Seq2[generate.Status, error] {
	return func(yield func(generate.Status, error) bool) {
		var err error
		defer c.done(opWatch, time.Now(), &err)
		ctx, cancel := context.WithCancelCause(ctx)
		defer cancel(nil)
		var resp *http.Response
		if resp, err = c.stream(ctx, cancel, s); err != nil {
			yield(generate.Status{}, err)
			return
		}
		defer func() { _ = resp.Body.Close() }()
		body := newWatchdog(resp.Body, c.limits.Idle, func() { cancel(errSilent) })
		defer body.stop()
		var stopped bool
		if stopped, err = c.statuses(body, yield); err != nil {
			err = fmt.Errorf("watch: %w", c.scrub.err(explain(ctx, err)))
			if !stopped {
				yield(generate.Status{}, err)
			}
		}
	}
}

// stream opens the status stream and returns it if it is one.
func (c *Client) stream(ctx context.Context, cancel context.CancelCauseFunc, s generate.Submission) (*http.Response, error) {
	u, err := c.urlFor(s, pathStream)
	if err != nil {
		return nil, fmt.Errorf("watch: %w", err)
	}
	u.RawQuery = url.Values{"logs": {"1"}}.Encode()
	leave, err := c.enter(ctx)
	if err != nil {
		return nil, fmt.Errorf("watch: %w", err)
	}
	defer leave()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, u.String(), nil)
	if err != nil {
		return nil, fmt.Errorf("watch: %w", c.scrub.err(err))
	}
	c.dress(req, true)
	req.Header.Set("Accept", "text/event-stream")
	late := time.AfterFunc(c.limits.Call, func() { cancel(errSlow) })
	resp, err := c.calls.Do(req)
	late.Stop()
	if err != nil {
		return nil, fmt.Errorf("watch: %w", c.scrub.err(explain(ctx, err)))
	}
	kind, _, _ := mime.ParseMediaType(resp.Header.Get("Content-Type"))
	if resp.StatusCode == http.StatusOK && kind == "text/event-stream" {
		return resp, nil
	}
	a, err := readAnswer(resp, maxBody)
	switch {
	case err != nil:
		return nil, fmt.Errorf("watch: %w", c.scrub.err(explain(ctx, err)))
	case a.status == http.StatusNotFound:
		return nil, fmt.Errorf("watch: %w", generate.ErrGone)
	case a.ok():
		return nil, errors.New("watch: the answer is not an event stream")
	}
	return nil, c.refusal(opWatch, a)
}

// statuses yields each status of an event stream until the job is complete.
// It reports whether the consumer stopped, and the error that broke the
// stream.
func (c *Client) statuses(body io.Reader, yield func(generate.Status, error) bool) (stopped bool, err error) {
	for event, err := range sse.Read(body, &sse.ReadConfig{MaxEventSize: maxBody}) {
		if err != nil {
			return false, err
		}
		if event.Data == "" {
			continue
		}
		st, err := decodeStatus([]byte(event.Data))
		if err != nil {
			return false, err
		}
		if !yield(st, nil) || st.Phase == generate.PhaseComplete {
			return true, nil
		}
	}
	return false, nil
}

// A watchdog calls bite when reading takes longer than timeout, until it is
// stopped.
type watchdog struct {
	io.Reader
	timeout time.Duration
	timer   *time.Timer
}

func newWatchdog(r io.Reader, timeout time.Duration, bite func()) *watchdog {
	return &watchdog{Reader: r, timeout: timeout, timer: time.AfterFunc(timeout, bite)}
}

func (w *watchdog) Read(p []byte) (int, error) {
	w.timer.Reset(w.timeout)
	n, err := w.Reader.Read(p)
	w.timer.Stop()
	return n, err
}

func (w *watchdog) stop() { w.timer.Stop() }

package fal

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"strings"
	"sync/atomic"
	"time"

	"ltxbot/core/generate"
)

// Submit implements generate.Provider. It sends one POST, once.
//
// fal has no idempotency key, so what may have been sent is never sent again:
//
//   - no connection was ever made: generate.ErrNotSent;
//   - fal answered that it refuses: *generate.ProviderError, with the
//     Submission if the answer names a request id all the same;
//   - an error that may pass and names a request id: a Submission. Whether fal
//     took that request is for its status to tell;
//   - anything else (a lost reply, a proxy's 502, an unreadable 200): unknown.
func (c *Client) Submit(ctx context.Context, j generate.JobRequest) (s generate.Submission, err error) {
	defer c.done(opSubmit, time.Now(), &err)
	target, body, err := c.prepare(j)
	if err != nil {
		return s, fmt.Errorf("submit: %w: %w", generate.ErrNotSent, c.scrub.err(err))
	}
	a, err := c.post(ctx, target, body, j)
	switch {
	case errors.Is(err, generate.ErrNotSent):
		return s, fmt.Errorf("submit: %w: %w", generate.ErrNotSent, c.scrub.err(err))
	case a.status == 0:
		return s, fmt.Errorf("submit: the reply was lost: %w", c.scrub.err(err))
	case a.ok():
		return c.accepted(j, a, err)
	}
	refusal := c.refusal(opSubmit, a, private(j)...)
	s, named := c.named(j, a)
	switch {
	case refuses(a) && (!named || !refusal.Temporary):
		return s, refusal
	case named:
		c.log.WarnContext(ctx, "fal answered a submit with an error and a request id; the request is followed",
			"job", j.Job, "request_id", s.RequestID, "http_status", a.status)
		return s, nil
	}
	return s, fmt.Errorf("submit: HTTP %d, and not from fal itself: the outcome is unknown", a.status)
}

// prepare builds all that can fail before anything is sent.
func (c *Client) prepare(j generate.JobRequest) (*url.URL, []byte, error) {
	if _, err := appOf(j.Endpoint); err != nil {
		return nil, nil, err
	}
	body, err := input(j)
	if err != nil {
		return nil, nil, err
	}
	target := c.queue.JoinPath(j.Endpoint)
	if c.webhookURL != nil {
		if hook := c.webhookURL(j.Job); hook != "" {
			target.RawQuery = url.Values{"fal_webhook": {hook}}.Encode()
		}
	}
	return target, body, nil
}

// post sends body once. An error that is generate.ErrNotSent proves that no
// byte of it left: there was no connection that it could have left on. The
// answer has a status if any arrived, even if there is an error.
func (c *Client) post(ctx context.Context, target *url.URL, body []byte, j generate.JobRequest) (answer, error) {
	leave, err := c.enter(ctx)
	if err != nil {
		return answer{}, errors.Join(generate.ErrNotSent, err)
	}
	defer leave()
	ctx, cancel := context.WithTimeoutCause(ctx, c.limits.Submit, errSlow)
	defer cancel()
	// GotConn is called before the request is given to the connection,
	// after dial and TLS handshake.
	var connected atomic.Bool
	ctx = httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{
		GotConn: func(httptrace.GotConnInfo) { connected.Store(true) },
	})
	// The body hides what it is from net/http: a body that can be rewound
	// (GetBody) is one that can be sent again.
	sent := struct{ io.Reader }{strings.NewReader(string(body))}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, target.String(), sent)
	if err != nil {
		return answer{}, errors.Join(generate.ErrNotSent, err)
	}
	req.ContentLength = int64(len(body))
	c.dress(req, true)
	req.Header.Set("Content-Type", "application/json")
	c.setSubmitHeaders(req.Header, j)
	resp, err := c.once.Do(req)
	if err != nil {
		err = explain(ctx, c.scrub.err(err))
		if !connected.Load() {
			err = errors.Join(generate.ErrNotSent, err)
		}
		return answer{}, err
	}
	return readAnswer(resp, maxBody)
}

// refuses says whether a proves that fal did not take the job. A 408 or 499
// may be written by a proxy that has passed the request on.
func refuses(a answer) bool {
	switch {
	case a.status == http.StatusRequestTimeout, a.status == statusClientClosed:
		return false
	case a.status < http.StatusInternalServerError:
		return true
	}
	return a.flag("X-Fal-Needs-Retry", "X-Fal-Retryable")
}

// accepted reads the reply to a submit.
func (c *Client) accepted(j generate.JobRequest, a answer, readErr error) (generate.Submission, error) {
	s, named := c.named(j, a)
	if !named {
		if readErr == nil {
			readErr = errors.New("it has no request id")
		}
		return s, fmt.Errorf("submit: the reply can't be used: %w", c.scrub.err(readErr))
	}
	return s, nil
}

// named is the request that an answer to a submit names. The header repeats
// the request id, so an answer that was cut off or garbled still tells whom to
// ask.
func (c *Client) named(j generate.JobRequest, a answer) (generate.Submission, bool) {
	var reply struct {
		RequestID   string `json:"request_id"`
		StatusURL   string `json:"status_url"`
		ResponseURL string `json:"response_url"`
		CancelURL   string `json:"cancel_url"`
	}
	_ = json.Unmarshal(a.body, &reply) // what can't be read is as good as missing
	id := reply.RequestID
	if !validID(id) {
		id = a.requestID()
	}
	if !validID(id) {
		return generate.Submission{}, false
	}
	return c.submission(j.Endpoint, id, reply.StatusURL, reply.ResponseURL, reply.CancelURL), true
}

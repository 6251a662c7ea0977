package discord

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	"ltxbot/bot/adapter"
	"ltxbot/internal/retry"
)

// apiVersion is the version of the REST API.
// https://discord.com/developers/docs/reference#api-versioning
const apiVersion = "10"

// Homepage is the address in the User-Agent, which Discord wants to have one.
// https://discord.com/developers/docs/reference#user-agent
const Homepage = "https://fal.ai/models/fal-ai/ltx-2.3-22b/text-to-video/lora"

// How persistent a call is.
const (
	callTries   = 4
	callBackoff = 250 * time.Millisecond // after the first try, doubling
	longestWait = 4 * time.Second        // for a rate limit inside a call
	callTimeout = 15 * time.Second       // of one try without a file
	uploadIdle  = 90 * time.Second       // of one try with a file, without a byte
	maxAnswer   = 4 << 20                // bytes of an answer that are read
)

// A route is where a call goes, and which limits hold there.
type route struct {
	method string
	path   string // below /api/v10; may hold a token
	kind   string // the route without its parameters, for the rate limits
	major  string // the parameter that has a rate limit of its own: a channel, a token
	open   bool   // the path carries the right to call it: no Authorization header
	free   bool   // no rate limit holds
}

// A call is one request to the API.
type call struct {
	op    string // for errors: "edit card"
	route route
	query url.Values
	body  any      // sent as JSON; nil for none
	files []upload // sent beside the body
	out   any      // the answer is decoded into it; nil to drop it
	// again is set when doing the same twice is as good as once, so that the
	// call may be repeated when its answer was lost. GET, PUT, PATCH and
	// DELETE are by their nature.
	again bool
}

// client calls the REST API. It repeats nothing that may have had an effect,
// keeps to deadlines while it waits for a rate limit, streams uploads, and
// prints no token in its errors.
type client struct {
	base      string // "https://discord.com/api/v10"
	token     string
	userAgent string
	limits    *limiter
	http      *http.Client // for calls with a small body
	uploads   *http.Client // without a timeout of its own
}

func newClient(apiURL, token, version string, m adapter.Meter) *client {
	transport := func(idle int) *http.Transport {
		return &http.Transport{
			Proxy:                 http.ProxyFromEnvironment,
			DialContext:           (&net.Dialer{Timeout: 5 * time.Second, KeepAlive: 30 * time.Second}).DialContext,
			ForceAttemptHTTP2:     true,
			MaxIdleConns:          idle,
			MaxIdleConnsPerHost:   idle,
			IdleConnTimeout:       90 * time.Second,
			TLSHandshakeTimeout:   5 * time.Second,
			ResponseHeaderTimeout: time.Minute,
		}
	}
	return &client{
		base:      strings.TrimSuffix(apiURL, "/") + "/v" + apiVersion,
		token:     token,
		userAgent: "DiscordBot (" + Homepage + ", " + version + ")",
		limits:    newLimiter(m),
		http:      &http.Client{Transport: transport(64), CheckRedirect: noRedirect},
		uploads:   &http.Client{Transport: transport(4), CheckRedirect: noRedirect},
	}
}

// noRedirect keeps tokens from following a redirect to somewhere else.
func noRedirect(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }

func (c *client) close() {
	c.http.CloseIdleConnections()
	c.uploads.CloseIdleConnections()
}

// do makes a call. It waits out short rate limits and repeats what may be
// repeated. Its errors are an *APIError, a *limitError when the wait is long,
// and an *adapter.LostError when the call may have been done; adapter.ErrNotDone is in
// those of calls that were surely not.
func (c *client) do(ctx context.Context, k call) error {
	again := k.again || k.route.method != http.MethodPost
	maybeDone := false // an earlier try may have arrived
	for try := 1; ; try++ {
		err := c.limits.take(ctx, k.route, longestWait)
		if err != nil {
			return c.end(k, err, maybeDone)
		}
		var wait time.Duration
		outcome, err := c.once(ctx, k)
		var limited *limitError
		switch {
		case outcome == done:
			return err
		case outcome == unsent:
			wait = backoff(try)
		case errors.As(err, &limited):
			if wait = limited.after; wait > longestWait {
				return c.end(k, err, maybeDone)
			}
		default:
			maybeDone = true
			if !again {
				return c.end(k, err, maybeDone)
			}
			wait = backoff(try)
		}
		if deadline, ok := ctx.Deadline(); try == callTries || ok && time.Until(deadline) < wait || !retry.Wait(ctx, wait) {
			return c.end(k, err, maybeDone)
		}
	}
}

// end is the error of a call that is given up.
func (c *client) end(k call, err error, maybeDone bool) error {
	if maybeDone && k.route.method == http.MethodPost {
		return &adapter.LostError{Op: k.op, Err: err}
	}
	if _, ok := errors.AsType[*APIError](err); ok {
		return err
	}
	if !maybeDone {
		return fmt.Errorf("%s: %w, %w", k.op, adapter.ErrNotDone, err)
	}
	return fmt.Errorf("%s: %w", k.op, err)
}

func backoff(try int) time.Duration {
	return retry.Backoff{First: callBackoff, Spread: 1}.After(try)
}

// outcome is what is known of one try.
type outcome int

const (
	done    outcome = iota // answered, for good or ill
	unsent                 // nothing arrived at Discord
	limited                // refused for now
	unknown                // perhaps done
)

// once makes one try.
func (c *client) once(ctx context.Context, k call) (outcome, error) {
	httpClient, limit := c.http, callTimeout
	if len(k.files) > 0 {
		httpClient, limit = c.uploads, uploadIdle
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	timeout := time.AfterFunc(limit, cancel)
	defer timeout.Stop()
	req, err := c.request(ctx, k, func() { timeout.Reset(limit) })
	if err != nil {
		return done, fmt.Errorf("%s: %w", k.op, err)
	}
	resp, err := httpClient.Do(req)
	if err != nil {
		if dial, ok := errors.AsType[*net.OpError](err); ok && dial.Op == "dial" {
			return unsent, adapter.Scrub(err)
		}
		return unknown, adapter.Scrub(err)
	}
	defer func() { _ = resp.Body.Close() }()
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer))
	c.limits.learn(k.route, resp.Header)
	switch {
	case resp.StatusCode == http.StatusTooManyRequests:
		refusal := c.limits.refused(k.route, resp.Header, body)
		c.limits.tell(ctx, refusal)
		return limited, refusal
	case resp.StatusCode >= http.StatusInternalServerError:
		return unknown, apiError(k.op, resp.StatusCode, body)
	case resp.StatusCode >= http.StatusMultipleChoices:
		return done, apiError(k.op, resp.StatusCode, body)
	case err != nil:
		return unknown, adapter.Scrub(err)
	case k.out == nil || len(body) == 0:
		return done, nil
	}
	if err := json.Unmarshal(body, k.out); err != nil {
		return done, fmt.Errorf("%s: read answer: %w", k.op, err)
	}
	return done, nil
}

// request builds the request of a try. touch is called while a file is sent.
func (c *client) request(ctx context.Context, k call, touch func()) (*http.Request, error) {
	address := c.base + k.route.path
	if len(k.query) > 0 {
		address += "?" + k.query.Encode()
	}
	req, err := http.NewRequestWithContext(ctx, k.route.method, address, http.NoBody)
	if err != nil {
		return nil, adapter.Scrub(err)
	}
	req.Header.Set("User-Agent", c.userAgent)
	if !k.route.open {
		req.Header.Set("Authorization", "Bot "+c.token)
	}
	if k.body == nil {
		return req, nil
	}
	raw, err := json.Marshal(k.body)
	if err != nil {
		return nil, err
	}
	contentType := "application/json"
	req.ContentLength = int64(len(raw))
	req.GetBody = func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(raw)), nil }
	if len(k.files) > 0 {
		f, err := newForm(raw, k.files)
		if err != nil {
			return nil, err
		}
		contentType, req.ContentLength = f.contentType, f.size
		req.GetBody = func() (io.ReadCloser, error) { return f.open(touch) }
	}
	req.Header.Set("Content-Type", contentType)
	req.Body, err = req.GetBody()
	return req, err
}

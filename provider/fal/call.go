package fal

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"strconv"
	"sync"
	"time"

	"ltxbot/core/generate"
)

// maxBody bounds every JSON answer: fal itself keeps results above 1 MB out of
// its history. https://fal.ai/docs/documentation/model-apis/inference/payloads
const maxBody = 1 << 20

// maxCalls bounds the calls that this process makes at fal at a time, so that
// a start with thousands of jobs does not begin with thousands of calls. The
// status streams that are open and the downloads do not count: the engine
// bounds the former, and the latter go to another service.
const maxCalls = 20

// maxDownloads bounds the downloads of this process at a time.
const maxDownloads = 16

// The operations, as Config.Observe is told of them.
const (
	opSubmit   = "submit"
	opStatus   = "status"
	opWatch    = "watch"
	opResult   = "result"
	opCancel   = "cancel"
	opFind     = "find"
	opOpen     = "open"
	opPrices   = "prices"
	opUpload   = "upload"
	opCheckKey = "check_key"
	opJWKS     = "jwks"
	opPurge    = "purge"
)

// Ops returns every operation that Config.Observe may be told of.
func Ops() []string {
	return []string{
		opSubmit, opStatus, opWatch, opResult, opCancel, opFind, opOpen, opPrices, opUpload, opCheckKey, opJWKS, opPurge,
	}
}

// Outcomes returns every outcome that Config.Observe may be told of: "ok", the
// sentinel errors of generate, "stopped" for an ended context, "network" for
// anything unexplained, and one per kind of failure.
func Outcomes() []string {
	list := append(make([]string, 0, 20), "ok", "not_sent", "not_ready", "gone", "stopped", "network")
	for _, k := range generate.FailureKinds {
		list = append(list, string(k))
	}
	return list
}

func outcome(err error) string {
	if pe, ok := errors.AsType[*generate.ProviderError](err); ok {
		return string(pe.Kind)
	}
	switch {
	case err == nil:
		return "ok"
	case errors.Is(err, generate.ErrNotSent):
		return "not_sent"
	case errors.Is(err, generate.ErrNotReady):
		return "not_ready"
	case errors.Is(err, generate.ErrGone):
		return "gone"
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return "stopped"
	}
	return "network"
}

// done tells the observer how op ended; it is deferred with the time op began.
func (c *Client) done(op string, began time.Time, err *error) {
	c.observe(op, outcome(*err), time.Since(began))
}

// An answer is an HTTP response that was read to its end.
type answer struct {
	status int
	header http.Header
	body   []byte
}

func (a answer) ok() bool { return a.status >= 200 && a.status < 300 }

// requestID is the request that fal says the answer is about. A 5xx without
// one comes from something in front of fal.
func (a answer) requestID() string { return a.header.Get("x-fal-request-id") }

// flag reads a header that fal writes as true or 1.
func (a answer) flag(names ...string) bool {
	for _, n := range names {
		switch a.header.Get(n) {
		case "true", "True", "1", "yes":
			return true
		}
	}
	return false
}

// maxRetryAfter is the longest wait that an answer may ask for: what comes in
// a header must not stop a job for hours.
const maxRetryAfter = 5 * time.Minute

// retryAfter is the wait that the answer asks for, in whole seconds or until a
// date, at most maxRetryAfter.
// https://www.rfc-editor.org/rfc/rfc9110#field.retry-after
func (a answer) retryAfter() time.Duration {
	v := a.header.Get("Retry-After")
	if s, err := strconv.ParseFloat(v, 64); err == nil {
		if !(s > 0) {
			return 0
		}
		return time.Duration(min(s, maxRetryAfter.Seconds()) * float64(time.Second))
	}
	if t, err := http.ParseTime(v); err == nil {
		return min(max(0, time.Until(t)).Round(time.Second), maxRetryAfter)
	}
	return 0
}

var errTooLarge = errors.New("the answer is larger than may be read")

// readAnswer reads and closes the body of resp, of at most most bytes. What it
// could read is in the answer even if there is an error.
func readAnswer(resp *http.Response, most int64) (answer, error) {
	a := answer{status: resp.StatusCode, header: resp.Header}
	body, err := io.ReadAll(io.LimitReader(resp.Body, most+1))
	_ = resp.Body.Close() // it was read, that is all we want
	a.body = body
	if err == nil && int64(len(body)) > most {
		a.body, err = body[:most], errTooLarge
	}
	return a, err
}

// enter waits until fewer than maxCalls calls are under way. The function that
// it returns ends the call.
func (c *Client) enter(ctx context.Context) (leave func(), _ error) { return enter(ctx, c.slots) }

// enter waits for a free slot. The function that it returns frees it, however
// often it is called.
func enter(ctx context.Context, slots chan struct{}) (leave func(), _ error) {
	select {
	case slots <- struct{}{}:
		return sync.OnceFunc(func() { <-slots }), nil
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
}

// A call is one exchange with fal that costs nothing and may be repeated.
type call struct {
	op     string
	method string
	url    *url.URL
	open   bool // does without the key
	key    Key  // in place of the client's; may be empty
	body   []byte
	header http.Header // beside those that every call has
	most   int64       // bytes of the answer; 0 = maxBody
	// final says that an answer which looks temporary is not. May be nil.
	final func(answer) bool
}

// do makes the call until there is an answer worth having, at most
// Retry.Attempts times. Its last answer is returned whatever its status is; an
// error means that there was none.
func (c *Client) do(ctx context.Context, k call) (answer, error) {
	for n := 0; ; n++ {
		a, err := c.try(ctx, k)
		if err == nil && !k.again(a) {
			return a, nil
		}
		if err == nil && a.ok() {
			err = errors.New("the answer is not JSON")
		}
		pause := c.retry.delay(n, c.rand())
		asked := a.retryAfter()
		last := n+1 >= c.retry.Attempts || asked > c.retry.Max || errors.Is(err, errTooLarge)
		if last || !wait(ctx, max(pause, asked)) {
			if err == nil {
				return a, nil
			}
			return answer{}, fmt.Errorf("%s: %w", k.op, c.scrub.err(err))
		}
		c.log.DebugContext(ctx, "a call to fal is repeated", "op", k.op, "attempt", n+2, "http_status", a.status)
	}
}

// again says whether the same call may well get a better answer.
func (k call) again(a answer) bool {
	switch {
	case a.ok():
		return len(a.body) > 0 && !json.Valid(a.body)
	case passes(a.status):
		return k.final == nil || !k.final(a)
	}
	return false
}

// passes says whether an HTTP status is usually gone a little later.
func passes(status int) bool {
	return status == http.StatusRequestTimeout || status == http.StatusTooManyRequests || status >= 500
}

func (c *Client) try(ctx context.Context, k call) (answer, error) {
	leave, err := c.enter(ctx)
	if err != nil {
		return answer{}, err
	}
	defer leave()
	ctx, cancel := context.WithTimeoutCause(ctx, c.limits.Call, errSlow)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, k.method, k.url.String(), bytes.NewReader(k.body))
	if err != nil {
		return answer{}, err
	}
	c.dress(req, !k.open)
	maps.Copy(req.Header, k.header)
	if !k.key.empty() {
		k.key.authorize(req)
	}
	if k.body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	resp, err := c.calls.Do(req)
	if err != nil {
		return answer{}, explain(ctx, err)
	}
	a, err := readAnswer(resp, orElse(k.most, maxBody))
	return a, explain(ctx, err)
}

func (c *Client) dress(req *http.Request, withKey bool) {
	req.Header.Set("User-Agent", c.userAgent)
	req.Header.Set("Accept", "application/json")
	if withKey {
		c.key.authorize(req)
	}
}

// errSlow is the cause when a call ran into its own timeout, and not into the
// deadline of its caller.
var errSlow = errors.New("no answer in time")

// explain puts the cause of an ended context in the place of err, so that a
// timeout of our own does not look like one of the caller's.
func explain(ctx context.Context, err error) error {
	if err == nil || ctx.Err() == nil {
		return err
	}
	return context.Cause(ctx)
}

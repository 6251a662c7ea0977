package fal

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"ltxbot/core/generate"
)

// Result implements generate.Provider. fal keeps a result for about an hour,
// a large one for minutes.
// https://fal.ai/docs/documentation/model-apis/inference/webhooks
func (c *Client) Result(ctx context.Context, s generate.Submission) (r generate.Result, err error) {
	defer c.done(opResult, time.Now(), &err)
	u, err := c.urlFor(s, pathResult)
	if err != nil {
		return r, fmt.Errorf("result: %w", err)
	}
	a, err := c.do(ctx, call{
		op: opResult, method: http.MethodGet, url: u,
		// A 5xx that says what went wrong is how the job ended.
		final: func(a answer) bool { return a.status >= 500 && readTrouble(a).typed() },
	})
	switch {
	case err != nil:
		return r, err
	case notReady(a):
		return r, fmt.Errorf("result: %w", generate.ErrNotReady)
	case a.status == http.StatusNotFound && !wrongPath(a):
		return r, fmt.Errorf("result: %w", generate.ErrGone)
	case !a.ok():
		return r, c.refusal(opResult, a)
	}
	out, err := decodeOutput(a.body)
	if err != nil {
		return r, c.noVideo(a)
	}
	return generate.Result{Output: out, BillableUnits: billableUnits(a)}, nil
}

// noVideo explains a 200 that holds no video. fal bills what it calls a success.
func (c *Client) noVideo(a answer) *generate.ProviderError {
	e := c.refusal(opResult, a)
	if !readTrouble(a).typed() && e.Kind != generate.FailRefused {
		e.Kind, e.Message = generate.FailNoMedia, "there is no video in the answer"
	}
	e.MayBill, e.Temporary = true, false
	return e
}

// notReady recognises "Request is still in progress". It comes with a 400, and
// from some gateways with a 200 just after the job is complete; an output
// never has a "detail". A sentence about a content check is how the job ended.
func notReady(a answer) bool {
	switch {
	case a.status == http.StatusAccepted:
		return true
	case a.ok():
		var body struct {
			Detail json.RawMessage `json:"detail"`
		}
		return json.Unmarshal(a.body, &body) == nil && asString(body.Detail) != "" && !contentCheck.MatchString(asString(body.Detail))
	case a.status == http.StatusBadRequest:
		return strings.Contains(strings.ToLower(readTrouble(a).text), "in progress")
	}
	return false
}

// wrongPath tells a 404 about the endpoint from one about the request.
func wrongPath(a answer) bool {
	text := readTrouble(a).text
	return strings.HasPrefix(text, "Path ") || strings.HasPrefix(text, "Application ")
}

// maxUnits is more than any video has of any unit. A header that says more is
// wrong, and counts as not there.
const maxUnits = 1_000_000

// billableUnits is how many units of the price fal says it bills; 0 when it
// says none, or one that cannot be.
func billableUnits(a answer) float64 {
	units, err := strconv.ParseFloat(a.header.Get("X-Fal-Billable-Units"), 64)
	if err != nil || !(units > 0 && units <= maxUnits) {
		return 0
	}
	return units
}

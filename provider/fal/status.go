package fal

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"time"

	"ltxbot/core/generate"
)

// Status implements generate.Provider.
func (c *Client) Status(ctx context.Context, s generate.Submission) (st generate.Status, err error) {
	defer c.done(opStatus, time.Now(), &err)
	return c.status(ctx, opStatus, s)
}

func (c *Client) status(ctx context.Context, op string, s generate.Submission) (generate.Status, error) {
	u, err := c.urlFor(s, pathStatus)
	if err != nil {
		return generate.Status{}, fmt.Errorf("%s: %w", op, err)
	}
	// Without the logs, which may be larger than an answer may be: the stream
	// brings them.
	a, err := c.do(ctx, call{op: op, method: http.MethodGet, url: u})
	switch {
	case err != nil:
		return generate.Status{}, err
	case a.status == http.StatusNotFound:
		return generate.Status{}, fmt.Errorf("%s: %w", op, generate.ErrGone)
	case !a.ok():
		return generate.Status{}, c.refusal(op, a)
	}
	st, err := decodeStatus(a.body)
	if err != nil {
		return generate.Status{}, fmt.Errorf("%s: %w", op, c.scrub.err(err))
	}
	return st, nil
}

// What a status may say: more than any job runs, and more jobs than any queue
// holds. Anything beyond is taken for not told.
const (
	maxRunSeconds = 24 * 60 * 60
	maxPosition   = 1_000_000
)

// decodeStatus reads one status object. fal knows three states and no failed
// one; a state we do not know is a job that still runs.
func decodeStatus(body []byte) (generate.Status, error) {
	var raw struct {
		Status   string          `json:"status"`
		Position *float64        `json:"queue_position"`
		Logs     json.RawMessage `json:"logs"`
		Metrics  json.RawMessage `json:"metrics"`
		Error    json.RawMessage `json:"error"`
		Type     json.RawMessage `json:"error_type"`
	}
	if err := json.Unmarshal(body, &raw); err != nil {
		return generate.Status{}, fmt.Errorf("decode status: %w", err)
	}
	st := generate.Status{Phase: generate.PhaseRunning, Position: -1, Percent: percent(raw.Logs)}
	switch raw.Status {
	case "":
		return generate.Status{}, errors.New("decode status: there is none")
	case "IN_QUEUE":
		st.Phase = generate.PhaseQueued
		if p := raw.Position; p != nil && *p >= 0 && *p <= maxPosition {
			st.Position = int(*p)
		}
	case "COMPLETED":
		st.Phase = generate.PhaseComplete
		var metrics struct {
			Seconds float64 `json:"inference_time"`
		}
		if json.Unmarshal(raw.Metrics, &metrics) == nil && metrics.Seconds > 0 && metrics.Seconds <= maxRunSeconds {
			st.Seconds = metrics.Seconds
		}
		st.Failed = asString(raw.Error) != "" || asString(raw.Type) != ""
	}
	return st, nil
}

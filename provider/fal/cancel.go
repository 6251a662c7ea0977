package fal

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"time"

	"ltxbot/core/generate"
)

// Cancel implements generate.Provider. Asking twice does no harm, so it is
// repeated like a GET.
func (c *Client) Cancel(ctx context.Context, s generate.Submission) (out generate.CancelOutcome, err error) {
	defer c.done(opCancel, time.Now(), &err)
	u, err := c.urlFor(s, pathCancel)
	if err != nil {
		return "", fmt.Errorf("cancel: %w", err)
	}
	a, err := c.do(ctx, call{op: opCancel, method: http.MethodPut, url: u})
	if err != nil {
		return "", err
	}
	var body struct {
		Status  string `json:"status"`
		Success *bool  `json:"success"`
	}
	_ = json.Unmarshal(a.body, &body) // the HTTP status says enough
	switch {
	case a.ok() && body.Success != nil && !*body.Success:
		return generate.CancelTooLate, nil
	case a.ok():
		return generate.CancelRequested, nil
	case a.status == http.StatusBadRequest && body.Status == "ALREADY_COMPLETED":
		return generate.CancelTooLate, nil
	case a.status == http.StatusNotFound:
		return generate.CancelUnknown, nil
	}
	return "", c.refusal(opCancel, a)
}

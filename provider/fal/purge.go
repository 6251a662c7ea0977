package fal

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"time"

	"ltxbot/core/generate"
)

// Purges reports whether the client has the key that Purge needs.
func (c *Client) Purges() bool { return !c.adminKey.empty() }

// Purge implements generate.Purger: it deletes the input and the output of a
// request, and the video. It needs a key of scope ADMIN.
// https://fal.ai/docs/platform-apis/v1/models/requests/payloads
func (c *Client) Purge(ctx context.Context, s generate.Submission) (err error) {
	defer c.done(opPurge, time.Now(), &err)
	if !c.Purges() || !validID(s.RequestID) {
		return errors.New("purge: there is no admin key, or the request id is not one of fal's")
	}
	a, err := c.do(ctx, call{
		op: opPurge, method: http.MethodDelete, url: c.api.JoinPath("models/requests", url.PathEscape(s.RequestID), "payloads"),
		key: c.adminKey, header: http.Header{"Idempotency-Key": {s.RequestID}},
	})
	switch {
	case err != nil:
		return err
	case a.ok(), a.status == http.StatusNotFound:
		return nil
	}
	err = c.refusal(opPurge, a)
	c.log.WarnContext(ctx, "fal does not delete its copy of a request", "request_id", s.RequestID, "error", err)
	return err
}

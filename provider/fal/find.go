package fal

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"time"

	"ltxbot/core/generate"
)

const (
	// historyPage is the largest page of the request history.
	// https://fal.ai/docs/platform-apis/v1/models/requests/by-endpoint
	historyPage = 100
	// historyPages bounds one search, so that a busy account costs no more
	// than these calls.
	historyPages = 10
	// clockSkew is how far fal's clock may be behind ours.
	clockSkew = 2 * time.Minute
)

// Find implements generate.Provider with the request history. Requests appear
// there with an unknown delay, so finding nothing proves nothing yet.
func (c *Client) Find(ctx context.Context, o generate.Order, since time.Time) (found []generate.Submission, err error) {
	defer c.done(opFind, time.Now(), &err)
	type hit struct {
		sent string
		id   string
	}
	var hits []hit
	cursor := ""
	for range historyPages {
		page, err := c.history(ctx, o.Endpoint, since.Add(-clockSkew), cursor)
		if err != nil {
			return nil, err
		}
		for _, r := range page.Items {
			if r.matches(o) && validID(r.RequestID) {
				hits = append(hits, hit{sent: cmp.Or(r.SentAt, r.StartedAt), id: r.RequestID})
			}
		}
		if page.Last || page.NextCursor == "" || page.NextCursor == cursor {
			break
		}
		cursor = page.NextCursor
	}
	slices.SortStableFunc(hits, func(a, b hit) int { return cmp.Or(cmp.Compare(a.sent, b.sent), cmp.Compare(a.id, b.id)) })
	for _, h := range slices.Compact(hits) {
		found = append(found, c.submission(o.Endpoint, h.id, "", "", ""))
	}
	return found, nil
}

// A historyAnswer is one page of the history.
type historyAnswer struct {
	Items      []pastRequest
	Last       bool // fal says that no page follows
	NextCursor string
}

// UnmarshalJSON reads the page whatever the list is called in it: fal's
// documentation shows the entries and not their wrapping, and a search that
// finds nothing gives up a video that was paid for.
func (h *historyAnswer) UnmarshalJSON(b []byte) error {
	if json.Unmarshal(b, &h.Items) == nil {
		return nil
	}
	var page struct {
		HasMore    *bool  `json:"has_more"`
		NextCursor string `json:"next_cursor"`
	}
	if err := json.Unmarshal(b, &page); err != nil {
		return err
	}
	h.Last, h.NextCursor = page.HasMore != nil && !*page.HasMore, page.NextCursor
	var fields map[string]json.RawMessage
	if err := json.Unmarshal(b, &fields); err != nil {
		return err
	}
	for _, name := range slices.Sorted(maps.Keys(fields)) {
		var items []pastRequest
		if json.Unmarshal(fields[name], &items) == nil && len(items) > 0 && items[0].RequestID != "" {
			h.Items = items
			return nil
		}
	}
	return nil
}

func (c *Client) history(ctx context.Context, endpoint string, start time.Time, cursor string) (historyAnswer, error) {
	u := c.api.JoinPath("models/requests/by-endpoint")
	q := url.Values{
		"endpoint_id": {endpoint},
		"start":       {start.UTC().Format(time.RFC3339)},
		"expand":      {"payloads"},
		"limit":       {strconv.Itoa(historyPage)},
	}
	if cursor != "" {
		q.Set("cursor", cursor)
	}
	u.RawQuery = q.Encode()
	var page historyAnswer
	a, err := c.do(ctx, call{op: opFind, method: http.MethodGet, url: u})
	switch {
	case err != nil:
		return page, err
	case !a.ok():
		return page, c.refusal(opFind, a)
	}
	if err := json.Unmarshal(a.body, &page); err != nil {
		return page, fmt.Errorf("find: %w", c.scrub.err(err))
	}
	return page, nil
}

// A pastRequest is one entry of the history.
type pastRequest struct {
	RequestID string          `json:"request_id"`
	SentAt    string          `json:"sent_at"`
	StartedAt string          `json:"started_at"`
	Input     json.RawMessage `json:"json_input"`
}

// matches says whether r has the seed and the prompt of o.
func (r pastRequest) matches(o generate.Order) bool {
	raw := r.Input
	if s := asString(raw); s != "" {
		raw = json.RawMessage(s) // JSON inside a string
	}
	var in struct {
		Prompt *string      `json:"prompt"`
		Seed   *json.Number `json:"seed"`
	}
	return json.Unmarshal(raw, &in) == nil && in.Prompt != nil && in.Seed != nil &&
		*in.Prompt == o.Request.Prompt() && in.Seed.String() == strconv.FormatInt(o.Request.Seed(), 10)
}

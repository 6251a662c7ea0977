package fal

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
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
	// historyBody bounds one page, in bytes. A larger one is asked for again
	// in parts.
	historyBody = 4 << 20
	// historyPages bounds one search: more than the busiest account fills in
	// the minutes that are searched.
	historyPages = 200
	// clockSkew is how far fal's clock may be from ours.
	clockSkew = 2 * time.Minute
)

// pageSizes are how many requests a page has: fewer when their inputs are so
// large that a page of them is larger than historyBody.
var pageSizes = []int{historyPage, 20, 4, 1}

// errUnsearched says that a part of the history was not looked at, so that
// finding nothing means nothing.
var errUnsearched = errors.New("find: the history could not be searched to its end")

// Find implements generate.Provider with the request history. Requests appear
// there with an unknown delay, so finding nothing proves nothing yet. What was
// found is returned even when the search could not go on to its end.
func (c *Client) Find(ctx context.Context, j generate.JobRequest, from, to time.Time) (found []generate.Submission, err error) {
	defer c.done(opFind, time.Now(), &err)
	for _, size := range pageSizes {
		if found, err = c.find(ctx, j, from, to, size); !errors.Is(err, errTooLarge) {
			break
		}
	}
	return found, err
}

// find searches with pages of so many requests.
func (c *Client) find(ctx context.Context, j generate.JobRequest, from, to time.Time, size int) ([]generate.Submission, error) {
	type hit struct {
		sent string
		id   string
	}
	var hits []hit
	q := url.Values{
		"endpoint_id": {j.Endpoint},
		"start":       {from.Add(-clockSkew).UTC().Format(time.RFC3339)},
		"end":         {to.Add(clockSkew).UTC().Format(time.RFC3339)},
		"expand":      {"payloads"},
		"limit":       {strconv.Itoa(size)},
	}
	ended := errUnsearched
	for range historyPages {
		page, err := c.history(ctx, q)
		if err != nil {
			ended = err
			break
		}
		for _, r := range page.Items {
			if r.matches(j) && validID(r.RequestID) {
				hits = append(hits, hit{sent: cmp.Or(r.SentAt, r.StartedAt), id: r.RequestID})
			}
		}
		if page.Last || page.NextCursor == "" && !page.More {
			ended = nil
			break
		}
		if page.NextCursor == "" || page.NextCursor == q.Get("cursor") {
			break // there is more, and no way to it
		}
		q.Set("cursor", page.NextCursor)
	}
	if len(hits) == 0 && ended != nil {
		return nil, ended
	}
	slices.SortStableFunc(hits, func(a, b hit) int { return cmp.Or(cmp.Compare(a.sent, b.sent), cmp.Compare(a.id, b.id)) })
	var found []generate.Submission
	for _, h := range slices.Compact(hits) {
		found = append(found, c.submission(j.Endpoint, h.id, "", "", ""))
	}
	return found, nil
}

// A historyAnswer is one page of the history.
type historyAnswer struct {
	Items      []pastRequest
	Last, More bool // fal says that no page follows, or that one does
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
	h.NextCursor = page.NextCursor
	if page.HasMore != nil {
		h.Last, h.More = !*page.HasMore, *page.HasMore
	}
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

func (c *Client) history(ctx context.Context, q url.Values) (historyAnswer, error) {
	u := c.api.JoinPath("models/requests/by-endpoint")
	u.RawQuery = q.Encode()
	var page historyAnswer
	a, err := c.do(ctx, call{op: opFind, method: http.MethodGet, url: u, most: historyBody})
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

// matches says whether r has the seed, the prompt and the LoRAs of j: takes that
// try a LoRA at several scales have one seed and one prompt.
func (r pastRequest) matches(j generate.JobRequest) bool {
	raw := r.Input
	if s := asString(raw); s != "" {
		raw = json.RawMessage(s) // JSON inside a string
	}
	var in struct {
		Prompt *string      `json:"prompt"`
		Seed   *json.Number `json:"seed"`
		LoRAs  []loraInput  `json:"loras"`
	}
	if json.Unmarshal(raw, &in) != nil || in.Prompt == nil || in.Seed == nil ||
		*in.Prompt != j.Request.Prompt() || in.Seed.String() != strconv.FormatInt(j.Request.Seed(), 10) {
		return false
	}
	return in.LoRAs == nil || slices.Equal(in.LoRAs, loraInputs(j.Request.LoRAs()))
}

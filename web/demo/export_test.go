package demo

import (
	"context"
	"encoding/json"

	"ltxbot/internal/eventstream"
)

// Pace and KeepAlive are when an open page is told something.
const (
	Pace      = pace
	KeepAlive = eventstream.KeepAlive
)

// Between is the change from one list of fragments to another, as JSON; each is
// "id", or "list/id", with what it says.
func Between(before, now [][2]string) string {
	raw, err := json.Marshal(between(pieces(before), pieces(now)))
	if err != nil {
		return err.Error()
	}
	return string(raw)
}

func pieces(list [][2]string) []fragment {
	out := make([]fragment, 0, len(list))
	for _, p := range list {
		out = append(out, fragment{ID: p[0], In: "log", HTML: p[1]})
	}
	return out
}

// Watching is how many people's views are kept up to date.
func (h *Handler) Watching() int {
	h.live.mu.Lock()
	defer h.live.mu.Unlock()
	return len(h.live.views)
}

// Watch follows what a person sees, as an open page does, until ctx is done.
// seen is called with each change.
func (h *Handler) Watch(ctx context.Context, person string, seen func(delta []byte)) error {
	v, leave, err := h.live.join(ctx, person)
	if err != nil {
		return err
	}
	defer leave()
	for at := (shownVersion{}); ; {
		delta, changed := v.since(&at)
		if delta != nil {
			seen(delta)
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return nil
		}
	}
}

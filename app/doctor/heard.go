package doctor

import (
	"context"
	"log/slog"
	"slices"
	"strings"
	"sync"
)

// A hearing is a log whose warnings become findings: what a store says at its
// start of a server that is not set up as it should be.
type hearing struct {
	mu    *sync.Mutex
	said  *[]string
	attrs []slog.Attr
}

func newHearing() hearing { return hearing{mu: &sync.Mutex{}, said: &[]string{}} }

// Enabled implements slog.Handler.
func (hearing) Enabled(_ context.Context, level slog.Level) bool { return level >= slog.LevelWarn }

// Handle implements slog.Handler.
func (h hearing) Handle(_ context.Context, r slog.Record) error {
	text := strings.Builder{}
	text.WriteString(r.Message)
	add := func(a slog.Attr) bool {
		text.WriteString(", " + a.String())
		return true
	}
	for _, a := range h.attrs {
		add(a)
	}
	r.Attrs(add)
	h.mu.Lock()
	defer h.mu.Unlock()
	*h.said = append(*h.said, text.String())
	return nil
}

// WithAttrs implements slog.Handler.
func (h hearing) WithAttrs(attrs []slog.Attr) slog.Handler {
	h.attrs = append(slices.Clip(h.attrs), attrs...)
	return h
}

// WithGroup implements slog.Handler. Groups are not told apart.
func (h hearing) WithGroup(string) slog.Handler { return h }

// findings are the warnings, without the name of the part that they begin with.
func (h hearing) findings(area string) []Finding {
	h.mu.Lock()
	defer h.mu.Unlock()
	found := make([]Finding, 0, len(*h.said))
	for _, text := range *h.said {
		_, text, _ = strings.Cut(text, ": ")
		found = append(found, warning(area, "", "%s", text))
	}
	return found
}

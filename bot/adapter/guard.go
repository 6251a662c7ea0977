package adapter

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"log/slog"
	"runtime/debug"
	"time"
)

// DoubleClick is how soon a second press of the same button by the same person
// is not meant.
const DoubleClick = 2 * time.Second

// Guard ends the panic of a handler that defers it: it is logged with attrs,
// and apologize tells the person the id by which an operator finds it in the
// log. A panic costs one answer, not the process.
func Guard(ctx context.Context, log *slog.Logger, apologize func(incident string), attrs ...any) {
	p := recover()
	if p == nil {
		return
	}
	incident := newIncident()
	log.With(attrs...).ErrorContext(ctx, "handler panicked",
		"incident", incident, "panic", fmt.Sprint(p), "stack", string(debug.Stack()))
	apologize(incident)
}

// newIncident returns a short random id.
func newIncident() string {
	var id [4]byte
	if _, err := rand.Read(id[:]); err != nil {
		return "unknown"
	}
	return hex.EncodeToString(id[:])
}

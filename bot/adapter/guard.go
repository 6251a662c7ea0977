package adapter

import (
	"context"
	"crypto/rand"
	"fmt"
	"log/slog"
	"runtime/debug"
	"strings"
	"time"
)

// DoubleClick is the time within which a second press of the same button by the
// same person counts as a double click.
const DoubleClick = 2 * time.Second

// Guard ends the panic of a handler that defers it: it is logged with attrs,
// and apologize tells the person the id by which an operator finds it in the
// log. A panic costs one answer, not the process.
func Guard(ctx context.Context, log *slog.Logger, apologize func(incident string), attrs ...any) {
	p := recover()
	if p == nil {
		return
	}
	incident := strings.ToLower(rand.Text()[:8])
	log.With(attrs...).ErrorContext(ctx, "handler panicked",
		"incident", incident, "panic", fmt.Sprint(p), "stack", string(debug.Stack()))
	apologize(incident)
}

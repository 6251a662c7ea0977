package app

import (
	"context"
	"log/slog"
	"time"
)

// How often the store is swept, and how long that may take.
const (
	sweepEvery = 10 * time.Minute
	sweepLimit = 5 * time.Minute
)

// sweeper sweeps the store in intervals, and when limits have changed, since a
// sweep admits who has room. Several processes may sweep one store.
type sweeper struct {
	store *storage
	log   *slog.Logger
}

// sweep sweeps once. A hold that it finds should not have been there.
func (s sweeper) sweep(ctx context.Context) {
	call, cancel := context.WithTimeout(ctx, sweepLimit)
	defer cancel()
	released, err := s.store.Sweep(call)
	switch {
	case ctx.Err() != nil:
	case err != nil:
		s.log.WarnContext(ctx, "cannot sweep the store", "error", err)
	case released > 0:
		s.log.WarnContext(ctx, "released holds that had outlived their jobs", "holds", released)
	}
}

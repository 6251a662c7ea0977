package app

import (
	"context"
	"time"
)

// sweeper is a store that gives back what was left behind: holds whose job is
// over, counters that no window includes any more.
type sweeper interface {
	Sweep(ctx context.Context) (released int, err error)
}

// How often the store is swept, and how long that may take.
const (
	sweepEvery = 10 * time.Minute
	sweepLimit = time.Minute
)

// startSweep sweeps the store from now on, until the bot stops. Several
// processes may sweep one store.
func (a *App) startSweep(ctx context.Context) {
	s, ok := a.store.(sweeper)
	if !ok {
		return
	}
	ctx, stop := context.WithCancel(context.WithoutCancel(ctx))
	done := make(chan struct{})
	go func() {
		defer close(done)
		tick := time.NewTicker(sweepEvery)
		defer tick.Stop()
		for {
			a.sweep(ctx, s)
			select {
			case <-tick.C:
			case <-ctx.Done():
				return
			}
		}
	}()
	a.parts.started("sweep", func(context.Context) error {
		stop()
		<-done
		return nil
	})
}

// sweep sweeps once. A hold that it finds should not have been there.
func (a *App) sweep(ctx context.Context, s sweeper) {
	call, cancel := context.WithTimeout(ctx, sweepLimit)
	defer cancel()
	released, err := s.Sweep(call)
	switch {
	case ctx.Err() != nil:
	case err != nil:
		a.log.WarnContext(ctx, "cannot sweep the store", "error", err)
	case released > 0:
		a.log.WarnContext(ctx, "released holds that had outlived their jobs", "holds", released)
	}
}

package app

import (
	"context"
	"time"
)

// How often the store is swept, and how long that may take.
const (
	sweepEvery = 10 * time.Minute
	sweepLimit = 5 * time.Minute
)

// startSweep sweeps the store from now on, until the bot stops: in intervals,
// and when limits have changed, since a sweep admits who has room. Several
// processes may sweep one store.
func (a *App) startSweep(ctx context.Context) {
	ctx, stop := context.WithCancel(context.WithoutCancel(ctx))
	done := make(chan struct{})
	go func() {
		defer close(done)
		tick := time.NewTicker(sweepEvery)
		defer tick.Stop()
		for {
			a.sweep(ctx)
			select {
			case <-tick.C:
			case <-a.limitsChanged:
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
func (a *App) sweep(ctx context.Context) {
	call, cancel := context.WithTimeout(ctx, sweepLimit)
	defer cancel()
	released, err := a.store.Sweep(call)
	switch {
	case ctx.Err() != nil:
	case err != nil:
		a.log.WarnContext(ctx, "cannot sweep the store", "error", err)
	case released > 0:
		a.log.WarnContext(ctx, "released holds that had outlived their jobs", "holds", released)
	}
}

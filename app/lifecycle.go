package app

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"
)

// lifecycle is the parts of a program in the order they were started. They
// are stopped in reverse.
type lifecycle struct {
	mu    sync.Mutex
	parts []part
}

// part is one thing to stop.
type part struct {
	name string
	stop func(context.Context) error
}

// started notes that a part runs.
func (l *lifecycle) started(name string, stop func(context.Context) error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.parts = append(l.parts, part{name, stop})
}

// running reports whether a part of that name was started and not stopped.
func (l *lifecycle) running(name string) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.ContainsFunc(l.parts, func(p part) bool { return p.name == name })
}

// stop stops all parts, last in, first out, each even if another one did not
// stop well. A second call has nothing left to stop.
func (l *lifecycle) stop(ctx context.Context) error {
	l.mu.Lock()
	parts := l.parts
	l.parts = nil
	l.mu.Unlock()
	var errs []error
	for _, p := range slices.Backward(parts) {
		if err := p.stop(ctx); err != nil {
			errs = append(errs, fmt.Errorf("stop %s: %w", p.name, err))
		}
	}
	return errors.Join(errs...)
}

// run calls fn beside everything else. When the bot stops, fn's context ends
// and its end is waited for.
func (l *lifecycle) run(ctx context.Context, name string, fn func(context.Context)) {
	ctx, stop := context.WithCancel(context.WithoutCancel(ctx))
	done := make(chan struct{})
	go func() {
		defer close(done)
		fn(ctx)
	}()
	l.started(name, func(context.Context) error {
		stop()
		<-done
		return nil
	})
}

// every calls fn now, after each period and with each value of also, which may
// be nil, until the bot stops.
func (l *lifecycle) every(ctx context.Context, name string, period time.Duration, also <-chan struct{}, fn func(context.Context)) {
	l.run(ctx, name, func(ctx context.Context) {
		tick := time.NewTicker(period)
		defer tick.Stop()
		for {
			fn(ctx)
			select {
			case <-tick.C:
			case <-also:
			case <-ctx.Done():
				return
			}
		}
	})
}

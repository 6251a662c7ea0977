// Package retry waits between tries.
package retry

import (
	"context"
	"math/rand/v2"
	"time"
)

// Wait waits for d, or until ctx is done. It reports whether ctx is still
// alive.
func Wait(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return ctx.Err() == nil
	case <-ctx.Done():
		return false
	}
}

// A Backoff says how the pauses between tries grow.
type Backoff struct {
	First  time.Duration // after the first try
	Most   time.Duration // no pause is longer, but for its spread; 0 is no limit
	Growth float64       // each pause is so many times the one before; 0 is 2
	// Spread is the width of the random part, as a share of the pause, so that
	// many who failed at once don't come back at once: 1 makes a pause of 0.5
	// to 1.5 times its length. 0 is none.
	Spread float64
}

// After is the pause after the n-th try, from 1.
func (b Backoff) After(n int) time.Duration {
	return b.Pause(n, rand.Float64()) //nolint:gosec // spreads load, guards nothing
}

// Pause is After with a random number in [0,1) of the caller's.
func (b Backoff) Pause(n int, random float64) time.Duration {
	growth := b.Growth
	if growth == 0 {
		growth = 2
	}
	const enough = 64 // doublings: more than a Duration has
	d := float64(b.First)
	for range min(n-1, enough) {
		if b.Most > 0 && d >= float64(b.Most) {
			break
		}
		d *= growth
	}
	if b.Most > 0 {
		d = min(d, float64(b.Most))
	}
	return time.Duration(d * (1 - b.Spread/2 + b.Spread*random))
}

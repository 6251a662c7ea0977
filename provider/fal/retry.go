package fal

import (
	"context"
	"time"

	"ltxbot/internal/retry"
)

// Retry is how calls that cost nothing are repeated. The wait doubles from
// Base up to Max, each time multiplied by a random 0.5 to 1.5.
type Retry struct {
	Attempts int           // in all; default 4
	Base     time.Duration // default 300 ms
	Max      time.Duration // default 8 s; a longer Retry-After is left to the caller
}

func (r Retry) withDefaults() Retry {
	return Retry{
		Attempts: orElse(r.Attempts, 4),
		Base:     orElse(r.Base, 300*time.Millisecond),
		Max:      orElse(r.Max, 8*time.Second),
	}
}

// delay is the wait before attempt n+1, where n counts from 0 and random is
// in [0,1).
func (r Retry) delay(n int, random float64) time.Duration {
	return retry.Backoff{First: r.Base, Most: r.Max, Spread: 1}.Pause(n+1, random)
}

// wait waits for d, or less when ctx ends first. It reports false, at once,
// when ctx would end before d is over.
func wait(ctx context.Context, d time.Duration) bool {
	if deadline, ok := ctx.Deadline(); ok && time.Until(deadline) < d {
		return false
	}
	return retry.Wait(ctx, d)
}

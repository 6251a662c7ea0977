package generate

import (
	"context"
	"time"
)

// LendsStream reports whether a job that is expected to end at end gets a
// stream when all are with jobs that end at others.
func LendsStream(others, end time.Time) bool {
	s := newStreams()
	for range maxStreams {
		s.lend(others, func() {})
	}
	return s.lend(end, func() {}) != nil
}

// Limiter is a limiter with one turn that is wanted at all times.
type Limiter struct {
	b     *limiter
	turn  turn
	given int
}

// NewLimiter gives turns until ctx is done, rate in a second.
func NewLimiter(ctx context.Context, rate float64) *Limiter {
	b := &Limiter{b: newLimiter(rate, 100)}
	b.turn.call = func(context.Context) { b.given++ } // with the limiter's lock held
	go b.b.serve(ctx)
	return b
}

// Spend does something without a turn.
func (b *Limiter) Spend() { b.b.spend() }

// Want books the turn, if it is not.
func (b *Limiter) Want() {
	if !b.b.booked(&b.turn) {
		b.b.book(&b.turn, 0, 0)
	}
}

// Given is how often the turn came.
func (b *Limiter) Given() int {
	b.b.mu.Lock()
	defer b.b.mu.Unlock()
	return b.given
}

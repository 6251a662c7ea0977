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

// Budget is a budget with one turn that is wanted at all times.
type Budget struct {
	b     *budget
	turn  turn
	given int
}

// NewBudget gives turns until ctx is done, rate in a second.
func NewBudget(ctx context.Context, rate float64) *Budget {
	b := &Budget{b: newBudget(rate, 100)}
	b.turn.call = func(context.Context) { b.given++ } // with the budget's lock held
	go b.b.serve(ctx)
	return b
}

// Spend does something without a turn.
func (b *Budget) Spend() { b.b.spend() }

// Want books the turn, if it is not.
func (b *Budget) Want() {
	if !b.b.booked(&b.turn) {
		b.b.book(&b.turn, 0, 0)
	}
}

// Given is how often the turn came.
func (b *Budget) Given() int {
	b.b.mu.Lock()
	defer b.b.mu.Unlock()
	return b.given
}

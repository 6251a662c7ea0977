package generate

import (
	"context"
	"testing"
	"testing/synctest"
	"time"
)

// TestAStreamGoesToWhoIsTenSecondsNearer: else two jobs would take it from each
// other again and again.
func TestAStreamGoesToWhoIsTenSecondsNearer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, now := newStreams(), time.Now()
		_, cancel := context.WithCancel(t.Context())
		defer cancel()
		for range maxStreams {
			if s.lend(now.Add(time.Minute), cancel) == nil {
				t.Fatal("a stream is not lent")
			}
		}
		for _, tt := range []struct {
			nearer time.Duration
			want   bool
		}{{0, false}, {9 * time.Second, false}, {11 * time.Second, true}} {
			if got := s.lend(now.Add(time.Minute-tt.nearer), cancel) != nil; got != tt.want {
				t.Errorf("a job that is %s nearer to its end gets a stream: %v, want %v", tt.nearer, got, tt.want)
			}
		}
	})
}

// TestHalfOfABudgetIsForTurns, however much is done without one.
func TestHalfOfABudgetIsForTurns(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBudget(10, 100)
		given := 0
		one := &turn{}
		one.call = func(context.Context) { given++ } // with b.mu held
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		go b.serve(ctx)
		for range 100 { // ten seconds
			for range 10 {
				b.spend()
			}
			if !b.booked(one) {
				b.book(one, 0, 0)
			}
			<-time.After(100 * time.Millisecond)
		}
		b.mu.Lock()
		defer b.mu.Unlock()
		if given < 45 || given > 55 {
			t.Errorf("%d turns in ten seconds, want half of 100", given)
		}
	})
}

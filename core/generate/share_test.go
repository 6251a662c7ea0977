package generate_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"ltxbot/core/generate"
)

// TestAStreamGoesToWhoIsTenSecondsNearer: else two jobs would take it from each
// other again and again.
func TestAStreamGoesToWhoIsTenSecondsNearer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		others := time.Now().Add(time.Minute)
		for nearer, want := range map[time.Duration]bool{0: false, 9 * time.Second: false, 11 * time.Second: true} {
			if got := generate.LendsStream(others, others.Add(-nearer)); got != want {
				t.Errorf("a job that is %s nearer to its end gets a stream: %v, want %v", nearer, got, want)
			}
		}
	})
}

// TestHalfOfABudgetIsForTurns, however much is done without one.
func TestHalfOfABudgetIsForTurns(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		b := generate.NewLimiter(ctx, 10)
		for range 100 { // ten seconds
			for range 10 {
				b.Spend()
			}
			b.Want()
			elapse(100 * time.Millisecond)
		}
		if n := b.Given(); n < 45 || n > 55 {
			t.Errorf("%d turns in ten seconds, want half of 100", n)
		}
	})
}

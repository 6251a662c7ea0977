package retry_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"ltxbot/internal/retry"
)

func TestWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		if !retry.Wait(t.Context(), time.Minute) || time.Since(start) != time.Minute {
			t.Errorf("waited %s of a minute", time.Since(start))
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		start = time.Now()
		if retry.Wait(ctx, time.Hour) || time.Since(start) != time.Second {
			t.Errorf("waited %s after the context was done", time.Since(start))
		}
		if retry.Wait(ctx, 0) {
			t.Error("a context that is done is alive after no time")
		}
	})
}

func TestBackoff(t *testing.T) {
	const second = time.Second
	for _, tt := range []struct {
		name    string
		backoff retry.Backoff
		want    []time.Duration // after the first try, the second, ...
	}{
		{"it doubles", retry.Backoff{First: second}, []time.Duration{second, 2 * second, 4 * second, 8 * second}},
		{"it grows by a half", retry.Backoff{First: second, Growth: 1.5}, []time.Duration{second, 1500 * time.Millisecond, 2250 * time.Millisecond}},
		{"it stops at the most", retry.Backoff{First: second, Most: 3 * second}, []time.Duration{second, 2 * second, 3 * second, 3 * second}},
		{"a first one above the most", retry.Backoff{First: 5 * second, Most: 3 * second}, []time.Duration{3 * second, 3 * second}},
	} {
		for i, want := range tt.want {
			if got := tt.backoff.After(i + 1); got != want {
				t.Errorf("%s: %s after try %d, want %s", tt.name, got, i+1, want)
			}
		}
	}
	for _, n := range []int{-1, 0, 1} {
		if got := (retry.Backoff{First: second}).After(n); got != second {
			t.Errorf("%s after try %d", got, n)
		}
	}
	if got := (retry.Backoff{First: second, Most: time.Minute}).After(1 << 40); got != time.Minute {
		t.Errorf("%s after many tries", got)
	}
}

func TestBackoffIsSpread(t *testing.T) {
	wide, narrow := retry.Backoff{First: 8 * time.Second, Spread: 1}, retry.Backoff{First: 8 * time.Second, Spread: 0.25}
	for _, tt := range []struct {
		backoff retry.Backoff
		random  float64
		want    time.Duration
	}{
		{wide, 0, 4 * time.Second},
		{wide, 0.5, 8 * time.Second},
		{wide, 1, 12 * time.Second},
		{narrow, 0, 7 * time.Second},
		{narrow, 0.5, 8 * time.Second},
		{narrow, 1, 9 * time.Second},
	} {
		if got := tt.backoff.Pause(1, tt.random); got != tt.want {
			t.Errorf("spread %v at %v: %s, want %s", tt.backoff.Spread, tt.random, got, tt.want)
		}
	}
	seen := map[time.Duration]bool{}
	for range 20 {
		d := wide.After(1)
		if d < 4*time.Second || d > 12*time.Second {
			t.Errorf("%s", d)
		}
		seen[d] = true
	}
	if len(seen) < 10 {
		t.Errorf("%d different pauses of 20", len(seen))
	}
}

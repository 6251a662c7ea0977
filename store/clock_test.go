package store_test

import (
	"errors"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"ltxbot/core/generate"
	"ltxbot/core/quota"
	"ltxbot/core/quota/quotatest"
	"ltxbot/store"
)

// TestAClockThatWasAhead: the windows of limits stand still until an operator
// accepts the clock.
func TestAClockThatWasAhead(t *testing.T) {
	w := newWorld(t)
	w.clock.Advance(365 * 24 * time.Hour)
	w.accept(w.newJob("job1", "acme", "discord:1"))
	w.finish("job1")
	w.sweep()
	for _, tt := range []struct {
		back  time.Duration
		ahead time.Duration
	}{
		{2 * time.Minute, 0},
		{time.Second, 2*time.Minute + time.Second},
		{365*24*time.Hour - 2*time.Minute - time.Second, 365 * 24 * time.Hour},
	} {
		w.clock.Advance(-tt.back)
		if c, err := w.Clock(t.Context()); err != nil || c.Ahead() != tt.ahead || !c.Swept.Equal(c.Now) {
			t.Errorf("ahead by %s, %v, last swept %s; want %s", c.Ahead(), err, c.Swept, tt.ahead)
		}
	}
	if err := w.AcceptClock(t.Context()); err != nil {
		t.Fatal(err)
	}
	c, err := w.Clock(t.Context())
	if err != nil || c.Ahead() != 0 || c.Leapt() != 0 || !c.Now.Equal(noon) || !c.Swept.Equal(noon) {
		t.Errorf("after the clock was accepted: %+v, %v", c, err)
	}
	w.accept(w.newJob("job2", "acme", "discord:1"))
	w.finish("job2")
	w.sweep()
	if a, err := w.VerifyLedger(t.Context()); err != nil || len(a.Wrong) > 0 {
		t.Errorf("the ledger does not add up: %v, %v", a.Wrong, err)
	}
}

func TestOrphanAge(t *testing.T) {
	w := newWorld(t)
	j := w.newJob("job1", "acme", "discord:1")
	if _, err := w.Reserve(t.Context(), quota.Key{Job: j.ID, Team: j.Team, Member: j.Member}, w.plan(j)); err != nil {
		t.Fatal(err)
	}
	w.clock.Advance(10*time.Minute - 1)
	if n := w.sweep(); n != 0 {
		t.Errorf("a hold was released %d times before it was 10 minutes old", n)
	}
	w.clock.Advance(1)
	if n := w.sweep(); n != 1 {
		t.Errorf("released %d holds without a job after 10 minutes, want 1", n)
	}
}

func TestLeapOfTheClock(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.accept(w.newJob("job1", "acme", "discord:1"))
		w.finish("job1")
		w.sweep()
		used := func() []int64 {
			t.Helper()
			a := quota.Asker{Team: "acme", Member: "discord:1"}
			used, err := w.Used(t.Context(), "acme", quota.Policy{}.Counts(a, quota.AdminState{}, noon))
			if err != nil {
				t.Fatal(err)
			}
			return used
		}
		before := used()
		w.clock.Advance(36 * time.Hour) // not used for a day and a half
		w.sweep()
		w.clock.Advance(60 * 24 * time.Hour)
		overdue := w.accept(w.newJob("job2", "acme", "discord:1"))
		overdue.State = generate.Failed
		w.save(overdue, quota.Keep())
		n, err := w.Sweep(t.Context())
		if !errors.Is(err, store.ErrLeap) || n != 1 {
			t.Errorf("sweep after a leap: released %d, %v; want 1, ErrLeap", n, err)
		}
		if n, err := w.ApplyRetention(t.Context(), w.clock.Now(), w.clock.Now()); !errors.Is(err, store.ErrLeap) || n != 0 {
			t.Errorf("retention after a leap: changed %d, %v; want ErrLeap", n, err)
		}
		if diff := cmp.Diff(before, used()); diff != "" {
			t.Errorf("usage after a leap (-before +after):\n%s", diff)
		}
		w.job("job1")

		// Somebody who runs for a day believes the clock.
		<-time.After(24*time.Hour - time.Minute)
		if _, err := w.Sweep(t.Context()); !errors.Is(err, store.ErrLeap) {
			t.Errorf("sweep a minute before the day is over: %v, want ErrLeap", err)
		}
		<-time.After(time.Minute)
		w.sweep()
		if got := used(); slices.Equal(got, before) {
			t.Errorf("counters that have expired are kept: %v", got)
		}
		w.clock.Advance(36*time.Hour + time.Second)
		s := w.open()
		defer func() { _ = s.Close() }()
		if _, err := s.Sweep(t.Context()); !errors.Is(err, store.ErrLeap) {
			t.Errorf("sweep after 36 hours and a second: %v, want ErrLeap", err)
		}
		if err := s.AcceptClock(t.Context()); err != nil {
			t.Fatal(err)
		}
		if _, err := s.Sweep(t.Context()); err != nil {
			t.Errorf("sweep after the clock was accepted: %v", err)
		}
		quotatest.CheckLedger(t, s)
	})
}

// sweepUntil lets days pass, with a sweep on each.
func sweepUntil(w *world, end time.Time) {
	w.t.Helper()
	for w.clock.Now().Before(end) {
		w.sweep()
		w.clock.Advance(24 * time.Hour)
	}
	w.sweep()
}

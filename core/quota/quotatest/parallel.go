package quotatest

import (
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"

	"ltxbot/core/quota"
	"ltxbot/core/usd"
)

func testParallel(t *testing.T, h Harness) {
	const (
		members = 200
		fit     = 50
		cost    = 3 * usd.Dollar
	)
	b := newBench(t, h, quota.Policy{
		Team: quota.Limits{Windows: []quota.WindowLimit{{Window: quota.Month, USD: fit*cost + cost - 1}}},
	})
	var accepted atomic.Int64
	var all sync.WaitGroup
	for i := range members {
		all.Go(func() {
			job := fmt.Sprintf("job%d", i)
			_, err := b.tryReserve(job, quota.Asker{Team: "acme", Member: fmt.Sprintf("discord:%d", i)}, cost)
			var limit *quota.LimitError
			switch {
			case err == nil:
				accepted.Add(1)
			case !errors.As(err, &limit):
				t.Errorf("reserve %s: %v", job, err)
			}
		})
	}
	all.Wait()
	if got := accepted.Load(); got != fit {
		t.Errorf("%d of %d reservations were accepted, want %d", got, members, fit)
	}
	b.wantUsed(ann, quota.Team, quota.Dollars, quota.Month, int64(fit*cost))

	// Everybody settles twice and releases, all at once: the sums stay exact.
	for i := range members {
		job := fmt.Sprintf("job%d", i)
		for _, billing := range []quota.Billing{quota.Settle(2 * usd.Dollar), quota.Settle(2 * usd.Dollar)} {
			all.Go(func() {
				if _, err := b.l.Bill(t.Context(), job, billing, noon); err != nil && !errors.Is(err, quota.ErrNoHold) {
					t.Errorf("bill %s: %v", job, err)
				}
			})
		}
	}
	all.Wait()
	b.wantUsed(ann, quota.Team, quota.Dollars, quota.Month, int64(fit*2*usd.Dollar))
	want := quota.Totals{Holds: fit, Reserved: fit * cost, Settled: fit * cost, Charged: fit * 2 * usd.Dollar}
	if totals := CheckLedger(t, b.l); totals != want {
		t.Errorf("totals: got %+v, want %+v", totals, want)
	}
}

func testParallelSameJob(t *testing.T, h Harness) {
	b := newBench(t, h, quota.Policy{})
	var all sync.WaitGroup
	for range 50 {
		all.Go(func() {
			if _, err := b.tryReserve("job1", ann, 100); err != nil {
				t.Errorf("reserve: %v", err)
			}
		})
	}
	all.Wait()
	b.wantUsed(ann, quota.Member, quota.Videos, quota.Day, 1)
	if totals := CheckLedger(t, b.l); totals.Holds != 1 || totals.Reserved != 100 {
		t.Errorf("totals: got %+v, want one hold of 100", totals)
	}
}

package store_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"ltxbot/core/quota"
	"ltxbot/core/quota/quotatest"
	"ltxbot/core/team"
	"ltxbot/core/usd"
	"ltxbot/store"
)

// TestAMonthIsWorthTheSameOnceItsJobsAreForgotten where months begin at another
// time than in UTC: also what was spent on the first and the last hours stays known.
func TestAMonthIsWorthTheSameOnceItsJobsAreForgotten(t *testing.T) {
	for _, zone := range []*time.Location{
		time.UTC, time.FixedZone("Berlin", 3600), time.FixedZone("Kathmandu", 5*3600+45*60), time.FixedZone("Los Angeles", -8*3600),
	} {
		t.Run(zone.String(), func(t *testing.T) {
			w := newWorld(t)
			start, end := quota.Month.Span(noon, zone)
			spent := func() team.Spending {
				t.Helper()
				members, err := w.Spent(t.Context(), "acme", start, end)
				if err != nil {
					t.Fatal(err)
				}
				var all team.Spending
				for _, m := range members {
					all = all.Plus(m.Spending, 1)
				}
				return all
			}
			inMonth := int64(0)
			for _, day := range []time.Time{start, end.Add(-24 * time.Hour)} {
				for _, at := range []time.Duration{-15 * time.Minute, 0, 15 * time.Minute, 7 * time.Hour, 24 * time.Hour} {
					asked := day.Add(at)
					if !asked.Before(start) && asked.Before(end) {
						inMonth++
					}
					w.clock.Set(asked)
					j := w.newJob(asked.String(), "acme", "discord:1")
					w.accept(j)
					w.finish(j.ID)
				}
			}
			days := func() []store.DaySpending {
				t.Helper()
				var found []store.DaySpending
				for _, of := range []string{"acme", ""} {
					days, err := w.Spending(t.Context(), of, start, end)
					if err != nil {
						t.Fatal(err)
					}
					found = append(found, days...)
				}
				return found
			}
			before, onDays := spent(), days()
			if before.Videos != inMonth || before.Charged != usd.Micros(inMonth)*usd.Dollar/2 {
				t.Fatalf("before: %+v, want %d videos", before, inMonth)
			}
			w.clock.Set(end.Add(24 * time.Hour))
			sweepUntil(w, end.Add(40*24*time.Hour))
			if n, err := w.ApplyRetention(t.Context(), w.clock.Now(), time.Time{}); err != nil || n != 10 {
				t.Fatalf("%d jobs are forgotten: %v", n, err)
			}
			sweepUntil(w, w.clock.Now().Add(100*24*time.Hour))
			if totals := quotatest.CheckLedger(t, w.Store); totals.Holds != 0 {
				t.Fatalf("%d holds are kept", totals.Holds)
			}
			if after := spent(); after != before {
				t.Errorf("after: %+v, want %+v", after, before)
			}
			if diff := cmp.Diff(onDays, days()); diff != "" || len(onDays) == 0 {
				t.Errorf("by day (-before +after):\n%s", diff)
			}
		})
	}
}

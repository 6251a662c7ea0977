package redis_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"

	"ltxbot/core/quota"
	"ltxbot/core/usd"
	"ltxbot/internal/redistest"
	"ltxbot/store/redis"
)

// noon is the time of all reservations that are compared.
var noon = time.Date(2026, time.March, 11, 12, 0, 0, 123_456_789, time.UTC)

// TestScriptsDecideAsGoDoes compares the ledger's scripts with quota.Decide and
// quota.Apply on reservations that no policy would make.
func TestScriptsDecideAsGoDoes(t *testing.T) {
	t.Run("on miniredis", func(t *testing.T) { compareDecisions(t, "redis://"+miniredis.RunT(t).Addr()) })
	t.Run("on Redis", func(t *testing.T) { compareDecisions(t, redistest.Start(t).URL()) })
}

func compareDecisions(t *testing.T, url string) {
	histories(t, 60)
	s := open(t, url, redis.Options{Now: func() time.Time { return noon }})
	defer s.Close()
	ctx, round := context.Background(), 0
	rapid.Check(t, func(rt *rapid.T) {
		round++
		team := fmt.Sprintf("team%d", round)
		sums := map[string]int64{} // what is used, by scope and counter
		name := func(scope quota.Scope, counter string) string { return scope.String() + " " + counter }
		for n := range rapid.IntRange(1, 8).Draw(rt, "reservations") {
			r := drawReservation(rt, round)
			r.Job, r.Team, r.Member = fmt.Sprintf("%s-%d", team, n), team, "discord:1"
			entries, wantErr := quota.Decide(r, func(scope quota.Scope, counter string) int64 { return sums[name(scope, counter)] })
			got, err := s.Reserve(ctx, quota.Key{Job: r.Job, Team: team, Member: r.Member},
				func(quota.Standing) (quota.Reservation, error) { return r, nil })
			var limit, wantLimit *quota.LimitError
			errors.As(wantErr, &wantLimit)
			if !errors.As(err, &limit) && err != nil {
				rt.Fatalf("reserve: %v", err)
			}
			if diff := cmp.Diff(wantLimit, limit); diff != "" {
				rt.Fatalf("refusal (-Go +Lua):\n%s", diff)
			}
			if wantErr != nil {
				continue
			}
			want := quota.NewHold(r, entries)
			if diff := cmp.Diff(want, got, cmpopts.EquateEmpty()); diff != "" {
				rt.Fatalf("hold (-Go +Lua):\n%s", diff)
			}
			for _, e := range entries {
				sums[name(e.Scope, e.Counter)] += e.Add
			}
			billing := rapid.SampledFrom([]quota.Billing{
				quota.Keep(), quota.Release(), quota.Settle(0), quota.Settle(1<<47 + 1), // more digits than Lua prints
			}).Draw(rt, "billing")
			want, deltas := quota.Apply(want, billing, noon)
			for i, d := range deltas {
				sums[name(want.Entries[i].Scope, want.Entries[i].Counter)] += d
			}
			if got, err = s.Bill(ctx, r.Job, billing, noon); err != nil {
				rt.Fatalf("bill: %v", err)
			}
			if diff := cmp.Diff(want, got, cmpopts.EquateEmpty()); diff != "" {
				rt.Fatalf("billed hold (-Go +Lua):\n%s", diff)
			}
			for _, c := range r.Counts {
				c.Also = nil
				used, err := s.Used(ctx, team, []quota.Count{c})
				if want := sums[name(c.Scope, c.Counter)]; err != nil || used[0] != want {
					rt.Fatalf("counter %s: got %d, %v; want %d", name(c.Scope, c.Counter), used[0], err, want)
				}
			}
		}
	})
	if a, err := s.Audit(ctx); err != nil || len(a.Wrong) > 0 {
		t.Errorf("books contradict the holds: %+v, %v", a.Wrong, err)
	}
}

// drawReservation makes up a reservation. Counters of the bot are of one round
// only, so that what is used of them is known.
func drawReservation(rt *rapid.T, round int) quota.Reservation {
	scopes := []quota.Scope{
		{Kind: quota.Member, ID: "discord:1"}, {Kind: quota.Team, ID: `a "team", {odd}`}, {Kind: quota.Bot},
	}
	counter := rapid.Custom(func(rt *rapid.T) string {
		return fmt.Sprintf("%d/%s", round, rapid.SampledFrom([]string{"a", "b", "c", "ä", "x/y z"}).Draw(rt, "counter"))
	})
	amount := rapid.OneOf(rapid.Int64Range(0, 4), rapid.SampledFrom([]int64{1<<53 - 9, 123_456_789_012_345}))
	r := quota.Reservation{At: noon}
	for range rapid.IntRange(0, 6).Draw(rt, "counts") {
		c := quota.Count{
			Scope: rapid.SampledFrom(scopes).Draw(rt, "scope"), Unit: rapid.SampledFrom([]quota.Unit{quota.Videos, quota.Dollars}).Draw(rt, "unit"),
			Window: quota.Day, Resets: noon.Add(time.Hour), Expires: noon.Add(2 * time.Hour),
			Max: amount.Draw(rt, "max"), Add: rapid.Int64Range(0, 3).Draw(rt, "add"), Counter: counter.Draw(rt, "counter"),
		}
		for range rapid.IntRange(0, 2).Draw(rt, "slices before") {
			c.Also = append(c.Also, counter.Draw(rt, "slice"))
		}
		if c.Unit == quota.Dollars {
			r.Estimate = usd.Micros(c.Add)
		}
		r.Counts = append(r.Counts, c)
	}
	for i := range r.Counts { // a reservation has one cost
		if r.Counts[i].Unit == quota.Dollars {
			r.Counts[i].Add = int64(r.Estimate)
		}
	}
	for n := range rapid.IntRange(0, 4).Draw(rt, "grants") {
		r.Grants = append(r.Grants, quota.Grant{
			ID: fmt.Sprintf("%d-%d", round, n), Scope: rapid.SampledFrom(scopes).Draw(rt, "scope of grant"),
			Videos: rapid.Int64Range(0, 5).Draw(rt, "videos"), USD: usd.Micros(rapid.Int64Range(0, 9).Draw(rt, "usd")),
			Expires: rapid.SampledFrom([]time.Time{{}, noon, noon.Add(time.Nanosecond), noon.Add(time.Hour)}).Draw(rt, "expires"),
		})
	}
	return r
}

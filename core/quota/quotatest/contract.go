package quotatest

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"ltxbot/core/quota"
	"ltxbot/core/usd"
)

// noon is when most tests begin: a Wednesday, far from the end of anything.
var noon = time.Date(2026, time.March, 11, 12, 0, 0, 0, time.UTC)

// ann is who asks in most tests.
var ann = quota.Asker{Team: "acme", Member: "discord:1"}

// bench is a ledger on a clock, with helpers that fail the test.
type bench struct {
	t      *testing.T
	h      Harness
	l      Ledger
	clock  *Clock
	policy quota.Policy
}

func newBench(t *testing.T, h Harness, p quota.Policy) *bench {
	t.Helper()
	b := &bench{t: t, h: h, clock: NewClock(noon), policy: p}
	b.l = h.Open(t, b.clock.Now)
	t.Cleanup(func() {
		if err := b.l.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
	})
	return b
}

func (b *bench) plan(job string, a quota.Asker, cost usd.Micros) quota.Plan {
	return b.policy.Plan(job, a, cost, b.clock.Now())
}

func (b *bench) tryReserve(job string, a quota.Asker, cost usd.Micros) (quota.Hold, error) {
	return b.l.Reserve(b.t.Context(), quota.Key{Job: job, Team: a.Team, Member: a.Member}, b.plan(job, a, cost))
}

func (b *bench) reserve(job string, a quota.Asker, cost usd.Micros) quota.Hold {
	b.t.Helper()
	h, err := b.tryReserve(job, a, cost)
	if err != nil {
		b.t.Fatalf("reserve %s: %v", job, err)
	}
	return h
}

// refuse reserves and wants a refusal.
func (b *bench) refuse(job string, a quota.Asker, cost usd.Micros, reason quota.Reason) *quota.LimitError {
	b.t.Helper()
	_, err := b.tryReserve(job, a, cost)
	var limit *quota.LimitError
	if !errors.As(err, &limit) || limit.Reason != reason {
		b.t.Fatalf("reserve %s: got error %v, want a refusal %q", job, err, reason)
	}
	return limit
}

func (b *bench) bill(job string, billing quota.Billing) quota.Hold {
	b.t.Helper()
	h, err := b.l.Bill(b.t.Context(), job, billing, b.clock.Now())
	if err != nil {
		b.t.Fatalf("bill %s: %v", job, err)
	}
	return h
}

// used is what a has used of unit in a window of a scope.
func (b *bench) used(a quota.Asker, kind quota.ScopeKind, unit quota.Unit, w quota.Window) int64 {
	b.t.Helper()
	for _, c := range b.policy.Counts(a, quota.AdminState{}, b.clock.Now()) {
		if c.Scope.Kind != kind || c.Unit != unit || c.Window != w {
			continue
		}
		used, err := b.l.Used(b.t.Context(), a.Team, []quota.Count{c})
		if err != nil {
			b.t.Fatalf("used: %v", err)
		}
		return used[0]
	}
	b.t.Fatalf("policy has no count of %s of the %s in %s", unit, kind, w)
	return 0
}

func (b *bench) wantUsed(a quota.Asker, kind quota.ScopeKind, unit quota.Unit, w quota.Window, want int64) {
	b.t.Helper()
	if got := b.used(a, kind, unit, w); got != want {
		b.t.Errorf("%s of the %s in %s: got %d, want %d", unit, kind, w, got, want)
	}
}

func testReserve(t *testing.T, h Harness) {
	b := newBench(t, h, quota.Policy{})
	got := b.reserve("job1", ann, 120_000)
	want := quota.Hold{Job: "job1", Team: "acme", Member: "discord:1", State: quota.Held, Estimate: 120_000, At: noon}
	want.Entries = got.Entries
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("hold (-want +got):\n%s", diff)
	}
	if len(got.Entries) != 18 { // 3 scopes, 3 windows, 2 units
		t.Errorf("got %d entries, want 18", len(got.Entries))
	}
	stored, err := b.l.Hold(t.Context(), "job1")
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(got, stored); diff != "" {
		t.Errorf("hold that is read again (-want +got):\n%s", diff)
	}
	for _, kind := range []quota.ScopeKind{quota.Member, quota.Team, quota.Bot} {
		for _, w := range []quota.Window{quota.Day, quota.Week, quota.Month} {
			b.wantUsed(ann, kind, quota.Videos, w, 1)
			b.wantUsed(ann, kind, quota.Dollars, w, 120_000)
		}
	}
	if _, err := b.l.Hold(t.Context(), "job2"); !errors.Is(err, quota.ErrNoHold) {
		t.Errorf("hold of an unknown job: got error %v, want ErrNoHold", err)
	}
	totals := CheckLedger(t, b.l)
	if want := (quota.Totals{Holds: 1, Reserved: 120_000, Held: 120_000}); totals != want {
		t.Errorf("totals: got %+v, want %+v", totals, want)
	}
}

func testRefusal(t *testing.T, h Harness) {
	// The bot's limit is the last to be looked at: the others have room.
	b := newBench(t, h, quota.Policy{Bot: quota.Limits{Windows: []quota.WindowLimit{{Window: quota.Month, USD: 100_000}}}})
	limit := b.refuse("job1", ann, 120_000, quota.OverLimit)
	if limit.Need != 120_000 || limit.Left() != 100_000 || limit.Gauge.Scope.Kind != quota.Bot {
		t.Errorf("refusal does not say what was needed of which limit: %+v", limit)
	}
	if _, err := b.l.Hold(t.Context(), "job1"); !errors.Is(err, quota.ErrNoHold) {
		t.Errorf("hold of a refused job: got error %v, want ErrNoHold", err)
	}
	b.wantUsed(ann, quota.Member, quota.Videos, quota.Day, 0)
	b.wantUsed(ann, quota.Team, quota.Dollars, quota.Month, 0)

	planError := errors.New("no plan")
	_, err := b.l.Reserve(t.Context(), quota.Key{Job: "job1", Team: "acme", Member: "discord:1"},
		func(quota.AdminState) (quota.Reservation, error) { return quota.Reservation{}, planError })
	if !errors.Is(err, planError) {
		t.Errorf("got error %v, want the plan's", err)
	}
	if totals := CheckLedger(t, b.l); totals != (quota.Totals{}) {
		t.Errorf("totals after refusals: %+v", totals)
	}
	b.reserve("job1", ann, 100_000) // a refusal is not remembered
}

func testIdempotent(t *testing.T, h Harness) {
	b := newBench(t, h, quota.Policy{})
	first := b.reserve("job1", ann, 120_000)
	again, err := b.l.Reserve(t.Context(), quota.Key{Job: "job1", Team: "acme", Member: "discord:1"},
		func(quota.AdminState) (quota.Reservation, error) {
			t.Error("plan was called for a job that has a hold")
			return quota.Reservation{}, errors.New("called")
		})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(first, again); diff != "" {
		t.Errorf("second hold (-first +second):\n%s", diff)
	}
	b.wantUsed(ann, quota.Member, quota.Videos, quota.Day, 1)

	released := b.bill("job1", quota.Release())
	if got := b.reserve("job1", ann, 120_000); got.State != released.State {
		t.Errorf("reserve after release: got a hold that is %s, want the released one", got.State)
	}
	b.wantUsed(ann, quota.Member, quota.Videos, quota.Day, 0)
	CheckLedger(t, b.l)
}

func testBilling(t *testing.T, h Harness) {
	for _, test := range []struct {
		name    string
		bills   []quota.Billing
		state   quota.HoldState
		charged usd.Micros
		videos  int64
		dollars int64
	}{
		{"keeping changes nothing", []quota.Billing{quota.Keep()}, quota.Held, 0, 1, 100},
		{"settling charges the true price", []quota.Billing{quota.Settle(70)}, quota.Settled, 70, 1, 70},
		{"settling may charge more than was held", []quota.Billing{quota.Settle(130)}, quota.Settled, 130, 1, 130},
		{"settling may charge nothing", []quota.Billing{quota.Settle(0)}, quota.Settled, 0, 1, 0},
		{"releasing gives everything back", []quota.Billing{quota.Release()}, quota.Released, 0, 0, 0},
		{"the first settlement counts", []quota.Billing{quota.Settle(70), quota.Settle(90)}, quota.Settled, 70, 1, 70},
		{"a settled hold stays settled", []quota.Billing{quota.Settle(70), quota.Release()}, quota.Settled, 70, 1, 70},
		{"a hold is released once", []quota.Billing{quota.Release(), quota.Release()}, quota.Released, 0, 0, 0},
		{"a job believed lost is charged after all", []quota.Billing{quota.Release(), quota.Settle(70)}, quota.Settled, 70, 1, 70},
	} {
		t.Run(test.name, func(t *testing.T) {
			b := newBench(t, h, quota.Policy{})
			b.reserve("job1", ann, 100)
			var got quota.Hold
			for _, billing := range test.bills {
				b.clock.Advance(time.Minute)
				got = b.bill("job1", billing)
			}
			if got.State != test.state || got.Charged != test.charged || got.Estimate != 100 {
				t.Errorf("hold: got %s, charged %d of %d; want %s, charged %d of 100",
					got.State, got.Charged, got.Estimate, test.state, test.charged)
			}
			if closed := !got.Closed.IsZero(); closed != (test.state != quota.Held) {
				t.Errorf("hold that is %s was closed at %v", got.State, got.Closed)
			}
			stored, err := b.l.Hold(t.Context(), "job1")
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(got, stored); diff != "" {
				t.Errorf("hold that is read again (-returned +read):\n%s", diff)
			}
			for _, kind := range []quota.ScopeKind{quota.Member, quota.Team, quota.Bot} {
				b.wantUsed(ann, kind, quota.Videos, quota.Day, test.videos)
				b.wantUsed(ann, kind, quota.Dollars, quota.Month, test.dollars)
			}
			CheckLedger(t, b.l)
		})
	}
	t.Run("a job without a hold can't be billed", func(t *testing.T) {
		b := newBench(t, h, quota.Policy{})
		for _, billing := range []quota.Billing{quota.Keep(), quota.Settle(1), quota.Release()} {
			if _, err := b.l.Bill(t.Context(), "job1", billing, noon); !errors.Is(err, quota.ErrNoHold) {
				t.Errorf("bill %q: got error %v, want ErrNoHold", billing.Kind, err)
			}
		}
	})
}

func testExactLimits(t *testing.T, h Harness) {
	b := newBench(t, h, quota.Policy{
		Member: quota.Limits{Windows: []quota.WindowLimit{{Window: quota.Day, Videos: 3}}},
		Team:   quota.Limits{Windows: []quota.WindowLimit{{Window: quota.Month, USD: 500}}},
	})
	for i := range 3 {
		b.reserve(fmt.Sprintf("job%d", i), ann, 100)
	}
	if limit := b.refuse("job3", ann, 100, quota.OverLimit); limit.Gauge.Used != 3 || limit.Gauge.Max != 3 {
		t.Errorf("refusal shows %d of %d, want 3 of 3", limit.Gauge.Used, limit.Gauge.Max)
	}
	bob := quota.Asker{Team: "acme", Member: "discord:2"}
	b.refuse("job4", bob, 201, quota.OverLimit)
	b.reserve("job4", bob, 200)
	b.refuse("job5", bob, 1, quota.OverLimit)
	b.reserve("job6", bob, 0) // what costs nothing always fits into dollars

	b.bill("job0", quota.Settle(40)) // 60 are free again
	b.refuse("job7", bob, 61, quota.OverLimit)
	b.reserve("job7", bob, 60)
	b.refuse("job8", ann, 0, quota.OverLimit) // a settled video stays counted
	b.bill("job1", quota.Release())
	b.reserve("job8", ann, 0)
	CheckLedger(t, b.l)
}

func testWindows(t *testing.T, h Harness) {
	berlin, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Fatal(err)
	}
	in := func(month time.Month, day, hour, minute int) time.Time {
		return time.Date(2026, month, day, hour, minute, 0, 0, berlin)
	}
	for _, test := range []struct {
		name               string
		window             quota.Window
		first, last, fresh time.Time // reserved; still counted; counted no more
	}{
		{"a day ends at midnight in the team's zone", quota.Day, in(3, 11, 0, 0), in(3, 11, 23, 59), in(3, 12, 0, 0)},
		{"a day on which summer time begins is shorter", quota.Day, in(3, 29, 0, 30), in(3, 29, 23, 59), in(3, 30, 0, 0)},
		{"a day on which summer time ends is longer", quota.Day, in(10, 25, 0, 0), in(10, 25, 23, 59), in(10, 26, 0, 0)},
		{"a week ends with Sunday", quota.Week, in(3, 23, 0, 0), in(3, 29, 23, 59), in(3, 30, 0, 0)},
		{"a month ends with its last day", quota.Month, in(2, 1, 0, 0), in(2, 28, 23, 59), in(3, 1, 0, 0)},
		{"a rolling window never forgets early", "24h0m0s", in(3, 11, 12, 30), in(3, 12, 12, 30), in(3, 12, 14, 0)},
		{"a rolling window does not care for midnight", "6h0m0s", in(3, 11, 23, 0), in(3, 12, 5, 0), in(3, 12, 5, 15)},
	} {
		t.Run(test.name, func(t *testing.T) {
			b := newBench(t, h, quota.Policy{
				Zone:   berlin,
				Member: quota.Limits{Windows: []quota.WindowLimit{{Window: test.window, Videos: 1, USD: 1000}}},
			})
			b.clock.Set(test.first)
			b.reserve("job1", ann, 100)
			b.clock.Set(test.last)
			limit := b.refuse("job2", ann, 100, quota.OverLimit)
			if limit.Gauge.Window != test.window || !limit.Gauge.Resets.After(test.last) {
				t.Errorf("refusal names window %s that resets at %v", limit.Gauge.Window, limit.Gauge.Resets)
			}
			b.wantUsed(ann, quota.Member, quota.Dollars, test.window, 100)
			b.clock.Set(test.fresh)
			b.wantUsed(ann, quota.Member, quota.Dollars, test.window, 0)
			b.reserve("job2", ann, 100)
			b.bill("job1", quota.Settle(70)) // of the window before: this one does not change
			b.wantUsed(ann, quota.Member, quota.Dollars, test.window, 100)
			CheckLedger(t, b.l)
		})
	}
}

func testScopes(t *testing.T, h Harness) {
	b := newBench(t, h, quota.Policy{})
	elsewhere := quota.Asker{Team: "globex", Member: ann.Member}
	bob := quota.Asker{Team: "acme", Member: "discord:2"}
	b.reserve("job1", ann, 1)
	b.reserve("job2", elsewhere, 10)
	b.reserve("job3", bob, 100)
	b.wantUsed(ann, quota.Member, quota.Dollars, quota.Day, 1)
	b.wantUsed(elsewhere, quota.Member, quota.Dollars, quota.Day, 10)
	b.wantUsed(bob, quota.Member, quota.Dollars, quota.Day, 100)
	b.wantUsed(ann, quota.Team, quota.Dollars, quota.Day, 101)
	b.wantUsed(elsewhere, quota.Team, quota.Dollars, quota.Day, 10)
	b.wantUsed(ann, quota.Bot, quota.Dollars, quota.Day, 111)
	b.wantUsed(elsewhere, quota.Bot, quota.Dollars, quota.Day, 111)
	CheckLedger(t, b.l)
}

func testGrants(t *testing.T, h Harness) {
	scope := quota.Scope{Kind: quota.Member, ID: ann.Member}
	grant := func(b *bench, grants ...quota.Grant) {
		b.t.Helper()
		err := b.l.PutMemberState(b.t.Context(), ann.Team, ann.Member, quota.MemberState{Grants: grants})
		if err != nil {
			b.t.Fatal(err)
		}
	}
	oneADay := quota.Policy{Member: quota.Limits{Windows: []quota.WindowLimit{{Window: quota.Day, Videos: 1}}}}

	t.Run("a grant covers jobs until it is used up", func(t *testing.T) {
		b := newBench(t, h, oneADay)
		grant(b, quota.Grant{ID: "g1", Scope: scope, Videos: 2})
		for i := range 3 {
			b.reserve(fmt.Sprintf("job%d", i), ann, 100)
		}
		b.refuse("job3", ann, 100, quota.OverLimit)
		b.clock.Advance(24 * time.Hour)
		b.reserve("job4", ann, 100) // the limit itself is fresh, the grant is not
		b.refuse("job5", ann, 100, quota.OverLimit)
		CheckLedger(t, b.l)
	})
	t.Run("a released job gives back what it drew", func(t *testing.T) {
		b := newBench(t, h, oneADay)
		grant(b, quota.Grant{ID: "g1", Scope: scope, Videos: 1})
		b.reserve("job0", ann, 100)
		b.reserve("job1", ann, 100)
		b.refuse("job2", ann, 100, quota.OverLimit)
		b.bill("job1", quota.Release())
		b.wantUsed(ann, quota.Member, quota.Videos, quota.Day, 1)
		b.reserve("job2", ann, 100)
		CheckLedger(t, b.l)
	})
	t.Run("an expired grant covers nothing", func(t *testing.T) {
		b := newBench(t, h, oneADay)
		grant(b, quota.Grant{ID: "g1", Scope: scope, Videos: 9, Expires: noon.Add(time.Hour)})
		b.reserve("job0", ann, 100)
		b.reserve("job1", ann, 100)
		b.clock.Advance(time.Hour)
		b.refuse("job2", ann, 100, quota.OverLimit)
		CheckLedger(t, b.l)
	})
	t.Run("the next grant is drawn on when the first has too little", func(t *testing.T) {
		b := newBench(t, h, quota.Policy{Member: quota.Limits{Windows: []quota.WindowLimit{{Window: quota.Month, USD: 100}}}})
		grant(b, quota.Grant{ID: "g1", Scope: scope, USD: 150}, quota.Grant{ID: "g2", Scope: scope, USD: 200})
		b.reserve("job0", ann, 100) // the limit
		b.reserve("job1", ann, 100) // g1
		b.reserve("job2", ann, 100) // g2: g1 has 50
		b.bill("job1", quota.Settle(40))
		b.reserve("job3", ann, 110) // g1 again
		b.reserve("job4", ann, 100) // g2
		b.refuse("job5", ann, 1, quota.OverLimit)
		CheckLedger(t, b.l)
	})
}

func testAdminState(t *testing.T, h Harness) {
	ctx := t.Context()
	b := newBench(t, h, quota.Policy{Member: quota.Limits{Windows: []quota.WindowLimit{{Window: quota.Day, Videos: 1}}}})
	want := quota.AdminState{
		Member: quota.MemberState{
			Overrides: []quota.Override{{Unit: quota.Videos, Window: quota.Day, Max: 2, By: "discord:9", At: noon, Reason: "launch"}},
			Grants:    []quota.Grant{{ID: "g1", Scope: quota.Scope{Kind: quota.Member, ID: ann.Member}, USD: 5, Given: noon}},
		},
		Team: quota.TeamState{Overrides: []quota.Override{{Unit: quota.Jobs, Max: 4}}},
	}
	put := func(s quota.AdminState) {
		t.Helper()
		err := errors.Join(b.l.PutMemberState(ctx, ann.Team, ann.Member, s.Member), b.l.PutTeamState(ctx, ann.Team, s.Team))
		if err != nil {
			t.Fatal(err)
		}
	}
	put(want)
	got, err := b.l.AdminState(ctx, ann.Team, ann.Member)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("admin state (-want +got):\n%s", diff)
	}
	bob := quota.Asker{Team: ann.Team, Member: "discord:2"}
	if got, err = b.l.AdminState(ctx, bob.Team, bob.Member); err != nil || got.Member.Overrides != nil || len(got.Team.Overrides) != 1 {
		t.Errorf("admin state of another member: got %+v, %v; want only the team's", got, err)
	}
	b.reserve("job0", ann, 1)
	b.reserve("job1", ann, 1)
	b.refuse("job2", ann, 1, quota.OverLimit)

	stop := &quota.Block{By: "discord:9", At: noon, Reason: "spam"}
	put(quota.AdminState{Member: quota.MemberState{Blocked: stop}})
	if limit := b.refuse("job3", ann, 1, quota.Blocked); limit.Block != *stop {
		t.Errorf("refusal says %+v, want %+v", limit.Block, *stop)
	}
	b.reserve("job4", bob, 1)
	put(quota.AdminState{Team: quota.TeamState{Paused: stop}})
	b.refuse("job5", bob, 1, quota.Paused)
	b.reserve("job6", quota.Asker{Team: "globex", Member: bob.Member}, 1)
	put(quota.AdminState{})
	b.refuse("job7", ann, 1, quota.OverLimit) // the override is gone as well
}

func testReopen(t *testing.T, h Harness) {
	ctx := t.Context()
	b := newBench(t, h, quota.Policy{Member: quota.Limits{Windows: []quota.WindowLimit{{Window: quota.Day, Videos: 2}}}})
	b.reserve("job1", ann, 100)
	b.reserve("job2", ann, 200)
	settled := b.bill("job1", quota.Settle(70))
	if err := b.l.PutTeamState(ctx, "acme", quota.TeamState{Paused: &quota.Block{By: "discord:9"}}); err != nil {
		t.Fatal(err)
	}
	before := CheckLedger(t, b.l)

	b.l = h.Reopen(t, b.l, b.clock.Now)
	if after := CheckLedger(t, b.l); after != before {
		t.Errorf("totals: got %+v, want %+v", after, before)
	}
	got, err := b.l.Hold(ctx, "job1")
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(settled, got); diff != "" {
		t.Errorf("hold (-before +after):\n%s", diff)
	}
	b.wantUsed(ann, quota.Member, quota.Dollars, quota.Day, 270)
	b.refuse("job3", ann, 1, quota.Paused)
	if err := b.l.PutTeamState(ctx, "acme", quota.TeamState{}); err != nil {
		t.Fatal(err)
	}
	b.refuse("job3", ann, 1, quota.OverLimit)
	b.bill("job2", quota.Release())
	b.reserve("job3", ann, 1)
	CheckLedger(t, b.l)
}

func testContext(t *testing.T, h Harness) {
	b := newBench(t, h, quota.Policy{})
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := b.l.Reserve(ctx, quota.Key{Job: "job1", Team: "acme", Member: "discord:1"}, b.plan("job1", ann, 100))
	if !errors.Is(err, context.Canceled) {
		t.Errorf("reserve: got error %v, want context.Canceled", err)
	}
	if totals := CheckLedger(t, b.l); totals.Holds != 0 {
		t.Errorf("got %d holds, want none", totals.Holds)
	}
}

package quotatest

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"

	"ltxbot/core/quota"
	"ltxbot/core/usd"
)

// model is a ledger in maps. It shares the rules of package quota with the
// ledger under test, and nothing else.
type model struct {
	holds    map[string]quota.Hold
	counters map[counterID]int64
	members  map[seat]quota.MemberState
	teams    map[string]quota.TeamState
}

// seat is a member in a team.
type seat struct{ team, member string }

// counterID names a counter; team is empty for those of the bot.
type counterID struct {
	team  string
	scope quota.Scope
	name  string
}

func newModel() *model {
	return &model{
		holds:    map[string]quota.Hold{},
		counters: map[counterID]int64{},
		members:  map[seat]quota.MemberState{},
		teams:    map[string]quota.TeamState{},
	}
}

func (m *model) counter(team string, s quota.Scope, name string) counterID {
	if s.Kind == quota.Bot {
		team = ""
	}
	return counterID{team, s, name}
}

func (m *model) adminState(at seat) quota.AdminState {
	return quota.AdminState{Member: m.members[at], Team: m.teams[at.team]}
}

func (m *model) reserve(job string, at seat, plan quota.Plan) (quota.Hold, error) {
	if h, ok := m.holds[job]; ok {
		return h, nil
	}
	r, err := plan(m.adminState(at))
	if err != nil {
		return quota.Hold{}, err
	}
	entries, err := quota.Decide(r, func(s quota.Scope, name string) int64 { return m.counters[m.counter(at.team, s, name)] })
	if err != nil {
		return quota.Hold{}, err
	}
	h := quota.NewHold(r, entries)
	for _, e := range entries {
		m.counters[m.counter(at.team, e.Scope, e.Counter)] += e.Add
	}
	m.holds[job] = h
	return h, nil
}

func (m *model) bill(job string, b quota.Billing, at time.Time) (quota.Hold, error) {
	old, ok := m.holds[job]
	if !ok {
		return quota.Hold{}, quota.ErrNoHold
	}
	h, deltas := quota.Apply(old, b, at)
	for i, d := range deltas {
		m.counters[m.counter(h.Team, h.Entries[i].Scope, h.Entries[i].Counter)] += d
	}
	m.holds[job] = h
	return h, nil
}

func (m *model) used(team string, counts []quota.Count) []int64 {
	used := make([]int64, len(counts))
	for i, c := range counts {
		for _, name := range append([]string{c.Counter}, c.Also...) {
			used[i] += m.counters[m.counter(team, c.Scope, name)]
		}
	}
	return used
}

func (m *model) totals() quota.Totals {
	var sums quota.Totals
	for _, h := range m.holds {
		sums.Add(h)
	}
	return sums
}

// machine drives a ledger and the model through the same history.
type machine struct {
	t      *testing.T
	h      Harness
	l      Ledger
	m      *model
	clock  *Clock
	policy quota.Policy
	seats  []seat
}

// machineSteps bounds a history: a ledger on a disk takes a few milliseconds
// for each step.
const machineSteps = 25

func testMachine(t *testing.T, h Harness) {
	berlin, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Fatal(err)
	}
	policy := quota.Policy{
		Member: quota.Limits{Windows: []quota.WindowLimit{
			{Window: quota.Day, Videos: 3}, {Window: quota.Month, Videos: 9, USD: 20 * usd.Dollar}, {Window: "6h0m0s", Videos: 2, USD: 9 * usd.Dollar},
		}},
		Team:  quota.Limits{Windows: []quota.WindowLimit{{Window: quota.Week, USD: 25 * usd.Dollar}}},
		Bot:   quota.Limits{Windows: []quota.WindowLimit{{Window: quota.Month, USD: 60 * usd.Dollar}}},
		Teams: map[string]quota.TeamPolicy{"acme": {Zone: berlin}},
	}
	rapid.Check(t, func(rt *rapid.T) {
		w := &machine{
			t: t, h: h, m: newModel(), policy: policy,
			// Two days before summer time and four before the month ends.
			clock: NewClock(time.Date(2026, time.March, 27, 20, 0, 0, 0, time.UTC)),
			seats: []seat{{"acme", "discord:1"}, {"acme", "slack:T1:U2"}, {"globex", "discord:1"}},
		}
		w.l = h.Open(t, w.clock.Now)
		defer func() {
			if err := w.l.Close(); err != nil {
				t.Errorf("close: %v", err)
			}
		}()
		actions := map[string]func(*rapid.T){
			"reserve": w.reserve, "bill": w.bill, "decide": w.decide, "advance": w.advance, "reopen": w.reopen,
		}
		// Most of what happens is reserving and billing.
		names := []string{"reserve", "reserve", "reserve", "bill", "bill", "advance", "decide", "reopen"}
		for range rapid.IntRange(1, machineSteps).Draw(rt, "steps") {
			actions[rapid.SampledFrom(names).Draw(rt, "action")](rt)
			w.check(rt)
		}
	})
}

func (w *machine) job(rt *rapid.T) string {
	return fmt.Sprintf("job%d", rapid.IntRange(0, 15).Draw(rt, "job"))
}

func (w *machine) reserve(rt *rapid.T) {
	job, at := w.job(rt), rapid.SampledFrom(w.seats).Draw(rt, "seat")
	if old, ok := w.m.holds[job]; ok { // a job has one member
		at = seat{old.Team, old.Member}
	}
	cost := usd.Micros(rapid.IntRange(0, 5_000_000).Draw(rt, "cost"))
	plan := w.policy.Plan(job, quota.Asker{Team: at.team, Member: at.member}, cost, w.clock.Now())
	want, wantErr := w.m.reserve(job, at, plan)
	got, err := w.l.Reserve(context.Background(), quota.Key{Job: job, Team: at.team, Member: at.member}, plan)
	w.same(rt, want, got, wantErr, err)
}

func (w *machine) bill(rt *rapid.T) {
	job := w.job(rt)
	billing := rapid.SampledFrom([]quota.Billing{
		quota.Keep(), quota.Release(), quota.Settle(0), quota.Settle(1_234_567), quota.Settle(6_000_000),
	}).Draw(rt, "billing")
	want, wantErr := w.m.bill(job, billing, w.clock.Now())
	got, err := w.l.Bill(context.Background(), job, billing, w.clock.Now())
	w.same(rt, want, got, wantErr, err)
}

// decide lets an admin or the operator change the state of a member or of a team.
func (w *machine) decide(rt *rapid.T) {
	at := rapid.SampledFrom(w.seats).Draw(rt, "seat")
	stop := []*quota.Block{nil, nil, nil, {By: "discord:9", At: w.clock.Now(), Reason: "spam"}}
	grant := quota.Grant{
		ID:      fmt.Sprintf("g%d", rapid.IntRange(0, 3).Draw(rt, "grant")),
		Videos:  int64(rapid.IntRange(0, 3).Draw(rt, "videos")),
		USD:     usd.Micros(rapid.IntRange(0, 4_000_000).Draw(rt, "usd")),
		Expires: w.clock.Now().Add(time.Duration(rapid.IntRange(1, 48).Draw(rt, "hours")) * time.Hour),
	}
	override := quota.Override{
		Unit: quota.Videos, Window: rapid.SampledFrom([]quota.Window{quota.Day, quota.Week, "6h0m0s"}).Draw(rt, "window"),
		Max: int64(rapid.IntRange(0, 5).Draw(rt, "max")),
	}
	grant.By = rapid.SampledFrom([]string{quota.Operator, "discord:9"}).Draw(rt, "extra by")
	override.By = rapid.SampledFrom([]string{quota.Operator, "discord:9"}).Draw(rt, "limit by")
	var err error
	if rapid.Bool().Draw(rt, "of the team") {
		grant.Scope = quota.Scope{Kind: quota.Team, ID: at.team}
		s := quota.TeamState{Overrides: []quota.Override{override}, Grants: []quota.Grant{grant}, Paused: rapid.SampledFrom(stop).Draw(rt, "paused")}
		w.m.teams[at.team] = s
		err = w.l.PutTeamState(context.Background(), at.team, s)
	} else {
		grant.Scope = quota.Scope{Kind: quota.Member, ID: at.member}
		s := quota.MemberState{Overrides: []quota.Override{override}, Grants: []quota.Grant{grant}, Blocked: rapid.SampledFrom(stop).Draw(rt, "blocked")}
		w.m.members[at] = s
		err = w.l.PutMemberState(context.Background(), at.team, at.member, s)
	}
	if err != nil {
		rt.Fatalf("put admin state: %v", err)
	}
}

func (w *machine) advance(rt *rapid.T) {
	hours := rapid.SampledFrom([]time.Duration{time.Minute, 14 * time.Minute, time.Hour, 5 * time.Hour, 24 * time.Hour, 100 * time.Hour})
	w.clock.Advance(hours.Draw(rt, "time passes"))
}

func (w *machine) reopen(*rapid.T) { w.l = w.h.Reopen(w.t, w.l, w.clock.Now) }

// check compares everything that can be read.
func (w *machine) check(rt *rapid.T) {
	ctx := context.Background()
	for _, at := range w.seats {
		state, err := w.l.AdminState(ctx, at.team, at.member)
		if err != nil {
			rt.Fatalf("state: %v", err)
		}
		if diff := cmp.Diff(w.m.adminState(at), state); diff != "" {
			rt.Fatalf("state of %v (-want +got):\n%s", at, diff)
		}
		counts := w.policy.Counts(quota.Asker{Team: at.team, Member: at.member}, state, w.clock.Now())
		used, err := w.l.Used(ctx, at.team, counts)
		if err != nil {
			rt.Fatalf("used: %v", err)
		}
		if diff := cmp.Diff(w.m.used(at.team, counts), used); diff != "" {
			rt.Fatalf("usage of %v (-want +got):\n%s", at, diff)
		}
	}
	for _, job := range slices.Sorted(maps.Keys(w.m.holds)) {
		h, err := w.l.Hold(ctx, job)
		w.same(rt, w.m.holds[job], h, nil, err)
	}
	if want, got := w.m.totals(), CheckLedger(rt, w.l); got != want {
		rt.Fatalf("totals: got %+v, want %+v", got, want)
	}
}

// same compares a hold and an error with the model's.
func (w *machine) same(rt *rapid.T, want, got quota.Hold, wantErr, err error) {
	rt.Helper()
	if errors.Is(wantErr, quota.ErrNoHold) {
		if !errors.Is(err, quota.ErrNoHold) {
			rt.Fatalf("got error %v, want ErrNoHold", err)
		}
		return
	}
	var wantLimit, limit *quota.LimitError
	errors.As(wantErr, &wantLimit)
	if !errors.As(err, &limit) && err != nil {
		rt.Fatalf("got error %v, want %v", err, wantErr)
	}
	if diff := cmp.Diff(wantLimit, limit); diff != "" {
		rt.Fatalf("refusal (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(want, got, cmpopts.EquateEmpty()); diff != "" {
		rt.Fatalf("hold (-want +got):\n%s", diff)
	}
}

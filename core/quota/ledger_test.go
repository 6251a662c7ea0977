package quota_test

import (
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"ltxbot/core/quota"
	"ltxbot/core/usd"
)

var (
	memberScope = quota.Scope{Kind: quota.Member, ID: "discord:1"}
	teamScope   = quota.Scope{Kind: quota.Team, ID: "acme"}
	botScope    = quota.Scope{Kind: quota.Bot}
)

func TestScopeString(t *testing.T) {
	for scope, want := range map[quota.Scope]string{
		memberScope: "member/discord:1", teamScope: "team/acme", botScope: "bot",
	} {
		if got := scope.String(); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}

func TestDecide(t *testing.T) {
	videos := func(s quota.Scope, counter string, limit int64, also ...string) quota.Count {
		return quota.Count{Scope: s, Unit: quota.Videos, Window: quota.Day, Counter: counter, Also: also, Max: limit, Add: 1}
	}
	dollars := func(s quota.Scope, counter string, limit, add int64) quota.Count {
		return quota.Count{Scope: s, Unit: quota.Dollars, Window: quota.Month, Counter: counter, Max: limit, Add: add}
	}
	grant := func(id string, s quota.Scope, videos int64, dollars usd.Micros) quota.Grant {
		return quota.Grant{ID: id, Scope: s, Videos: videos, USD: dollars}
	}
	expired, alive := grant("g1", memberScope, 5, 5), grant("g2", memberScope, 5, 5)
	expired.Expires, alive.Expires = at, at.Add(time.Nanosecond)

	for _, test := range []struct {
		name    string
		counts  []quota.Count
		grants  []quota.Grant
		used    map[string]int64 // by scope and counter
		want    []string         // the counters that grow
		refused string           // the counter without room
		shows   int64            // what the refusal shows as used
	}{
		{
			name:   "all have room",
			counts: []quota.Count{videos(memberScope, "d", 3), dollars(teamScope, "m", 100, 40)},
			used:   map[string]int64{"member/discord:1 d": 2, "team/acme m": 60},
			want:   []string{"member/discord:1 d", "team/acme m"},
		},
		{
			name:   "the last one has no room",
			counts: []quota.Count{videos(memberScope, "d", 3), dollars(teamScope, "m", 100, 40)},
			used:   map[string]int64{"team/acme m": 61}, refused: "m", shows: 61,
		},
		{
			name:   "a count without a limit always has room",
			counts: []quota.Count{videos(memberScope, "d", 0)},
			used:   map[string]int64{"member/discord:1 d": 1 << 60},
			want:   []string{"member/discord:1 d"},
		},
		{
			name:   "the earlier slices of a window count",
			counts: []quota.Count{videos(memberScope, "s3", 3, "s2", "s1")},
			used:   map[string]int64{"member/discord:1 s3": 1, "member/discord:1 s2": 1, "member/discord:1 s1": 1},
			// The refusal shows the whole window.
			refused: "s3", shows: 3,
		},
		{
			name:   "a grant covers what has no room",
			counts: []quota.Count{videos(memberScope, "d", 1), videos(teamScope, "d", 9)},
			grants: []quota.Grant{grant("g1", memberScope, 2, 0)},
			used:   map[string]int64{"member/discord:1 d": 1, "member/discord:1 grant/g1/videos": 1},
			want:   []string{"member/discord:1 grant/g1/videos", "team/acme d"},
		},
		{
			name:   "a grant that is used up covers nothing",
			counts: []quota.Count{videos(memberScope, "d", 1)},
			grants: []quota.Grant{grant("g1", memberScope, 2, 0)},
			used:   map[string]int64{"member/discord:1 d": 1, "member/discord:1 grant/g1/videos": 2}, refused: "d", shows: 1,
		},
		{
			name:   "a grant of another scope covers nothing",
			counts: []quota.Count{videos(memberScope, "d", 1)},
			grants: []quota.Grant{grant("g1", teamScope, 2, 2)},
			used:   map[string]int64{"member/discord:1 d": 1}, refused: "d", shows: 1,
		},
		{
			name:   "a grant of another unit covers nothing",
			counts: []quota.Count{dollars(memberScope, "m", 10, 4)},
			grants: []quota.Grant{grant("g1", memberScope, 99, 0)},
			used:   map[string]int64{"member/discord:1 m": 7}, refused: "m", shows: 7,
		},
		{
			name:   "the first grant with enough left is drawn on",
			counts: []quota.Count{dollars(memberScope, "m", 10, 4)},
			grants: []quota.Grant{grant("g1", memberScope, 0, 3), grant("g2", memberScope, 0, 4), grant("g3", memberScope, 0, 9)},
			used:   map[string]int64{"member/discord:1 m": 7},
			want:   []string{"member/discord:1 grant/g2/usd"},
		},
		{
			name:   "a grant ends at its expiry",
			counts: []quota.Count{videos(memberScope, "d", 1)},
			grants: []quota.Grant{expired, alive},
			used:   map[string]int64{"member/discord:1 d": 1},
			want:   []string{"member/discord:1 grant/g2/videos"},
		},
		{
			name:   "one draw covers all windows of a unit that have no room",
			counts: []quota.Count{videos(memberScope, "d", 1), videos(memberScope, "w", 1), videos(memberScope, "m", 9)},
			grants: []quota.Grant{grant("g1", memberScope, 1, 0)},
			used:   map[string]int64{"member/discord:1 d": 1, "member/discord:1 w": 1},
			want:   []string{"member/discord:1 grant/g1/videos", "member/discord:1 m"},
		},
		{
			name:   "a limit that was lowered below its use has no room",
			counts: []quota.Count{dollars(teamScope, "m", 5, 0)},
			used:   map[string]int64{"team/acme m": 6}, refused: "m", shows: 6,
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			r := quota.Reservation{At: at, Counts: test.counts, Grants: test.grants}
			entries, err := quota.Decide(r, func(s quota.Scope, counter string) int64 { return test.used[s.String()+" "+counter] })
			if test.refused != "" {
				var limit *quota.LimitError
				if !errors.As(err, &limit) || entries != nil {
					t.Fatalf("got %v, %v; want a refusal", entries, err)
				}
				i := slices.IndexFunc(test.counts, func(c quota.Count) bool { return c.Counter == test.refused })
				c := test.counts[i]
				want := &quota.LimitError{
					Reason: quota.OverLimit, Need: c.Add,
					Gauge: quota.Gauge{Scope: c.Scope, Unit: c.Unit, Window: c.Window, Used: test.shows, Max: c.Max},
				}
				if diff := cmp.Diff(want, limit); diff != "" {
					t.Errorf("refusal (-want +got):\n%s", diff)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, e := range entries {
				got = append(got, e.Scope.String()+" "+e.Counter)
			}
			if !slices.Equal(got, test.want) {
				t.Errorf("counters that grow: got %q, want %q", got, test.want)
			}
		})
	}
}

// hold is a hold of 100 that counts a video and its cost.
func hold() quota.Hold {
	r := quota.Reservation{Job: "job1", Team: "acme", Member: "discord:1", At: at, Estimate: 100}
	return quota.NewHold(r, []quota.Entry{
		{Scope: memberScope, Unit: quota.Videos, Counter: "videos/day/2026-03-11", Add: 1},
		{Scope: memberScope, Unit: quota.Dollars, Counter: "usd/day/2026-03-11", Add: 100},
	})
}

func TestApply(t *testing.T) {
	held := hold()
	settled, _ := quota.Apply(held, quota.Settle(70), at)
	released, _ := quota.Apply(held, quota.Release(), at)
	later := at.Add(time.Hour)
	for _, test := range []struct {
		name    string
		hold    quota.Hold
		billing quota.Billing
		state   quota.HoldState
		charged usd.Micros
		deltas  []int64 // nil = no effect
	}{
		{"keep a held one", held, quota.Keep(), quota.Held, 0, nil},
		{"settle for less", held, quota.Settle(70), quota.Settled, 70, []int64{0, -30}},
		{"settle for more", held, quota.Settle(130), quota.Settled, 130, []int64{0, 30}},
		{"settle for nothing", held, quota.Settle(0), quota.Settled, 0, []int64{0, -100}},
		{"release", held, quota.Release(), quota.Released, 0, []int64{-1, -100}},
		{"settle twice", settled, quota.Settle(90), quota.Settled, 70, nil},
		{"release what is settled", settled, quota.Release(), quota.Settled, 70, nil},
		{"keep what is settled", settled, quota.Keep(), quota.Settled, 70, nil},
		{"release twice", released, quota.Release(), quota.Released, 0, nil},
		{"settle what was released", released, quota.Settle(70), quota.Settled, 70, []int64{1, 70}},
		{"keep what was released", released, quota.Keep(), quota.Released, 0, nil},
	} {
		got, deltas := quota.Apply(test.hold, test.billing, later)
		if got.State != test.state || got.Charged != test.charged {
			t.Errorf("%s: got %s, charged %d; want %s, %d", test.name, got.State, got.Charged, test.state, test.charged)
		}
		if !slices.Equal(deltas, test.deltas) {
			t.Errorf("%s: counters change by %v, want %v", test.name, deltas, test.deltas)
		}
		if test.deltas != nil && !got.Closed.Equal(later) || test.deltas == nil && !got.Closed.Equal(test.hold.Closed) {
			t.Errorf("%s: closed at %v", test.name, got.Closed)
		}
	}
	if held.State != quota.Held {
		t.Error("Apply changed the hold that it was given")
	}
}

// Whatever is billed in whatever order, a counter that follows the deltas is
// what the hold says, and the totals are balanced.
func TestBillingConserves(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		h := hold()
		counters := h.Shares()
		var totals quota.Totals
		totals.Add(h)
		for range rapid.IntRange(0, 6).Draw(rt, "bills") {
			b := rapid.SampledFrom([]quota.Billing{quota.Keep(), quota.Release(), quota.Settle(0), quota.Settle(70), quota.Settle(130)}).Draw(rt, "billing")
			next, deltas := quota.Apply(h, b, at)
			for i, d := range deltas {
				counters[i] += d
			}
			totals.Remove(h)
			totals.Add(next)
			h = next
		}
		if !slices.Equal(counters, h.Shares()) {
			rt.Fatalf("counters are %v, the hold says %v", counters, h.Shares())
		}
		if !totals.Balanced() || totals.Holds != 1 || totals.Reserved != 100 || totals.Charged != h.Charged {
			rt.Fatalf("totals of one hold of 100: %+v", totals)
		}
	})
}

func TestTotalsThatDoNotAddUp(t *testing.T) {
	totals := quota.Totals{Reserved: 100, Held: 60, Settled: 30, Released: 11}
	if totals.Balanced() {
		t.Errorf("%+v is balanced", totals)
	}
}

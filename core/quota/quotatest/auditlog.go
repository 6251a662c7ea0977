package quotatest

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"ltxbot/core/quota"
	"ltxbot/core/team"
	"ltxbot/core/usd"
)

// FullLedger is a ledger that also keeps the audit log and the marks.
type FullLedger interface {
	Ledger
	team.AuditLog
	team.Marks
}

// AuditLogHarness makes ledgers for RunAuditLog, as Harness does for Run.
type AuditLogHarness struct {
	Open   func(t testing.TB, now func() time.Time) FullLedger
	Reopen func(t testing.TB, l FullLedger, now func() time.Time) FullLedger
}

// RunAuditLog runs the suite of what is kept beside the ledger: changes with
// their records, lists of holds, and marks.
func RunAuditLog(t *testing.T, h AuditLogHarness) {
	for _, test := range []struct {
		name string
		run  func(*testing.T, AuditLogHarness)
	}{
		{"a change and its record are one", testAmend},
		{"the next reservation sees a change", testAmendReaches},
		{"changes in parallel all count", testAmendParallel},
		{"records are listed newest first and by team", testRecords},
		{"holds are listed by team and time", testHolds},
		{"what was spent is the sum of the holds", testSpent},
		{"usage starts over in another epoch, and old jobs settle in theirs", testEpoch},
		{"a mark is claimed once until it expires", testMarks},
		{"of many who want a mark one gets it", testMarksParallel},
		{"audit log and marks survive a restart", testAuditLogReopen},
	} {
		t.Run(test.name, func(t *testing.T) { test.run(t, h) })
	}
}

// shelf is a bench whose ledger keeps an audit log.
type shelf struct {
	*bench
	b FullLedger
}

func newShelf(t *testing.T, h AuditLogHarness, p quota.Policy) *shelf {
	t.Helper()
	s := &shelf{}
	s.bench = newBench(t, Harness{
		Open: func(t testing.TB, now func() time.Time) Ledger {
			s.b = h.Open(t, now)
			return s.b
		},
	}, p)
	return s
}

// record is the record of a change at the time of the shelf.
func (s *shelf) record(id string) team.Record {
	return team.Record{
		ID: id, At: s.clock.Now(), Team: "acme", Member: ann.Member, By: "discord:9", From: "discord",
		Verb: "set", Before: "videos_per_day 1", After: "videos_per_day 2", Reason: "launch",
	}
}

func (s *shelf) amend(team, member string, edit func(*quota.AdminState) (team.Record, error)) {
	s.t.Helper()
	if err := s.b.Amend(s.t.Context(), team, member, edit); err != nil {
		s.t.Fatalf("amend %s of %s: %v", member, team, err)
	}
}

func (s *shelf) adminState(team, member string) quota.AdminState {
	s.t.Helper()
	st, err := s.b.AdminState(s.t.Context(), team, member)
	if err != nil {
		s.t.Fatal(err)
	}
	return st
}

func (s *shelf) records(team string, limit int) []team.Record {
	s.t.Helper()
	records, err := s.b.Records(s.t.Context(), team, limit)
	if err != nil {
		s.t.Fatal(err)
	}
	return records
}

func testAmend(t *testing.T, h AuditLogHarness) {
	s := newShelf(t, h, quota.Policy{})
	want := quota.AdminState{
		Member: quota.MemberState{
			Overrides: []quota.Override{{Unit: quota.Videos, Window: quota.Day, Max: 2, By: "discord:9", At: noon}},
			Blocked:   &quota.Block{By: "discord:9", At: noon, Reason: "spam"},
			Grants:    []quota.Grant{{ID: "g1", Scope: quota.Scope{Kind: quota.Member, ID: ann.Member}, Videos: 3, Given: noon}},
			Epoch:     2, Account: "slack:T1:U2", Linked: []string{"slack:T1:U3"},
		},
		Team: quota.TeamState{Epoch: 1, Paused: &quota.Block{By: "discord:9", At: noon}},
	}
	s.amend(ann.Team, ann.Member, func(st *quota.AdminState) (team.Record, error) {
		*st = want
		return s.record("r1"), nil
	})
	if diff := cmp.Diff(want, s.adminState(ann.Team, ann.Member)); diff != "" {
		t.Errorf("admin state (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]team.Record{s.record("r1")}, s.records("acme", 10)); diff != "" {
		t.Errorf("records (-want +got):\n%s", diff)
	}

	refused := errors.New("refused")
	err := s.b.Amend(t.Context(), ann.Team, ann.Member, func(st *quota.AdminState) (team.Record, error) {
		if diff := cmp.Diff(want, *st); diff != "" {
			t.Errorf("edit is given another admin state (-want +got):\n%s", diff)
		}
		*st = quota.AdminState{}
		return s.record("r2"), refused
	})
	if !errors.Is(err, refused) {
		t.Errorf("got error %v, want the edit's", err)
	}
	if diff := cmp.Diff(want, s.adminState(ann.Team, ann.Member)); diff != "" {
		t.Errorf("admin state after an edit that was refused (-want +got):\n%s", diff)
	}
	if got := len(s.records("acme", 10)); got != 1 {
		t.Errorf("got %d records after an edit that was refused, want 1", got)
	}

	s.amend(ann.Team, "", func(st *quota.AdminState) (team.Record, error) {
		st.Team.Paused = nil
		st.Member.Epoch = 99
		return s.record("r3"), nil
	})
	want.Team.Paused = nil
	if diff := cmp.Diff(want, s.adminState(ann.Team, ann.Member)); diff != "" {
		t.Errorf("admin state after a change of the team alone (-want +got):\n%s", diff)
	}
	if st := s.adminState("globex", ann.Member); !cmp.Equal(st, quota.AdminState{}) {
		t.Errorf("another team has the admin state %+v", st)
	}
}

func testAmendReaches(t *testing.T, h AuditLogHarness) {
	s := newShelf(t, h, quota.Policy{Member: quota.Limits{Windows: []quota.WindowLimit{{Window: quota.Day, Videos: 1}}}})
	s.reserve("job1", ann, 1)
	s.refuse("job2", ann, 1, quota.OverLimit)
	s.amend(ann.Team, ann.Member, func(st *quota.AdminState) (team.Record, error) {
		st.Member.Overrides = []quota.Override{{Unit: quota.Videos, Window: quota.Day, Max: 2}}
		return s.record("r1"), nil
	})
	s.reserve("job2", ann, 1)
	s.refuse("job3", ann, 1, quota.OverLimit)
	s.amend(ann.Team, "", func(st *quota.AdminState) (team.Record, error) {
		st.Team.Paused = &quota.Block{By: "discord:9", At: s.clock.Now()}
		return s.record("r2"), nil
	})
	s.refuse("job3", ann, 1, quota.Paused)
	CheckLedger(t, s.l)
}

func testAmendParallel(t *testing.T, h AuditLogHarness) {
	s := newShelf(t, h, quota.Policy{})
	const admins = 20
	var all sync.WaitGroup
	for i := range admins {
		all.Go(func() {
			err := s.b.Amend(t.Context(), ann.Team, ann.Member, func(st *quota.AdminState) (team.Record, error) {
				st.Member.Epoch++
				st.Team.Epoch++
				return s.record(fmt.Sprintf("r%d", i)), nil
			})
			if err != nil {
				t.Errorf("amend: %v", err)
			}
		})
	}
	all.Wait()
	if st := s.adminState(ann.Team, ann.Member); st.Member.Epoch != admins || st.Team.Epoch != admins {
		t.Errorf("%d changes are counted as %d of the member and %d of the team", admins, st.Member.Epoch, st.Team.Epoch)
	}
	if got := len(s.records("acme", 100)); got != admins {
		t.Errorf("got %d records, want %d", got, admins)
	}
}

func testRecords(t *testing.T, h AuditLogHarness) {
	s := newShelf(t, h, quota.Policy{})
	for i := range 5 {
		s.clock.Advance(time.Minute)
		of := []string{"acme", "globex"}[i%2]
		s.amend(of, ann.Member, func(*quota.AdminState) (team.Record, error) {
			r := s.record(fmt.Sprintf("r%d", i))
			r.Team = of
			return r, nil
		})
	}
	var got []string
	for _, r := range s.records("acme", 2) {
		got = append(got, r.ID)
	}
	if diff := cmp.Diff([]string{"r4", "r2"}, got); diff != "" {
		t.Errorf("records (-want +got):\n%s", diff)
	}
	if got := len(s.records("acme", 100)); got != 3 {
		t.Errorf("got %d records, want 3", got)
	}
	if got := s.records("nobody", 100); len(got) != 0 {
		t.Errorf("a team of which nothing is known has records: %+v", got)
	}
}

func testHolds(t *testing.T, h AuditLogHarness) {
	s := newShelf(t, h, quota.Policy{})
	start := s.clock.Now()
	for i := range 5 {
		s.reserve(fmt.Sprintf("job%d", i), ann, usd.Micros(100+i))
		s.reserve(fmt.Sprintf("other%d", i), quota.Asker{Team: "globex", Member: ann.Member}, 1)
		s.clock.Advance(time.Hour)
	}
	s.bill("job1", quota.Settle(40))
	s.bill("job2", quota.Release())
	holds, err := s.b.Holds(t.Context(), "acme", start.Add(time.Hour), start.Add(4*time.Hour))
	if err != nil {
		t.Fatal(err)
	}
	var want []quota.Hold
	for i, state := range []quota.HoldState{quota.Settled, quota.Released, quota.Held} {
		hold := quota.Hold{
			Job: fmt.Sprintf("job%d", i+1), Team: "acme", Member: ann.Member, State: state,
			Estimate: usd.Micros(101 + i), At: start.Add(time.Duration(i+1) * time.Hour),
		}
		if state != quota.Held {
			hold.Closed = s.clock.Now()
		}
		if state == quota.Settled {
			hold.Charged = 40
		}
		want = append(want, hold)
	}
	if diff := cmp.Diff(want, holds); diff != "" {
		t.Errorf("holds (-want +got):\n%s", diff)
	}
	if holds, err = s.b.Holds(t.Context(), "nobody", start, s.clock.Now()); err != nil || len(holds) != 0 {
		t.Errorf("holds of a team of which nothing is known: %+v, %v", holds, err)
	}
}

// testSpent holds what is summed against the holds, for spans that begin and end
// at any hour of the day.
func testSpent(t *testing.T, h AuditLogHarness) {
	s := newShelf(t, h, quota.Policy{})
	start := s.clock.Now()
	bob := quota.Asker{Team: "acme", Member: "discord:2"}
	for i := range 40 {
		who := ann
		if i%3 == 0 {
			who = bob
		}
		job := fmt.Sprintf("job%d", i)
		s.reserve(job, who, usd.Micros(100+i))
		s.reserve("other"+job, quota.Asker{Team: "acme/2", Member: ann.Member}, 1)
		switch i % 4 {
		case 0:
			s.bill(job, quota.Settle(usd.Micros(40+i)))
		case 1:
			s.bill(job, quota.Release())
		}
		s.clock.Advance(3 * time.Hour)
	}
	for from := start.Add(-time.Hour); from.Before(s.clock.Now()); from = from.Add(7 * time.Hour) {
		for _, length := range []time.Duration{0, time.Hour, 23 * time.Hour, 24 * time.Hour, 50 * time.Hour, 1000 * time.Hour} {
			holds, err := s.b.Holds(t.Context(), "acme", from, from.Add(length))
			if err != nil {
				t.Fatal(err)
			}
			_, want := team.SumUp(holds)
			got, err := s.b.Spent(t.Context(), "acme", from, from.Add(length))
			if err != nil {
				t.Fatal(err)
			}
			byName := func(a, b team.MemberSpending) int { return strings.Compare(a.Member, b.Member) }
			slices.SortFunc(want, byName)
			got = slices.DeleteFunc(got, func(m team.MemberSpending) bool { return m.Videos+m.UnderWay == 0 })
			slices.SortFunc(got, byName)
			if diff := cmp.Diff(want, got, cmpopts.EquateEmpty()); diff != "" {
				t.Errorf("%s for %s (-want +got):\n%s", from, length, diff)
			}
			for _, member := range []string{"", ann.Member, bob.Member, "discord:3"} {
				all, _ := team.SumUp(slices.DeleteFunc(slices.Clone(holds), func(h quota.Hold) bool { return member != "" && h.Member != member }))
				if got, err := s.b.SpentBy(t.Context(), "acme", member, from, from.Add(length)); err != nil || got != all {
					t.Errorf("%s for %s, %q: %+v, %v, want %+v", from, length, member, got, err, all)
				}
			}
		}
	}
}

func testEpoch(t *testing.T, h AuditLogHarness) {
	s := newShelf(t, h, quota.Policy{Member: quota.Limits{Windows: []quota.WindowLimit{
		{Window: quota.Day, Videos: 1}, {Window: "6h0m0s", Videos: 1},
	}}})
	s.reserve("job1", ann, 100)
	s.refuse("job2", ann, 100, quota.OverLimit)
	s.amend(ann.Team, ann.Member, func(st *quota.AdminState) (team.Record, error) {
		st.Member.Epoch++
		return s.record("r1"), nil
	})
	s.reserve("job2", ann, 100)
	s.refuse("job3", ann, 100, quota.OverLimit)
	s.bill("job1", quota.Release()) // of the epoch before: nothing is free in this one
	s.refuse("job3", ann, 100, quota.OverLimit)
	s.wantUsed(ann, quota.Team, quota.Videos, quota.Day, 1) // the team's usage was not reset
	s.bill("job2", quota.Release())
	s.reserve("job3", ann, 100)
	CheckLedger(t, s.l)
}

func testMarks(t *testing.T, h AuditLogHarness) {
	s := newShelf(t, h, quota.Policy{})
	ctx := t.Context()
	claim := func(value string, want bool) {
		t.Helper()
		got, err := s.b.ClaimMark(ctx, "warn/acme/50", value, s.clock.Now().Add(time.Minute))
		if err != nil || got != want {
			t.Fatalf("claim: got %v, %v; want %v", got, err, want)
		}
	}
	claim("first", true)
	claim("second", false)
	s.clock.Advance(time.Minute)
	claim("third", true)
	if err := s.b.PutMark(ctx, "warn/acme/50", "sent", s.clock.Now().Add(time.Hour)); err != nil {
		t.Fatal(err)
	}
	s.clock.Advance(30 * time.Minute)
	claim("fourth", false)
	if got, err := s.b.TakeMark(ctx, "warn/acme/50"); err != nil || got != "sent" {
		t.Errorf("take: got %q, %v; want the value that was put", got, err)
	}
	if _, err := s.b.TakeMark(ctx, "warn/acme/50"); !errors.Is(err, team.ErrNoMark) {
		t.Errorf("second take: got error %v, want ErrNoMark", err)
	}
	claim("fifth", true)
	s.clock.Advance(time.Minute)
	if _, err := s.b.TakeMark(ctx, "warn/acme/50"); !errors.Is(err, team.ErrNoMark) {
		t.Errorf("take of a mark that has expired: got error %v, want ErrNoMark", err)
	}
}

func testMarksParallel(t *testing.T, h AuditLogHarness) {
	s := newShelf(t, h, quota.Policy{})
	expires := s.clock.Now().Add(time.Hour)
	var claimed, taken atomic.Int64
	var all sync.WaitGroup
	for range 30 {
		all.Go(func() {
			ok, err := s.b.ClaimMark(t.Context(), "code", "v", expires)
			if err != nil {
				t.Errorf("claim: %v", err)
			}
			if ok {
				claimed.Add(1)
			}
		})
	}
	all.Wait()
	for range 30 {
		all.Go(func() {
			if _, err := s.b.TakeMark(t.Context(), "code"); err == nil {
				taken.Add(1)
			} else if !errors.Is(err, team.ErrNoMark) {
				t.Errorf("take: %v", err)
			}
		})
	}
	all.Wait()
	if claimed.Load() != 1 || taken.Load() != 1 {
		t.Errorf("%d claimed and %d took the mark, want 1 each", claimed.Load(), taken.Load())
	}
}

func testAuditLogReopen(t *testing.T, h AuditLogHarness) {
	s := newShelf(t, h, quota.Policy{})
	s.amend("acme", "", func(st *quota.AdminState) (team.Record, error) {
		st.Team.Epoch = 7
		return s.record("r1"), nil
	})
	if err := s.b.PutMark(t.Context(), "code", "v", s.clock.Now().Add(time.Hour)); err != nil {
		t.Fatal(err)
	}
	s.b = h.Reopen(t, s.b, s.clock.Now)
	s.l = s.b
	if got := s.adminState("acme", ann.Member).Team.Epoch; got != 7 {
		t.Errorf("got epoch %d, want 7", got)
	}
	if got := len(s.records("acme", 10)); got != 1 {
		t.Errorf("got %d records, want 1", got)
	}
	if got, err := s.b.TakeMark(t.Context(), "code"); err != nil || got != "v" {
		t.Errorf("take: got %q, %v; want the mark", got, err)
	}
}

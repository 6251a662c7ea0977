package generatetest

import (
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"ltxbot/core/generate"
	"ltxbot/core/quota"
	"ltxbot/core/quota/quotatest"
	"ltxbot/core/usd"
)

func testAccept(t *testing.T, h Harness) {
	b := newBench(t, h)
	b.member, b.team, b.bot, b.waiting = 2, 10, 100, 5
	asked := b.newJob("job1", "discord:1")
	got := b.acceptJob(asked)
	want := asked
	want.Version, want.Admitted = 1, true
	want.Line = quota.Line{MemberMax: 2, TeamMax: 10, BotMax: 100, WaitingMax: 5, Seq: got.Line.Seq}
	if diff := jobDiff(want, got); diff != "" {
		t.Errorf("accepted job (-want +got):\n%s", diff)
	}
	if diff := jobDiff(got, b.job("job1")); diff != "" {
		t.Errorf("job that is read (-accepted +read):\n%s", diff)
	}
	if second := b.accept("job2", "discord:2"); second.Line.Seq <= got.Line.Seq {
		t.Errorf("the second job arrived as number %d, after number %d", second.Line.Seq, got.Line.Seq)
	}
	hold, err := b.s.Hold(t.Context(), "job1")
	if err != nil {
		t.Fatal(err)
	}
	if hold.State != quota.Held || hold.Estimate != cost || hold.Team != "acme" || hold.Member != "discord:1" {
		t.Errorf("hold: %+v", hold)
	}
	if _, err := b.s.Job(t.Context(), "job3"); !errors.Is(err, generate.ErrNoJob) {
		t.Errorf("job that was never accepted: got error %v, want ErrNoJob", err)
	}
}

func testAcceptTwice(t *testing.T, h Harness) {
	b := newBench(t, h)
	first := b.accept("job1", "discord:1")
	b.become("job1", generate.Submitting, quota.Keep())
	again, err := b.tryAccept(b.newJob("job1", "discord:1"))
	if !errors.Is(err, generate.ErrExists) {
		t.Fatalf("got error %v, want ErrExists", err)
	}
	if again.State != generate.Submitting || again.Version != first.Version+1 {
		t.Errorf("got the job as %s, version %d; want it as it is now", again.State, again.Version)
	}

	var accepted, existed atomic.Int64
	var all sync.WaitGroup
	for range 20 {
		all.Go(func() {
			switch _, err := b.tryAccept(b.newJob("job2", "discord:1")); {
			case err == nil:
				accepted.Add(1)
			case errors.Is(err, generate.ErrExists):
				existed.Add(1)
			default:
				t.Errorf("accept: %v", err)
			}
		})
	}
	all.Wait()
	if accepted.Load() != 1 || existed.Load() != 19 {
		t.Errorf("of 20 in parallel %d were accepted and %d existed, want 1 and 19", accepted.Load(), existed.Load())
	}
	if totals := quotatest.CheckLedger(t, b.s); totals.Holds != 2 {
		t.Errorf("got %d holds, want 2", totals.Holds)
	}
}

func testRefusal(t *testing.T, h Harness) {
	b := newBench(t, h)
	b.budget = cost - 1
	if limit := b.refuse(b.newJob("job1", "discord:1"), quota.OverLimit); limit.Need != cost {
		t.Errorf("refusal: %+v", limit)
	}
	failure := errors.New("no plan")
	_, err := b.s.Accept(t.Context(), b.newJob("job1", "discord:1"), func(quota.AdminState) (quota.Reservation, error) {
		return quota.Reservation{}, failure
	})
	if !errors.Is(err, failure) {
		t.Errorf("got error %v, want the plan's", err)
	}
	if _, err := b.s.Job(t.Context(), "job1"); !errors.Is(err, generate.ErrNoJob) {
		t.Errorf("refused job: got error %v, want ErrNoJob", err)
	}
	if _, err := b.s.Hold(t.Context(), "job1"); !errors.Is(err, quota.ErrNoHold) {
		t.Errorf("its hold: got error %v, want ErrNoHold", err)
	}
	if jobs, err := b.s.Jobs(t.Context(), generate.Query{}); err != nil || len(jobs) != 0 {
		t.Errorf("list: got %d jobs, %v; want none", len(jobs), err)
	}
	b.wantNothingToClaim()
	b.budget = 0
	b.accept("job1", "discord:1") // a refusal is not remembered
}

func testConflict(t *testing.T, h Harness) {
	b := newBench(t, h)
	stale := b.accept("job1", "discord:1")
	now := b.become("job1", generate.Submitting, quota.Keep())
	if now.Version != stale.Version+1 {
		t.Errorf("version after a save: got %d, want %d", now.Version, stale.Version+1)
	}
	now.Line.Seq += 7 // is the store's
	now = b.save(now, quota.Keep())
	if now.Line.Seq != stale.Line.Seq {
		t.Errorf("order of arrival was changed from %d to %d", stale.Line.Seq, now.Line.Seq)
	}
	stale.State = generate.Failed
	if _, err := b.s.Save(t.Context(), stale, quota.Release()); !errors.Is(err, generate.ErrConflict) {
		t.Errorf("got error %v, want ErrConflict", err)
	}
	if diff := jobDiff(now, b.job("job1")); diff != "" {
		t.Errorf("job after a stale save (-want +got):\n%s", diff)
	}
	if hold, err := b.s.Hold(t.Context(), "job1"); err != nil || hold.State != quota.Held {
		t.Errorf("hold after a stale save is %s, %v; want held", hold.State, err)
	}
	if _, err := b.s.Save(t.Context(), b.newJob("job2", "discord:1"), quota.Keep()); !errors.Is(err, generate.ErrNoJob) {
		t.Errorf("save of a job that was never accepted: got error %v, want ErrNoJob", err)
	}
}

func testParallelSaves(t *testing.T, h Harness) {
	b := newBench(t, h)
	j := b.accept("job1", "discord:1")
	var won atomic.Int64
	var all sync.WaitGroup
	for i := range 20 {
		all.Go(func() {
			mine := j
			mine.Notes = map[string]string{"worker": string(rune('a' + i))}
			switch _, err := b.s.Save(t.Context(), mine, quota.Keep()); {
			case err == nil:
				won.Add(1)
			case !errors.Is(err, generate.ErrConflict):
				t.Errorf("save: %v", err)
			}
		})
	}
	all.Wait()
	if won.Load() != 1 {
		t.Errorf("%d saves of the same version succeeded, want 1", won.Load())
	}
	if got := b.job("job1").Version; got != j.Version+1 {
		t.Errorf("version: got %d, want %d", got, j.Version+1)
	}
}

func testBilling(t *testing.T, h Harness) {
	b := newBench(t, h)
	for _, id := range []string{"job1", "job2", "job3"} {
		b.accept(id, "discord:1")
	}
	b.become("job1", generate.Fetched, quota.Settle(100_000))
	b.become("job2", generate.Failed, quota.Release())
	b.become("job3", generate.Submitting, quota.Keep())
	want := quota.Totals{Holds: 3, Reserved: 3 * cost, Held: cost, Settled: cost, Released: cost, Charged: 100_000}
	if totals := quotatest.CheckLedger(t, b.s); totals != want {
		t.Errorf("totals: got %+v, want %+v", totals, want)
	}
	// Believed lost, then paid after all.
	b.become("job2", generate.Fetched, quota.Settle(90_000))
	b.become("job1", generate.Delivered, quota.Settle(1))
	if totals := quotatest.CheckLedger(t, b.s); totals.Charged != 190_000 || totals.Released != 0 {
		t.Errorf("totals: got %+v, want 190000 charged and nothing released", totals)
	}
}

func testSweep(t *testing.T, h Harness) {
	b := newBench(t, h)
	b.accept("job1", "discord:1")
	b.accept("job2", "discord:1")
	b.accept("job3", "discord:1")
	b.become("job1", generate.Failed, quota.Keep()) // its billing was forgotten
	b.become("job2", generate.Fetched, quota.Settle(cost))
	orphan := b.newJob("job4", "discord:1") // reserved, never accepted
	if _, err := b.s.Reserve(t.Context(), quota.Key{Job: "job4", Team: "acme", Member: "discord:1"}, b.plan(orphan)); err != nil {
		t.Fatal(err)
	}
	b.clock.Advance(time.Hour)
	n, err := b.s.Sweep(t.Context())
	if err != nil || n != 2 {
		t.Errorf("sweep: released %d holds, %v; want 2", n, err)
	}
	for id, want := range map[string]quota.HoldState{
		"job1": quota.Released, "job2": quota.Settled, "job3": quota.Held, "job4": quota.Released,
	} {
		if hold, err := b.s.Hold(t.Context(), id); err != nil || hold.State != want {
			t.Errorf("hold of %s is %s, %v; want %s", id, hold.State, err, want)
		}
	}
	if n, err := b.s.Sweep(t.Context()); err != nil || n != 0 {
		t.Errorf("second sweep: released %d holds, %v; want none", n, err)
	}
	quotatest.CheckLedger(t, b.s)

	// A job that is accepted after its hold was swept is reserved for again.
	b.budget = usd.Dollar
	b.acceptJob(orphan)
	if hold, err := b.s.Hold(t.Context(), "job4"); err != nil || hold.State != quota.Held {
		t.Errorf("hold of an accepted job is %s, %v; want held", hold.State, err)
	}
	// After a year all windows are over: what is left of old holds is exact,
	// also where a grant without an end was drawn on.
	grant := quota.Grant{ID: "g1", Scope: quota.Scope{Kind: quota.Team, ID: "acme"}, USD: 2 * cost, By: quota.Operator}
	b.must("put", b.s.PutTeamState(t.Context(), "acme", quota.TeamState{Grants: []quota.Grant{grant}}))
	b.budget = 1
	b.accept("job5", "discord:1")
	b.become("job5", generate.Fetched, quota.Settle(cost))
	b.pass(365 * 24 * time.Hour)
	if _, err := b.s.Sweep(t.Context()); err != nil {
		t.Fatal(err)
	}
	b.become("job3", generate.Fetched, quota.Settle(1))
	if _, err := b.s.Sweep(t.Context()); err != nil {
		t.Fatal(err)
	}
	b.accept("job6", "discord:1")
	b.refuse(b.newJob("job7", "discord:1"), quota.OverLimit) // the grant is used up
	if totals := quotatest.CheckLedger(t, b.s); totals.Charged != 2*cost+1 {
		t.Errorf("charged: got %d, want %d", totals.Charged, 2*cost+1)
	}
}

func testJobs(t *testing.T, h Harness) {
	b := newBench(t, h)
	rows := []struct {
		id, team, member string
		finished         bool
	}{
		{"job1", "acme", "discord:1", true},
		{"job2", "acme", "discord:2", false},
		{"job3", "globex", "discord:1", false},
		{"job4", "acme", "discord:1", false},
		{"job5", "acme", "discord:11", true},
		{"job6", "acm", "discord:2", false},
	}
	created := map[string]time.Time{}
	for _, r := range rows {
		b.clock.Advance(time.Minute)
		j := b.newJob(r.id, r.member)
		j.Team = r.team
		created[r.id] = j.Created
		b.acceptJob(j)
		if r.finished {
			b.finish(r.id)
		}
	}
	for _, test := range []struct {
		name  string
		query generate.Query
		want  []string
	}{
		{"all", generate.Query{}, []string{"job6", "job5", "job4", "job3", "job2", "job1"}},
		{"the newest", generate.Query{Limit: 2}, []string{"job6", "job5"}},
		{"before a time", generate.Query{Before: created["job4"], Limit: 2}, []string{"job3", "job2"}},
		{"before the first", generate.Query{Before: created["job1"]}, nil},
		{"of a team", generate.Query{Team: "acme"}, []string{"job5", "job4", "job2", "job1"}},
		{"of a team before a time", generate.Query{Team: "acme", Before: created["job4"]}, []string{"job2", "job1"}},
		{"of a member in all teams", generate.Query{Member: "discord:1"}, []string{"job4", "job3", "job1"}},
		{"of a member in a team", generate.Query{Team: "acme", Member: "discord:1"}, []string{"job4", "job1"}},
		{"of a member in a team, the newest", generate.Query{Team: "globex", Member: "discord:1", Limit: 1}, []string{"job3"}},
		{"unfinished", generate.Query{Unfinished: true}, []string{"job6", "job4", "job3", "job2"}},
		{"unfinished of a team", generate.Query{Team: "acme", Unfinished: true}, []string{"job4", "job2"}},
		{"unfinished of a member", generate.Query{Member: "discord:1", Unfinished: true, Before: created["job4"]}, []string{"job3"}},
		{"of nobody", generate.Query{Member: "discord:9"}, nil},
	} {
		jobs, err := b.s.Jobs(t.Context(), test.query)
		if err != nil {
			t.Errorf("%s: %v", test.name, err)
		}
		var got []string
		for _, j := range jobs {
			got = append(got, j.ID)
			if diff := jobDiff(b.job(j.ID), j); diff != "" {
				t.Errorf("%s: job %s in a list (-read +listed):\n%s", test.name, j.ID, diff)
			}
		}
		if !slices.Equal(got, test.want) {
			t.Errorf("%s: got %v, want %v", test.name, got, test.want)
		}
	}
}

// A list is read in parts: none of its jobs is missing or there twice, and what
// is not selected in between does not end it.
func testLongList(t *testing.T, h Harness) {
	b := newBench(t, h)
	const jobs = 150
	var all, even []string // newest first
	for i := range jobs {
		j := b.newJob(fmt.Sprintf("job%03d", i), "discord:1")
		if i%2 == 0 {
			j.Place.Channel = "C2"
		}
		if i < jobs/2 { // many asked at the same instant
			b.clock.Advance(time.Second)
		}
		j.Created = b.clock.Now()
		if _, err := b.s.Record(t.Context(), j); err != nil {
			t.Fatal(err)
		}
		all = append([]string{j.ID}, all...)
		if i%2 == 0 {
			even = append([]string{j.ID}, even...)
		}
	}
	at := generate.Query{Channel: "C2", Platform: "discord", Tenant: "G1", State: generate.Received, Limit: jobs}
	for _, test := range []struct {
		name  string
		query generate.Query
		want  []string
	}{
		{"all", generate.Query{Limit: jobs}, all},
		{"some", generate.Query{Limit: 70}, all[:70]},
		{"every other one", at, even},
		{"every other one of a state", generate.Query{Member: "discord:1", Channel: "C2", Platform: "discord", Tenant: "G1", Limit: 60}, even[:60]},
	} {
		listed, err := b.s.Jobs(t.Context(), test.query)
		if err != nil {
			t.Fatal(err)
		}
		got := make([]string, len(listed))
		for i, j := range listed {
			got[i] = j.ID
		}
		if !slices.Equal(got, test.want) {
			t.Errorf("%s: got %v, want %v", test.name, got, test.want)
		}
	}
}

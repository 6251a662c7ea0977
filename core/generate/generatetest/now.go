package generatetest

import (
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"

	"ltxbot/core/generate"
	"ltxbot/core/quota"
	"ltxbot/core/quota/quotatest"
	"ltxbot/core/usd"
)

// acceptIn is accept in a team.
func (b *bench) acceptIn(team, id, m string) generate.Job {
	b.t.Helper()
	j := b.newJob(id, m)
	j.Team = team
	return b.acceptJob(j)
}

func testLimitsOfNow(t *testing.T, h Harness) {
	b := newBench(t, h)
	s := b.s
	b.member = 1
	b.accept("a1", "discord:a")
	b.accept("a2", "discord:a")
	b.accept("a3", "discord:a")
	b.member = 2
	b.must("admit", s.Admit(t.Context()))
	b.wantAdmitted(map[string]bool{"a1": true, "a2": true, "a3": false})
	b.member = 1
	b.finish("a1") // one still runs
	b.wantAdmitted(map[string]bool{"a2": true, "a3": false})
	b.accept("b1", "discord:b")
	b.finish("a2")
	b.wantAdmitted(map[string]bool{"a3": true, "b1": true})
	b.team = 1
	b.accept("c1", "discord:c")
	b.finish("b1")
	b.wantAdmitted(map[string]bool{"a3": true, "c1": false})
	b.finish("a3")
	b.wantAdmitted(map[string]bool{"c1": true})
}

func testRaisedLimit(t *testing.T, h Harness) {
	b := newBench(t, h)
	b.team = 1
	b.accept("running", "discord:r")
	for i := range 4 {
		b.accept(fmt.Sprintf("waits%d", i), fmt.Sprintf("discord:w%d", i))
	}
	// The config is read again, and newcomers are quicker than the pass over
	// the line that follows.
	b.team = 4
	for i := range 50 {
		b.accept(fmt.Sprintf("new%d", i), fmt.Sprintf("discord:n%d", i))
	}
	b.wantAdmitted(map[string]bool{"waits0": true, "waits1": true, "waits2": true, "waits3": false, "new0": false, "new49": false})
	b.finish("running")
	b.wantAdmitted(map[string]bool{"waits3": true, "new0": false})
	b.team = 0
	b.finish("waits0")
	admitted := 0
	for i := range 50 {
		if b.job(fmt.Sprintf("new%d", i)).Admitted {
			admitted++
		}
	}
	if admitted != 50 {
		t.Errorf("%d of 50 waiting jobs were admitted when the limit was lifted", admitted)
	}
}

// testRaisedJustNow has newcomers that are quicker than the pass over the line
// that follows a change of the config.
func testRaisedJustNow(t *testing.T, h Harness) {
	b := newBench(t, h)
	b.member = 1
	b.acceptIn("acme", "a1", "discord:a")
	b.acceptIn("acme", "a2", "discord:a")
	b.member = 2
	b.acceptIn("acme", "a3", "discord:a")
	b.wantAdmitted(map[string]bool{"a2": true, "a3": false})
	for _, id := range []string{"a1", "a2", "a3"} {
		b.finish(id)
	}
	b.bot = 1
	b.acceptIn("x", "x1", "discord:a")
	b.acceptIn("y", "y1", "discord:a")
	b.bot = 2
	b.acceptIn("z", "z1", "discord:a")
	b.wantAdmitted(map[string]bool{"x1": true, "y1": true, "z1": false})
}

func testOverrideAdmits(t *testing.T, h Harness) {
	b := newBench(t, h)
	s := b.s
	b.member, b.team = 1, 2
	b.accept("a1", "discord:a")
	b.accept("a2", "discord:a")
	b.accept("b1", "discord:b")
	b.accept("c1", "discord:c")
	raise := func(limit int64) []quota.Override {
		return []quota.Override{{Unit: quota.Jobs, Max: limit, By: quota.Operator}}
	}
	b.must("put", s.PutTeamState(t.Context(), "acme", quota.TeamState{Overrides: raise(3)}))
	b.wantAdmitted(map[string]bool{"a1": true, "a2": false, "b1": true, "c1": true})
	b.must("put", s.PutTeamState(t.Context(), "acme", quota.TeamState{Overrides: raise(10)}))
	b.wantAdmitted(map[string]bool{"a2": false})
	b.accept("b2", "discord:b")
	b.must("put", s.PutMemberState(t.Context(), "acme", "discord:a", quota.MemberState{Overrides: raise(2)}))
	b.wantAdmitted(map[string]bool{"a2": true, "b2": false})
}

func testNewcomers(t *testing.T, h Harness) {
	b := newBench(t, h)
	b.bot, b.member = 3, 1
	for i := range 3 {
		b.acceptIn("first", fmt.Sprintf("run%d", i), fmt.Sprintf("discord:r%d", i))
	}
	for i := range 10 {
		b.acceptIn(fmt.Sprintf("team%d", i), fmt.Sprintf("waits%d", i), "discord:w")
	}
	// Slots become free while newcomers of other teams arrive.
	var all sync.WaitGroup
	for i := range 30 {
		all.Go(func() {
			j := b.newJob(fmt.Sprintf("new%d", i), "discord:n")
			j.Team = fmt.Sprintf("other%d", i)
			if _, err := b.tryAccept(j); err != nil {
				t.Errorf("accept: %v", err)
			}
		})
		if i < 3 {
			all.Go(func() { b.finish(fmt.Sprintf("run%d", i)) })
		}
	}
	all.Wait()
	for i := range 10 {
		id := fmt.Sprintf("waits%d", i)
		if got := b.job(id).HoldsSlot(); got != (i < 3) {
			t.Errorf("job %s, number %d in line, has a slot: %t", id, i+1, got)
		}
	}
	for i := range 30 {
		if id := fmt.Sprintf("new%d", i); b.job(id).Admitted {
			t.Errorf("job %s was admitted before those that waited", id)
		}
	}
	for i := range 9 { // turn by turn
		b.finish(fmt.Sprintf("waits%d", i))
		if next := fmt.Sprintf("waits%d", i+3); i+3 < 10 && !b.job(next).HoldsSlot() {
			t.Errorf("turn was not given to %s", next)
		}
	}
	quotatest.CheckLedger(t, b.s)
}

func testTiers(t *testing.T, h Harness) {
	b := newBench(t, h)
	b.member = 1
	b.tiers = []quota.Tier{{Name: "studio", Limits: quota.Limits{JobsAtATime: 2}}}
	ask := func(id string, tiers ...string) {
		t.Helper()
		j := b.newJob(id, "discord:a")
		j.Tiers = tiers
		b.acceptJob(j)
	}
	ask("a1")
	ask("a2")
	ask("a3", "studio") // has room, the one before has not
	ask("a4", "studio")
	b.wantAdmitted(map[string]bool{"a1": true, "a2": false, "a3": true, "a4": false})
	b.finish("a1")
	b.wantAdmitted(map[string]bool{"a2": false, "a4": true})
	b.finish("a3")
	b.wantAdmitted(map[string]bool{"a2": false})
	b.finish("a4")
	b.wantAdmitted(map[string]bool{"a2": true})
}

func testRecord(t *testing.T, h Harness) {
	b := newBench(t, h)
	s := b.s
	b.budget = cost
	asked := b.newJob("job1", "discord:1")
	asked.State = generate.Received
	recorded, err := s.Record(t.Context(), asked)
	if err != nil {
		t.Fatal(err)
	}
	asked.Version = 1
	if diff := jobDiff(asked, recorded); diff != "" {
		t.Errorf("recorded job (-want +got):\n%s", diff)
	}
	if again, err := s.Record(t.Context(), b.newJob("job1", "discord:2")); !errors.Is(err, generate.ErrExists) || again.Member != "discord:1" {
		t.Errorf("record again: got %+v, %v; want the job that exists", again, err)
	}
	b.wantNothingToClaim()
	b.wantHold("job1", false)
	if jobs, err := s.Jobs(t.Context(), generate.Query{State: generate.Received}); err != nil || len(jobs) != 1 {
		t.Errorf("recorded jobs: %d, %v; want 1", len(jobs), err)
	}

	// It is prepared, by whoever takes it, and accepted or refused.
	recorded.State = generate.Preparing
	preparing := b.save(recorded, quota.Keep())
	c := b.claim()
	if c.Job.State != generate.Preparing {
		t.Errorf("took a job in state %s", c.Job.State)
	}
	b.wantHold("job1", false)
	unpaid := preparing
	unpaid.State = generate.Accepted
	if _, err := b.s.Save(t.Context(), unpaid, quota.Keep()); err == nil {
		t.Error("a job was accepted by a save, without a hold")
	}
	stale := preparing
	stale.Version--
	if _, err := b.tryAccept(stale); !errors.Is(err, generate.ErrExists) {
		t.Errorf("accept by a stale version: got error %v, want ErrExists", err)
	}
	accepted := b.acceptJob(preparing)
	if accepted.State != generate.Accepted || accepted.Version != preparing.Version+1 || !accepted.Admitted {
		t.Errorf("accepted job: %+v", accepted)
	}
	b.wantHold("job1", true)
	b.wantSignal(c)
	c.Done()
	if _, err := b.tryAccept(preparing); !errors.Is(err, generate.ErrExists) {
		t.Errorf("accept again: got error %v, want ErrExists", err)
	}

	refused, err := s.Record(t.Context(), b.newJob("job2", "discord:1"))
	if err != nil {
		t.Fatal(err)
	}
	b.refuse(refused, quota.OverLimit)
	if got := b.job("job2"); got.State != generate.Received || got.Version != 1 {
		t.Errorf("a recorded job that was refused is %s, version %d; want it unchanged", got.State, got.Version)
	}
	refused.State, refused.Shown = generate.Failed, generate.Failed
	b.save(refused, quota.Release()) // there is nothing to release
	if totals := quotatest.CheckLedger(t, b.s); totals.Holds != 1 {
		t.Errorf("%d holds, want 1", totals.Holds)
	}
}

func testBatch(t *testing.T, h Harness) {
	b := newBench(t, h)
	s := b.s
	b.member, b.waiting, b.budget = 2, 2, 5*cost
	batch := func(ids ...string) []generate.Asked {
		var all []generate.Asked
		for _, id := range ids {
			j := b.newJob(id, "discord:1")
			all = append(all, generate.Asked{Job: j, Plan: b.plan(j)})
		}
		return all
	}
	jobs, err := s.AcceptAll(t.Context(), batch("a1", "a2", "a3"))
	if err != nil || len(jobs) != 3 {
		t.Fatalf("accept: %d jobs, %v", len(jobs), err)
	}
	b.wantAdmitted(map[string]bool{"a1": true, "a2": true, "a3": false})
	if seqs := []int64{jobs[0].Line.Seq, jobs[1].Line.Seq, jobs[2].Line.Seq}; !slices.IsSorted(seqs) {
		t.Errorf("numbers of arrival: %v", seqs)
	}
	again, err := s.AcceptAll(t.Context(), batch("a1", "a2", "a3"))
	if !errors.Is(err, generate.ErrExists) || len(again) != 3 || again[2].ID != "a3" {
		t.Errorf("accept again: %d jobs, %v; want those that exist", len(again), err)
	}

	none := func(ids ...string) {
		t.Helper()
		for _, id := range ids {
			b.wantGone(id)
			b.wantHold(id, false)
		}
	}
	var limit *quota.LimitError
	if _, err := s.AcceptAll(t.Context(), batch("b1", "b2")); !errors.As(err, &limit) || limit.Reason != quota.LineFull || limit.Line != 1 {
		t.Errorf("more than may wait: got %v, want a refusal with 1 that waits", err)
	}
	none("b1", "b2")
	b.waiting = 10
	if _, err := s.AcceptAll(t.Context(), batch("b1", "b2", "b3")); !errors.As(err, &limit) || limit.Reason != quota.OverLimit || limit.Left() != 0 {
		t.Errorf("more than there is money for: got %v, want a refusal", err)
	}
	none("b1", "b2", "b3")
	if _, err := s.AcceptAll(t.Context(), batch("b1", "b2")); err != nil {
		t.Fatal(err)
	}
	if totals := quotatest.CheckLedger(t, b.s); totals.Holds != 5 || totals.Held != 5*usd.Micros(cost) {
		t.Errorf("totals: %+v", totals)
	}
	for range 5 {
		defer b.claim().Done()
	}
	b.wantNothingToClaim()
}

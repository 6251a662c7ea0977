// Package generatetest is the suite that every generate.Store passes: what a
// store promises, written as tests. A store runs it with
//
//	generatetest.Run(t, generatetest.Harness{Open: …, Reopen: …})
//
// Each test opens a store of its own and closes it. Time is the suite's: a
// store must ask the clock that it was opened with, never its own, except to
// find out that another process has died.
package generatetest

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"ltxbot/core/generate"
	"ltxbot/core/quota"
	"ltxbot/core/quota/quotatest"
	"ltxbot/core/usd"
)

// Store is a store with the ledger that shares its transactions.
type Store interface {
	generate.Store
	quotatest.Ledger

	// Sweep releases the holds of jobs that are over or don't exist, and
	// returns how many.
	Sweep(ctx context.Context) (int, error)
	generate.Records
	generate.CopyQueue
	// ApplyRetention removes jobs that ended before a time, and blanks prompts of those
	// that ended before another one. It returns how many it has changed.
	ApplyRetention(ctx context.Context, jobsBefore, promptsBefore time.Time) (int, error)

	// SetLimits makes limits those of the store, also after Reopen.
	SetLimits(limits func(team, member string, tiers []string, s quota.AdminState) quota.Line)
	// Admit admits the jobs that have room after the limits have changed.
	Admit(ctx context.Context) error
	// AcceptClock says that the time of now is right, however far it has gone
	// on since the last sweep.
	AcceptClock(ctx context.Context) error
	// Teams names the teams of which something is kept, in order.
	Teams(ctx context.Context) ([]string, error)
	// Record records a job that is not accepted yet.
	Record(ctx context.Context, j generate.Job) (generate.Job, error)
	// AcceptAll accepts all jobs of a batch or none.
	AcceptAll(ctx context.Context, batch []generate.Asked) ([]generate.Job, error)
}

// Harness makes stores for the suite.
type Harness struct {
	// Open opens an empty store. It may be called many times in one test.
	Open func(t testing.TB, now func() time.Time) Store
	// Reopen closes s, which Open or Reopen returned, and opens again what it
	// keeps, as a new process would.
	Reopen func(t testing.TB, s Store, now func() time.Time) Store
}

// Run runs the suite.
func Run(t *testing.T, h Harness) {
	for _, test := range []struct {
		name string
		run  func(*testing.T, Harness)
	}{
		{"an accepted job is recorded with its hold", testAccept},
		{"an event accepted twice is one job", testAcceptTwice},
		{"a refused job leaves nothing", testRefusal},
		{"a save by a stale version does nothing", testConflict},
		{"of saves in parallel one wins", testParallelSaves},
		{"a save bills the hold with it", testBilling},
		{"a swept hold no longer counts", testSweep},
		{"jobs are listed newest first", testJobs},
		{"a long list is whole", testLongList},

		{"a free slot is given to the next in line", testAdmission},
		{"a job that could go at once is never one too many", testLineFull},
		{"a member with twenty jobs starves nobody", testFairness},
		{"the place in the line is the order of turns", testPlace},
		{"a job that is found again takes its slot back", testSlotTakenBack},
		{"jobs wait under the limits of now", testLimitsOfNow},
		{"whoever waits goes before newcomers when a limit is raised", testRaisedLimit},
		{"a limit that was raised just now is for those who wait", testRaisedJustNow},
		{"an override admits who waits at once", testOverrideAdmits},
		{"newcomers do not jump the line under the limit of the bot", testNewcomers},
		{"a job waits under the tiers recorded with it", testTiers},
		{"the limit of the bot is shared by all teams", testBotLimit},

		{"a recorded job holds nothing until it is accepted", testRecord},
		{"a batch is accepted as a whole or not at all", testBatch},

		{"each unfinished job is handed out to one worker", testClaim},
		{"a job that is done with is not handed out again", testTakeFinished},
		{"a job that comes alive again is handed out", testTakeRevived},
		{"a job of which something is left to do is not done with", testTakeLookAt},
		{"a save by somebody else is signalled", testChanged},
		{"waiting for a job ends with the context or the store", testTakeEnds},
		{"a restart forgets nothing", testReopen},

		{"a video that was posted is found by its file and by its message", testPosted},
		{"a removed job leaves nothing but what counts", testRemove},
		{"a hold stays while a counter has a share of it", testRemoveWithHold},
		{"what is old is removed, page by page", testRetention},
		{"a member's data is exported and erased", testErase},
		{"a copy in the archive follows the record, one writer at a time", testCopies},

		{"one budget and one line hold under load", testLoad},
		{"any history agrees with the model", testMachine},
	} {
		t.Run(test.name, func(t *testing.T) { test.run(t, h) })
	}
}

// noon is when most tests begin.
var noon = time.Date(2026, time.March, 11, 12, 0, 0, 0, time.UTC)

// testTimeout is how long a test waits for what must happen: long enough for a
// store that finds out by a timer that a process has died.
const testTimeout = time.Minute

// bench is a store on a clock, with helpers that fail the test.
type bench struct {
	t     *testing.T
	h     Harness
	s     Store
	clock *quotatest.Clock
	// limits on jobs at a time, for the jobs accepted from now on
	member, team, bot, waiting int
	budget                     usd.Micros // of a team in a month; 0 = no limit
	tiers                      []quota.Tier
}

func newBench(t *testing.T, h Harness) *bench {
	t.Helper()
	b := &bench{t: t, h: h, clock: quotatest.NewClock(noon), waiting: 100}
	b.s = h.Open(t, b.clock.Now)
	b.s.SetLimits(func(team, member string, tiers []string, s quota.AdminState) quota.Line {
		return b.policy().Line(quota.Asker{Team: team, Member: member, Tiers: tiers}, s)
	})
	t.Cleanup(func() {
		if err := b.s.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
	})
	return b
}

// cost is what each job holds, in micro-dollars.
const cost = 120_000

// newJob is a job of member m in team acme, created now.
func (b *bench) newJob(id, m string) generate.Job {
	return generate.Job{
		ID: id, State: generate.Accepted, Event: "discord:" + id, Team: "acme", Member: m,
		Place:    generate.Place{Platform: "discord", Tenant: "G1", Channel: "C1", User: m, Locale: "en-US"},
		Endpoint: "fal-ai/ltx-2.3-22b/text-to-video/lora", Estimate: cost, Created: b.clock.Now(),
		Notes: map[string]string{"token": "t-" + id}, Until: b.clock.Now().Add(14 * time.Minute),
	}
}

// policy is the bench's limits.
func (b *bench) policy() quota.Policy {
	return quota.Policy{
		Member:  quota.Limits{JobsAtATime: b.member},
		Team:    quota.Limits{JobsAtATime: b.team, Windows: []quota.WindowLimit{{Window: quota.Month, USD: b.budget}}},
		Bot:     quota.Limits{JobsAtATime: b.bot},
		Tiers:   b.tiers,
		Waiting: b.waiting,
	}
}

// plan is a plan under the bench's limits.
func (b *bench) plan(j generate.Job) quota.Plan {
	a := quota.Asker{Team: j.Team, Member: j.Member, Tiers: j.Tiers}
	return b.policy().Plan(j.ID, a, j.Estimate, b.clock.Now())
}

// pass lets a long time pass, in which nobody swept.
func (b *bench) pass(d time.Duration) {
	b.t.Helper()
	b.clock.Advance(d)
	b.must("accept the clock", b.s.AcceptClock(b.t.Context()))
}

// must ends the test where something has failed.
func (b *bench) must(what string, err error) {
	b.t.Helper()
	if err != nil {
		b.t.Fatalf("%s: %v", what, err)
	}
}

func (b *bench) tryAccept(j generate.Job) (generate.Job, error) {
	return b.s.Accept(b.t.Context(), j, b.plan(j))
}

// accept accepts a job of member m, a second after the one before.
func (b *bench) accept(id, m string) generate.Job {
	b.t.Helper()
	b.clock.Advance(time.Second)
	return b.acceptJob(b.newJob(id, m))
}

func (b *bench) acceptJob(j generate.Job) generate.Job {
	b.t.Helper()
	j, err := b.tryAccept(j)
	b.must("accept "+j.ID, err)
	return j
}

// refuse accepts a job and wants a refusal.
func (b *bench) refuse(j generate.Job, reason quota.Reason) *quota.LimitError {
	b.t.Helper()
	_, err := b.tryAccept(j)
	var limit *quota.LimitError
	if !errors.As(err, &limit) || limit.Reason != reason {
		b.t.Fatalf("accept %s: got error %v, want a refusal %q", j.ID, err, reason)
	}
	return limit
}

func (b *bench) job(id string) generate.Job {
	b.t.Helper()
	j, err := b.s.Job(b.t.Context(), id)
	b.must("job "+id, err)
	return j
}

func (b *bench) save(j generate.Job, billing quota.Billing) generate.Job {
	b.t.Helper()
	saved, err := b.s.Save(b.t.Context(), j, billing)
	b.must("save "+j.ID, err)
	return saved
}

// become saves the job as it is stored in another state.
func (b *bench) become(id string, s generate.State, billing quota.Billing) generate.Job {
	b.t.Helper()
	j := b.job(id)
	j.State = s
	return b.save(j, billing)
}

// finish ends the job and shows it to its requester.
func (b *bench) finish(id string) generate.Job {
	b.t.Helper()
	j := b.job(id)
	j.State, j.Shown = generate.Delivered, generate.Delivered
	return b.save(j, quota.Settle(cost))
}

// claim claims a job within testTimeout.
func (b *bench) claim() generate.Claim {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.t.Context(), testTimeout)
	defer cancel()
	c, err := b.s.Claim(ctx)
	b.must("claim", err)
	return c
}

// wantNothingToClaim checks that no job is handed out for a moment.
func (b *bench) wantNothingToClaim() {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.t.Context(), 30*time.Millisecond)
	defer cancel()
	if c, err := b.s.Claim(ctx); err == nil {
		b.t.Errorf("job %s in state %s was handed out", c.Job.ID, c.Job.State)
		c.Done()
	}
}

// wantAdmitted checks which of some jobs hold a slot.
func (b *bench) wantAdmitted(want map[string]bool) {
	b.t.Helper()
	got := map[string]bool{}
	for id := range want {
		got[id] = b.job(id).HoldsSlot()
	}
	if diff := cmp.Diff(want, got); diff != "" {
		b.t.Errorf("jobs that hold a slot (-want +got):\n%s", diff)
	}
}

func (b *bench) wantPlace(id string, want int) {
	b.t.Helper()
	got, err := b.s.Place(b.t.Context(), id)
	b.must("place of "+id, err)
	if got != want {
		b.t.Errorf("place of %s in the line: got %d, want %d", id, got, want)
	}
}

// wantSignal waits for a value on Changed.
func (b *bench) wantSignal(c generate.Claim) {
	b.t.Helper()
	select {
	case <-c.Changed:
	case <-time.After(testTimeout):
		b.t.Errorf("change of job %s was not signalled", c.Job.ID)
	}
}

// jobDiff compares two jobs as a person would: an empty map is no map.
func jobDiff(want, got generate.Job) string {
	return cmp.Diff(want, got, cmpopts.EquateEmpty())
}

// names writes job1, job2, ….
func names(n int) []string {
	out := make([]string, n)
	for i := range out {
		out[i] = fmt.Sprintf("job%d", i+1)
	}
	return out
}

package store_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"ltxbot/core/generate"
	"ltxbot/core/ltx"
	"ltxbot/core/quota"
	"ltxbot/core/quota/quotatest"
	"ltxbot/core/team"
	"ltxbot/core/usd"
	"ltxbot/internal/need"
	"ltxbot/store"
	"ltxbot/store/kv"
	"ltxbot/store/kv/mem"
)

var noon = time.Date(2026, time.March, 11, 12, 0, 0, 0, time.UTC)

// world is a store in memory, with its database and clock.
type world struct {
	*store.Store

	t      *testing.T
	db     *mem.Database
	clock  *quotatest.Clock
	limits quota.Line // of now, for everybody
}

func newWorld(t *testing.T) *world {
	w := &world{t: t, clock: quotatest.NewClock(noon)}
	w.db = mem.New(w.clock.Now)
	w.Store = w.open()
	t.Cleanup(func() {
		if err := w.Close(); err != nil {
			t.Error(err)
		}
	})
	return w
}

func (w *world) open() *store.Store {
	return store.New(w.db.Open(), store.Options{
		Limits: func(string, string, []string, quota.AdminState) quota.Line { return w.limits },
	})
}

func (w *world) newJob(id, team, member string) generate.Job {
	return generate.Job{
		ID: id, State: generate.Accepted, Team: team, Member: member, Event: "discord:" + id, Endpoint: "ltx",
		Place: generate.Place{Platform: "discord", Tenant: "G1", Channel: "C1"}, Estimate: 1000, Created: w.clock.Now(),
	}
}

// plan counts a job of a member, for a dollar.
func (w *world) plan(j generate.Job) quota.Plan {
	p := quota.Policy{Waiting: 1 << 30}
	return p.Plan(j.ID, quota.Asker{Team: j.Team, Member: j.Member}, usd.Dollar, w.clock.Now())
}

func (w *world) accept(j generate.Job) generate.Job {
	w.t.Helper()
	j, err := w.Accept(w.t.Context(), j, w.plan(j))
	if err != nil {
		w.t.Fatalf("accept %s: %v", j.ID, err)
	}
	return j
}

func (w *world) save(j generate.Job, b quota.Billing) generate.Job {
	w.t.Helper()
	saved, err := w.Save(w.t.Context(), j, b)
	if err != nil {
		w.t.Fatalf("save %s: %v", j.ID, err)
	}
	return saved
}

func (w *world) finish(id string) generate.Job {
	w.t.Helper()
	j := w.job(id)
	j.State, j.Shown, j.Finished = generate.Delivered, generate.Delivered, w.clock.Now()
	return w.save(j, quota.Settle(usd.Dollar/2))
}

func (w *world) job(id string) generate.Job {
	w.t.Helper()
	j, err := w.Job(w.t.Context(), id)
	if err != nil {
		w.t.Fatalf("job %s: %v", id, err)
	}
	return j
}

func (w *world) take(s *store.Store) generate.Claim {
	w.t.Helper()
	ctx, cancel := context.WithTimeout(w.t.Context(), time.Minute)
	defer cancel()
	c, err := s.Claim(ctx)
	if err != nil {
		w.t.Fatalf("take: %v", err)
	}
	return c
}

// TestTeamsAreKnown by anything that is kept of them, each once, whatever
// their names.
func TestTeamsAreKnown(t *testing.T) {
	w := newWorld(t)
	for _, id := range []string{"job1", "job2"} {
		for _, team := range []string{"acme", "discord:1"} {
			w.accept(w.newJob(id+team, team, "discord:1"))
		}
	}
	for _, team := range []string{"acme", "acme-2", "acme/3", "acme 4", "acme0", "ac"} {
		if err := w.PutTeamState(t.Context(), team, quota.TeamState{Paused: &quota.Block{By: "operator"}}); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.PutMemberState(t.Context(), "globex", "discord:2", quota.MemberState{Blocked: &quota.Block{By: "operator"}}); err != nil {
		t.Fatal(err)
	}
	got, err := w.Teams(t.Context())
	if diff := cmp.Diff([]string{"ac", "acme", "acme 4", "acme-2", "acme/3", "acme0", "discord:1", "globex"}, got); diff != "" || err != nil {
		t.Errorf("teams (-want +got):\n%s%v", diff, err)
	}
}

// TestAClockThatWasAhead: the windows of limits stand still until an operator
// accepts the clock.
func TestAClockThatWasAhead(t *testing.T) {
	w := newWorld(t)
	w.clock.Advance(365 * 24 * time.Hour)
	w.accept(w.newJob("job1", "acme", "discord:1"))
	w.finish("job1")
	w.sweep()
	for _, tt := range []struct {
		back  time.Duration
		ahead time.Duration
	}{
		{2 * time.Minute, 0},
		{time.Second, 2*time.Minute + time.Second},
		{365*24*time.Hour - 2*time.Minute - time.Second, 365 * 24 * time.Hour},
	} {
		w.clock.Advance(-tt.back)
		if c, err := w.Clock(t.Context()); err != nil || c.Ahead() != tt.ahead || !c.Swept.Equal(c.Now) {
			t.Errorf("ahead by %s, %v, last swept %s; want %s", c.Ahead(), err, c.Swept, tt.ahead)
		}
	}
	if err := w.AcceptClock(t.Context()); err != nil {
		t.Fatal(err)
	}
	c, err := w.Clock(t.Context())
	if err != nil || c.Ahead() != 0 || c.Leapt() != 0 || !c.Now.Equal(noon) || !c.Swept.Equal(noon) {
		t.Errorf("after the clock was accepted: %+v, %v", c, err)
	}
	w.accept(w.newJob("job2", "acme", "discord:1"))
	w.finish("job2")
	w.sweep()
	if a, err := w.VerifyLedger(t.Context()); err != nil || len(a.Wrong) > 0 {
		t.Errorf("the ledger does not add up: %v, %v", a.Wrong, err)
	}
}

func (w *world) sweep() int {
	w.t.Helper()
	n, err := w.Sweep(w.t.Context())
	if err != nil {
		w.t.Fatalf("sweep: %v", err)
	}
	return n
}

func TestLineOfThousands(t *testing.T) {
	need.Speed(t)
	w := newWorld(t)
	teams, each := 1000, 2 // more than one transaction may read
	if need.Thorough() {
		each = 10
	}
	w.limits = quota.Line{BotMax: 5, MemberMax: 1, WaitingMax: 1 << 30}
	plain := func(quota.AdminState) (quota.Reservation, error) {
		return quota.Reservation{At: noon, Estimate: 1000, Line: quota.Line{WaitingMax: 1 << 30}}, nil
	}
	for i := range teams * each {
		j := w.newJob(fmt.Sprintf("job%05d", i), fmt.Sprintf("team%03d", i%teams), fmt.Sprintf("m%d", i%3))
		if _, err := w.Accept(t.Context(), j, plain); err != nil {
			t.Fatal(err)
		}
	}
	running := []string{"job00000", "job00001", "job00002", "job00003", "job00004"}
	// Turns go on through all teams, whatever the numbers.
	for i := range 20 {
		w.finish(running[i])
		next := fmt.Sprintf("job%05d", len(running))
		if !w.job(next).HoldsSlot() {
			t.Fatalf("turn %d was not given to %s", i, next)
		}
		running = append(running, next)
	}
	// A limit that is raised or lifted admits in order, however many wait.
	w.limits.BotMax = 200
	if err := w.Admit(t.Context()); err != nil {
		t.Fatal(err)
	}
	if n := len(w.admitted()); n != 200 {
		t.Errorf("%d jobs are admitted under a limit of 200", n)
	}
	w.limits = quota.Line{WaitingMax: 1 << 30}
	w.accept(w.newJob("new", "new", "new"))
	if n := len(w.admitted()); n < 200 {
		t.Errorf("%d jobs are admitted after the limit was lifted", n)
	}
	if err := w.Admit(t.Context()); err != nil {
		t.Fatal(err)
	}
	if n := len(w.admitted()); n != teams*each+1-20 {
		t.Errorf("%d jobs are admitted without limits, want all %d", n, teams*each+1-20)
	}
	quotatest.CheckLedger(t, w.Store)
}

func (w *world) admitted() []string {
	w.t.Helper()
	jobs, err := w.Jobs(w.t.Context(), generate.Query{State: generate.Accepted, Limit: 1 << 20})
	if err != nil {
		w.t.Fatal(err)
	}
	var ids []string
	for _, j := range jobs {
		if j.Admitted {
			ids = append(ids, j.ID)
		}
	}
	return ids
}

func TestLists(t *testing.T) {
	w := newWorld(t)
	for i := range 6 {
		w.clock.Advance(time.Minute)
		j := w.newJob(fmt.Sprintf("job%d", i), "acme", "discord:1")
		j.Place.Channel = []string{"C1", "C2"}[i%2]
		j.Endpoint = []string{"fal-ai/ltx", "fal-ai/ltx-2.5", "fal-ai/ltx"}[i%3]
		w.accept(j)
	}
	w.finish("job1")
	w.finish("job2")
	for _, test := range []struct {
		name  string
		query generate.Query
		want  []string
	}{
		{"of a channel", generate.Query{Platform: "discord", Tenant: "G1", Channel: "C2"}, []string{"job5", "job3", "job1"}},
		{"of another guild's channel", generate.Query{Platform: "discord", Tenant: "G2", Channel: "C2"}, nil},
		{"in a state", generate.Query{State: generate.Delivered}, []string{"job2", "job1"}},
		{"that wait or run", generate.Query{State: generate.Accepted, Limit: 2}, []string{"job5", "job4"}},
		{"of a model", generate.Query{Endpoint: "fal-ai/ltx-2.5"}, []string{"job4", "job1"}},
		{"of a model and a state", generate.Query{Endpoint: "fal-ai/ltx", State: generate.Delivered, Team: "acme"}, []string{"job2"}},
		{"unfinished of a channel", generate.Query{Platform: "discord", Tenant: "G1", Channel: "C1", Unfinished: true}, []string{"job4", "job0"}},
	} {
		jobs, err := w.Jobs(t.Context(), test.query)
		if err != nil {
			t.Errorf("%s: %v", test.name, err)
		}
		var got []string
		for _, j := range jobs {
			got = append(got, j.ID)
		}
		if !slices.Equal(got, test.want) {
			t.Errorf("%s: got %q, want %q", test.name, got, test.want)
		}
	}
}

func TestListLimit(t *testing.T) {
	w := newWorld(t)
	for i := range 101 {
		w.accept(w.newJob(fmt.Sprintf("job%d", i), "acme", "discord:1"))
	}
	for limit, want := range map[int]int{0: 100, 101: 101, 200: 101} {
		if jobs, err := w.Jobs(t.Context(), generate.Query{Limit: limit}); err != nil || len(jobs) != want {
			t.Errorf("limit %d: %d jobs, %v; want %d", limit, len(jobs), err, want)
		}
	}
}

func TestOrphanAge(t *testing.T) {
	w := newWorld(t)
	j := w.newJob("job1", "acme", "discord:1")
	if _, err := w.Reserve(t.Context(), quota.Key{Job: j.ID, Team: j.Team, Member: j.Member}, w.plan(j)); err != nil {
		t.Fatal(err)
	}
	w.clock.Advance(10*time.Minute - 1)
	if n := w.sweep(); n != 0 {
		t.Errorf("a hold was released %d times before it was 10 minutes old", n)
	}
	w.clock.Advance(1)
	if n := w.sweep(); n != 1 {
		t.Errorf("released %d holds without a job after 10 minutes, want 1", n)
	}
}

func TestNamesMayHoldAnything(t *testing.T) {
	w := newWorld(t)
	names := []string{"R&D/Video", "50%", "a b", "tab\there", "é", "%2F", "x/y/z", ".."}
	for i, name := range names {
		w.limits = quota.Line{MemberMax: 1, WaitingMax: 5}
		first := w.accept(w.newJob(fmt.Sprintf("first%d", i), name, "m/"+name))
		second := w.accept(w.newJob(fmt.Sprintf("second%d", i), name, "m/"+name))
		if !first.Admitted || second.Admitted {
			t.Errorf("team %q: admitted %t and %t", name, first.Admitted, second.Admitted)
		}
		if place, err := w.Place(t.Context(), second.ID); err != nil || place != 1 {
			t.Errorf("team %q: place %d, %v", name, place, err)
		}
		w.finish(first.ID)
		if !w.job(second.ID).Admitted {
			t.Errorf("team %q: the second job was not admitted", name)
		}
		if jobs, err := w.Jobs(t.Context(), generate.Query{Team: name}); err != nil || len(jobs) != 2 {
			t.Errorf("team %q has %d jobs, %v", name, len(jobs), err)
		}
		if err := w.PutMark(t.Context(), name, "v", noon.Add(time.Hour)); err != nil {
			t.Errorf("TTL key %q: %v", name, err)
		}
		if err := w.PutSetting(t.Context(), name, []byte{}); err != nil {
			t.Errorf("setting %q: %v", name, err)
		}
		if v, err := w.Setting(t.Context(), name); err != nil || v == nil {
			t.Errorf("setting %q: %v, %v", name, v, err)
		}
	}
	for _, name := range []string{"", "zero\x00byte", "\xff"} {
		if _, err := w.Accept(t.Context(), w.newJob("bad", name, "m"), w.plan(w.newJob("bad", name, "m"))); err == nil {
			t.Errorf("a job of team %q is accepted", name)
		}
	}
	w.clock.Advance(2 * time.Hour)
	w.sweep()
	quotatest.CheckLedger(t, w.Store)
	if _, err := w.TakeMark(t.Context(), "50%"); !errors.Is(err, team.ErrNoMark) {
		t.Errorf("take of a TTL key that was swept: %v", err)
	}
}

func TestLeapOfTheClock(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.accept(w.newJob("job1", "acme", "discord:1"))
		w.finish("job1")
		w.sweep()
		used := func() []int64 {
			t.Helper()
			a := quota.Asker{Team: "acme", Member: "discord:1"}
			used, err := w.Used(t.Context(), "acme", quota.Policy{}.Counts(a, quota.AdminState{}, noon))
			if err != nil {
				t.Fatal(err)
			}
			return used
		}
		before := used()
		w.clock.Advance(36 * time.Hour) // not used for a day and a half
		w.sweep()
		w.clock.Advance(60 * 24 * time.Hour)
		overdue := w.accept(w.newJob("job2", "acme", "discord:1"))
		overdue.State = generate.Failed
		w.save(overdue, quota.Keep())
		n, err := w.Sweep(t.Context())
		if !errors.Is(err, store.ErrLeap) || n != 1 {
			t.Errorf("sweep after a leap: released %d, %v; want 1, ErrLeap", n, err)
		}
		if n, err := w.ApplyRetention(t.Context(), w.clock.Now(), w.clock.Now()); !errors.Is(err, store.ErrLeap) || n != 0 {
			t.Errorf("retention after a leap: changed %d, %v; want ErrLeap", n, err)
		}
		if diff := cmp.Diff(before, used()); diff != "" {
			t.Errorf("usage after a leap (-before +after):\n%s", diff)
		}
		w.job("job1")

		// Somebody who runs for a day believes the clock.
		<-time.After(24*time.Hour - time.Minute)
		if _, err := w.Sweep(t.Context()); !errors.Is(err, store.ErrLeap) {
			t.Errorf("sweep a minute before the day is over: %v, want ErrLeap", err)
		}
		<-time.After(time.Minute)
		w.sweep()
		if got := used(); slices.Equal(got, before) {
			t.Errorf("counters that have expired are kept: %v", got)
		}
		w.clock.Advance(36*time.Hour + time.Second)
		s := w.open()
		defer func() { _ = s.Close() }()
		if _, err := s.Sweep(t.Context()); !errors.Is(err, store.ErrLeap) {
			t.Errorf("sweep after 36 hours and a second: %v, want ErrLeap", err)
		}
		if err := s.AcceptClock(t.Context()); err != nil {
			t.Fatal(err)
		}
		if _, err := s.Sweep(t.Context()); err != nil {
			t.Errorf("sweep after the clock was accepted: %v", err)
		}
		quotatest.CheckLedger(t, s)
	})
}

func TestForget(t *testing.T) {
	w := newWorld(t)
	request, err := ltx.Rules{}.Parse([]ltx.Setting{{Key: "prompt", Value: "a private fox"}})
	if err != nil {
		t.Fatal(err)
	}
	for i := range 1200 {
		j := w.newJob(fmt.Sprintf("job%04d", i), "acme", "discord:1")
		j.Request = request
		w.accept(j)
		if i != 7 {
			w.finish(j.ID)
		}
		w.clock.Advance(time.Minute)
	}
	sweepUntil(w, noon.Add(10*24*time.Hour))
	forget := func(jobs, prompts time.Time, want int) {
		t.Helper()
		if n, err := w.ApplyRetention(t.Context(), jobs, prompts); err != nil || n != want {
			t.Errorf("forget: changed %d, %v; want %d", n, err, want)
		}
	}
	forget(time.Time{}, time.Time{}, 0)
	forget(noon, noon, 0)
	forget(time.Time{}, noon.Add(10*time.Minute), 9) // one of ten is not over
	forget(time.Time{}, noon.Add(10*time.Minute), 0)
	if j := w.job("job0003"); !j.Request.IsZero() || j.State != generate.Delivered {
		t.Errorf("prompt is kept: %+v", j)
	}
	forget(noon.Add(1100*time.Minute), time.Time{}, 1099)
	if w.job("job0007").Request.IsZero() {
		t.Error("the prompt of a job under way was forgotten")
	}
	if _, err := w.Job(t.Context(), "job0000"); !errors.Is(err, generate.ErrNoJob) {
		t.Errorf("an old job: %v", err)
	}
	w.finish("job0007")
	// A job is kept for a day after its end, whatever is asked for.
	forget(w.clock.Now().Add(time.Hour), w.clock.Now().Add(time.Hour), 100)
	w.job("job0007")

	// What was spent is known longer than the jobs.
	sweepUntil(w, noon.Add(100*24*time.Hour))
	totals := quotatest.CheckLedger(t, w.Store)
	if totals.Holds != 1 {
		t.Errorf("%d holds are kept, want the one of the job that is", totals.Holds)
	}
	days, err := w.Spending(t.Context(), "acme", noon, noon.Add(48*time.Hour))
	if err != nil {
		t.Fatal(err)
	}
	var charged usd.Micros
	var videos int64
	for _, d := range days {
		charged += d.Charged
		videos += d.Videos
	}
	if len(days) != 2 || videos != 1200 || charged != 1200*usd.Dollar/2 || days[0].Day != "2026-03-11" || days[0].Videos != 720 {
		t.Errorf("spending by day: %+v", days)
	}
	if days, err := w.Spending(t.Context(), "globex", noon, noon.Add(48*time.Hour)); err != nil || len(days) != 0 {
		t.Errorf("spending of another team: %+v, %v", days, err)
	}
}

// sweepUntil lets days pass, with a sweep on each.
func sweepUntil(w *world, end time.Time) {
	w.t.Helper()
	for w.clock.Now().Before(end) {
		w.sweep()
		w.clock.Advance(24 * time.Hour)
	}
	w.sweep()
}

func TestCopy(t *testing.T) {
	w := newWorld(t)
	w.limits = quota.Line{MemberMax: 1, WaitingMax: 9}
	for i := range 700 {
		w.accept(w.newJob(fmt.Sprintf("job%03d", i), "acme", fmt.Sprintf("discord:%d", i)))
		if i > 2 {
			w.finish(fmt.Sprintf("job%03d", i))
		}
	}
	w.accept(w.newJob("waits", "acme", "discord:0"))
	err := w.Amend(t.Context(), "acme", "discord:0", func(s *quota.AdminState) (team.Record, error) {
		s.Team.Epoch = 3
		s.Member.Epoch = 2
		return team.Record{ID: "r1", At: noon, Team: "acme"}, nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(w.PutSetting(t.Context(), "schedule", []byte("x")), w.PutMark(t.Context(), "code", "v", noon.Add(time.Hour))); err != nil {
		t.Fatal(err)
	}
	to := newWorld(t)
	to.limits = w.limits
	r, err := store.Copy(t.Context(), w.Store, to.Store)
	if err != nil {
		t.Fatal(err)
	}
	want := store.CopyReport{Jobs: 701, Unfinished: 4, AdminStates: 2, Records: 1, Marks: 1, Settings: 1, From: r.From, To: r.From}
	if diff := cmp.Diff(want, r); diff != "" || r.From.Holds != 701 {
		t.Errorf("report (-want +got):\n%s", diff)
	}
	for range 4 {
		c := to.take(to.Store)
		if diff := cmp.Diff(w.job(c.Job.ID), c.Job); diff != "" {
			t.Errorf("copied job (-source +copy):\n%s", diff)
		}
	}
	to.finish("job000")
	if !to.job("waits").Admitted {
		t.Error("a job that waits in the copy was not admitted")
	}
	if _, err := store.Copy(t.Context(), w.Store, to.Store); !errors.Is(err, store.ErrNotEmpty) {
		t.Errorf("copy into a store that is used: %v, want ErrNotEmpty", err)
	}
	other := w.open()
	if _, err := store.Copy(t.Context(), w.Store, newWorld(t).Store); !errors.Is(err, store.ErrWorkedOn) {
		t.Errorf("copy of a store that another process works on: %v, want ErrWorkedOn", err)
	}
	_ = other.Close()
	e := &writing{Engine: w.db.Open(), views: 20, write: func() { w.accept(w.newJob("during", "acme", "discord:5")) }}
	if _, err := store.Copy(t.Context(), store.New(e, store.Options{}), newWorld(t).Store); !errors.Is(err, store.ErrWorkedOn) {
		t.Errorf("copy of a store that is written to meanwhile: %v, want ErrWorkedOn", err)
	}
	_ = e.Close()
}

// writing is an engine whose database is changed after some views.
type writing struct {
	kv.Engine
	views int
	write func()
}

func (e *writing) Processes(context.Context) (int, error) { return 1, nil }

func (e *writing) View(ctx context.Context, fn func(kv.Tx) error) error {
	err := e.Engine.View(ctx, fn)
	if e.views--; e.views == 0 {
		e.write()
	}
	return err
}

func TestClosed(t *testing.T) {
	w := newWorld(t)
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	ctx := t.Context()
	for name, call := range map[string]func() error{
		"job":    func() error { _, err := w.Job(ctx, "a"); return err },
		"accept": func() error { j := w.newJob("a", "a", "a"); _, err := w.Accept(ctx, j, w.plan(j)); return err },
		"claim":  func() error { _, err := w.Claim(ctx); return err },
		"sweep":  func() error { _, err := w.Sweep(ctx); return err },
		"audit":  func() error { _, err := w.VerifyLedger(ctx); return err },
		"now":    func() error { _, err := w.Now(ctx); return err },
	} {
		if err := call(); !errors.Is(err, generate.ErrClosed) {
			t.Errorf("%s after Close: %v, want ErrClosed", name, err)
		}
	}
}

// A job that is over and is to be looked for once more is unfinished, by all
// that finds it.
func TestAJobThatIsToBeLookedForIsUnfinished(t *testing.T) {
	w := newWorld(t)
	j := w.accept(w.newJob("job1", "acme", "discord:1"))
	claim := w.take(w.Store)
	j.State, j.Shown, j.Finished, j.LookAt = generate.Failed, generate.Failed, w.clock.Now(), w.clock.Now().Add(time.Hour)
	j = w.save(j, quota.Release())
	if err := w.Remove(t.Context(), j); !errors.Is(err, generate.ErrConflict) {
		t.Errorf("remove: %v, want ErrConflict", err)
	}
	claim.Done()
	if again := w.take(w.Store); again.Job.ID != "job1" {
		t.Errorf("took %q", again.Job.ID)
	}
	unfinished := func() int {
		jobs, err := w.Jobs(t.Context(), generate.Query{Unfinished: true})
		if err != nil {
			t.Fatal(err)
		}
		return len(jobs)
	}
	if unfinished() != 1 {
		t.Error("it is not listed")
	}
	j.LookAt = time.Time{}
	j = w.save(j, quota.Keep())
	open := 0
	if err := w.Export(t.Context(), func(key string, _ []byte) error {
		if strings.HasPrefix(key, "open/") {
			open++
		}
		return nil
	}); err != nil || open != 0 || unfinished() != 0 {
		t.Errorf("once it was looked for, %d keys find it among the unfinished, %v", open, err)
	}
	if err := w.Remove(t.Context(), j); err != nil {
		t.Errorf("remove: %v", err)
	}
}

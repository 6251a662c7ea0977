package store_test

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"ltxbot/core/generate"
	"ltxbot/core/ltx"
	"ltxbot/core/quota"
	"ltxbot/core/quota/quotatest"
	"ltxbot/core/team"
	"ltxbot/core/usd"
	"ltxbot/internal/need"
)

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

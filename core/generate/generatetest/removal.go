package generatetest

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"testing"
	"time"

	"ltxbot/core/generate"
	"ltxbot/core/ltx"
	"ltxbot/core/quota"
	"ltxbot/core/quota/quotatest"
	"ltxbot/core/usd"
)

// ask accepts a job of member m with a prompt, now.
func (b *bench) ask(id, m string) generate.Job {
	b.t.Helper()
	r, err := ltx.Rules{}.Parse([]ltx.Setting{{Key: "prompt", Value: "a private fox"}, {Key: "seed", Value: "7"}})
	if err != nil {
		b.t.Fatal(err)
	}
	j := b.newJob(id, m)
	j.Request = r
	j = b.acceptJob(j)
	return j
}

// deliver ends the job with a video.
func (b *bench) deliver(id string) generate.Job {
	b.t.Helper()
	j := b.job(id)
	j.State, j.Shown, j.Finished = generate.Delivered, generate.Delivered, b.clock.Now()
	j.Output = ltx.Output{URL: "https://v3.fal.media/fox.mp4", Prompt: "a private fox, golden hour"}
	j.Submission = generate.Submission{RequestID: "r-" + id}
	j.Receipt = generate.Receipt{
		Message: "m-" + id, Link: "https://discord.com/channels/1/2/" + id, Mark: generate.MarkWritten, SHA256: sumOf(id), At: b.clock.Now(),
	}
	return b.save(j, quota.Settle(cost))
}

// sumOf is the hash of the job's video.
func sumOf(id string) string { return fmt.Sprintf("%x", sha256.Sum256([]byte(id))) }

func (b *bench) wantGone(id string) {
	b.t.Helper()
	if _, err := b.s.Job(b.t.Context(), id); !errors.Is(err, generate.ErrNoJob) {
		b.t.Errorf("job %s: got error %v, want ErrNoJob", id, err)
	}
}

func (b *bench) wantHold(id string, kept bool) {
	b.t.Helper()
	_, err := b.s.Hold(b.t.Context(), id)
	if kept && err != nil || !kept && !errors.Is(err, quota.ErrNoHold) {
		b.t.Errorf("hold of %s: got error %v, want it kept: %t", id, err, kept)
	}
}

func (b *bench) sweep() {
	b.t.Helper()
	if _, err := b.s.Sweep(b.t.Context()); err != nil {
		b.t.Fatalf("sweep: %v", err)
	}
}

func testRemove(t *testing.T, h Harness) {
	b := newBench(t, h)
	a := b.s
	b.budget = 10 * usd.Dollar
	b.ask("job1", "discord:1")
	if err := a.Remove(t.Context(), b.job("job1")); !errors.Is(err, generate.ErrConflict) {
		t.Errorf("remove an unfinished job: got error %v, want ErrConflict", err)
	}
	ended := b.job("job1")
	ended.State = generate.Delivered // not shown yet
	ended = b.save(ended, quota.Settle(cost))
	if err := a.Remove(t.Context(), ended); !errors.Is(err, generate.ErrConflict) {
		t.Errorf("remove a job whose end was not shown: got error %v, want ErrConflict", err)
	}
	j := b.deliver("job1")
	if err := a.Remove(t.Context(), ended); !errors.Is(err, generate.ErrConflict) {
		t.Errorf("remove by a stale version: got error %v, want ErrConflict", err)
	}
	b.must("remove", a.Remove(t.Context(), j))
	b.wantGone("job1")
	for name, q := range map[string]generate.Query{
		"all": {}, "of its team": {Team: "acme"}, "of its member": {Member: "discord:1"}, "unfinished": {Unfinished: true},
		"of its file": {Posted: generate.PostedFile(sumOf("job1"))}, "of its message": {Posted: generate.PostedLink("https://discord.com/channels/1/2/job1")},
	} {
		if jobs, err := b.s.Jobs(t.Context(), q); err != nil || len(jobs) != 0 {
			t.Errorf("list %s: got %d jobs, %v; want none", name, len(jobs), err)
		}
	}
	if err := a.Remove(t.Context(), j); !errors.Is(err, generate.ErrNoJob) {
		t.Errorf("remove again: got error %v, want ErrNoJob", err)
	}
	b.wantNothingToClaim()

	// What it has cost still counts, until the window is over.
	b.wantHold("job1", true)
	quotatest.CheckLedger(t, b.s)
	b.sweep()
	b.wantHold("job1", true)
	b.pass(100 * 24 * time.Hour)
	b.sweep()
	b.wantHold("job1", false)
	if totals := quotatest.CheckLedger(t, b.s); totals != (quota.Totals{}) {
		t.Errorf("totals of an empty ledger: %+v", totals)
	}
	b.s = h.Reopen(t, b.s, b.clock.Now)
	b.wantGone("job1")
	quotatest.CheckLedger(t, b.s)
}

func testRemoveWithHold(t *testing.T, h Harness) {
	b := newBench(t, h)
	a := b.s
	grant := quota.Grant{ID: "g1", Scope: quota.Scope{Kind: quota.Team, ID: "acme"}, USD: 2 * cost, By: quota.Operator}
	b.must("put", b.s.PutTeamState(t.Context(), "acme", quota.TeamState{Grants: []quota.Grant{grant}}))
	b.budget = cost
	b.ask("job1", "discord:1") // by the limit
	b.ask("job2", "discord:1") // by the grant, which has no end
	b.ask("job3", "discord:1")
	b.deliver("job1")
	b.deliver("job2")
	failed := b.job("job3")
	failed.State, failed.Shown = generate.Failed, generate.Failed
	b.save(failed, quota.Release())
	b.pass(100 * 24 * time.Hour)
	for _, id := range []string{"job1", "job2", "job3"} {
		b.must("remove", a.Remove(t.Context(), b.job(id)))
	}
	b.wantHold("job1", false) // its window is over
	b.wantHold("job2", true)
	b.wantHold("job3", false) // nothing was spent
	b.sweep()
	b.wantHold("job2", true)
	if totals := quotatest.CheckLedger(t, b.s); totals.Holds != 1 || totals.Charged != cost {
		t.Errorf("totals: %+v; want those of the hold that drew on a grant", totals)
	}
	b.ask("job4", "discord:1") // a new month
	b.ask("job5", "discord:1") // the rest of the grant
	b.refuse(b.newJob("job6", "discord:1"), quota.OverLimit)
	quotatest.CheckLedger(t, b.s)
}

func testRetention(t *testing.T, h Harness) {
	b := newBench(t, h)
	for i := range 5 {
		id := fmt.Sprintf("job%d", i+1)
		b.ask(id, "discord:1")
		if id != "job2" {
			b.deliver(id)
		}
		b.clock.Advance(24 * time.Hour)
	}
	// Jobs of one moment are all seen, whatever the size of a page.
	at := b.clock.Now()
	for i := range 120 {
		id := fmt.Sprintf("same%03d", i)
		b.ask(id, "discord:2")
		b.deliver(id)
	}
	retain := func(jobs, prompts time.Time, want int) {
		t.Helper()
		b.must("accept the clock", b.s.AcceptClock(t.Context()))
		if n, err := b.s.ApplyRetention(t.Context(), jobs, prompts); err != nil || n != want {
			t.Errorf("retention changed %d jobs, %v; want %d", n, err, want)
		}
	}
	retain(time.Time{}, time.Time{}, 0) // for ever
	retain(noon, noon, 0)

	// Three were asked for before that, one of them is not over.
	prompts := noon.Add(3 * 24 * time.Hour)
	before := b.job("job1")
	retain(time.Time{}, prompts, 2)
	retain(time.Time{}, prompts, 0)
	after := b.job("job1")
	if !after.Request.IsZero() || after.Output.Prompt != "" {
		t.Error("a prompt that is too old is kept")
	}
	if !reflect.DeepEqual(after.Receipt, before.Receipt) || after.Charged != before.Charged || after.Place != before.Place || after.State != before.State {
		t.Errorf("more than the prompt was forgotten: %+v", after)
	}
	for _, id := range []string{"job2", "job4"} {
		if b.job(id).Request.Prompt() != "a private fox" {
			t.Errorf("the prompt of %s was forgotten", id)
		}
	}

	retain(prompts, prompts, 2)
	b.wantGone("job1")
	b.wantGone("job3")
	if b.job("job2").State != generate.Accepted {
		t.Error("an unfinished job was touched")
	}
	// A job counts from its end: job2 ends late.
	b.deliver("job2")
	retain(at, time.Time{}, 1) // job4; a job is kept for a day after its end
	b.clock.Advance(25 * time.Hour)
	retain(at, time.Time{}, 1) // job5
	b.job("job2")
	retain(at.Add(time.Second), time.Time{}, 121)
	b.wantGone("job2")
	b.pass(100 * 24 * time.Hour)
	b.sweep()
	if totals := quotatest.CheckLedger(t, b.s); totals != (quota.Totals{}) {
		t.Errorf("totals of an empty ledger: %+v", totals)
	}
}

func testErase(t *testing.T, h Harness) {
	b := newBench(t, h)
	a := b.s
	b.budget = 10 * usd.Dollar
	for _, id := range []string{"job1", "job2", "job3"} {
		b.ask(id, "discord:1")
	}
	b.ask("job4", "discord:11")
	linked := b.newJob("job5", "discord:1")
	linked.Place.Member = "slack:T1:U1"
	b.acceptJob(linked)
	b.deliver("job5")
	if got, err := generate.Export(t.Context(), a, "acme", "slack:T1:U1"); err != nil || len(got) != 1 || got[0].ID != "job5" {
		t.Errorf("export of who asked by a linked account: %+v, %v", got, err)
	}
	if got, err := generate.Export(t.Context(), a, "", "slack:T1:U1", "discord:1"); err != nil || len(got) != 4 {
		t.Errorf("export of both accounts: %d jobs, %v; want 4", len(got), err)
	}
	if got, err := b.s.Teams(t.Context()); err != nil || !slices.Equal(got, []string{"acme"}) {
		t.Errorf("teams: got %q, %v", got, err)
	}
	// The provider's copy goes later: until then the job says which request it is.
	for _, want := range []generate.Erased{{Jobs: 1}, {}} {
		if got, err := generate.Erase(t.Context(), a, true, "", "slack:T1:U1"); err != nil || got != want {
			t.Errorf("erase who asked by a linked account: got %+v, %v; want %+v", got, err, want)
		}
	}
	purging := b.job("job5")
	if !purging.Unfinished() || purging.Submission != (generate.Submission{RequestID: "r-job5"}) || purging.Output.URL != "" {
		t.Errorf("whose copy is to be deleted: %+v", purging)
	}
	purging.Submission, purging.Purge = generate.Submission{}, time.Time{}
	b.save(purging, quota.Keep())
	b.deliver("job1")
	b.deliver("job2")
	other := b.deliver("job4")

	mine, err := generate.Export(t.Context(), a, "", "discord:1")
	if err != nil || len(mine) != 4 {
		t.Fatalf("export: %d jobs, %v; want 4", len(mine), err)
	}
	for _, p := range mine {
		if p.ID == "job1" && (p.Command == "" || p.Expanded == "" || p.Link == "" || p.Estimate != cost) {
			t.Errorf("exported: %+v", p)
		}
	}
	for team, want := range map[string]generate.Erased{"globex": {}, "": {Jobs: 2, Left: 1, Copies: 2}} {
		if got, err := generate.Erase(t.Context(), a, false, team, "discord:1"); err != nil || got != want {
			t.Errorf("erase in team %q: got %+v, %v; want %+v", team, got, err, want)
		}
	}
	if got, err := generate.Erase(t.Context(), a, false, "", "discord:1"); err != nil || got != (generate.Erased{Left: 1}) {
		t.Errorf("erase again: got %+v, %v", got, err)
	}
	j := b.job("job1")
	want := generate.Job{
		ID: "job1", Version: j.Version, State: generate.Delivered, Shown: generate.Delivered, Team: "acme", Member: "discord:1",
		Place: generate.Place{Platform: "discord"}, Endpoint: j.Endpoint, Receipt: generate.Receipt{At: noon},
		Estimate: cost, Line: j.Line, Admitted: j.Admitted, Until: j.Until, Created: noon, Finished: noon,
	}
	if diff := jobDiff(want, j); diff != "" {
		t.Errorf("what is left of an erased job (-want +got):\n%s", diff)
	}
	if b.job("job3").Request.IsZero() {
		t.Error("a job under way was erased")
	}
	if diff := jobDiff(other, b.job("job4")); diff != "" {
		t.Errorf("another member's job (-before +after):\n%s", diff)
	}
	// An event that is told again is still the same job, and what was spent
	// still counts.
	if _, err := b.tryAccept(b.newJob("job1", "discord:1")); !errors.Is(err, generate.ErrExists) {
		t.Errorf("accept again: got error %v, want ErrExists", err)
	}
	if totals := quotatest.CheckLedger(t, b.s); totals.Charged != 4*cost || totals.Held != cost {
		t.Errorf("totals: %+v", totals)
	}
	if _, err := generate.Erase(t.Context(), a, false, "", ""); err == nil {
		t.Error("the data of nobody was erased")
	}
}

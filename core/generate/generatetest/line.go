package generatetest

import (
	"testing"
	"time"

	"ltxbot/core/generate"
	"ltxbot/core/quota"
)

func testAdmission(t *testing.T, h Harness) {
	b := newBench(t, h)
	b.member, b.team = 1, 2
	b.accept("a1", "discord:a")
	b.accept("a2", "discord:a") // the member is at its limit
	b.accept("b1", "discord:b")
	waiting := b.accept("c1", "discord:c") // the team is at its limit
	b.wantAdmitted(map[string]bool{"a1": true, "a2": false, "b1": true, "c1": false})

	b.become("b1", generate.Running, quota.Keep()) // frees nothing
	b.wantAdmitted(map[string]bool{"a2": false, "c1": false})
	b.become("b1", generate.Fetched, quota.Settle(cost)) // being delivered takes no slot
	b.wantAdmitted(map[string]bool{"a1": true, "a2": false, "b1": false, "c1": true})
	admitted := b.job("c1")
	waiting.Admitted, waiting.Version = true, waiting.Version+1
	if diff := jobDiff(waiting, admitted); diff != "" {
		t.Errorf("admitted job (-want +got):\n%s", diff)
	}
	b.become("a1", generate.Cancelled, quota.Release())
	b.wantAdmitted(map[string]bool{"a2": true, "c1": true})

	// One that gives up its turn makes no room.
	b.accept("d1", "discord:d")
	b.accept("d2", "discord:d")
	b.become("d1", generate.Cancelled, quota.Release())
	b.wantAdmitted(map[string]bool{"a2": true, "c1": true, "d1": false, "d2": false})
	b.wantPlace("d2", 1)
	b.become("c1", generate.Failed, quota.Release())
	b.wantAdmitted(map[string]bool{"d2": true})
}

func testLineFull(t *testing.T, h Harness) {
	b := newBench(t, h)
	b.member, b.waiting = 1, 0
	b.accept("a1", "discord:a") // goes at once, so it never waits
	if limit := b.refuse(b.newJob("a2", "discord:a"), quota.LineFull); limit.Line != 0 {
		t.Errorf("refusal says that %d jobs wait, want 0", limit.Line)
	}
	b.waiting = 2
	b.accept("a2", "discord:a")
	b.accept("a3", "discord:a")
	if limit := b.refuse(b.newJob("a4", "discord:a"), quota.LineFull); limit.Line != 2 {
		t.Errorf("refusal says that %d jobs wait, want 2", limit.Line)
	}
	if _, err := b.s.Hold(t.Context(), "a4"); err == nil {
		t.Error("a job refused because the line is full left a hold")
	}
	b.accept("b1", "discord:b") // another member has a line of its own
	b.finish("a1")
	b.accept("a4", "discord:a")
	b.refuse(b.newJob("a5", "discord:a"), quota.LineFull)
}

func testFairness(t *testing.T, h Harness) {
	b := newBench(t, h)
	b.team = 1
	for _, id := range names(20) {
		b.accept(id, "discord:a")
	}
	b.accept("b1", "discord:b")
	b.accept("b2", "discord:b")
	b.accept("c1", "discord:c")
	b.wantAdmitted(map[string]bool{"job1": true, "job2": false, "b1": false, "c1": false})
	running := "job1"
	for i, want := range []string{"b1", "c1", "job2", "b2", "job3", "job4", "job5"} {
		b.finish(running)
		if !b.job(want).HoldsSlot() {
			t.Fatalf("turn %d was not given to %s", i+1, want)
		}
		running = want
	}
}

func testPlace(t *testing.T, h Harness) {
	b := newBench(t, h)
	b.team = 1
	b.accept("a1", "discord:a")
	b.accept("a2", "discord:a")
	b.accept("a3", "discord:a")
	b.accept("b1", "discord:b")
	b.wantPlace("a1", 0)
	b.wantPlace("b1", 1) // has never been served
	b.wantPlace("a2", 2)
	b.wantPlace("a3", 3)
	b.accept("c1", "discord:c")
	b.accept("b2", "discord:b")
	for i, id := range []string{"b1", "c1", "a2", "b2", "a3"} {
		b.wantPlace(id, i+1)
	}
	other := b.newJob("x1", "discord:x")
	other.Team = "globex"
	b.acceptJob(other)
	b.wantPlace("a3", 5) // other teams are not in the way
	b.finish("a1")
	for i, id := range []string{"c1", "a2", "b2", "a3"} {
		b.wantPlace(id, i+1)
	}
	b.wantPlace("b1", 0)
	if _, err := b.s.Place(t.Context(), "nobody's"); err == nil {
		t.Error("a job that does not exist has a place")
	}
}

func testSlotTakenBack(t *testing.T, h Harness) {
	b := newBench(t, h)
	b.team = 1
	b.accept("a1", "discord:a")
	b.accept("b1", "discord:b")
	b.accept("c1", "discord:c")
	b.become("a1", generate.Failed, quota.Release()) // believed lost
	b.wantAdmitted(map[string]bool{"a1": false, "b1": true, "c1": false})
	b.become("a1", generate.Queued, quota.Keep()) // found again: one more than allowed
	b.finish("b1")
	b.wantAdmitted(map[string]bool{"a1": true, "c1": false})
	b.become("a1", generate.Fetched, quota.Settle(cost))
	b.wantAdmitted(map[string]bool{"c1": true})
	if hold, err := b.s.Hold(t.Context(), "a1"); err != nil || hold.State != quota.Settled {
		t.Errorf("hold of the job that was found again is %s, %v; want settled", hold.State, err)
	}
}

func testBotLimit(t *testing.T, h Harness) {
	b := newBench(t, h)
	b.bot = 2
	for i, id := range []string{"x1", "y1", "z1", "z2"} {
		b.clock.Advance(time.Second)
		j := b.newJob(id, "discord:1")
		j.Team = []string{"x", "y", "z", "z"}[i]
		b.acceptJob(j)
	}
	b.wantAdmitted(map[string]bool{"x1": true, "y1": true, "z1": false, "z2": false})
	b.finish("x1")
	b.wantAdmitted(map[string]bool{"z1": true, "z2": false})
	b.finish("y1")
	b.wantAdmitted(map[string]bool{"z2": true})
}

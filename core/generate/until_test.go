package generate_test

import (
	"testing"
	"testing/synctest"
	"time"

	"ltxbot/core/generate"
	"ltxbot/core/quota"
)

// TestAConversationThatStopsTakingMessages is the table of what becomes of a
// job whose conversation takes messages for a while only.
func TestAConversationThatStopsTakingMessages(t *testing.T) {
	for _, tt := range []struct {
		name    string
		until   time.Duration // from the command on
		line    time.Duration // how long another job has the turn
		queue   time.Duration // how long the provider lets it wait
		after   time.Duration // when the job is looked at
		state   generate.State
		kind    generate.FailureKind
		hold    quota.HoldState
		submits int
	}{
		{"long enough gets the video", 14 * time.Minute, 0, time.Second, 2 * time.Minute, generate.Delivered, "", quota.Settled, 1},
		{"too soon costs nothing", 4*time.Minute + 59*time.Second, 0, time.Second, time.Minute, generate.Failed, generate.FailUnreachable, quota.Released, 0},
		{"just long enough gets the video", 5*time.Minute + 10*time.Second, 0, time.Second, 2 * time.Minute, generate.Delivered, "", quota.Settled, 1},
		{"before its turn has come costs nothing", 14 * time.Minute, time.Hour, time.Second, 9*time.Minute + 10*time.Second, generate.Failed, generate.FailUnreachable, quota.Released, 0},
		{"while it is in the provider's queue costs nothing", 14 * time.Minute, 0, time.Hour, 15 * time.Minute, generate.Failed, generate.FailTimeout, quota.Released, 1},
	} {
		t.Run(tt.name, virtual(func(t *testing.T) {
			w := newWorld(t)
			w.policy.Member.JobsAtATime = 1
			w.provider.queue = tt.queue
			p := w.run()
			if tt.line > 0 {
				w.provider.queue = tt.line
				p.mustSubmit(t, ask(t, 1))
			}
			a := ask(t, 2)
			a.Until = time.Now().Add(tt.until)
			j := p.mustSubmit(t, a)
			elapse(tt.after)
			got := finished(t, p, j.ID)
			hold, err := p.store.Hold(t.Context(), j.ID)
			if err != nil {
				t.Fatal(err)
			}
			if got.State != tt.state || got.Failure.Kind != tt.kind || hold.State != tt.hold || w.provider.submits[j.ID] != tt.submits {
				t.Errorf("job is %s %s, its hold %s, submitted %d times", got.State, got.Failure.Kind, hold.State, w.provider.submits[j.ID])
			}
		}))
	}
}

func TestAJobThatCanWaitNoLongerEndsInTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.policy.Member.JobsAtATime = 1
		w.provider.queue = time.Hour
		p := w.run()
		p.mustSubmit(t, ask(t, 1))
		a := ask(t, 2)
		a.Until = time.Now().Add(14 * time.Minute)
		j := p.mustSubmit(t, a)
		elapse(8*time.Minute + 50*time.Second)
		if got, err := p.store.Job(t.Context(), j.ID); err != nil || got.State != generate.Accepted {
			t.Errorf("job is %s, %v: it can wait ten seconds more", got.State, err)
		}
	})
}

package generate_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"ltxbot/core/generate"
	"ltxbot/core/quota"
)

func TestACancelThatTheProviderDoesNotTakeHoldsNothingUp(t *testing.T) {
	for _, tt := range []struct {
		name string
		err  error
	}{
		{"it has a problem", &generate.ProviderError{Op: "cancel", Kind: generate.FailProvider, HTTPStatus: 502, Temporary: true}},
		{"it refuses for good", &generate.ProviderError{Op: "cancel", Kind: generate.FailAccount, HTTPStatus: 405}},
		{"the answer is lost", errReply},
	} {
		t.Run(tt.name, virtual(func(t *testing.T) {
			w := newWorld(t)
			w.provider.cancelErr = tt.err
			p := w.run()
			id := p.accept(t, 1)
			elapse(10 * time.Second)
			p.cancel(t, id)
			elapse(2 * time.Minute)
			if got := finished(t, p, id); got.State != generate.Delivered || len(w.channel.posted()) != 1 {
				t.Errorf("job is %s with %d videos, want the video that was made all the same", got.State, len(w.channel.posted()))
			}
		}))
	}
}

func TestASubmissionThatTheProviderForgets(t *testing.T) {
	for _, tt := range []struct {
		name   string
		cancel bool
		state  generate.State
		kind   generate.FailureKind
		hold   quota.HoldState
	}{
		{"after it was cancelled in the queue costs nothing", true, generate.Cancelled, "", quota.Released},
		{"before it began costs nothing", false, generate.Failed, generate.FailProvider, quota.Released},
	} {
		t.Run(tt.name, virtual(func(t *testing.T) {
			w := newWorld(t)
			w.provider.queue = time.Hour
			p := w.run()
			id := p.accept(t, 1)
			elapse(5 * time.Second)
			if tt.cancel {
				p.cancel(t, id)
				elapse(time.Second)
			}
			w.provider.mu.Lock()
			clear(w.provider.jobs)
			w.provider.mu.Unlock()
			elapse(10 * time.Minute)
			if got := finished(t, p, id); got.State != tt.state || got.Failure.Kind != tt.kind {
				t.Errorf("job is %s (%s), want %s (%s)", got.State, got.Failure.Kind, tt.state, tt.kind)
			}
			p.wantHold(t, id, tt.hold)
		}))
	}
}

// pressedCourier cancels each job while its first card is shown.
type pressedCourier struct {
	generate.Courier

	cancel func(ctx context.Context, job string)
}

func (c pressedCourier) Show(ctx context.Context, j generate.Job, keep generate.Keep) error {
	err := c.Courier.Show(ctx, j, keep)
	if j.State == generate.Accepted {
		c.cancel(ctx, j.ID)
	}
	return err
}

func TestAJobThatIsCancelledWhileItsCardIsShownIsNotSubmitted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		var p *process
		w.courier = pressedCourier{w.channel, func(ctx context.Context, job string) {
			if _, err := p.engine.Cancel(ctx, job, "test:1"); err != nil {
				t.Error(err)
			}
		}}
		p = w.run()
		id := p.accept(t, 1)
		elapse(time.Minute)
		if j := finished(t, p, id); j.State != generate.Cancelled || w.provider.submitted(id) != 0 || hold(t, p, id).State != quota.Released {
			t.Errorf("job is %s after %d submits", j.State, w.provider.submitted(id))
		}
	})
}

// TestAVideoThatWasMadeAndIsGoneIsCharged, although somebody wanted it stopped.
func TestAVideoThatWasMadeAndIsGoneIsCharged(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.provider.stubborn, w.provider.forgetful = true, true
		p := w.run()
		id := p.accept(t, 1)
		elapse(20 * time.Second)
		p.cancel(t, id)
		elapse(5 * time.Minute)
		j, h := finished(t, p, id), hold(t, p, id)
		if j.Failure.Kind != generate.FailExpired || h.State != quota.Settled || h.Charged != estimate {
			t.Errorf("job is %s (%s), its hold %s with %d charged", j.State, j.Failure.Kind, h.State, h.Charged)
		}
	})
}

func TestASubmissionThatIsNotKnownAtFirstIsBelievedLater(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		p := w.run()
		id := p.accept(t, 1)
		elapse(100 * time.Millisecond)
		w.provider.mu.Lock()
		hidden := w.provider.jobs
		w.provider.jobs = map[string]*fakeJob{}
		w.provider.mu.Unlock()
		elapse(40 * time.Second)
		w.provider.mu.Lock()
		w.provider.jobs = hidden
		w.provider.mu.Unlock()
		elapse(3 * time.Minute)
		p.wantEnd(t, id, generate.Delivered)
	})
}

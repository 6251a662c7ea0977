package generate_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"ltxbot/core/generate"
	"ltxbot/core/quota"
	"ltxbot/core/usd"
)

// change changes how the provider behaves from now on.
func (w *world) change(do func(*fakeProvider)) {
	w.provider.mu.Lock()
	defer w.provider.mu.Unlock()
	do(w.provider)
}

// errPassing is one that does not.
var errPassing = &generate.ProviderError{Op: "status", Kind: generate.FailProvider, HTTPStatus: 503, Temporary: true}

// estimate is what a job of ask is held for: 72 megapixels.
const estimate = usd.Micros(129_960)

// TestAJobThatTheProviderNeverEndsEnds: the deadline is 20 minutes after the
// submit, and two hours later nobody waits any longer.
func TestAJobThatTheProviderNeverEndsEnds(t *testing.T) {
	endless := func(p *fakeProvider) { p.run, p.stubborn = 1000*time.Hour, true }
	for _, tt := range []struct {
		name    string
		arrange func(*world)
		cancel  bool
		state   generate.State
		kind    generate.FailureKind
		charged usd.Micros
	}{
		{"it runs and runs", func(w *world) { endless(w.provider) }, false, generate.Failed, generate.FailGivenUp, 0},
		{
			"it runs and runs, and failures are billed",
			func(w *world) { endless(w.provider); w.billFailures = true }, false, generate.Failed, generate.FailGivenUp, estimate,
		},
		{"it never starts", func(w *world) { w.provider.queue, w.provider.stubborn = 1000*time.Hour, true }, false, generate.Failed, generate.FailGivenUp, 0},
		{"somebody has cancelled it", func(w *world) { endless(w.provider) }, true, generate.Cancelled, "", 0},
		{
			"somebody has cancelled it, and failures are billed",
			func(w *world) { endless(w.provider); w.billFailures = true }, true, generate.Cancelled, "", estimate,
		},
		{"its status can't be read", func(w *world) { endless(w.provider); w.provider.statusErr = errPassing }, false, generate.Failed, generate.FailGivenUp, 0},
		{
			"its status says that it is done, and there is no result",
			func(w *world) { w.provider.resultErr = errPassing }, false, generate.Failed, generate.FailExpired, estimate,
		},
		{
			"its status says that it is done, and the result that it is not",
			func(w *world) { w.provider.resultErr = generate.ErrNotReady }, false, generate.Failed, generate.FailExpired, estimate,
		},
	} {
		t.Run(tt.name, virtual(func(t *testing.T) {
			w := newWorld(t)
			w.policy.Member.JobsAtATime = 1
			tt.arrange(w)
			p := w.run()
			id := p.accept(t, 1)
			elapse(time.Minute)
			if tt.cancel {
				p.cancel(t, id)
			}
			elapse(2*time.Hour + 18*time.Minute)
			if j, _ := p.store.Job(t.Context(), id); j.State.Terminal() || !j.HoldsSlot() {
				t.Fatalf("job is %s before its time is over", j.State)
			}
			elapse(2 * time.Minute)
			j := finished(t, p, id)
			if j.State != tt.state || j.Failure.Kind != tt.kind || j.Charged != tt.charged {
				t.Errorf("job is %s (%s) with %d charged, want %s (%s) with %d", j.State, j.Failure.Kind, j.Charged, tt.state, tt.kind, tt.charged)
			}
			want := quota.Released
			if tt.charged > 0 {
				want = quota.Settled
			}
			if h := hold(t, p, id); h.State != want || h.Charged != tt.charged {
				t.Errorf("hold is %s with %d charged, want %s", h.State, h.Charged, want)
			}
			if shown := w.channel.shown(id); shown.State != tt.state {
				t.Errorf("the card says %s", shown.State)
			}
			if n := w.provider.statuses; n > 700 {
				t.Errorf("asked for the status %d times", n)
			}
			w.change(func(p *fakeProvider) { p.queue, p.run, p.statusErr, p.resultErr = 0, 0, nil, nil })
			next := p.accept(t, 2)
			elapse(time.Minute)
			p.wantEnd(t, next, generate.Delivered)
		}))
	}
}

func TestAGivenUpJobIsTakenUpAgainWhenTheProviderEndsIt(t *testing.T) {
	for _, bill := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			w := newWorld(t)
			w.provider.run, w.provider.stubborn, w.billFailures = 1000*time.Hour, true, bill
			p := w.run()
			id := p.accept(t, 1)
			elapse(3 * time.Hour)
			if j := finished(t, p, id); j.Failure.Kind != generate.FailGivenUp {
				t.Fatalf("job is %s (%s)", j.State, j.Failure.Kind)
			}
			w.change(func(p *fakeProvider) { p.run = 0 })
			p.arrived(t, w, id)
			elapse(time.Minute)
			j, h := finished(t, p, id), hold(t, p, id)
			if j.State != generate.Delivered || h.State != quota.Settled || h.Charged != j.Charged || j.Charged == 0 {
				t.Errorf("job is %s with %d charged, its hold %s with %d", j.State, j.Charged, h.State, h.Charged)
			}
		})
	}
}

// TestAStartLongAfterTheDeadlineAsksFirst: the process was down, and the
// provider was not.
func TestAStartLongAfterTheDeadlineAsksFirst(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		first := w.start(crashAt(0))
		id := first.accept(t, 1)
		elapse(10 * time.Second)
		first.kill(t)
		elapse(12 * time.Hour)
		w.change(func(p *fakeProvider) { p.statusErr = errPassing })
		p := w.run()
		elapse(90 * time.Second)
		w.change(func(p *fakeProvider) { p.statusErr = nil })
		elapse(2 * time.Minute)
		p.wantEnd(t, id, generate.Delivered)
	})
}

func TestAStartLongAfterTheDeadlineDoesNotAskForLong(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.provider.run, w.provider.stubborn = 1000*time.Hour, true
		first := w.start(crashAt(0))
		id := first.accept(t, 1)
		elapse(10 * time.Second)
		first.kill(t)
		elapse(12 * time.Hour)
		p := w.run()
		elapse(3 * time.Minute)
		if j := finished(t, p, id); j.Failure.Kind != generate.FailGivenUp {
			t.Errorf("job is %s (%s), want it given up", j.State, j.Failure.Kind)
		}
	})
}

func TestAnOperatorGivesAJobUp(t *testing.T) {
	for _, tt := range []struct {
		name    string
		arrange func(*world)
		after   time.Duration
		state   generate.State
		kind    generate.FailureKind
		hold    quota.HoldState
	}{
		{"that runs", func(w *world) { w.provider.run = time.Hour }, time.Minute, generate.Failed, generate.FailGivenUp, quota.Released},
		{"that runs, and failures are billed", func(w *world) { w.provider.run, w.billFailures = time.Hour, true }, time.Minute, generate.Failed, generate.FailGivenUp, quota.Settled},
		{"that is done and has no result", func(w *world) { w.provider.resultErr = errPassing }, 2 * time.Minute, generate.Failed, generate.FailExpired, quota.Settled},
		{"that is looked for", func(w *world) { w.provider.loseReply, w.provider.hidden = true, true }, time.Minute, generate.Failed, generate.FailGivenUp, quota.Released},
		{"that is looked for, and failures are billed", func(w *world) {
			w.provider.loseReply, w.provider.hidden, w.billFailures = true, true, true
		}, time.Minute, generate.Failed, generate.FailGivenUp, quota.Released},
		{"that the provider is too busy for, and failures are billed", func(w *world) {
			w.billFailures = true
			for range 100 {
				w.provider.submitErr = append(w.provider.submitErr, busyError())
			}
		}, time.Minute, generate.Cancelled, "", quota.Released},
		{"that the provider is too busy for", func(w *world) {
			for range 100 {
				w.provider.submitErr = append(w.provider.submitErr, busyError())
			}
		}, time.Minute, generate.Cancelled, "", quota.Released},
		{"whose video can't be posted", func(w *world) { w.courier = deafCourier{w.channel} }, 5 * time.Minute, generate.Failed, generate.FailUnreachable, quota.Settled},
	} {
		t.Run(tt.name, virtual(func(t *testing.T) {
			w := newWorld(t)
			tt.arrange(w)
			p := w.run()
			id := p.accept(t, 1)
			elapse(tt.after)
			if j, err := p.engine.GiveUp(t.Context(), id, "operator"); err != nil || j.State != tt.state {
				t.Fatalf("GiveUp = %s, %v", j.State, err)
			}
			elapse(30 * time.Minute)
			if j := finished(t, p, id); j.State != tt.state || j.Failure.Kind != tt.kind {
				t.Errorf("job is %s (%s), want %s (%s)", j.State, j.Failure.Kind, tt.state, tt.kind)
			}
			p.wantHold(t, id, tt.hold)
			if _, err := p.engine.GiveUp(t.Context(), id, "operator"); !errors.Is(err, generate.ErrTooLate) {
				t.Errorf("giving up a job that is over = %v, want ErrTooLate", err)
			}
		}))
	}
}

// TestWhatAPersonGaveUpIsNotTakenUpAgain: a webhook of the provider comes
// after that.
func TestWhatAPersonGaveUpIsNotTakenUpAgain(t *testing.T) {
	for _, tt := range []struct {
		name    string
		arrange func(*world)
		after   time.Duration
		hold    quota.HoldState
	}{
		{"while it ran", func(w *world) { w.provider.run = 5 * time.Minute }, time.Minute, quota.Released},
		{"while it was looked for", func(w *world) { w.provider.loseReply, w.provider.hidden = true, true }, time.Minute, quota.Released},
		{"after it was told to be lost", func(w *world) { w.provider.loseReply, w.provider.hidden = true, true }, 5 * time.Minute, quota.Released},
		{"while it was posted", func(w *world) { w.courier = deafCourier{w.channel} }, 5 * time.Minute, quota.Settled},
	} {
		t.Run(tt.name, virtual(func(t *testing.T) {
			w := newWorld(t)
			tt.arrange(w)
			p := w.run()
			id := p.accept(t, 1)
			elapse(tt.after)
			given, err := p.engine.GiveUp(t.Context(), id, "operator")
			if err != nil {
				t.Fatal(err)
			}
			elapse(5 * time.Minute)
			p.arrived(t, w, id)
			elapse(30 * time.Minute)
			j, h := finished(t, p, id), hold(t, p, id)
			if j.State != given.State || j.Failure.Kind != given.Failure.Kind || h.State != tt.hold {
				t.Errorf("job is %s (%s) and its hold %s, want %s (%s), %s", j.State, j.Failure.Kind, h.State, given.State, given.Failure.Kind, tt.hold)
			}
		}))
	}
}

func TestAJobWhoseLastWordCannotBeShownIsGivenUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.provider.fail = &generate.ProviderError{Op: "result", Kind: generate.FailRefused, HTTPStatus: 422}
		p := w.run()
		id := p.accept(t, 1)
		elapse(20 * time.Second)
		w.channel.mu.Lock()
		for range 1000 {
			w.channel.refuse = append(w.channel.refuse, errReply)
		}
		w.channel.mu.Unlock()
		elapse(10 * time.Minute)
		if j, _ := p.store.Job(t.Context(), id); !j.Unfinished() || !j.State.Terminal() {
			t.Fatalf("job is %s, its card shows %q", j.State, j.Shown)
		}
		if _, err := p.engine.GiveUp(t.Context(), id, "operator"); err != nil {
			t.Fatal(err)
		}
		finished(t, p, id)
	})
}

func TestATimeThatSomebodyNamesIsBounded(t *testing.T) {
	t.Run("by the provider, at the submit", virtual(func(t *testing.T) {
		w := newWorld(t)
		for range 100 {
			w.provider.submitErr = append(w.provider.submitErr, &generate.ProviderError{
				Op: "submit", Kind: generate.FailBusy, HTTPStatus: 429, Temporary: true, RetryAfter: 8 * time.Hour,
			})
		}
		p := w.run()
		id := p.accept(t, 1)
		elapse(11 * time.Minute)
		if j := finished(t, p, id); j.Failure.Kind != generate.FailBusy || hold(t, p, id).State != quota.Released {
			t.Errorf("job is %s (%s)", j.State, j.Failure.Kind)
		}
	}))
	t.Run("by the conversation, for the video", virtual(func(t *testing.T) {
		w := newWorld(t)
		w.provider.queue, w.provider.run = 0, 0
		w.channel.refuse = []error{nil, later(8 * time.Hour)}
		p := w.run()
		id := p.accept(t, 1)
		elapse(16 * time.Minute)
		p.wantEnd(t, id, generate.Delivered)
	}))
	t.Run("by the conversation, for the card", virtual(func(t *testing.T) {
		w := newWorld(t)
		w.channel.refuse = []error{later(8 * time.Hour)}
		p := w.run()
		id := p.accept(t, 1)
		elapse(17 * time.Minute)
		p.wantEnd(t, id, generate.Delivered)
	}))
}

func TestAVideoForAPlatformThatIsSwitchedOffIsGivenUpAfterADay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		first := w.start(crashAt(0))
		id := first.accept(t, 1)
		elapse(20 * time.Second)
		first.kill(t)
		w.off = true
		p := w.run()
		elapse(23 * time.Hour)
		if j, _ := p.store.Job(t.Context(), id); j.State != generate.Fetched {
			t.Fatalf("job is %s", j.State)
		}
		elapse(2 * time.Hour)
		if j, _ := p.store.Job(t.Context(), id); j.State != generate.Failed || j.Failure.Kind != generate.FailUnreachable {
			t.Errorf("job is %s (%s)", j.State, j.Failure.Kind)
		}
		elapse(25 * time.Hour)
		finished(t, p, id)
	})
}

// deafCourier takes no video.
type deafCourier struct{ generate.Courier }

func (deafCourier) Deliver(context.Context, generate.Job, []generate.Video, generate.Keep) ([]generate.Receipt, error) {
	return nil, errReply
}

// brokenCourier has a bug where videos are posted.
type brokenCourier struct{ generate.Courier }

func (brokenCourier) Deliver(context.Context, generate.Job, []generate.Video, generate.Keep) ([]generate.Receipt, error) {
	panic("a bug")
}

func TestAJobWhoseStepNeverSucceedsEndsAfterADay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.courier = brokenCourier{w.channel}
		p := w.run()
		id := p.accept(t, 1)
		elapse(23 * time.Hour)
		if j, _ := p.store.Job(t.Context(), id); j.State != generate.Fetched {
			t.Fatalf("job is %s", j.State)
		}
		elapse(2 * time.Hour)
		if j := finished(t, p, id); j.State != generate.Failed || hold(t, p, id).State != quota.Settled {
			t.Errorf("job is %s, its hold %s", j.State, hold(t, p, id).State)
		}
	})
}

// TestWhatTheBotGivesUpWasNotCancelled: nobody has asked for that.
func TestWhatTheBotGivesUpWasNotCancelled(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.policy.Member.JobsAtATime = 1
		p := w.run()
		p.accept(t, 1)
		waits := p.accept(t, 2)
		if j, err := p.engine.GiveUp(t.Context(), waits, generate.ByBot); err != nil || j.State != generate.Failed || j.Failure.Kind != generate.FailGivenUp {
			t.Errorf("the job that waits is %s (%s), %v", j.State, j.Failure.Kind, err)
		}
	})
}

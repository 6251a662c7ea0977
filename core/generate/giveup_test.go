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

// errServer is a server error that names its kind.
var errServer = &generate.ProviderError{Op: "result", Kind: generate.FailProvider, HTTPStatus: 503, Type: "runner_disconnected"}

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
			if j := finished(t, p, next); j.State != generate.Delivered {
				t.Errorf("the next job is %s: its slot is not free", j.State)
			}
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
		if j := finished(t, p, id); j.State != generate.Delivered {
			t.Errorf("job is %s (%s), want delivered", j.State, j.Failure.Kind)
		}
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
			if h := hold(t, p, id); h.State != tt.hold {
				t.Errorf("hold is %s, want %s", h.State, tt.hold)
			}
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

func TestABadAnswerInPlaceOfAResultIsNotBelievedAtOnce(t *testing.T) {
	for _, tt := range []struct {
		name  string
		err   error
		says  bool          // the status says that it has failed
		lasts time.Duration // how long the answer lasts
		want  generate.State
	}{
		{"a typed server error, for half a minute", errServer, false, 30 * time.Second, generate.Delivered},
		{"a typed server error, for less than a minute", errServer, false, 55 * time.Second, generate.Delivered},
		{"a typed server error, for two minutes", errServer, false, 2 * time.Minute, generate.Failed},
		{"a typed server error that the status has told", errServer, true, 5 * time.Second, generate.Failed},
		{"an answer without a type", &generate.ProviderError{Op: "result", Kind: generate.FailInvalid, HTTPStatus: 400}, false, 30 * time.Second, generate.Delivered},
		{"a result that is not there", generate.ErrGone, false, 30 * time.Second, generate.Delivered},
		{"a result that is not there, for two minutes", generate.ErrGone, false, 2 * time.Minute, generate.Failed},
		{"the model's own word", &generate.ProviderError{Op: "result", Kind: generate.FailNoMedia, HTTPStatus: 422, Type: "no_media_generated"}, false, 5 * time.Second, generate.Failed},
		{"it is not ready, for an hour", generate.ErrNotReady, false, time.Hour, generate.Delivered},
	} {
		t.Run(tt.name, virtual(func(t *testing.T) {
			w := newWorld(t)
			w.provider.queue, w.provider.run = 0, 0
			w.provider.resultErr, w.provider.failed = tt.err, tt.says
			p := w.run()
			id := p.accept(t, 1)
			elapse(tt.lasts)
			w.change(func(p *fakeProvider) { p.resultErr = nil })
			elapse(90 * time.Second)
			if j := finished(t, p, id); j.State != tt.want {
				t.Errorf("job is %s (%s), want %s", j.State, j.Failure.Kind, tt.want)
			}
			if n := w.provider.results; n > 80 {
				t.Errorf("asked for the result %d times", n)
			}
		}))
	}
}

func TestAResultIsAskedForWhenTheStatusCannotBeRead(t *testing.T) {
	for _, tt := range []struct {
		name   string
		hint   bool
		within time.Duration
	}{
		{"at once after a hint", true, time.Second},
		{"after some tries without one", false, 2 * time.Minute},
	} {
		t.Run(tt.name, virtual(func(t *testing.T) {
			w := newWorld(t)
			w.provider.statusErr = errPassing
			p := w.run()
			id := p.accept(t, 1)
			elapse(50 * time.Second) // it is done
			if tt.hint {
				p.arrived(t, w, id)
			}
			elapse(tt.within)
			if j := finished(t, p, id); j.State != generate.Delivered {
				t.Errorf("job is %s, want delivered", j.State)
			}
		}))
	}
}

// TestAStreamThatTalksDoesNotReplaceThePolls: it repeats that the job runs, long
// after it is done.
func TestAStreamThatTalksDoesNotReplaceThePolls(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.provider.chatty = true
		p := w.run()
		id := p.accept(t, 1)
		elapse(75 * time.Second) // done after 45
		if j := finished(t, p, id); j.State != generate.Delivered {
			t.Errorf("job is %s, want delivered", j.State)
		}
		if n := w.provider.statuses; n > 8 {
			t.Errorf("polled %d times in the 45 seconds of a job with a stream", n)
		}
	})
}

// TestAStreamThatSaysDoneIsAHint: only a poll's answer counts. Else a job of
// which a stream was wrong would be charged, or told to have failed.
func TestAStreamThatSaysDoneIsAHint(t *testing.T) {
	for _, tt := range []struct {
		name   string
		result error
	}{
		{"and the result is not ready", generate.ErrNotReady},
		{"and the result is not known", generate.ErrGone},
		{"and the result is a server's error", errServer},
	} {
		t.Run(tt.name, virtual(func(t *testing.T) {
			w := newWorld(t)
			w.provider.hasty, w.provider.stubborn, w.provider.run = true, true, 1000*time.Hour
			w.provider.resultErr = tt.result
			p := w.run()
			id := p.accept(t, 1)
			elapse(2 * time.Minute)
			if j, err := p.store.Job(t.Context(), id); err != nil || j.State != generate.Running || !j.Completed.IsZero() {
				t.Fatalf("job is %s (%s), %v, completed %s; want it to run", j.State, j.Failure.Kind, err, j.Completed)
			}
			elapse(3 * time.Hour)
			if j, h := finished(t, p, id), hold(t, p, id); j.Failure.Kind != generate.FailGivenUp || h.State != quota.Released {
				t.Errorf("job is %s (%s), its hold %s", j.State, j.Failure.Kind, h.State)
			}
		}))
	}
}

// TestASubmitThatNamesItsRequestIsNotRepeated: an error that names a request
// makes it the job's, and one 404 of its status proves nothing.
func TestASubmitThatNamesItsRequestIsNotRepeated(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		p := w.run()
		id := p.accept(t, 1)
		elapse(100 * time.Millisecond)
		w.change(func(p *fakeProvider) { p.statusErr = generate.ErrGone })
		elapse(3 * time.Second)
		w.change(func(p *fakeProvider) { p.statusErr = nil })
		elapse(2 * time.Minute)
		if j := finished(t, p, id); j.State != generate.Delivered || w.provider.submitted(id) != 1 {
			t.Errorf("job is %s after %d submits", j.State, w.provider.submitted(id))
		}
	})
}

func TestARefusedSubmitThatRanAllTheSameIsTakenUpAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.provider.submitErr = []error{&generate.ProviderError{Op: "submit", Kind: generate.FailInvalid, HTTPStatus: 422}}
		p := w.run()
		id := p.accept(t, 1)
		elapse(time.Minute)
		if j := finished(t, p, id); j.State != generate.Failed || hold(t, p, id).State != quota.Released {
			t.Fatalf("job is %s", j.State)
		}
		if _, err := w.provider.take(generate.JobRequest{Job: id, Endpoint: "fal-ai/test", Request: ask(t, 1).Request}); err != nil {
			t.Fatal(err)
		}
		elapse(time.Minute)
		p.arrived(t, w, id)
		elapse(time.Minute)
		if j := finished(t, p, id); j.State != generate.Delivered || hold(t, p, id).State != quota.Settled {
			t.Errorf("job is %s and its hold %s, want it delivered and charged", j.State, hold(t, p, id).State)
		}
	})
}

// TestALostSubmitIsLookedForOnceMoreAtItsDeadline: the history may show a
// request only when it has ended.
func TestALostSubmitIsLookedForOnceMoreAtItsDeadline(t *testing.T) {
	for _, restart := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			w := newWorld(t)
			w.provider.loseReply, w.provider.endedOnly, w.provider.run = true, true, 10*time.Minute
			p := w.start(crashAt(0))
			id := p.accept(t, 1)
			elapse(5 * time.Minute)
			j, err := p.store.Job(t.Context(), id)
			if err != nil || j.Failure.Kind != generate.FailLost || w.channel.shown(id).State != generate.Failed || hold(t, p, id).State != quota.Released {
				t.Fatalf("job is %s (%s), %v; want it lost for now, and said so", j.State, j.Failure.Kind, err)
			}
			if restart {
				p.kill(t)
				elapse(30 * time.Minute)
				p = w.start(crashAt(0))
			}
			defer p.kill(t)
			elapse(20 * time.Minute)
			if j := finished(t, p, id); j.State != generate.Delivered || hold(t, p, id).State != quota.Settled || w.provider.submitted(id) != 1 {
				t.Errorf("job is %s, its hold %s, after %d submits; want it delivered and charged", j.State, hold(t, p, id).State, w.provider.submitted(id))
			}
		})
	}
}

func TestALostSubmitIsNotLookedForForEver(t *testing.T) {
	for name, err := range map[string]error{"it is not there": nil, "the history can't be read": errReply} {
		t.Run(name, virtual(func(t *testing.T) {
			w := newWorld(t)
			w.provider.loseReply, w.provider.hidden, w.provider.findErr = true, true, err
			p := w.run()
			id := p.accept(t, 1)
			elapse(24 * time.Minute)
			if j := finished(t, p, id); j.Failure.Kind != generate.FailLost {
				t.Errorf("job is %s (%s)", j.State, j.Failure.Kind)
			}
			if last := w.provider.searches[len(w.provider.searches)-1]; time.Since(last) > 4*time.Minute {
				t.Errorf("looked for the last time %s ago, want at the deadline", time.Since(last))
			}
		}))
	}
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
		if j := finished(t, p, id); j.State != generate.Delivered {
			t.Errorf("job is %s", j.State)
		}
	}))
	t.Run("by the conversation, for the card", virtual(func(t *testing.T) {
		w := newWorld(t)
		w.channel.refuse = []error{later(8 * time.Hour)}
		p := w.run()
		id := p.accept(t, 1)
		elapse(17 * time.Minute)
		if j := finished(t, p, id); j.State != generate.Delivered {
			t.Errorf("job is %s", j.State)
		}
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

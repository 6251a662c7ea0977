package generate_test

import (
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"ltxbot/core/generate"
	"ltxbot/core/quota"
)

// finished reads a job that must be over.
func finished(t *testing.T, p *process, id string) generate.Job {
	t.Helper()
	j := p.readJob(t, id)
	if j.Unfinished() {
		t.Fatalf("job is %s and its card shows %q, want it to be over", j.State, j.Shown)
	}
	return j
}

// hold reads the hold of a job.
func hold(t *testing.T, p *process, id string) quota.Hold {
	t.Helper()
	h, err := p.store.Hold(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	return h
}

// wantEnd checks how a job has ended.
func (p *process) wantEnd(t *testing.T, id string, want generate.State) {
	t.Helper()
	if j := finished(t, p, id); j.State != want {
		t.Errorf("job is %s (%s), want %s", j.State, j.Failure.Kind, want)
	}
}

func (p *process) wantHold(t *testing.T, id string, want quota.HoldState) {
	t.Helper()
	if h := hold(t, p, id); h.State != want {
		t.Errorf("hold is %s, want %s", h.State, want)
	}
}

func (w *world) wantSubmits(t *testing.T, id string, want int) {
	t.Helper()
	if n := w.provider.submitted(id); n != want {
		t.Errorf("submitted %d times, want %d", n, want)
	}
}

func TestAJobGoesFromTheCommandToTheVideo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		p := w.run()
		id := p.accept(t, 1)
		elapse(2 * time.Minute)
		got := finished(t, p, id)
		if got.State != generate.Delivered {
			t.Errorf("state = %s, want delivered", got.State)
		}
		w.wantSubmits(t, id, 1)
		if w.channel.posted()[id] != "ltx-"+id+".mp4" {
			t.Errorf("posted %v", w.channel.posted())
		}
		if h := hold(t, p, id); h.State != quota.Settled || h.Charged != 126350 {
			t.Errorf("hold is %s with %d charged, want settled with the 70 megapixels that were billed", h.State, h.Charged)
		}
	})
}

func TestTheSameEventIsTheSameJob(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		p := w.run()
		first := p.mustSubmit(t, ask(t, 1))
		again, err := p.submit(t.Context(), ask(t, 1))
		if !errors.Is(err, generate.ErrExists) || again.ID != first.ID {
			t.Errorf("second accept = %s, %v; want the same job and ErrExists", again.ID, err)
		}
		elapse(2 * time.Minute)
		w.wantSubmits(t, first.ID, 1)
	})
}

func TestAJobThatEndsWithoutAVideo(t *testing.T) {
	refused := &generate.ProviderError{Op: "result", Kind: generate.FailRefused, HTTPStatus: 422, MayBill: true}
	for _, tt := range []struct {
		name    string
		arrange func(*world)
		state   generate.State
		kind    generate.FailureKind
		hold    quota.HoldState
		submits int
	}{
		{
			"is released when the content checker refuses it", func(w *world) { w.provider.fail = refused },
			generate.Failed, generate.FailRefused, quota.Released, 1,
		},
		{"is released when the provider refuses the submit", func(w *world) {
			w.provider.submitErr = []error{&generate.ProviderError{Op: "submit", Kind: generate.FailAccount, HTTPStatus: 403}}
		}, generate.Failed, generate.FailAccount, quota.Released, 0},
		{
			"is released when a lost submit is never found", func(w *world) { w.provider.loseReply, w.provider.hidden = true, true },
			generate.Failed, generate.FailLost, quota.Released, 1,
		},
		{
			"is not submitted when the conversation is gone", func(w *world) { w.channel.gone = true },
			generate.Failed, generate.FailUnreachable, quota.Released, 0,
		},
	} {
		t.Run(tt.name, virtual(func(t *testing.T) {
			w := newWorld(t)
			tt.arrange(w)
			p := w.run()
			id := p.accept(t, 1)
			elapse(30 * time.Minute)
			got := finished(t, p, id)
			if got.State != tt.state || got.Failure.Kind != tt.kind {
				t.Errorf("job is %s (%s), want %s (%s)", got.State, got.Failure.Kind, tt.state, tt.kind)
			}
			p.wantHold(t, id, tt.hold)
			w.wantSubmits(t, id, tt.submits)
			if len(w.channel.posted()) != 0 {
				t.Errorf("posted %v, want nothing", w.channel.posted())
			}
		}))
	}
}

func TestASubmitThatMayBeTriedAgainIs(t *testing.T) {
	for _, tt := range []struct {
		name string
		err  error
	}{
		{"it was never sent", generate.ErrNotSent},
		{"the provider is busy", &generate.ProviderError{Op: "submit", Kind: generate.FailBusy, HTTPStatus: 429, Temporary: true, RetryAfter: 7 * time.Second}},
	} {
		t.Run(tt.name, virtual(func(t *testing.T) {
			w := newWorld(t)
			w.provider.submitErr = []error{tt.err, tt.err, tt.err}
			p := w.run()
			id := p.accept(t, 1)
			elapse(5 * time.Minute)
			p.wantEnd(t, id, generate.Delivered)
			w.wantSubmits(t, id, 1)
		}))
	}
}

func TestALostSubmitIsFoundInTheHistory(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.provider.loseReply = true
		p := w.run()
		id := p.accept(t, 1)
		elapse(5 * time.Minute)
		p.wantEnd(t, id, generate.Delivered)
		w.wantSubmits(t, id, 1)
	})
}

func TestCancel(t *testing.T) {
	for _, tt := range []struct {
		name  string
		after time.Duration
		state generate.State
		hold  quota.HoldState
	}{
		{"before the start stops the job", 20 * time.Second, generate.Cancelled, quota.Released},
		{"in the queue stops the job", 3 * time.Second, generate.Cancelled, quota.Released},
		{"at once stops the job", 0, generate.Cancelled, quota.Released},
	} {
		t.Run(tt.name, virtual(func(t *testing.T) {
			w := newWorld(t)
			p := w.run()
			id := p.accept(t, 1)
			elapse(tt.after)
			p.cancel(t, id)
			elapse(3 * time.Minute)
			p.wantEnd(t, id, tt.state)
			p.wantHold(t, id, tt.hold)
			if _, err := p.engine.Cancel(t.Context(), id, "test:1"); !errors.Is(err, generate.ErrTooLate) {
				t.Errorf("cancelling a job that is over = %v, want ErrTooLate", err)
			}
		}))
	}
}

func TestTheDeadlineAsksTheProviderToStop(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.provider.run = time.Hour
		p := w.run()
		id := p.accept(t, 1)
		elapse(25 * time.Minute)
		got := finished(t, p, id)
		if got.State != generate.Failed || got.Failure.Kind != generate.FailTimeout {
			t.Errorf("job is %s (%s), want failed (timeout)", got.State, got.Failure.Kind)
		}
		p.wantHold(t, id, quota.Released)
	})
}

func TestJobsBeyondTheLimitWaitForTheirTurn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		p := w.run()
		var ids []string
		for n := range 4 {
			ids = append(ids, p.accept(t, n))
		}
		elapse(20 * time.Second)
		for i, id := range ids {
			if n, want := w.provider.submitted(id), min(1, max(0, 2-i)); n != want {
				t.Errorf("job %d was submitted %d times at first, want %d: 2 may run at a time", i, n, want)
			}
		}
		if place := w.channel.shown(ids[3]).Progress.Waiting; place != 2 {
			t.Errorf("the card of the last job shows place %d, want 2", place)
		}
		elapse(5 * time.Minute)
		for _, id := range ids {
			p.wantEnd(t, id, generate.Delivered)
		}
	})
}

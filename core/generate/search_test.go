package generate_test

import (
	"context"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"ltxbot/core/generate"
	"ltxbot/core/quota"
)

func TestALostSubmitIsNotMistakenForAnEarlierOne(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		p := w.run()
		first := p.mustSubmit(t, ask(t, 1))
		elapse(50 * time.Second)
		again := ask(t, 1)
		again.Event = "test:same seed"
		w.provider.mu.Lock()
		w.provider.loseReply = true
		w.provider.mu.Unlock()
		second := p.mustSubmit(t, again)
		elapse(5 * time.Minute)
		a, b := finished(t, p, first.ID), finished(t, p, second.ID)
		if a.State != generate.Delivered || b.State != generate.Delivered {
			t.Errorf("jobs are %s and %s, want both delivered", a.State, b.State)
		}
		if a.Submission.RequestID == b.Submission.RequestID {
			t.Errorf("both jobs have request %s", a.Submission.RequestID)
		}
	})
}

// A meeting lets the first two that read which submissions are taken go on
// only when both have read. Each process gets one job.
type meeting struct {
	generate.Store

	one  chan struct{} // of this process: has a value until it has its job
	mu   *sync.Mutex
	here *int
	both chan struct{}
}

func (m meeting) Claim(ctx context.Context) (generate.Claim, error) {
	select {
	case <-m.one:
		return m.Store.Claim(ctx)
	case <-ctx.Done():
		return generate.Claim{}, ctx.Err()
	}
}

func (m meeting) Jobs(ctx context.Context, q generate.Query) ([]generate.Job, error) {
	jobs, err := m.Store.Jobs(ctx, q)
	for _, j := range jobs {
		if j.State != generate.Unknown { // not before both are looked for
			return jobs, err
		}
	}
	if len(jobs) != 2 {
		return jobs, err
	}
	m.mu.Lock()
	*m.here++
	if *m.here == 2 {
		close(m.both)
	}
	m.mu.Unlock()
	<-m.both
	return jobs, err
}

func TestTwoLostSubmitsThatAreLookedUpAtOnceClaimOneRequestEach(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.provider.loseAll, w.provider.hidden = true, true
		var mu sync.Mutex
		here, both := 0, make(chan struct{})
		w.worn = func(s generate.Store) generate.Store {
			one := make(chan struct{}, 1)
			one <- struct{}{}
			return meeting{s, one, &mu, &here, both}
		}
		p := w.run()
		other := w.join(p.store, crashAt(0))
		defer other.leave()
		var ids []string
		for _, event := range []string{"test:one", "test:two"} {
			a := ask(t, 1)
			a.Event = event
			j := p.mustSubmit(t, a)
			ids = append(ids, j.ID)
		}
		elapse(10 * time.Second) // both are lost, and in no history yet
		w.provider.mu.Lock()
		w.provider.hidden = false
		w.provider.mu.Unlock()
		elapse(10 * time.Minute)
		a, b := finished(t, p, ids[0]), finished(t, p, ids[1])
		if a.State != generate.Delivered || b.State != generate.Delivered {
			t.Errorf("jobs are %s and %s, want both delivered", a.State, b.State)
		}
		if a.Submission.RequestID == b.Submission.RequestID {
			t.Errorf("both jobs have request %s", a.Submission.RequestID)
		}
		if a.Owner == b.Owner {
			t.Errorf("both jobs were the work of %s", a.Owner)
		}
	})
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

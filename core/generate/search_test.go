package generate_test

import (
	"context"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"ltxbot/core/generate"
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

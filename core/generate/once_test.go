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

// panickyProvider panics after it has taken the first submit.
type panickyProvider struct {
	*fakeProvider
	once sync.Once
}

func (p *panickyProvider) Submit(ctx context.Context, o generate.JobRequest) (generate.Submission, error) {
	s, err := p.fakeProvider.Submit(ctx, o)
	p.once.Do(func() { panic("the provider has it, and nobody was told") })
	return s, err
}

func TestASubmitThatPanicsIsNotMadeAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.asked = &panickyProvider{fakeProvider: w.provider}
		p := w.run()
		id := p.accept(t, 1)
		elapse(5 * time.Minute)
		if j := finished(t, p, id); j.State != generate.Delivered || w.provider.submitted(id) != 1 {
			t.Errorf("job is %s after %d submits, want it delivered after one", j.State, w.provider.submitted(id))
		}
	})
}

// stoppingStore stops the process when an intention to submit was saved.
type stoppingStore struct {
	generate.Store
	stop func()
}

func (s *stoppingStore) Save(ctx context.Context, j generate.Job, b quota.Billing) (generate.Job, error) {
	saved, err := s.Store.Save(ctx, j, b)
	if j.State == generate.Submitting {
		go s.stop()
		elapse(time.Millisecond) // until the engine knows
	}
	return saved, err
}

// Only the process that meant to submit knows that it did not.
func TestAStopBeforeTheSubmitPutsTheJobBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		stopping := &stoppingStore{}
		w.worn = func(s generate.Store) generate.Store {
			stopping.Store = s
			return stopping
		}
		p := w.start(crashAt(0))
		stopped := make(chan struct{})
		stopping.stop = func() {
			_ = p.engine.Stop(context.Background())
			close(stopped)
		}
		id := p.accept(t, 1)
		<-stopped
		p.kill(t)
		w.worn = nil
		p = w.run()
		elapse(2 * time.Minute)
		p.wantEnd(t, id, generate.Delivered)
		if n := len(w.provider.searches); n > 0 || w.provider.submitted(id) != 1 {
			t.Errorf("%d searches and %d submits, want one submit and no doubt", n, w.provider.submitted(id))
		}
	})
}

// What is taken up long after its deadline has all the time of a new job.
func TestAJobThatIsTakenUpLateHasANewDeadline(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.provider.loseReply, w.provider.hidden = true, true
		p := w.run()
		id := p.accept(t, 1)
		elapse(24 * time.Hour)
		w.change(func(p *fakeProvider) {
			p.resultErr = &generate.ProviderError{Op: "result", Kind: generate.FailProvider, HTTPStatus: 429, Temporary: true}
		})
		p.arrived(t, w, id)
		elapse(15 * time.Minute)
		w.change(func(p *fakeProvider) { p.resultErr = nil })
		elapse(5 * time.Minute)
		p.wantEnd(t, id, generate.Delivered)
	})
}

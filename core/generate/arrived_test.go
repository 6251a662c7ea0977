package generate_test

import (
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"ltxbot/core/generate"
	"ltxbot/core/quota"
)

// requestOf is the request id under which the provider runs a job.
func (p *fakeProvider) requestOf(t *testing.T, job string) string {
	t.Helper()
	p.mu.Lock()
	defer p.mu.Unlock()
	for id, j := range p.jobs {
		if j.asked.Job == job {
			return id
		}
	}
	t.Fatalf("the provider has no request for job %s", job)
	return ""
}

func TestAHintFindsALostSubmit(t *testing.T) {
	for _, tt := range []struct {
		name  string
		after time.Duration
	}{
		{"while it is looked for", time.Minute},
		{"after it was given up and its hold released", time.Hour},
	} {
		t.Run(tt.name, virtual(func(t *testing.T) {
			w := newWorld(t)
			w.provider.loseReply, w.provider.hidden = true, true
			p := w.run()
			id := p.accept(t, 1)
			elapse(tt.after)
			p.arrived(t, w, id)
			elapse(2 * time.Minute)
			p.wantEnd(t, id, generate.Delivered)
			if h := hold(t, p, id); h.State != quota.Settled || h.Charged == 0 {
				t.Errorf("hold is %s with %d charged, want what was paid", h.State, h.Charged)
			}
			w.wantSubmits(t, id, 1)
		}))
	}
}

func TestAHintSpeedsUpTheNextPoll(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.provider.queue, w.provider.run = time.Hour, 0
		w.provider.hidden = true
		p := w.run()
		id := p.accept(t, 1)
		elapse(time.Minute)
		w.provider.mu.Lock()
		w.provider.queue = 0
		w.provider.mu.Unlock()
		p.arrived(t, w, id)
		elapse(100 * time.Millisecond)
		if got, _ := p.store.Job(t.Context(), id); got.State != generate.Delivered {
			t.Errorf("state = %s at once after the hint, want delivered", got.State)
		}
	})
}

func TestAHintForAJobThatIsNotThere(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		p := w.run()
		if err := p.engine.Arrived(t.Context(), "nosuchjob", "r"); !errors.Is(err, generate.ErrNoJob) {
			t.Errorf("Arrived = %v, want ErrNoJob", err)
		}
		id := p.accept(t, 1)
		elapse(2 * time.Minute)
		for range 3 {
			if err := p.engine.Arrived(t.Context(), id, w.provider.requestOf(t, id)); err != nil {
				t.Errorf("a hint for a job that is over: %v, want nil", err)
			}
			if err := p.engine.Arrived(t.Context(), id, "another"); err != nil {
				t.Errorf("a hint with another request: %v, want nil", err)
			}
		}
		elapse(time.Minute)
		if got := finished(t, p, id); got.State != generate.Delivered || len(w.channel.posted()) != 1 {
			t.Errorf("job is %s with %d videos, want delivered with one", got.State, len(w.channel.posted()))
		}
	})
}

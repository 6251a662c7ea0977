package generate_test

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"ltxbot/core/generate"
	"ltxbot/core/quota"
)

// forgetfulStore has lost its last writes: it says that more may have happened
// than it knows.
type forgetfulStore struct{ generate.Store }

func (s forgetfulStore) Claim(ctx context.Context) (generate.Claim, error) {
	c, err := s.Store.Claim(ctx)
	c.Doubtful = true
	return c, err
}

func TestAJobThatMayHaveBeenSubmittedIsLookedForFirst(t *testing.T) {
	for _, tt := range []struct {
		name      string
		submitted bool // before the writes were lost
		want      generate.State
		charged   bool
	}{
		{"it was", true, generate.Delivered, true},
		{"nobody knows it", false, generate.Failed, false},
	} {
		t.Run(tt.name, virtual(func(t *testing.T) {
			w := newWorld(t)
			w.worn = func(s generate.Store) generate.Store { return forgetfulStore{s} }
			p := w.run()
			a := ask(t, 1)
			id := generate.NewID(a.Event)
			if tt.submitted {
				if _, err := w.provider.take(generate.JobRequest{Job: id, Endpoint: "fal-ai/test", Request: a.Request}); err != nil {
					t.Fatal(err)
				}
			}
			before := w.provider.submitted(id)
			p.mustSubmit(t, a)
			elapse(30 * time.Minute)
			j := finished(t, p, id)
			if j.State != tt.want || (j.Charged > 0) != tt.charged {
				t.Errorf("job is %s (%s) with %d charged, want %s", j.State, j.Failure.Kind, j.Charged, tt.want)
			}
			if h := hold(t, p, id); (h.State == quota.Settled) != tt.charged {
				t.Errorf("hold is %s", h.State)
			}
			if n := w.provider.submitted(id) - before; n != 0 {
				t.Errorf("submitted %d times, want never by itself", n)
			}
		}))
	}
}

// A command that the record says was only received may have been accepted and
// submitted in what the store has lost.
func TestAReceivedJobThatMayHaveBeenSubmittedIsLookedForFirst(t *testing.T) {
	for _, tt := range []struct {
		name      string
		mute      bool // nobody can tell whether it was acknowledged
		submitted bool // before the writes were lost
		want      generate.State
	}{
		{"it was", false, true, generate.Delivered},
		{"it was, and nobody knows of an acknowledgement", true, true, generate.Delivered},
		{"nobody knows it", false, false, generate.Failed},
		{"nobody knows anything", true, false, generate.Failed},
	} {
		t.Run(tt.name, virtual(func(t *testing.T) {
			w := newWorld(t)
			w.channel.mute = tt.mute
			first := w.start(crashAt(0))
			a := ask(t, 1)
			j, err := first.engine.Record(t.Context(), a)
			if err != nil {
				t.Fatal(err)
			}
			if err := first.acknowledge(t.Context(), j.ID); err != nil {
				t.Fatal(err)
			}
			first.kill(t)
			if tt.submitted {
				if _, err := w.provider.take(generate.JobRequest{Job: j.ID, Endpoint: "fal-ai/test", Request: a.Request}); err != nil {
					t.Fatal(err)
				}
			}
			before := w.provider.submitted(j.ID)
			w.worn = func(s generate.Store) generate.Store { return forgetfulStore{s} }
			p := w.run()
			elapse(30 * time.Minute)
			got, h := finished(t, p, j.ID), hold(t, p, j.ID)
			if got.State != tt.want || (h.State == quota.Settled) != tt.submitted {
				t.Errorf("job is %s (%s) and its hold %s, want %s", got.State, got.Failure.Kind, h.State, tt.want)
			}
			if n := w.provider.submitted(j.ID) - before; n != 0 {
				t.Errorf("submitted %d times more", n)
			}
		}))
	}
}

func TestAnOldDoubtfulJobIsLookedForAsLongAsAnother(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.provider.hidden = true
		first := w.start(crashAt(0))
		w.policy.Member.JobsAtATime = 1
		var ids []string
		for n := range 2 { // the second waits for the first
			j := first.mustSubmit(t, ask(t, n))
			ids = append(ids, j.ID)
		}
		first.kill(t)
		elapse(10 * time.Minute)
		if _, err := w.provider.take(generate.JobRequest{Job: ids[1], Endpoint: "fal-ai/test", Request: ask(t, 1).Request}); err != nil {
			t.Fatal(err)
		}
		w.worn = func(s generate.Store) generate.Store { return forgetfulStore{s} }
		p := w.run()
		elapse(time.Minute) // until the history knows it
		w.provider.mu.Lock()
		w.provider.hidden = false
		w.provider.mu.Unlock()
		elapse(10 * time.Minute)
		p.wantEnd(t, ids[1], generate.Delivered)
	})
}

func TestWhoLosesAJobWhileSubmittingPassesTheAnswerOn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.provider.answer, w.provider.hidden = 30*time.Second, true
		p := w.run()
		j := p.mustSubmit(t, ask(t, 1))
		elapse(10 * time.Second)
		var err error
		for { // another process takes it over, and finds it in the middle
			j := p.readJob(t, j.ID)
			j.Owner, j.State = "another process", generate.Unknown
			if _, err = p.store.Save(t.Context(), j, quota.Keep()); !errors.Is(err, generate.ErrConflict) {
				break
			}
		}
		if err != nil {
			t.Fatal(err)
		}
		elapse(5 * time.Minute)
		got := finished(t, p, j.ID)
		if got.State != generate.Delivered || got.Submission.RequestID != w.provider.requestOf(t, j.ID) {
			t.Errorf("job is %s with request %q, want it delivered", got.State, got.Submission.RequestID)
		}
		w.wantSubmits(t, j.ID, 1)
	})
}

// relapsingStore is a store that a failover puts back: it gives an older record,
// and takes no save that was made of a newer one.
type relapsingStore struct {
	generate.Store
	back *atomic.Pointer[generate.Job]
}

func (s relapsingStore) Job(ctx context.Context, id string) (generate.Job, error) {
	if old := s.back.Load(); old != nil {
		return *old, nil
	}
	return s.Store.Job(ctx, id)
}

func (s relapsingStore) Save(ctx context.Context, j generate.Job, b quota.Billing) (generate.Job, error) {
	old := s.back.Load()
	switch {
	case old == nil:
		return s.Store.Save(ctx, j, b)
	case j.Version != old.Version:
		return generate.Job{}, generate.ErrConflict
	}
	now, err := s.Store.Job(ctx, j.ID)
	if err != nil {
		return generate.Job{}, err
	}
	j.Version = now.Version
	s.back.Store(nil)
	return s.Store.Save(ctx, j, b)
}

func (s relapsingStore) Accept(ctx context.Context, j generate.Job, plan quota.Plan) (generate.Job, error) {
	if old := s.back.Load(); old != nil && j.Version != old.Version {
		return *old, generate.ErrExists
	}
	if s.back.Swap(nil) != nil {
		now, err := s.Store.Job(ctx, j.ID)
		if err != nil {
			return generate.Job{}, err
		}
		j.Version = now.Version
	}
	return s.Store.Accept(ctx, j, plan)
}

func (s relapsingStore) Claim(ctx context.Context) (generate.Claim, error) {
	c, err := s.Store.Claim(ctx)
	if old := s.back.Load(); old != nil {
		c.Job, c.Doubtful = *old, true
	}
	return c, err
}

// What the lost notes said was done would be done again: the run ends, and
// whoever claims the job next looks before it does anything.
func TestARunDoesNotGoOnFromAnOlderRecord(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		var back atomic.Pointer[generate.Job]
		w.worn = func(s generate.Store) generate.Store { return relapsingStore{s, &back} }
		p := w.run()
		j := w.deliver(t, p, func(c *fakeChannel) { c.noFiles = true })
		elapse(10 * time.Second)
		now := p.readJob(t, j.ID)
		now.Version--
		now.Notes = nil
		back.Store(&now)
		elapse(5 * time.Minute)
		if now = p.readJob(t, j.ID); !now.Doubted {
			t.Errorf("the run goes on from a record that is older than what it wrote: %+v", now)
		}
	})
}

// A job that is prepared is accepted after its record was put back, too.
func TestAPreparingJobOutlivesAnOlderRecord(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.channel.unprepared = []error{later(10 * time.Second)}
		var back atomic.Pointer[generate.Job]
		w.worn = func(s generate.Store) generate.Store { return relapsingStore{s, &back} }
		p := w.start(crashAt(0))
		j, err := p.engine.Record(t.Context(), ask(t, 1))
		if err != nil {
			t.Fatal(err)
		}
		if j, err = p.engine.Prepare(t.Context(), j); err != nil {
			t.Fatal(err)
		}
		p.kill(t)
		w.channel.unprepared = []error{later(10 * time.Second)}
		p = w.run()
		elapse(time.Second)
		back.Store(&j) // older than what the run has written when it claimed the job
		elapse(10 * time.Minute)
		if j, err = p.store.Job(t.Context(), j.ID); err != nil || !j.State.Terminal() {
			t.Errorf("job is %s, %v, want it over", j.State, err)
		}
	})
}

// againStore hands the first job out again, to the same process, when it is
// told to: so does a server that takes over from one that has failed.
type againStore struct {
	generate.Store
	first chan generate.Claim
	again chan struct{}
	once  *sync.Once
}

func (s againStore) Claim(ctx context.Context) (generate.Claim, error) {
	taken := false
	s.once.Do(func() { taken = true })
	if taken {
		c, err := s.Store.Claim(ctx)
		if err == nil {
			s.first <- c
			c.Lost, c.Done = s.again, func() {}
		}
		return c, err
	}
	select {
	case <-s.again:
	case <-ctx.Done():
		return generate.Claim{}, generate.ErrClosed
	}
	select {
	case c := <-s.first:
		var err error
		c.Job, err = s.Job(ctx, c.Job.ID)
		c.Doubtful = true
		return c, err
	default:
		return s.Store.Claim(ctx)
	}
}

func TestAJobThatIsHandedOutAgainWhileItsVideoIsPostedIsPostedOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		again := make(chan struct{})
		store := againStore{first: make(chan generate.Claim, 1), again: again, once: &sync.Once{}}
		w.worn = func(s generate.Store) generate.Store {
			store.Store = s
			return store
		}
		p := w.run()
		j := w.deliver(t, p, func(c *fakeChannel) { c.slow = time.Minute })
		close(again)
		elapse(5 * time.Minute)
		got, err := p.store.Job(t.Context(), j.ID)
		if err != nil || got.State != generate.Delivered {
			t.Errorf("job is %s, %v, want it delivered", got.State, err)
		}
		w.set(func(c *fakeChannel) {
			if n := c.posts[j.ID]; n != 1 {
				t.Errorf("posted %d times, want once", n)
			}
		})
	})
}

package generate_test

import (
	"context"
	"sync"
	"testing"
	"time"

	"ltxbot/core/generate"
	"ltxbot/core/quota"
	"ltxbot/internal/need"
	"ltxbot/store/storetest"
)

// unfinished is how many jobs are under way when the process dies in
// TestAThousandJobsAreTakenUpAgain.
var unfinished = manyJobs()

func manyJobs() int {
	if need.Thorough() {
		return 1000
	}
	if need.Quick() {
		return 80
	}
	return 200
}

// TestAThousandJobsAreTakenUpAgain starts a process in real time on a store
// full of unfinished jobs, and measures until each of them has been asked
// about at the provider, or shown. It prints the time; the rate limit of 50 calls a
// second allows no less than twenty seconds, and edits make it a little shorter.
func TestAThousandJobsAreTakenUpAgain(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.policy = quota.Policy{}
	w.provider.queue, w.provider.run = time.Hour, time.Hour
	seedJobs(t, w)
	touched := &touches{jobs: map[string]bool{}, all: make(chan struct{})}
	store, err := storetest.OpenFile(w.path, storetest.Options{})
	if err != nil {
		t.Fatal(err)
	}
	began := time.Now()
	engine := generate.New(generate.Config{
		Store: store, Ledger: store,
		Provider: touchedProvider{w.provider, touched},
		Couriers: map[string]generate.Courier{"test": touchedCourier{w.channel, touched}},
		Media:    generate.MediaConfig{Dir: t.TempDir(), MaxBytes: 1 << 20},
		Policy:   func() quota.Policy { return w.policy }, Price: price, GiveUp: 2 * time.Hour,
		Deadline: 20 * time.Minute, Grace: 3 * time.Minute, Owner: "second",
	})
	if err := engine.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	limit := time.NewTimer(5 * time.Minute)
	defer limit.Stop()
	select {
	case <-touched.all:
		t.Logf("%d unfinished jobs were taken up within %s of the start", unfinished, time.Since(began).Round(time.Millisecond))
	case <-limit.C:
		t.Errorf("only %d of %d jobs were taken up within five minutes", touched.count(), unfinished)
	}
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	_ = engine.Stop(gone)
	if err := store.Close(); err != nil {
		t.Error(err)
	}
	for n := range unfinished {
		if got := w.provider.submitted(generate.NewID(ask(t, n).Event)); got > 1 {
			t.Errorf("job %d was submitted %d times", n, got)
		}
	}
}

// seedJobs fills the store with jobs in all states in which a process may die.
func seedJobs(t *testing.T, w *world) {
	t.Helper()
	store, err := storetest.OpenFile(w.path, storetest.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close()
	states := []generate.State{
		generate.Accepted, generate.Submitting, generate.Unknown, generate.Queued, generate.Running, generate.Fetched, generate.Delivering, generate.Failed,
	}
	var group sync.WaitGroup
	for n := range unfinished {
		a := ask(t, n)
		group.Go(func() {
			j := generate.Job{
				ID: generate.NewID(a.Event), State: generate.Accepted, Event: a.Event, Team: "team", Member: "test:1", Place: a.Place,
				Request: a.Request, Endpoint: "fal-ai/test", Estimate: 100, Owner: "first", Created: time.Now(),
			}
			j, err := store.Accept(t.Context(), j, w.policy.Plan(j.ID, a.Asker, j.Estimate, j.Created))
			if err != nil {
				t.Error(err)
				return
			}
			j.State = states[n%len(states)]
			j.Submitted, j.Deadline = time.Now(), time.Now().Add(time.Hour)
			j.Output.URL = "https://media.test/" + j.ID
			if j.State != generate.Accepted && j.State != generate.Submitting && j.State != generate.Unknown {
				s, err := w.provider.Submit(t.Context(), generate.JobRequest{Job: j.ID, Endpoint: j.Endpoint, Request: j.Request})
				if err != nil {
					t.Error(err)
				}
				j.Submission = s
			}
			if _, err := store.Save(t.Context(), j, quota.Keep()); err != nil {
				t.Error(err)
			}
		})
	}
	group.Wait()
}

// touches are the jobs that somebody has seen to.
type touches struct {
	mu   sync.Mutex
	jobs map[string]bool
	all  chan struct{}
}

func (s *touches) touch(id string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.jobs[id] {
		return
	}
	s.jobs[id] = true
	if len(s.jobs) == unfinished {
		close(s.all)
	}
}

func (s *touches) count() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.jobs)
}

type touchedProvider struct {
	*fakeProvider
	seen *touches
}

func (p touchedProvider) Find(ctx context.Context, o generate.JobRequest, since, until time.Time) ([]generate.Submission, error) {
	p.seen.touch(o.Job)
	return p.fakeProvider.Find(ctx, o, since, until)
}

type touchedCourier struct {
	generate.Courier
	seen *touches
}

func (c touchedCourier) Show(ctx context.Context, j generate.Job, keep generate.Keep) error {
	c.seen.touch(j.ID)
	return c.Courier.Show(ctx, j, keep)
}

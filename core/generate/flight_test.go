package generate_test

import (
	"context"
	"fmt"
	"iter"
	"maps"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"ltxbot/core/generate"
	"ltxbot/core/ltx"
	"ltxbot/core/quota"
	"ltxbot/internal/need"
	"ltxbot/store"
	"ltxbot/store/kv/mem"
)

// flight is a provider with many jobs that run, and a conversation that counts.
type flight struct {
	generate.Provider

	mu       sync.Mutex
	ends     map[string]time.Time // by request id
	answer   time.Duration        // how long a status takes
	polled   map[string][]time.Time
	calls    []time.Time // statuses, streams and results
	shown    []time.Time
	noticed  map[string]time.Duration // how long after its end a result was asked for
	now      int                      // statuses under way
	busiest  int
	streams  map[string]bool
	broken   bool            // each stream ends at once
	most     int             // streams at a time
	held     map[string]bool // who had one before the process was stopped
	edits    int             // under way
	editing  int             // most at a time
	editTime time.Duration
}

func newFlight() *flight {
	return &flight{
		ends: map[string]time.Time{}, polled: map[string][]time.Time{},
		noticed: map[string]time.Duration{}, streams: map[string]bool{},
	}
}

func (f *flight) status(id string) generate.Status {
	if time.Now().Before(f.ends[id]) {
		return generate.Status{Phase: generate.PhaseRunning, Position: -1, Percent: -1}
	}
	return generate.Status{Phase: generate.PhaseComplete, Position: -1, Percent: 100, Seconds: 60}
}

func (f *flight) Status(_ context.Context, s generate.Submission) (generate.Status, error) {
	f.mu.Lock()
	f.calls = append(f.calls, time.Now())
	f.polled[s.RequestID] = append(f.polled[s.RequestID], time.Now())
	f.now++
	f.busiest = max(f.busiest, f.now)
	f.mu.Unlock()
	<-time.After(f.answer)
	f.mu.Lock()
	defer f.mu.Unlock()
	f.now--
	return f.status(s.RequestID), nil
}

func (f *flight) Watch(ctx context.Context, s generate.Submission) iter.Seq2[generate.Status, error] {
	return func(yield func(generate.Status, error) bool) {
		f.mu.Lock()
		f.calls = append(f.calls, time.Now())
		f.streams[s.RequestID] = true
		f.most = max(f.most, len(f.streams))
		end := f.ends[s.RequestID]
		f.mu.Unlock()
		defer func() {
			f.mu.Lock()
			defer f.mu.Unlock()
			delete(f.streams, s.RequestID)
		}()
		if f.broken || !yield(generate.Status{Phase: generate.PhaseRunning, Position: -1, Percent: -1}, nil) {
			return
		}
		select {
		case <-time.After(time.Until(end)):
			yield(generate.Status{Phase: generate.PhaseComplete, Position: -1, Percent: 100, Seconds: 60}, nil)
		case <-ctx.Done():
		}
	}
}

func (f *flight) Result(_ context.Context, s generate.Submission) (generate.Result, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.calls = append(f.calls, time.Now())
	f.noticed[s.RequestID] = time.Since(f.ends[s.RequestID])
	return generate.Result{Output: ltx.Output{URL: "https://media.test/" + s.RequestID}}, nil
}

func (f *flight) Show(context.Context, generate.Job, generate.Keep) error {
	f.mu.Lock()
	f.shown = append(f.shown, time.Now())
	f.edits++
	f.editing = max(f.editing, f.edits)
	f.mu.Unlock()
	<-time.After(f.editTime)
	f.mu.Lock()
	defer f.mu.Unlock()
	f.edits--
	return nil
}

func (*flight) OpenInput(context.Context, generate.Job, ltx.Media) (generate.Media, error) {
	return generate.Media{}, generate.ErrGone
}

func (*flight) Acknowledged(context.Context, generate.Job) (bool, error) { return true, nil }

func (*flight) Tell(context.Context, generate.Job, generate.Keep) error { return nil }

func (*flight) Prepare(_ context.Context, j generate.Job) (generate.Job, error) { return j, nil }

func (f *flight) Deliver(context.Context, generate.Job, []generate.Video, generate.Keep) ([]generate.Receipt, error) {
	return []generate.Receipt{{Message: "there"}}, nil
}

// seed records a job that began to run at started, and ends at end.
func (f *flight) seed(t *testing.T, s *store.Store, n int, started, end time.Time) {
	t.Helper()
	a := ask(t, n)
	id := generate.NewID(a.Event)
	j := generate.Job{
		ID: id, State: generate.Accepted, Event: a.Event, Team: "team", Member: fmt.Sprintf("test:%d", n),
		Place: a.Place, Request: a.Request, Endpoint: a.Request.Endpoint(), Estimate: estimate, Created: started,
	}
	j, err := s.Accept(t.Context(), j, quota.Policy{}.Plan(id, quota.Asker{Team: j.Team, Member: j.Member}, estimate, time.Now()))
	if err != nil {
		t.Fatal(err)
	}
	j.State, j.Submitted, j.Started, j.Deadline = generate.Running, started, started, time.Now().Add(24*time.Hour)
	j.Submission = generate.Submission{RequestID: id, Endpoint: j.Endpoint}
	if _, err := s.Save(t.Context(), j, quota.Keep()); err != nil {
		t.Fatal(err)
	}
	f.ends[id] = end
}

// known records past jobs, so that it is known that one takes a minute.
func (f *flight) known(t *testing.T, s *store.Store) {
	t.Helper()
	a := ask(t, -1)
	j := generate.Job{
		ID: generate.NewID(a.Event), State: generate.Accepted, Event: a.Event, Team: "team", Member: "test:1",
		Place: a.Place, Request: a.Request, Endpoint: a.Request.Endpoint(), Estimate: estimate, Created: time.Now().Add(-time.Hour),
	}
	j, err := s.Accept(t.Context(), j, quota.Policy{}.Plan(j.ID, quota.Asker{Team: j.Team, Member: j.Member}, estimate, time.Now()))
	if err != nil {
		t.Fatal(err)
	}
	j.State, j.Shown, j.Seconds = generate.Delivered, generate.Delivered, 60
	if _, err := s.Save(t.Context(), j, quota.Settle(estimate)); err != nil {
		t.Fatal(err)
	}
}

// run starts a process and lets it work for a while.
func (f *flight) run(t *testing.T, s *store.Store, webhooks bool, d time.Duration) {
	t.Helper()
	e := generate.New(generate.Config{
		Store: s, Ledger: s, Provider: f, Couriers: map[string]generate.Courier{"test": f},
		Policy: func() quota.Policy { return quota.Policy{} },
		Price:  price, Webhooks: webhooks,
		Deadline: 24 * time.Hour, Grace: 3 * time.Minute, GiveUp: time.Hour, Owner: "process",
	})
	if err := e.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	elapse(d)
	f.mu.Lock()
	f.held = maps.Clone(f.streams)
	f.mu.Unlock()
	if err := e.Stop(t.Context()); err != nil {
		t.Fatal(err)
	}
}

func newFlightStore(t *testing.T) *store.Store {
	s := store.New(mem.New(time.Now).Open(), store.Options{})
	t.Cleanup(func() { _ = s.Close() })
	return s
}

// busiestSecond is how many of the times lie within a second at most.
func busiestSecond(times []time.Time) int {
	most, first := 0, 0
	for i := range times {
		for times[i].Sub(times[first]) >= time.Second {
			first++
		}
		most = max(most, i-first+1)
	}
	return most
}

func between(times []time.Time, from, to time.Time) int {
	n := 0
	for _, t := range times {
		if !t.Before(from) && t.Before(to) {
			n++
		}
	}
	return n
}

func TestManyJobsShareOneBudget(t *testing.T) {
	need.Speed(t)
	synctest.Test(t, func(t *testing.T) {
		const jobs, lasts = 1_000, 5 * time.Minute
		f, s := newFlight(), newFlightStore(t)
		for n := range jobs {
			f.seed(t, s, n, time.Now(), time.Now().Add(1000*time.Hour))
		}
		began := time.Now()
		f.run(t, s, false, lasts)
		// A tenth of a second may be saved up.
		if n := busiestSecond(f.calls); n > 55 {
			t.Errorf("%d calls at the provider within a second, want 50", n)
		}
		if n := between(f.calls, began, began.Add(time.Minute)); n < 48*60 {
			t.Errorf("%d calls in the first minute, though all jobs want more: want 50 a second", n)
		}
		if n := busiestSecond(f.shown); n > 22 {
			t.Errorf("%d edits within a second, want 20", n)
		}
		if n := between(f.shown, began, began.Add(50*time.Second)); n < 950 {
			t.Errorf("%d edits in the first 50 seconds, though all cards are to be shown: want 20 a second", n)
		}
		if f.most != 64 {
			t.Errorf("%d status streams at a time, want 64", f.most)
		}
		for id, polled := range f.polled {
			last := began
			for _, at := range append(polled, began.Add(lasts)) {
				if gap := at.Sub(last); gap > 2*time.Minute+time.Second {
					t.Fatalf("job %s was not asked about for %s", id, gap)
				}
				last = at
			}
		}
		if len(f.polled) != jobs {
			t.Errorf("%d jobs were asked about, want all", len(f.polled))
		}
	})
}

// TestWhoIsAboutToFinishIsAskedFirst has jobs that are near their expected end
// and ones that have just begun, more of them than can be asked as often as
// they would like.
func TestWhoIsAboutToFinishIsAskedFirst(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f, s := newFlight(), newFlightStore(t)
		f.known(t, s)
		near := map[string]bool{}
		for n := range 600 {
			started := time.Now()
			if n%2 == 0 {
				started = started.Add(-50 * time.Second)
				near[generate.NewID(ask(t, n).Event)] = true
			}
			f.seed(t, s, n, started, time.Now().Add(time.Hour))
		}
		f.run(t, s, false, 30*time.Second)
		var first, rest int
		for id, polled := range f.polled {
			if near[id] {
				first += len(polled)
			} else {
				rest += len(polled)
			}
		}
		for id := range f.held {
			if !near[id] {
				t.Fatalf("a job that has just begun has a stream, and %d others wait", len(near))
			}
		}
		if 2*first < 3*rest { // the first round asks about each once
			t.Errorf("asked %d times about jobs that are about to finish, and %d times about others", first, rest)
		}
	})
}

// TestWebhooksMakePollsRare compares how often a job is asked about with and
// without them.
func TestWebhooksMakePollsRare(t *testing.T) {
	need.Speed(t)
	count := func(webhooks bool) (polls int) {
		synctest.Test(t, func(t *testing.T) {
			f, s := newFlight(), newFlightStore(t)
			for n := range 164 { // 100 of them get no stream
				f.seed(t, s, n, time.Now(), time.Now().Add(time.Hour))
			}
			f.run(t, s, webhooks, 5*time.Minute)
			polls = len(f.calls)
		})
		return polls
	}
	with, without := count(true), count(false)
	if with > without/2 {
		t.Errorf("%d calls with webhooks and %d without", with, without)
	}
}

func TestOnlySoManyCallsAreUnderWay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f, s := newFlight(), newFlightStore(t)
		f.answer, f.editTime = 10*time.Second, 20*time.Second
		f.known(t, s)
		for n := range 200 {
			f.seed(t, s, n, time.Now(), time.Now().Add(1000*time.Hour))
		}
		f.run(t, s, false, time.Minute)
		if f.busiest != 16 {
			t.Errorf("%d statuses were asked for at a time, want 16", f.busiest)
		}
		if f.editing != 64 {
			t.Errorf("%d cards were edited at a time, want 64", f.editing)
		}
	})
}

// TestFinishedJobsAreNoticed is the table of how long it takes until the
// engine knows that a job has ended, with so many in flight that run for 40 to
// 80 seconds and no webhooks.
func TestFinishedJobsAreNoticed(t *testing.T) {
	for _, tt := range []struct {
		jobs    int
		known   bool // how long such jobs run
		streams bool // the status streams say something
		median  time.Duration
		worst   time.Duration
	}{
		{100, false, true, time.Second, 10 * time.Second},
		{100, false, false, 3 * time.Second, 10 * time.Second},
		{100, true, false, 3 * time.Second, 10 * time.Second},
		{500, false, true, time.Second, 15 * time.Second},
		{500, false, false, 10 * time.Second, 40 * time.Second}, // pauses are random: one run in 50 needs more than 30
		{500, true, false, 10 * time.Second, 30 * time.Second},
	} {
		t.Run(fmt.Sprintf("%d jobs, durations known %v, streams %v", tt.jobs, tt.known, tt.streams), func(t *testing.T) {
			if tt.jobs > 100 {
				need.Speed(t)
				need.Spare(t)
			}
			synctest.Test(t, func(t *testing.T) {
				random := rand.New(rand.NewPCG(1, 2))
				f, s := newFlight(), newFlightStore(t)
				f.broken = !tt.streams
				if tt.known {
					f.known(t, s)
				}
				for n := range tt.jobs {
					started := time.Now().Add(time.Duration((random.Float64()*60 - 25) * float64(time.Second)))
					f.seed(t, s, n, started, started.Add(time.Duration(40+random.IntN(40))*time.Second))
				}
				f.run(t, s, false, 6*time.Minute)
				var took []time.Duration
				for _, d := range f.noticed {
					took = append(took, d)
				}
				slices.Sort(took)
				if len(took) != tt.jobs {
					t.Fatalf("%d of %d jobs were noticed", len(took), tt.jobs)
				}
				median, worst := took[len(took)/2], took[len(took)-1]
				t.Logf("median %s, p95 %s, worst %s", median, took[len(took)*95/100], worst)
				if median > tt.median || worst > tt.worst {
					t.Errorf("noticed after %s in the median and %s at worst, want %s and %s", median, worst, tt.median, tt.worst)
				}
			})
		})
	}
}

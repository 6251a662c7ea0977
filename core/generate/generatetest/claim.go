package generatetest

import (
	"context"
	"errors"
	"slices"
	"sync"
	"testing"
	"time"

	"ltxbot/core/generate"
	"ltxbot/core/quota"
)

func testClaim(t *testing.T, h Harness) {
	b := newBench(t, h)
	const jobs, workers, rounds = 30, 8, 3
	for _, id := range names(jobs) {
		b.accept(id, "discord:1")
	}
	ctx, cancel := context.WithTimeout(t.Context(), testTimeout)
	defer cancel()
	var mu sync.Mutex
	claimed := map[string]bool{}
	left := jobs
	var all sync.WaitGroup
	for range workers {
		all.Go(func() {
			for {
				c, err := b.s.Claim(ctx)
				if err != nil {
					return
				}
				mu.Lock()
				if claimed[c.Job.ID] {
					t.Errorf("job %s was handed out to two workers", c.Job.ID)
				}
				claimed[c.Job.ID] = true
				mu.Unlock()

				// A job is put back twice, then finished.
				j := c.Job
				j.Notes = map[string]string{"round": j.Notes["round"] + "+"}
				last := len(j.Notes["round"]) == rounds
				if last {
					j.State, j.Shown = generate.Delivered, generate.Delivered
				}
				if _, err := b.s.Save(ctx, j, quota.Keep()); err != nil {
					t.Errorf("save %s: %v", j.ID, err)
				}
				mu.Lock()
				claimed[j.ID] = false
				if last {
					left--
				}
				if left == 0 {
					cancel()
				}
				mu.Unlock()
				c.Done()
				c.Done() // counts once
			}
		})
	}
	all.Wait()
	if left != 0 {
		t.Errorf("%d of %d jobs were not finished", left, jobs)
	}
}

func testTakeFinished(t *testing.T, h Harness) {
	b := newBench(t, h)
	b.accept("job1", "discord:1")
	c := b.claim()
	if diff := jobDiff(b.job("job1"), c.Job); diff != "" {
		t.Errorf("job that is handed out (-stored +claimed):\n%s", diff)
	}
	select {
	case <-c.Lost:
		t.Error("a fresh claim is lost")
	default:
	}
	b.wantNothingToClaim()
	b.become("job1", generate.Failed, quota.Release()) // over, but not shown yet
	c.Done()
	c = b.claim()
	b.finish("job1")
	c.Done()
	b.wantNothingToClaim()

	// One that was finished by somebody else before it was taken.
	b.accept("job2", "discord:1")
	b.finish("job2")
	b.wantNothingToClaim()
}

func testTakeLookAt(t *testing.T, h Harness) {
	for name, at := range map[string]func(j *generate.Job) *time.Time{
		"its lost submit":     func(j *generate.Job) *time.Time { return &j.LookAt },
		"the provider's copy": func(j *generate.Job) *time.Time { return &j.Purge },
	} {
		t.Run(name, func(t *testing.T) {
			b := newBench(t, h)
			b.accept("job1", "discord:1")
			j := b.job("job1")
			j.State, j.Shown = generate.Failed, generate.Failed
			*at(&j) = noon.Add(time.Hour)
			b.save(j, quota.Release())
			b.s = h.Reopen(t, b.s, b.clock.Now)
			open, err := b.s.Jobs(t.Context(), generate.Query{Unfinished: true})
			if err != nil || len(open) != 1 {
				t.Errorf("%d jobs are unfinished, %v; want the one with something left to do", len(open), err)
			}
			c := b.claim()
			j = c.Job
			*at(&j) = time.Time{}
			b.save(j, quota.Keep())
			c.Done()
			b.wantNothingToClaim()
		})
	}
}

func testTakeRevived(t *testing.T, h Harness) {
	b := newBench(t, h)
	b.accept("job1", "discord:1")
	c := b.claim()
	b.finish("job1")
	c.Done()
	b.become("job1", generate.Queued, quota.Keep()) // a webhook came late
	c = b.claim()
	if c.Job.ID != "job1" || c.Job.State != generate.Queued {
		t.Errorf("took %s in state %s", c.Job.ID, c.Job.State)
	}
	c.Done()

	// Over and alive again while nobody works on it: still one job.
	b.become("job1", generate.Failed, quota.Release())
	j := b.job("job1")
	j.Shown = generate.Failed
	b.save(j, quota.Keep())
	b.become("job1", generate.Queued, quota.Keep())
	c = b.claim()
	b.wantNothingToClaim()
	c.Done()
}

func testChanged(t *testing.T, h Harness) {
	b := newBench(t, h)
	b.team = 1
	b.accept("job1", "discord:1")
	b.accept("job2", "discord:2")
	claims := map[string]generate.Claim{}
	for range 2 {
		c := b.claim()
		defer c.Done()
		claims[c.Job.ID] = c
	}
	first, second := claims["job1"], claims["job2"]

	j := b.job("job1")
	j.Cancel = &generate.CancelRequest{By: "discord:9", At: noon}
	b.save(j, quota.Keep())
	b.save(b.job("job1"), quota.Keep()) // nobody has listened yet: one value is enough
	b.wantSignal(first)

	b.finish("job1")
	b.wantSignal(second)
	if !b.job("job2").Admitted {
		t.Error("change of job2 was signalled before it was admitted")
	}
}

func testTakeEnds(t *testing.T, h Harness) {
	s := h.Open(t, func() time.Time { return noon })
	ctx, cancel := context.WithCancel(t.Context())
	results := make(chan error)
	claim := func(ctx context.Context) {
		_, err := s.Claim(ctx)
		results <- err
	}
	go func() {
		claim(ctx)
		claim(ctx)
		claim(context.WithoutCancel(ctx))
	}()
	cancel()
	for _, when := range []string{"while waiting", "before the call"} {
		if err := <-results; !errors.Is(err, context.Canceled) {
			t.Errorf("context ended %s: got error %v, want context.Canceled", when, err)
		}
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if err := <-results; !errors.Is(err, generate.ErrClosed) {
		t.Errorf("store was closed: got error %v, want ErrClosed", err)
	}
	if err := s.Close(); err != nil {
		t.Errorf("second close: %v", err)
	}
}

func testReopen(t *testing.T, h Harness) {
	b := newBench(t, h)
	b.team = 1
	b.accept("a1", "discord:a")
	b.accept("a2", "discord:a")
	b.accept("b1", "discord:b")
	b.accept("c1", "discord:c")
	done := b.newJob("done", "discord:d")
	done.Team = "globex"
	b.acceptJob(done)
	b.finish("done")
	claim := b.claim() // dies with the process
	before := map[string]generate.Job{}
	for _, id := range []string{"a1", "a2", "b1", "c1", "done"} {
		before[id] = b.job(id)
	}

	b.s = b.h.Reopen(t, b.s, b.clock.Now)
	claim.Done() // of a store that is gone: no effect
	for id, j := range before {
		if diff := jobDiff(j, b.job(id)); diff != "" {
			t.Errorf("job %s (-before +after):\n%s", id, diff)
		}
	}
	for i, id := range []string{"b1", "c1", "a2"} {
		b.wantPlace(id, i+1)
	}
	var taken []string
	for range 4 {
		c := b.claim()
		defer c.Done()
		taken = append(taken, c.Job.ID)
	}
	slices.Sort(taken)
	if want := []string{"a1", "a2", "b1", "c1"}; !slices.Equal(taken, want) {
		t.Errorf("handed out after a restart: got %v, want %v", taken, want)
	}
	b.wantNothingToClaim()
	if _, err := b.tryAccept(b.newJob("a1", "discord:a")); !errors.Is(err, generate.ErrExists) {
		t.Errorf("accept again after a restart: got error %v, want ErrExists", err)
	}
	b.finish("a1")
	b.wantAdmitted(map[string]bool{"a2": false, "b1": true, "c1": false})
	if last := b.accept("d1", "discord:d"); last.Line.Seq <= before["c1"].Line.Seq {
		t.Errorf("a job after the restart arrived as number %d, one before as %d", last.Line.Seq, before["c1"].Line.Seq)
	}
}

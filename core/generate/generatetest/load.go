package generatetest

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"

	"ltxbot/core/generate"
	"ltxbot/core/quota"
	"ltxbot/core/quota/quotatest"
)

// testLoad lets two hundred members ask at once for a budget that is enough
// for some, while workers bring the accepted jobs to their end.
func testLoad(t *testing.T, h Harness) {
	const members, fit, atATime = 200, 60, 7
	b := newBench(t, h)
	b.member, b.team, b.budget = 1, atATime, fit*cost+cost/2
	ctx, cancel := context.WithTimeout(t.Context(), 2*testTimeout)
	defer cancel()

	var accepted, finished, running atomic.Int64
	asked := make(chan struct{}) // closed when nobody asks any more
	var workers, askers sync.WaitGroup
	done := func() {
		select {
		case <-asked:
			if finished.Load() == accepted.Load() {
				cancel()
			}
		default:
		}
	}
	for range 4 {
		workers.Go(func() {
			for {
				c, err := b.s.Claim(ctx)
				if err != nil {
					return
				}
				// Each job has a goroutine, as in the engine: it may wait long.
				workers.Go(func() {
					defer c.Done()
					if err := b.live(ctx, c, &running, atATime); err != nil {
						if ctx.Err() == nil {
							t.Errorf("job %s: %v", c.Job.ID, err)
						}
						return
					}
					finished.Add(1)
					done()
				})
			}
		})
	}
	for i := range members {
		askers.Go(func() {
			_, err := b.tryAccept(b.newJob(fmt.Sprintf("job%d", i), fmt.Sprintf("discord:%d", i)))
			var limit *quota.LimitError
			switch {
			case err == nil:
				accepted.Add(1)
			case !errors.As(err, &limit):
				t.Errorf("accept: %v", err)
			}
		})
	}
	askers.Wait()
	close(asked)
	done()
	workers.Wait()
	if accepted.Load() < fit || finished.Load() != accepted.Load() {
		t.Errorf("%d jobs were accepted and %d finished, want %d or more, and all", accepted.Load(), finished.Load(), fit)
	}
	totals := quotatest.CheckLedger(t, b.s)
	if totals.Held != 0 || totals.Holds != accepted.Load() || totals.Charged > fit*cost {
		t.Errorf("totals with %d jobs: %+v", accepted.Load(), totals)
	}
	open, err := b.s.Jobs(t.Context(), generate.Query{Unfinished: true})
	if err != nil || len(open) != 0 {
		t.Errorf("%d jobs are unfinished, %v; want none", len(open), err)
	}
}

// live waits for a job's turn and brings it to its end; every fifth fails.
func (b *bench) live(ctx context.Context, c generate.Claim, running *atomic.Int64, atATime int64) error {
	j := c.Job
	for !j.Admitted {
		select {
		case <-c.Changed:
		case <-ctx.Done():
			return ctx.Err()
		}
		var err error
		if j, err = b.s.Job(ctx, j.ID); err != nil {
			return err
		}
	}
	if n := running.Add(1); n > atATime {
		b.t.Errorf("%d jobs run at a time, want %d at most", n, atATime)
	}
	steps := []struct {
		state   generate.State
		billing quota.Billing
	}{
		{generate.Submitting, quota.Keep()},
		{generate.Running, quota.Keep()},
		{generate.Fetched, quota.Settle(cost)},
		{generate.Delivered, quota.Keep()},
	}
	if j.Line.Seq%5 == 0 {
		steps = steps[1:3]
		steps[1].state, steps[1].billing = generate.Failed, quota.Release()
	}
	for _, step := range steps {
		// The slot is free as soon as the save is in the store.
		if step.state == generate.Fetched || step.state == generate.Failed {
			running.Add(-1)
		}
		j.State = step.state
		if j.State.Terminal() {
			j.Shown = j.State
		}
		var err error
		if j, err = b.s.Save(ctx, j, step.billing); err != nil {
			return err
		}
	}
	return nil
}

package redis_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"ltxbot/core/generate"
	"ltxbot/core/quota"
	"ltxbot/core/quota/quotatest"
	"ltxbot/internal/flaky"
	"ltxbot/internal/redistest"
	"ltxbot/store/redis"
)

// silence is short, so that takeovers are quick to wait for.
const silence = 900 * time.Millisecond

func TestTwoProcessesShareJobs(t *testing.T) {
	server := redistest.Start(t)
	a := open(t, server.URL(), redis.Options{})
	defer a.Close()
	b := a.another(t)
	const jobs = 100
	accept(t, a, jobs)
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	var mu sync.Mutex
	by := map[string]*opened{}
	count := map[*opened]int{}
	var all sync.WaitGroup
	for _, s := range []*opened{a, b} {
		all.Go(func() {
			for {
				c, err := s.Take(ctx)
				if err != nil {
					return
				}
				mu.Lock()
				if by[c.Job.ID] != nil {
					t.Errorf("job %s was handed out twice", c.Job.ID)
				}
				by[c.Job.ID] = s
				count[s]++
				if len(by) == jobs {
					cancel()
				}
				mu.Unlock()
			}
		})
	}
	all.Wait()
	if len(by) != jobs || count[a] == 0 || count[b] == 0 {
		t.Errorf("%d jobs were handed out, %d and %d; want %d, some to each", len(by), count[a], count[b], jobs)
	}
}

func TestTheJobsOfADeadProcessAreTakenOver(t *testing.T) {
	server := redistest.Start(t)
	proxy := flaky.New(t, server.Addr())
	alive := open(t, server.URL(), redis.Options{Silence: silence})
	defer alive.Close()
	accept(t, alive, 3)
	dead := openAs(t, "redis://"+proxy.Addr(), alive.opts)
	defer dead.Close()
	claims := map[string]generate.Claim{}
	for range 3 {
		c := take(t, dead)
		claims[c.Job.ID] = c
	}
	began := time.Now()
	proxy.Refuse(true)
	proxy.Sever()

	// The successor makes itself the owner, as the engine does.
	for range 3 {
		c := take(t, alive)
		j := c.Job
		j.Owner = "alive"
		if _, err := alive.Save(t.Context(), j, quota.Keep()); err != nil {
			t.Fatal(err)
		}
	}
	if took := time.Since(began); took > 3*silence/2+2*time.Second {
		t.Errorf("takeover took %v with a silence of %v", took, silence)
	}

	// It was not dead, only cut off. What it does now comes too late.
	proxy.Refuse(false)
	stale := claims["job0"].Job
	stale.State = generate.Failed
	if _, err := dead.Save(t.Context(), stale, quota.Release()); !errors.Is(err, generate.ErrConflict) {
		t.Errorf("save of a former owner: got error %v, want ErrConflict", err)
	}
	for id, c := range claims {
		closed(t, "the loss of "+id, c.Lost)
		c.Done() // no claim of its own any more: no effect
	}
	ctx, cancel := context.WithTimeout(t.Context(), 2*silence)
	defer cancel()
	if c, err := dead.Take(ctx); err == nil {
		t.Errorf("job %s is worked on and was handed out", c.Job.ID)
	}
}

func TestAClaimIsKeptAsLongAsItsProcessLives(t *testing.T) {
	server := redistest.Start(t)
	a := open(t, server.URL(), redis.Options{Silence: silence})
	defer a.Close()
	b := a.another(t)
	accept(t, a, 1)
	c := take(t, a)
	defer c.Done()
	ctx, cancel := context.WithTimeout(t.Context(), 3*silence)
	defer cancel()
	if c, err := b.Take(ctx); err == nil {
		t.Errorf("job %s is worked on and was handed out", c.Job.ID)
	}
	select {
	case <-c.Lost:
		t.Error("the claim was lost")
	default:
	}
}

func TestAChangeByAnotherProcessIsSignalled(t *testing.T) {
	server := redistest.Start(t)
	proxy := flaky.New(t, server.Addr())
	a := open(t, server.URL(), redis.Options{Silence: silence})
	defer a.Close()
	accept(t, a, 1)
	holder := openAs(t, "redis://"+proxy.Addr(), a.opts)
	defer holder.Close()
	c := take(t, holder)
	defer c.Done()
	for _, test := range []struct {
		name   string
		before func()
	}{
		{"by a message", func() {}},
		{"by the next beat when the message was lost", proxy.Sever},
	} {
		t.Run(test.name, func(t *testing.T) {
			test.before()
			j, err := a.Job(t.Context(), "job0")
			if err != nil {
				t.Fatal(err)
			}
			j.Cancel = &generate.CancelRequest{By: "discord:9", At: time.Now()}
			if _, err := a.Save(t.Context(), j, quota.Keep()); err != nil {
				t.Fatal(err)
			}
			closed(t, "a value on Changed", c.Changed)
		})
	}
}

func TestTheLimitOfTheBotHoldsAcrossProcessesAndTeams(t *testing.T) {
	server := redistest.Start(t)
	a := open(t, server.URL(), redis.Options{Silence: silence})
	defer a.Close()
	stores := []*opened{a, a.another(t), a.another(t)}
	const jobs, atATime, fit = 40, 3, 25
	policy := quota.Policy{Waiting: jobs, Bot: quota.Limits{
		JobsAtATime: atATime, Windows: []quota.WindowLimit{{Window: quota.Month, USD: fit*cost + cost/2}},
	}}
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	var accepted, refused, running, finished atomic.Int64
	var askers, workers sync.WaitGroup
	for i := range jobs {
		askers.Go(func() {
			j := newJob(fmt.Sprintf("job%d", i), "discord:1")
			j.Team = fmt.Sprintf("team%d", i%9)
			var limit *quota.LimitError
			switch _, err := stores[i%3].Accept(ctx, j, plan(j, policy)); {
			case err == nil:
				accepted.Add(1)
			case errors.As(err, &limit) && limit.Gauge.Scope.Kind == quota.Bot:
				refused.Add(1)
			default:
				t.Errorf("accept %s: %v", j.ID, err)
			}
		})
	}
	askers.Wait()
	if accepted.Load() != fit {
		t.Errorf("%d jobs were accepted and %d refused, want %d and %d", accepted.Load(), refused.Load(), fit, jobs-fit)
	}
	for _, s := range stores {
		workers.Go(func() {
			for {
				c, err := s.Take(ctx)
				if err != nil {
					return
				}
				workers.Go(func() {
					defer c.Done()
					j := c.Job
					for !j.Admitted {
						select {
						case <-c.Changed:
						case <-ctx.Done():
							t.Errorf("job %s was never admitted", j.ID)
							return
						}
						if j, err = s.Job(ctx, j.ID); err != nil {
							t.Errorf("read: %v", err)
							return
						}
					}
					if n := running.Add(1); n > atATime {
						t.Errorf("%d jobs run at a time, want %d at most", n, atATime)
					}
					running.Add(-1)
					j.State, j.Shown = generate.Delivered, generate.Delivered
					if _, err := s.Save(ctx, j, quota.Settle(cost)); err != nil {
						t.Errorf("save: %v", err)
					}
					if finished.Add(1) == accepted.Load() {
						cancel()
					}
				})
			}
		})
	}
	workers.Wait()
	if finished.Load() != fit {
		t.Errorf("%d jobs finished, want %d", finished.Load(), fit)
	}
	quotatest.CheckBooks(t, a)
}

func TestASlotThatIsFreedWhileTheTurnstileIsBlockedIsGivenOutByABeat(t *testing.T) {
	server := redistest.Start(t)
	s := open(t, server.URL(), redis.Options{Silence: silence, Timeout: 200 * time.Millisecond})
	defer s.Close()
	policy := quota.Policy{Waiting: 1, Bot: quota.Limits{JobsAtATime: 1}}
	first, second := newJob("job1", "discord:1"), newJob("job2", "discord:2")
	second.Team = "globex"
	first, err := s.Accept(t.Context(), first, plan(first, policy))
	if err != nil {
		t.Fatal(err)
	}
	if second, err = s.Accept(t.Context(), second, plan(second, policy)); err != nil || second.Admitted {
		t.Fatalf("accept: admitted is %t, %v; want a job that waits", second.Admitted, err)
	}
	// A process has died inside.
	if held, err := s.Acquire(t.Context(), "turnstile", "dead", time.Second); err != nil || !held {
		t.Fatal(held, err)
	}
	first.State = generate.Fetched
	if _, err := s.Save(t.Context(), first, quota.Settle(cost)); err != nil {
		t.Fatal(err)
	}
	waitFor(t, "the second job to be admitted", func() bool {
		j, err := s.Job(t.Context(), "job2")
		return err == nil && j.Admitted && j.Version == 2
	})
}

func TestAJobThatNobodyTakesIsGivenBack(t *testing.T) {
	server := redistest.Start(t)
	a := open(t, server.URL(), redis.Options{Silence: silence})
	defer a.Close()
	b := a.another(t)
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	if _, err := a.Take(ctx); !errors.Is(err, context.DeadlineExceeded) {
		t.Fatalf("take: got error %v, want that time is over", err)
	}
	accept(t, a, 1) // comes to the read that a has still under way
	take(t, b).Done()
}

func TestWhatAdminsDecideCountsAtOnceInEveryProcess(t *testing.T) {
	server := redistest.Start(t)
	a := open(t, server.URL(), redis.Options{})
	defer a.Close()
	b := a.another(t)
	reserve := func(s *opened, id string) error {
		j := newJob(id, "discord:1")
		_, err := s.Reserve(t.Context(), key(j), plan(j, generous))
		return err
	}
	if err := errors.Join(reserve(a, "job1"), reserve(b, "job2")); err != nil {
		t.Fatal(err)
	}
	block := quota.MemberStanding{Blocked: &quota.Block{By: "discord:9", Reason: "spam"}}
	if err := a.PutMemberStanding(t.Context(), "acme", "discord:1", block); err != nil {
		t.Fatal(err)
	}
	var limit *quota.LimitError
	if err := reserve(b, "job3"); !errors.As(err, &limit) || limit.Reason != quota.Blocked {
		t.Errorf("reserve in another process: got error %v, want a refusal of the blocked", err)
	}
	if err := reserve(b, "job2"); err != nil {
		t.Errorf("reserve again for a job that has a hold: %v", err)
	}
	if err := reserve(a, "job2"); err != nil {
		t.Errorf("reserve for a job for which another process has: %v", err)
	}
	if err := a.PutMemberStanding(t.Context(), "acme", "discord:1", quota.MemberStanding{}); err != nil {
		t.Fatal(err)
	}
	if err := reserve(b, "job3"); err != nil {
		t.Errorf("reserve once the block is lifted: %v", err)
	}
}

func TestOneProcessHasALease(t *testing.T) {
	server := redistest.Start(t)
	a := open(t, server.URL(), redis.Options{})
	defer a.Close()
	ctx := t.Context()
	want := func(owner string, ttl time.Duration, want bool) {
		t.Helper()
		if held, err := a.Acquire(ctx, "gateway", owner, ttl); err != nil || held != want {
			t.Errorf("acquire for %s: got %t, %v; want %t", owner, held, err, want)
		}
	}
	want("a", time.Minute, true)
	want("b", time.Minute, false)
	want("a", time.Minute, true) // renews
	if err := a.Release(ctx, "gateway", "b"); err != nil {
		t.Fatal(err)
	}
	want("b", time.Minute, false) // it was not b's to release
	if err := a.Release(ctx, "gateway", "a"); err != nil {
		t.Fatal(err)
	}
	want("b", 50*time.Millisecond, true)
	waitFor(t, "the lease to end", func() bool {
		held, err := a.Acquire(ctx, "gateway", "a", time.Minute)
		return err == nil && held
	})
}

func TestSettingsAreKept(t *testing.T) {
	server := redistest.Start(t)
	a := open(t, server.URL(), redis.Options{})
	defer a.Close()
	b := a.another(t)
	for _, value := range []string{"one", "two", ""} {
		if err := a.PutSetting(t.Context(), "commands", []byte(value)); err != nil {
			t.Fatal(err)
		}
		if got, err := b.Setting(t.Context(), "commands"); err != nil || string(got) != value {
			t.Errorf("setting: got %q, %v; want %q", got, err, value)
		}
	}
	if err := a.PutSetting(t.Context(), "commands", nil); err != nil {
		t.Fatal(err)
	}
	if got, err := b.Setting(t.Context(), "commands"); err != nil || got != nil {
		t.Errorf("setting that was removed: got %q, %v; want nil", got, err)
	}
}

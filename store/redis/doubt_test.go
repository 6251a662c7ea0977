package redis_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"ltxbot/core/generate"
	"ltxbot/core/quota"
	"ltxbot/internal/flaky"
	"ltxbot/internal/redistest"
	"ltxbot/store/redis"
)

// own saves a claimed job as the work of a process.
func own(t *testing.T, s *opened, c generate.Claim) generate.Job {
	t.Helper()
	return saved(t, s, c.Job, quota.Keep(), func(j *generate.Job) { j.Owner = s.url })
}

// leaveAlone cuts a process off for good.
func leaveAlone(network *flaky.Proxy) {
	network.Refuse(true)
	network.Sever()
}

// taking waits for a job in the background.
func taking(t *testing.T, s *opened) <-chan generate.Claim {
	t.Helper()
	taken := make(chan generate.Claim, 1)
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	t.Cleanup(cancel)
	go func() {
		defer close(taken)
		if c, err := s.Take(ctx); err == nil {
			taken <- c
		}
	}()
	return taken
}

// submitting is a job of which the record of its submit is lost: accepted by
// one process, and begun by another one.
func submitting(t *testing.T, p *pair, accepter, worker *opened) {
	t.Helper()
	accept(t, accepter, 1)
	p.cut()
	saved(t, worker, own(t, worker, take(t, worker)), quota.Keep(), func(j *generate.Job) { j.State = generate.Submitting })
}

func TestWhoOnlyAcceptedAJobDoesNotVouchForIt(t *testing.T) {
	p := newPair(t)
	opts := failoverOptions()
	accepter, _ := p.process(opts)
	worker, network := p.process(opts)
	submitting(t, p, accepter, worker)
	leaveAlone(network)
	taken := taking(t, accepter)
	p.fail()
	if c := <-taken; c.Job.ID != "job0" || !c.Doubtful {
		t.Errorf("took %q as %s, doubtful %t; want job0 with doubt", c.Job.ID, c.Job.State, c.Doubtful)
	}
}

func TestAPressedButtonDoesNotEndADoubt(t *testing.T) {
	p := newPair(t)
	opts := failoverOptions()
	worker, network := p.process(opts)
	other, _ := p.process(opts)
	submitting(t, p, worker, worker)
	leaveAlone(network)
	taken := taking(t, other)
	p.fail()
	waitFor(t, "the press to be saved", func() bool {
		j, err := other.Job(t.Context(), "job0")
		if err == nil {
			j.Notes = map[string]string{"token": "fresh"}
			_, err = other.Save(t.Context(), j, quota.Keep())
		}
		return err == nil
	})
	if c := <-taken; c.Job.ID != "job0" || !c.Doubtful {
		t.Errorf("took %q as %s, doubtful %t; want job0 with doubt", c.Job.ID, c.Job.State, c.Doubtful)
	}
}

func TestAChangeByAnotherProcessIsPutBackAfterTheWorkersOwn(t *testing.T) {
	p := newPair(t)
	opts := failoverOptions()
	worker, _ := p.process(opts)
	other, network := p.process(opts)
	accept(t, worker, 1)
	own(t, worker, take(t, worker))
	p.cut()
	j, err := other.Job(t.Context(), "job0")
	if err != nil {
		t.Fatal(err)
	}
	saved(t, other, j, quota.Keep(), func(j *generate.Job) { j.Cancel = &generate.CancelRequest{By: "discord:1"} })
	network.Refuse(true)
	p.fail()
	stored(t, worker, "job0", generate.Accepted) // the worker is there first
	network.Refuse(false)
	waitFor(t, "the cancel to be kept again", func() bool {
		j, err := worker.Job(t.Context(), "job0")
		return err == nil && j.Cancel != nil
	})
}

func TestASlotThatIsFreedByWhatIsPutBackGoesToTheNext(t *testing.T) {
	p := newPair(t)
	s, _ := p.process(failoverOptions())
	policy := quota.Policy{Member: quota.Limits{JobsAtATime: 1}, Waiting: 5}
	for n := range 2 {
		j := newJob(fmt.Sprintf("job%d", n), "discord:1")
		if _, err := s.Accept(t.Context(), j, plan(j, policy)); err != nil {
			t.Fatal(err)
		}
	}
	jobs := map[string]generate.Job{}
	for range 2 {
		j := own(t, s, take(t, s))
		jobs[j.ID] = j
	}
	p.cut()
	saved(t, s, jobs["job0"], quota.Settle(cost), func(j *generate.Job) { j.State, j.Shown = generate.Delivered, generate.Delivered })
	p.fail()
	waitFor(t, "the other job to be admitted", func() bool {
		j, err := s.Job(t.Context(), "job1")
		return err == nil && j.Admitted
	})
}

// A server that only writes snapshots may come up twice as the same.
func TestAnEraThatIsLostIsNotTakenForTheNext(t *testing.T) {
	server := redistest.New(t, "--save", "3600 1")
	server.Start()
	s := open(t, server.URL(), redis.Options{Silence: silence})
	defer s.Close()
	accept(t, s, 1)
	j := own(t, s, take(t, s))
	server.CLI("SAVE")
	for _, state := range []generate.State{generate.Submitting, generate.Queued, generate.Running} {
		server.Kill()
		server.Start()
		waitFor(t, "a save as "+string(state), func() bool {
			next := j
			next.State = state
			got, err := s.Save(t.Context(), next, quota.Keep())
			if err == nil {
				j = got
			}
			return err == nil
		})
	}
	stored(t, s, "job0", generate.Running)
}

func TestAProcessPutsBackItsJobsAlsoWhenAnotherOneIsFirst(t *testing.T) {
	server := redistest.New(t, "--save", "")
	server.Start()
	network := flaky.New(t, server.Addr())
	s := open(t, "redis://"+network.Addr(), redis.Options{Silence: silence})
	defer s.Close()
	accept(t, s, 1)
	saved(t, s, own(t, s, take(t, s)), quota.Keep(), func(j *generate.Job) { j.State = generate.Queued })
	network.Refuse(true)
	server.Kill()
	server.Start()
	newcomer := openAs(t, server.URL(), s.opts)
	defer newcomer.Close()
	network.Refuse(false)
	stored(t, newcomer, "job0", generate.Queued)
}

func TestWhoOnlyAcceptedAJobDoesNotVouchForItWhenEverythingIsLost(t *testing.T) {
	server := redistest.New(t, "--save", "")
	server.Start()
	accepter := open(t, server.URL(), redis.Options{Silence: silence})
	defer accepter.Close()
	network := flaky.New(t, server.Addr())
	worker := openAs(t, "redis://"+network.Addr(), accepter.opts)
	defer worker.Close()
	accept(t, accepter, 1)
	saved(t, worker, own(t, worker, take(t, worker)), quota.Keep(), func(j *generate.Job) { j.State = generate.Submitting })
	leaveAlone(network)
	server.Kill()
	server.Start()
	if c := take(t, accepter); c.Job.ID != "job0" || !c.Doubtful {
		t.Errorf("took %q as %s, doubtful %t; want job0 with doubt", c.Job.ID, c.Job.State, c.Doubtful)
	}
}

func TestASaveByAUserWithoutChannelsIsWhole(t *testing.T) {
	server := redistest.Start(t)
	server.CLI("ACL", "SETUSER", "ltx", "on", ">pw", "~*", "+@all", "resetchannels")
	s := open(t, "redis://ltx:pw@"+server.Addr(), redis.Options{Silence: silence})
	defer s.Close()
	accept(t, s, 1)
	c := take(t, s)
	saved(t, s, c.Job, quota.Settle(cost), func(j *generate.Job) { j.State, j.Shown = generate.Delivered, generate.Delivered })
	wantTotals(t, s, quota.Totals{Holds: 1, Reserved: cost, Settled: cost, Charged: cost})
}

func TestABudgetIsNotEmptyForLongAfterTheClockWasSetBack(t *testing.T) {
	server := newStoppedServer(t)
	s := open(t, server.url(), redis.Options{})
	defer s.Close()
	const every, burst = 25 * time.Millisecond, 2
	for range burst {
		spend(t, s, "edits", every, burst, 0)
	}
	if err := s.HoldBack(t.Context(), "others", every, burst, time.Second); err != nil {
		t.Fatal(err)
	}
	server.now = server.now.Add(-time.Hour)
	server.SetTime(server.now)
	for name, most := range map[string]time.Duration{"edits": burst * every, "others": time.Second + burst*every} {
		if wait, _ := spend(t, s, name, every, burst, 0); wait > most {
			t.Errorf("%s: there is none for %v, want at most %v", name, wait, most)
		}
	}
}

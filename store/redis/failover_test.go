package redis_test

import (
	"errors"
	"strconv"
	"strings"
	"testing"
	"time"

	"ltxbot/core/generate"
	"ltxbot/core/quota"
	"ltxbot/internal/flaky"
	"ltxbot/internal/redistest"
	"ltxbot/store/redis"
)

// pair is a master with a replica that is cut off at some moment and promoted
// later: what was written in between is lost.
type pair struct {
	t               *testing.T
	master, replica *redistest.Server
	proxies         []*flaky.Proxy
}

func newPair(t *testing.T) *pair {
	t.Helper()
	p := &pair{t: t, master: redistest.Start(t)}
	p.replica = redistest.Start(t, "--replicaof", "127.0.0.1 "+strconv.Itoa(p.master.Port))
	waitFor(t, "the replica to follow", func() bool {
		return strings.Contains(p.replica.CLI("INFO", "replication"), "master_link_status:up")
	})
	return p
}

// process opens a store of its own network.
func (p *pair) process(opts redis.Options) (*opened, *flaky.Proxy) {
	p.t.Helper()
	proxy := flaky.New(p.t, p.master.Addr())
	p.proxies = append(p.proxies, proxy)
	s := openAs(p.t, "redis://"+proxy.Addr(), opts)
	p.t.Cleanup(func() { _ = s.Close() })
	return s, proxy
}

// cut ends the replication, when the replica has what was written so far.
func (p *pair) cut() {
	p.t.Helper()
	p.master.Replicated(p.replica)
	p.replica.CLI("REPLICAOF", "NO", "ONE")
}

// fail lets the replica take the place of the master.
func (p *pair) fail() {
	p.master.Kill()
	for _, proxy := range p.proxies {
		proxy.Lead(p.replica.Addr())
	}
}

// failoverOptions are those of processes that share a store in these tests.
func failoverOptions() redis.Options {
	return redis.Options{Silence: silence, Prefix: "t" + strconv.FormatInt(prefixes.Add(1), 10)}
}

// saved saves a change of j.
func saved(t *testing.T, s *opened, j generate.Job, b quota.Billing, change func(*generate.Job)) generate.Job {
	t.Helper()
	change(&j)
	j, err := s.Save(t.Context(), j, b)
	if err != nil {
		t.Fatalf("save %s: %v", j.ID, err)
	}
	return j
}

// stored waits until a job is kept in a state.
func stored(t *testing.T, s *opened, id string, want generate.State) generate.Job {
	t.Helper()
	var j generate.Job
	waitFor(t, id+" to be kept as "+string(want), func() bool {
		var err error
		j, err = s.Job(t.Context(), id)
		return err == nil && j.State == want
	})
	return j
}

func TestAProcessPutsBackWhatAFailoverHasLost(t *testing.T) {
	p := newPair(t)
	s, _ := p.process(failoverOptions())
	accept(t, s, 3)
	claims := map[string]generate.Claim{}
	for range 3 {
		c := take(t, s)
		claims[c.Job.ID] = c
	}
	p.cut()
	const paid = 90_000
	queued := saved(t, s, claims["job0"].Job, quota.Keep(), func(j *generate.Job) {
		j.State, j.Submission.RequestID = generate.Queued, "request 0"
	})
	saved(t, s, claims["job1"].Job, quota.Settle(paid), func(j *generate.Job) {
		j.State, j.Shown = generate.Delivered, generate.Delivered
	})
	claims["job1"].Done()
	late := newJob("late", "discord:9")
	if _, err := s.Accept(t.Context(), late, plan(late, generous)); err != nil {
		t.Fatal(err)
	}
	c := take(t, s)
	if c.Job.ID != "late" {
		t.Fatalf("took %s, want the late job", c.Job.ID)
	}
	saved(t, s, c.Job, quota.Keep(), func(j *generate.Job) { j.State = generate.Running })
	p.fail()

	if j := stored(t, s, "job0", generate.Queued); j.Submission.RequestID != "request 0" {
		t.Errorf("job0 is kept with request %q", j.Submission.RequestID)
	}
	stored(t, s, "job1", generate.Delivered)
	stored(t, s, "late", generate.Running)
	saved(t, s, queued, quota.Keep(), func(j *generate.Job) { j.State = generate.Running })
	wantTotals(t, s, quota.Totals{Holds: 4, Reserved: 4 * cost, Held: 3 * cost, Settled: cost, Charged: paid})

	// The entry of the late job is gone: it is handed out again as it is.
	again := take(t, s)
	if again.Job.ID != "late" || again.Job.State != generate.Running || again.Doubtful {
		t.Errorf("took %s as %s, doubtful %t; want the late job as it was", again.Job.ID, again.Job.State, again.Doubtful)
	}
	for _, id := range []string{"job0", "job2"} {
		select {
		case <-claims[id].Lost:
			t.Errorf("the claim of %s is lost", id)
		default:
		}
	}
}

func TestWhatNobodyKnowsAfterAFailoverIsDoubtful(t *testing.T) {
	p := newPair(t)
	opts := failoverOptions()
	dead, network := p.process(opts)
	accept(t, dead, 3)
	claims := map[string]generate.Claim{}
	for range 3 {
		c := take(t, dead)
		claims[c.Job.ID] = c
	}
	lost := saved(t, dead, claims["job0"].Job, quota.Keep(), func(j *generate.Job) { j.Owner = "dead" })
	saved(t, dead, claims["job1"].Job, quota.Keep(), func(j *generate.Job) { j.State = generate.Queued })
	alive, _ := p.process(opts)
	p.cut()
	lost = saved(t, dead, lost, quota.Keep(), func(j *generate.Job) { j.State = generate.Submitting })
	network.Refuse(true)
	network.Sever()
	p.fail()

	taken := map[string]generate.Claim{}
	for range 3 {
		c := take(t, alive)
		taken[c.Job.ID] = c
		if !c.Doubtful {
			t.Errorf("%s is handed out as %s without doubt", c.Job.ID, c.Job.State)
		}
	}
	for id, want := range map[string]generate.State{"job0": generate.Accepted, "job1": generate.Queued, "job2": generate.Accepted} {
		if got := taken[id].Job.State; got != want {
			t.Errorf("%s is handed out as %s, want %s", id, got, want)
		}
	}
	successor := saved(t, alive, taken["job0"].Job, quota.Keep(), func(j *generate.Job) { j.State, j.Doubted = generate.Unknown, true })

	// It was not dead, only cut off for long.
	network.Refuse(false)
	closed(t, "the old claim to be lost", claims["job0"].Lost)
	lost.State = generate.Queued
	if _, err := dead.Save(t.Context(), lost, quota.Keep()); !errors.Is(err, generate.ErrConflict) {
		t.Errorf("save over the successor's work: got error %v, want ErrConflict", err)
	}
	if j := stored(t, alive, "job0", generate.Unknown); j.Version != successor.Version {
		t.Errorf("job0 has version %d, want the successor's %d", j.Version, successor.Version)
	}
	taken["job0"].Done()
	if c := take(t, dead); c.Job.ID != "job0" || c.Doubtful {
		t.Errorf("took %s, doubtful %t; want job0, of which all is known again", c.Job.ID, c.Doubtful)
	}
	wantTotals(t, alive, quota.Totals{Holds: 3, Reserved: 3 * cost, Held: 3 * cost})
}

func TestNothingOldIsChangedWhileSomebodyMayKnowMore(t *testing.T) {
	p := newPair(t)
	opts := failoverOptions()
	opts.Timeout = silence / 3
	dead, network := p.process(opts)
	accept(t, dead, 1)
	c := take(t, dead)
	alive, _ := p.process(opts)
	p.cut()
	network.Refuse(true)
	network.Sever()
	p.fail()
	// A first command finds the new server, and begins the era.
	old := stored(t, alive, "job0", generate.Accepted)
	old.Notes = map[string]string{"pressed": "yes"}
	if _, err := alive.Save(t.Context(), old, quota.Keep()); !errors.Is(err, redis.ErrUnavailable) {
		t.Errorf("save while the holder may know more: got error %v, want ErrUnavailable", err)
	}
	j := newJob("new", "discord:1")
	if _, err := alive.Accept(t.Context(), j, plan(j, generous)); !errors.Is(err, redis.ErrUnavailable) {
		t.Errorf("accept of what may have been accepted: got error %v, want ErrUnavailable", err)
	}
	network.Refuse(false) // the holder is back, and says what it knows
	waitFor(t, "a save", func() bool {
		j, err := alive.Job(t.Context(), "job0")
		if err == nil {
			j.Notes = old.Notes
			_, err = alive.Save(t.Context(), j, quota.Keep())
		}
		return err == nil
	})
	waitFor(t, "an accept", func() bool {
		_, err := alive.Accept(t.Context(), j, plan(j, generous))
		return err == nil || errors.Is(err, generate.ErrExists)
	})
	select {
	case <-c.Lost:
		t.Error("the holder has lost its claim")
	case <-time.After(silence):
	}
	if c := take(t, alive); c.Job.ID != "new" || c.Doubtful {
		t.Errorf("took %s, doubtful %t; want the new job", c.Job.ID, c.Doubtful)
	}
}

func TestAProcessPutsBackItsJobsOnAServerThatHasLostEverything(t *testing.T) {
	server := redistest.New(t, "--save", "")
	server.Start()
	s := open(t, server.URL(), redis.Options{Silence: silence})
	defer s.Close()
	accept(t, s, 2)
	c := take(t, s)
	saved(t, s, c.Job, quota.Keep(), func(j *generate.Job) { j.State, j.Submission.RequestID = generate.Queued, "request" })
	server.Kill()
	server.Start()
	waitFor(t, "both jobs to be kept again", func() bool {
		jobs, err := s.Jobs(t.Context(), generate.Query{Unfinished: true})
		return err == nil && len(jobs) == 2
	})
	if j := stored(t, s, c.Job.ID, generate.Queued); j.Submission.RequestID != "request" {
		t.Errorf("%s is kept with request %q", j.ID, j.Submission.RequestID)
	}
	for range 2 {
		take(t, s)
	}
	wantTotals(t, s, quota.Totals{Holds: 2, Reserved: 2 * cost, Held: 2 * cost})
}

package store_test

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"ltxbot/core/generate"
	"ltxbot/core/quota"
	"ltxbot/core/quota/quotatest"
	"ltxbot/core/usd"
	"ltxbot/internal/flaky"
	"ltxbot/internal/need"
	"ltxbot/internal/redistest"
	"ltxbot/internal/until"
	"ltxbot/store"
	"ltxbot/store/redis"
)

// servers are a master with a replica that is cut off at some moment and
// promoted later: what was written in between is lost.
type servers struct {
	t               *testing.T
	master, replica *redistest.Server
	proxies         []*flaky.Proxy
}

func newServers(t *testing.T) *servers {
	t.Helper()
	s := &servers{t: t, master: redistest.Start(t)}
	s.replica = redistest.Start(t, "--replicaof", "127.0.0.1 "+strconv.Itoa(s.master.Port))
	until.True(t, "the replica follows", func() bool {
		return strings.Contains(s.replica.CLI("INFO", "replication"), "master_link_status:up")
	})
	return s
}

// process is a process with a network of its own.
func (s *servers) process() (*store.Store, *flaky.Proxy) {
	s.t.Helper()
	proxy := flaky.New(s.t, s.master.Addr())
	s.proxies = append(s.proxies, proxy)
	return openRedis(s.t, proxy, 10*time.Second), proxy
}

// openRedis opens the store as one more process. A busy machine has longer to answer
// than three seconds; how long a process waits for its server depends on it, too.
func openRedis(t *testing.T, proxy *flaky.Proxy, within time.Duration) *store.Store {
	t.Helper()
	e, err := redis.Open(t.Context(), "redis://"+proxy.Addr(), redis.Options{Logger: quiet, Timeout: within})
	if err != nil {
		t.Fatal(err)
	}
	o := store.New(e, store.Options{Logger: quiet})
	t.Cleanup(func() { _ = o.Close() })
	return o
}

// cut ends the replication, when the replica has what was written so far.
func (s *servers) cut() {
	s.master.Replicated(s.replica)
	s.replica.CLI("REPLICAOF", "NO", "ONE")
}

// fail lets the replica take the place of the master.
func (s *servers) fail() {
	s.master.Kill()
	for _, proxy := range s.proxies {
		proxy.Lead(s.replica.Addr())
	}
}

const cost = 120_000 * usd.Micros(1)

// ask accepts a job, each of another member.
func ask(t *testing.T, s *store.Store, id string) generate.Job {
	t.Helper()
	j := generate.Job{
		ID: id, State: generate.Accepted, Event: "discord:" + id, Team: "acme", Member: "discord:" + id, Estimate: cost, Created: time.Now().UTC(),
	}
	j, err := s.Accept(t.Context(), j, planOf(j))
	if err != nil {
		t.Fatalf("accept %s: %v", id, err)
	}
	return j
}

func planOf(j generate.Job) quota.Plan {
	return quota.Policy{}.Plan(j.ID, quota.Asker{Team: j.Team, Member: j.Member}, j.Estimate, j.Created)
}

func claimed(t *testing.T, s *store.Store) generate.Claim {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	c, err := s.Claim(ctx)
	if err != nil {
		t.Fatalf("take: %v", err)
	}
	return c
}

// saveAs saves a job in a state.
func saveAs(t *testing.T, s *store.Store, j generate.Job, state generate.State, b quota.Billing) generate.Job {
	t.Helper()
	if j.State = state; state.Terminal() {
		j.Shown = state
	}
	j, err := s.Save(t.Context(), j, b)
	if err != nil {
		t.Fatalf("save %s as %s: %v", j.ID, state, err)
	}
	return j
}

func TestAnOwnerWritesAgainWhatAFailoverHasLost(t *testing.T) {
	t.Parallel()
	p := newServers(t)
	s, _ := p.process()
	owned := map[string]generate.Job{}
	for _, id := range []string{"job0", "job1"} {
		ask(t, s, id)
	}
	for range 2 {
		c := claimed(t, s)
		owned[c.Job.ID] = c.Job
	}
	p.cut()
	queued := saveAs(t, s, owned["job0"], generate.Queued, quota.Keep())
	ask(t, s, "late")
	late := saveAs(t, s, claimed(t, s).Job, generate.Running, quota.Keep())
	ask(t, s, "idle")
	idle := claimed(t, s)
	p.fail()

	// Nobody saves the idle job any more: its claim is lost with the stream.
	select {
	case <-idle.Lost:
	case <-time.After(30 * time.Second):
		t.Fatal("the claim is not lost that the server does not know")
	}
	idle.Done()
	again := claimed(t, s)
	if again.Job.ID != "idle" || again.Job.State != generate.Accepted || !again.Doubtful {
		t.Errorf("took %s as %s, doubtful %t; want the idle job, written again, with doubt", again.Job.ID, again.Job.State, again.Doubtful)
	}

	// The last two saves are gone, and the record of the late job.
	saveAs(t, s, queued, generate.Running, quota.Keep())
	saveAs(t, s, late, generate.Delivered, quota.Settle(cost))
	saveAs(t, s, owned["job1"], generate.Failed, quota.Release())
	for id, want := range map[string]generate.State{"job0": generate.Running, "job1": generate.Failed, "late": generate.Delivered} {
		if j, err := s.Job(t.Context(), id); err != nil || j.State != want {
			t.Errorf("%s is %s, %v; want %s", id, j.State, err, want)
		}
	}
	// The hold of the late job is the one counter that is not put back.
	want := quota.Totals{Holds: 2, Reserved: 2 * cost, Held: cost, Released: cost}
	if got := quotatest.CheckLedger(t, s); got != want {
		t.Errorf("totals: %+v, want %+v", got, want)
	}
}

func TestAJobOfBeforeAFailoverIsHandedOutAsDoubtful(t *testing.T) {
	t.Parallel()
	need.Spare(t) // the dead process is waited for
	p := newServers(t)
	dead, network := p.process()
	ask(t, dead, "job0")
	c := claimed(t, dead)
	alive, _ := p.process()
	p.cut()
	queued := saveAs(t, dead, c.Job, generate.Queued, quota.Keep())
	network.Refuse(true)
	network.Sever()
	p.fail()

	taken := claimed(t, alive)
	if taken.Job.ID != "job0" || taken.Job.State != generate.Accepted || !taken.Doubtful {
		t.Fatalf("took %s as %s, doubtful %t; want job0 as it was accepted, with doubt", taken.Job.ID, taken.Job.State, taken.Doubtful)
	}
	j := taken.Job
	j.Doubted = true
	saveAs(t, alive, j, generate.Unknown, quota.Keep())
	ask(t, alive, "new")
	if c := claimed(t, alive); c.Job.ID != "new" || c.Doubtful {
		t.Errorf("took %s, doubtful %t; want the new job without doubt", c.Job.ID, c.Doubtful)
	}

	// It was not dead, only cut off for long: its claim is lost, and it changes
	// nothing.
	network.Refuse(false)
	select {
	case <-c.Lost:
	case <-time.After(30 * time.Second):
		t.Fatal("the old claim is not lost")
	}
	c.Done()
	if _, err := dead.Save(t.Context(), queued, quota.Keep()); !errors.Is(err, generate.ErrConflict) {
		t.Errorf("save over the successor's work: %v, want ErrConflict", err)
	}
	taken.Done()
	if c := claimed(t, dead); c.Job.ID != "job0" || c.Doubtful {
		t.Errorf("took %s, doubtful %t; want job0, which was looked for", c.Job.ID, c.Doubtful)
	}
}

func TestARestartOfRedisLosesNothing(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t, "--appendfsync", "always")
	s := openRedis(t, flaky.New(t, server.Addr()), 10*time.Second)
	claims := map[string]generate.Claim{}
	for i := range 20 {
		ask(t, s, fmt.Sprint("job", i))
	}
	for range 10 {
		c := claimed(t, s)
		claims[c.Job.ID] = c
	}
	server.Kill()
	var taker sync.WaitGroup
	found := make(chan generate.Claim, 10)
	taker.Go(func() { // waits through the outage
		ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
		defer cancel()
		for range 10 {
			c, err := s.Claim(ctx)
			if err != nil {
				t.Errorf("take: %v", err)
				break
			}
			found <- c
		}
		close(found)
	})
	soon, cancel := context.WithTimeout(t.Context(), time.Second)
	defer cancel()
	if _, err := s.Job(soon, "job0"); !errors.Is(err, redis.ErrUnavailable) {
		t.Errorf("read while Redis is away: got error %v, want ErrUnavailable", err)
	}
	server.Start()
	for c := range found {
		if _, twice := claims[c.Job.ID]; twice {
			t.Errorf("job %s was handed out twice", c.Job.ID)
		}
		claims[c.Job.ID] = c
	}
	taker.Wait()
	for id, c := range claims {
		select {
		case <-c.Lost:
			t.Errorf("claim of %s is lost", id)
		default:
		}
		saveAs(t, s, c.Job, generate.Delivered, quota.Settle(cost))
		c.Done()
	}
	want := quota.Totals{Holds: 20, Reserved: 20 * cost, Settled: 20 * cost, Charged: 20 * cost}
	if got := quotatest.CheckLedger(t, s); got != want {
		t.Errorf("totals: %+v, want %+v", got, want)
	}
}

func TestSumsAreExactWhenEveryFourthReplyIsLost(t *testing.T) {
	t.Parallel()
	proxy := flaky.New(t, redistest.Start(t).Addr())
	s := openRedis(t, proxy, time.Minute)
	const jobs = 60
	proxy.LoseEvery(4)
	var all sync.WaitGroup
	for i := range jobs {
		all.Go(func() {
			j := generate.Job{
				ID: fmt.Sprint("job", i), State: generate.Accepted, Team: fmt.Sprint("team", i%3), Member: fmt.Sprintf("discord:%d", i%7),
				Estimate: cost, Created: time.Now(),
			}
			j, err := s.Accept(t.Context(), j, planOf(j))
			if err != nil || j.Version != 1 {
				t.Errorf("accept %s: version %d, %v", j.ID, j.Version, err)
				return
			}
			j.State, j.Shown = generate.Delivered, generate.Delivered
			if _, err := s.Save(t.Context(), j, quota.Settle(cost)); err != nil {
				t.Errorf("save %s: %v", j.ID, err)
			}
		})
	}
	all.Wait()
	proxy.LoseEvery(0)
	want := quota.Totals{Holds: jobs, Reserved: jobs * cost, Settled: jobs * cost, Charged: jobs * cost}
	if got := quotatest.CheckLedger(t, s); got != want {
		t.Errorf("totals: %+v, want %+v", got, want)
	}
}

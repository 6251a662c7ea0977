package slack_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strconv"
	"testing"
	"testing/synctest"
	"time"

	"ltxbot/bot/adapter"
	"ltxbot/bot/slack"
	"ltxbot/core/generate"
	"ltxbot/internal/redistest"
	sim "ltxbot/sim/slack"
	"ltxbot/store/kv/mem"
	"ltxbot/store/redis"
)

// openEngine opens the database at url as one more process.
func openEngine(t *testing.T, url string) *redis.Engine {
	t.Helper()
	s, err := redis.Open(t.Context(), url, redis.Options{Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

// crowd is several bots in one workspace, each with jobs of its own.
type crowd struct {
	*stage
	bots []*slack.Bot
	jobs [][]generate.Job // of each bot
}

// newCrowd makes a bot for each meter, each with so many jobs that have a card.
func newCrowd(t *testing.T, clock *sim.Clock, jobs int, meters ...adapter.Meter) *crowd {
	t.Helper()
	c := &crowd{stage: newStageWith(t, sim.Options{Clock: clock})}
	for _, m := range meters {
		c.cfg.Meter = m
		c.bots = append(c.bots, c.newBot())
		c.jobs = append(c.jobs, nil)
	}
	for n := range jobs * len(meters) {
		j := c.ask(cowboy)
		which := n % len(meters)
		for c.showBy(which, j.ID, generate.Accepted) != nil {
			c.sim.Advance(time.Second)
		}
		c.jobs[which] = append(c.jobs[which], j)
		c.sim.Advance(time.Second)
	}
	return c
}

// showBy lets a bot show a job in a state, with news in it.
func (c *crowd) showBy(which int, id string, state generate.State) error {
	j := c.engine.Put(id, func(j *generate.Job) {
		j.State = state
		j.Progress.Percent++
	})
	return c.bots[which].Courier().Show(c.ctx, j, c.engine.Keep(id))
}

// work lets all bots show their jobs for a while, as their engines would: each
// job when it is due, at most every three seconds. pass lets time pass.
func (c *crowd) work(span time.Duration, pass func(time.Duration)) (edits map[string]int) {
	c.t.Helper()
	edits = map[string]int{}
	due := map[string]time.Time{}
	for end := c.sim.Now().Add(span); c.sim.Now().Before(end); pass(200 * time.Millisecond) {
		for which, jobs := range c.jobs {
			for _, j := range jobs {
				now := c.sim.Now()
				if now.Before(due[j.ID]) {
					continue
				}
				err := c.showBy(which, j.ID, generate.Running)
				pause := 3 * time.Second
				if retry := retryOf(err); retry != nil {
					pause = max(pause, retry.After)
				} else if err != nil {
					c.t.Fatal(err)
				}
				if err == nil {
					edits[j.ID]++
				}
				due[j.ID] = now.Add(pause)
			}
		}
	}
	return edits
}

// mostInAMinute is the most edits that Slack got within a minute, refused or
// not.
func (c *crowd) mostInAMinute() int {
	requests := c.sim.Requests("chat.update")
	most := 0
	for i := range requests {
		n := 0
		for _, later := range requests[i:] {
			if later.Time.Sub(requests[i].Time) < time.Minute {
				n++
			}
		}
		most = max(most, n)
	}
	return most
}

func (c *crowd) wantNoRefusal() {
	c.t.Helper()
	for _, r := range c.sim.Requests("chat.update") {
		if r.Status != 200 {
			c.t.Fatalf("an edit was refused: %s", r.Error)
		}
	}
}

// virtual makes a clock that only moves when it is advanced, and meters of
// processes that share a database with this time.
func virtual(t *testing.T) (clock *sim.Clock, open func() adapter.Meter) {
	t.Helper()
	clock = sim.NewStoppedClock(time.Unix(1_767_225_600, 0))
	db := mem.New(clock.Now)
	return clock, func() adapter.Meter {
		e := db.Open()
		t.Cleanup(func() { _ = e.Close() })
		return e
	}
}

func TestProcessesShareTheEditsOfAWorkspace(t *testing.T) {
	t.Parallel()
	clock, open := virtual(t)
	c := newCrowd(t, clock, 8, open(), open(), open())
	const minutes = 5
	edits := c.work(minutes*time.Minute, clock.Advance)
	c.wantNoRefusal()
	if most := c.mostInAMinute(); most > 45 || most < 25 {
		t.Errorf("%d edits within a minute, want 25 to 45", most)
	}
	least, most := 1000, 0
	for _, n := range edits {
		least, most = min(least, n), max(most, n)
	}
	if len(edits) != 24 || least == 0 || most > 3*least {
		t.Errorf("%d jobs were edited, each %d to %d times in %d minutes", len(edits), least, most, minutes)
	}
}

func TestAProcessWithOneJobGetsNoMoreForItThanOthers(t *testing.T) {
	t.Parallel()
	clock, open := virtual(t)
	c := newCrowd(t, clock, 10, open(), open())
	c.jobs[0] = c.jobs[0][:1]
	c.work(2*time.Minute, clock.Advance) // the others are forgotten
	edits := c.work(5*time.Minute, clock.Advance)
	only, others := edits[c.jobs[0][0].ID], 0
	for _, j := range c.jobs[1] {
		others += edits[j.ID]
	}
	if average := others / 10; only > 2*average || 2*only < average {
		t.Errorf("%d edits of the only job of a process, %d of each of another", only, average)
	}
}

func TestProcessesShareTheEditsOnARealServer(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t)
	meters := []adapter.Meter{openEngine(t, server.URL()), openEngine(t, server.URL())}
	c := newCrowd(t, sim.NewClock(), 6, meters...)
	began, before := time.Now(), len(c.sim.Requests("chat.update"))
	const span = 5 * time.Second
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	c.work(span, func(time.Duration) { <-tick.C }) // the simulator's clock runs too
	edits := len(c.sim.Requests("chat.update")) - before
	if most := 3 + int(34*time.Since(began).Minutes()) + 1; edits < 3 || edits > most {
		t.Errorf("%d edits in %v, want 3 to %d", edits, time.Since(began), most)
	}
}

func TestARefusalOfSlackHoldsAllProcessesBack(t *testing.T) {
	t.Parallel()
	clock, open := virtual(t)
	c := newCrowd(t, clock, 2, open(), open())
	clock.Advance(time.Minute)
	before := len(c.sim.Requests("chat.update"))
	c.sim.Inject(sim.Fault{Method: "chat.update", Kind: sim.RateLimited, RetryAfter: 30 * time.Second})
	if retry := retryOf(c.showBy(0, c.jobs[0][0].ID, generate.Running)); retry == nil || retry.After != 30*time.Second {
		t.Fatalf("the refused process waits %v", retry)
	}
	for _, other := range []struct {
		which int
		job   string
		state generate.State
	}{
		{0, c.jobs[0][1].ID, generate.Running},
		{1, c.jobs[1][0].ID, generate.Running},
		{1, c.jobs[1][1].ID, generate.Failed},
	} {
		if retry := retryOf(c.showBy(other.which, other.job, other.state)); retry == nil || retry.After < 29*time.Second {
			t.Errorf("process %d waits %v with a job that is %s, want 30s", other.which, retry, other.state)
		}
	}
	if got := len(c.sim.Requests("chat.update")) - before; got != 1 {
		t.Errorf("%d edits, want the one that was refused", got)
	}
	clock.Advance(30 * time.Second)
	if err := c.showBy(1, c.jobs[1][1].ID, generate.Failed); err != nil {
		t.Errorf("afterwards: %v", err)
	}
}

// deaf is a meter that does not answer, or at once that it can't.
type deaf struct{ hangs bool }

func (d deaf) Spend(ctx context.Context, _ string, _ time.Duration, _, _ int) (time.Duration, int, error) {
	return 0, 0, d.HoldBack(ctx, "", 0, 0, 0)
}

func (d deaf) HoldBack(ctx context.Context, _ string, _ time.Duration, _ int, _ time.Duration) error {
	if d.hangs {
		<-ctx.Done()
	}
	return errors.New("away")
}

func TestEditsGoOnCarefullyWithoutAStore(t *testing.T) {
	t.Parallel()
	now := at
	b := slack.NewEditLimit(func() time.Time { return now }, deaf{})
	edits := 0
	for ; now.Sub(at) < 5*time.Minute; now = now.Add(time.Second) {
		for n := range 10 {
			if b.Take(t.Context(), strconv.Itoa(n), false) == 0 {
				edits++
			}
		}
	}
	if edits < 30 || edits > 45 {
		t.Errorf("%d edits in five minutes, want a quarter of 170", edits)
	}
	// How jobs end waits no longer than in the only process.
	ends := 0
	for ; now.Sub(at) < 6*time.Minute; now = now.Add(time.Second) {
		if b.Take(t.Context(), fmt.Sprint("end", now), true) == 0 {
			ends++
		}
	}
	if ends < 40 || ends > 60 {
		t.Errorf("%d jobs ended in a minute, want 40 to 60", ends)
	}
}

func TestAStoreThatHangsHoldsNoEditUp(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := slack.NewEditLimit(time.Now, deaf{hangs: true})
		for _, last := range []bool{false, true} {
			began := time.Now()
			wait := b.Take(t.Context(), "job", last)
			if took := time.Since(began); wait != 0 || took > 2*time.Second {
				t.Errorf("the last word is %t: it waits %v after %v", last, wait, took)
			}
		}
	})
}

package store_test

import (
	"context"
	"testing"
	"time"

	"ltxbot/core/generate"
	"ltxbot/core/quota"
	"ltxbot/core/quota/quotatest"
	"ltxbot/core/usd"
	"ltxbot/store"
	"ltxbot/store/kv/mem"
)

var noon = time.Date(2026, time.March, 11, 12, 0, 0, 0, time.UTC)

// world is a store in memory, with its database and clock.
type world struct {
	*store.Store

	t      *testing.T
	db     *mem.Database
	clock  *quotatest.Clock
	limits quota.Line // of now, for everybody
}

func newWorld(t *testing.T) *world {
	w := &world{t: t, clock: quotatest.NewClock(noon)}
	w.db = mem.New(w.clock.Now)
	w.Store = w.open()
	t.Cleanup(func() {
		if err := w.Close(); err != nil {
			t.Error(err)
		}
	})
	return w
}

func (w *world) open() *store.Store {
	return store.New(w.db.Open(), store.Options{
		Limits: func(string, string, []string, quota.AdminState) quota.Line { return w.limits },
	})
}

func (w *world) newJob(id, team, member string) generate.Job {
	return generate.Job{
		ID: id, State: generate.Accepted, Team: team, Member: member, Event: "discord:" + id, Endpoint: "ltx",
		Place: generate.Place{Platform: "discord", Tenant: "G1", Channel: "C1"}, Estimate: 1000, Created: w.clock.Now(),
	}
}

// plan counts a job of a member, for a dollar.
func (w *world) plan(j generate.Job) quota.Plan {
	p := quota.Policy{Waiting: 1 << 30}
	return p.Plan(j.ID, quota.Asker{Team: j.Team, Member: j.Member}, usd.Dollar, w.clock.Now())
}

func (w *world) accept(j generate.Job) generate.Job {
	w.t.Helper()
	j, err := w.Accept(w.t.Context(), j, w.plan(j))
	if err != nil {
		w.t.Fatalf("accept %s: %v", j.ID, err)
	}
	return j
}

func (w *world) save(j generate.Job, b quota.Billing) generate.Job {
	w.t.Helper()
	saved, err := w.Save(w.t.Context(), j, b)
	if err != nil {
		w.t.Fatalf("save %s: %v", j.ID, err)
	}
	return saved
}

func (w *world) finish(id string) generate.Job {
	w.t.Helper()
	j := w.job(id)
	j.State, j.Shown, j.Finished = generate.Delivered, generate.Delivered, w.clock.Now()
	return w.save(j, quota.Settle(usd.Dollar/2))
}

func (w *world) job(id string) generate.Job {
	w.t.Helper()
	j, err := w.Job(w.t.Context(), id)
	if err != nil {
		w.t.Fatalf("job %s: %v", id, err)
	}
	return j
}

func (w *world) take(s *store.Store) generate.Claim {
	w.t.Helper()
	ctx, cancel := context.WithTimeout(w.t.Context(), time.Minute)
	defer cancel()
	c, err := s.Claim(ctx)
	if err != nil {
		w.t.Fatalf("take: %v", err)
	}
	return c
}

func (w *world) sweep() int {
	w.t.Helper()
	n, err := w.Sweep(w.t.Context())
	if err != nil {
		w.t.Fatalf("sweep: %v", err)
	}
	return n
}

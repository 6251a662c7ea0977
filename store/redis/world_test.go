package redis_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"ltxbot/core/generate"
	"ltxbot/core/quota"
	"ltxbot/core/quota/quotatest"
	"ltxbot/core/usd"
)

// patience is how long a test waits for what must happen.
const patience = 20 * time.Second

// cost is what each job of these tests holds.
const cost = 120_000 * usd.Micros(1)

// newJob is a job of member m in team acme.
func newJob(id, m string) generate.Job {
	return generate.Job{
		ID: id, State: generate.Accepted, Event: "discord:" + id, Team: "acme", Member: m,
		Estimate: cost, Created: time.Now().UTC(),
	}
}

// plan makes a plan for j under a policy.
func plan(j generate.Job, p quota.Policy) quota.Plan {
	return p.Plan(j.ID, quota.Asker{Team: j.Team, Member: j.Member}, j.Estimate, time.Now())
}

// key names the reservation of j.
func key(j generate.Job) quota.Key { return quota.Key{Job: j.ID, Team: j.Team, Member: j.Member} }

// accept accepts n jobs, each of another member.
func accept(t testing.TB, s *opened, n int) []string {
	t.Helper()
	var ids []string
	for i := range n {
		j := newJob(fmt.Sprintf("job%d", i), fmt.Sprintf("discord:%d", i))
		if _, err := s.Accept(t.Context(), j, plan(j, quota.Policy{})); err != nil {
			t.Fatal(err)
		}
		ids = append(ids, j.ID)
	}
	return ids
}

// take claims a job within patience.
func take(t testing.TB, s *opened) generate.Claim {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	c, err := s.Take(ctx)
	if err != nil {
		t.Fatalf("take: %v", err)
	}
	return c
}

// persist calls do until its outcome is known.
func persist(t testing.TB, do func() error) error {
	for range 20 {
		err := do()
		var limit *quota.LimitError
		if err == nil || errors.As(err, &limit) {
			return err
		}
		t.Logf("again after %v", err)
	}
	return errors.New("outcome is still not known")
}

// wantTotals checks that the books are in order and add up to want.
func wantTotals(t testing.TB, s *opened, want quota.Totals) {
	t.Helper()
	if got := quotatest.CheckBooks(t, s); got != want {
		t.Errorf("totals: got %+v, want %+v", got, want)
	}
}

// closed waits for a channel to be closed.
func closed(t testing.TB, what string, c <-chan struct{}) {
	t.Helper()
	select {
	case <-c:
	case <-time.After(patience):
		t.Fatalf("waited in vain for %s", what)
	}
}

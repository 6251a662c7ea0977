package bench_test

import (
	"fmt"
	"regexp"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"ltxbot/core/generate"
	"ltxbot/core/quota"
	"ltxbot/internal/redistest"
	"ltxbot/store"
)

// fill accepts jobs under a policy and returns them in order.
func fill(b *testing.B, s *store.Store, first, n int64, policy quota.Policy, job func(int64) generate.Job) []generate.Job {
	b.Helper()
	out := make([]generate.Job, n)
	var next atomic.Int64
	var all sync.WaitGroup
	for range callers {
		all.Go(func() {
			for i := next.Add(1) - 1; i < n; i = next.Add(1) - 1 {
				j := job(first + i)
				var err error
				if out[i], err = s.Accept(b.Context(), j, planFor(j, policy)); err != nil {
					b.Error(err)
					return
				}
			}
		})
	}
	all.Wait()
	if b.Failed() {
		b.FailNow()
	}
	return out
}

// benchInFlight measures what it costs to finish a job and to accept another
// while so many are under way.
func benchInFlight(b *testing.B, t *table) {
	server := start(b)
	s := mustOpen(b, server, ordinary)
	job := func(n int64) generate.Job { return benchJob(n, usualTeams) }
	var jobs []generate.Job
	for _, n := range []int{10, 1_000, 100_000} {
		jobs = append(jobs, fill(b, s, int64(len(jobs)), int64(n-len(jobs)), ordinary, job)...)
		accepted := int64(1e9 * float64(n)) // so far
		t.run(b, fmt.Sprintf("finish one, accept one/in flight=%d", n), func(b *testing.B) result {
			turns := min(b.N, 2000)
			before, began := cpu(b, server), time.Now()
			for i := range turns {
				k := i % n
				if _, err := s.Save(b.Context(), finished(jobs[k]), quota.Settle(jobs[k].Estimate)); err != nil {
					b.Fatal(err)
				}
				accepted++
				j := job(accepted)
				var err error
				if jobs[k], err = s.Accept(b.Context(), j, planFor(j, ordinary)); err != nil {
					b.Fatal(err)
				}
			}
			took, after := time.Since(began), cpu(b, server)
			return result{p50: took / time.Duration(turns), server: (after - before) / time.Duration(turns)}
		})
	}
}

// slots is how many jobs run at a time where others wait.
const slots = 10

// benchWaiting measures what it costs to finish a job, which gives the one that
// has waited longest a slot, and to find a place, while so many jobs wait, each
// of another member: in one team, or each in another one.
func benchWaiting(b *testing.B, t *table) {
	ofTeam, ofBot := ordinary, ordinary
	ofTeam.Member.JobsAtATime, ofTeam.Team.JobsAtATime = 2, slots
	ofBot.Bot.JobsAtATime = slots
	for _, test := range []struct {
		name    string
		policy  quota.Policy
		waiting int64
		teams   int
	}{
		{"waiting in a team=10", ofTeam, 10, 1},
		{"waiting in a team=1000", ofTeam, 1_000, 1},
		{"waiting in a team=10000", ofTeam, 10_000, 1},
		{"waiting for the bot in teams=10", ofBot, 10, 10_000},
		{"waiting for the bot in teams=1000", ofBot, 1_000, 10_000},
	} {
		server := start(b)
		s := mustOpen(b, server, test.policy)
		job := func(n int64) generate.Job {
			j := benchJob(n, test.teams)
			j.Member = fmt.Sprintf("discord:%d", n)
			return j
		}
		// One after another, so that it is known whose turn comes when.
		var jobs []generate.Job
		accept := func() {
			j := job(int64(len(jobs)))
			j, err := s.Accept(b.Context(), j, planFor(j, test.policy))
			if err != nil {
				b.Fatal(err)
			}
			jobs = append(jobs, j)
		}
		for range test.waiting + slots {
			accept()
		}
		turn := 0
		t.run(b, "finish one, accept one/"+test.name, func(b *testing.B) result {
			turns := min(b.N, 500)
			before, began := cpu(b, server), time.Now()
			for range turns {
				j := jobs[turn]
				if turn >= slots {
					j.Admitted, j.Version = true, j.Version+1
				}
				if _, err := s.Save(b.Context(), finished(j), quota.Settle(j.Estimate)); err != nil {
					b.Fatal(err)
				}
				turn++
				accept()
			}
			took, after := time.Since(began), cpu(b, server)
			return result{p50: took / time.Duration(turns), server: (after - before) / time.Duration(turns)}
		})
		if test.teams > 1 {
			continue
		}
		t.run(b, "find the place of the last/"+test.name, func(b *testing.B) result {
			turns := min(b.N, 100)
			before, began := cpu(b, server), time.Now()
			for range turns {
				if place, err := s.Place(b.Context(), jobs[len(jobs)-1].ID); err != nil || place != int(test.waiting) {
					b.Fatal(place, err)
				}
			}
			took, after := time.Since(began), cpu(b, server)
			return result{p50: took / time.Duration(turns), server: (after - before) / time.Duration(turns)}
		})
	}
}

// benchMemory measures how much memory of Redis a job takes that is under way,
// and one that is over.
func benchMemory(b *testing.B, t *table) {
	const n = 10_000
	server := start(b)
	s := mustOpen(b, server, ordinary)
	job := func(n int64) generate.Job { return benchJob(n, usualTeams) }
	empty := memory(b, server)
	jobs := fill(b, s, 0, n, ordinary, job)
	t.run(b, "a job under way", func(b *testing.B) result { return result{bytes: float64(memory(b, server)-empty) / n} })
	for _, j := range jobs {
		if _, err := s.Save(b.Context(), finished(j), quota.Settle(j.Estimate)); err != nil {
			b.Fatal(err)
		}
	}
	t.run(b, "a job that is over", func(b *testing.B) result { return result{bytes: float64(memory(b, server)-empty) / n} })
}

// usedMemory is what a server says of its memory, in bytes.
var usedMemory = regexp.MustCompile(`used_memory:(\d+)`)

func memory(b *testing.B, server *redistest.Server) int {
	b.Helper()
	found := usedMemory.FindStringSubmatch(server.CLI("INFO", "memory"))
	if found == nil {
		b.Fatal("redis-server does not say how much memory it uses")
	}
	return number(b, found[1])
}

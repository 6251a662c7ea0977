package redis

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	goredis "github.com/redis/go-redis/v9"

	"ltxbot/core/quota"
)

// Reserve makes a hold by plan, or nothing, in one round trip if this process
// remembers what admins decided. A process that has not reserved for the job
// itself calls plan before it knows whether there is a hold, and without effect
// if there is one.
func (s *Store) Reserve(ctx context.Context, key quota.Key, plan quota.Plan) (quota.Hold, error) {
	if err := checkNames(key.Job, key.Team, key.Member); err != nil {
		return quota.Hold{}, fmt.Errorf("reserve: %w", err)
	}
	h, err := s.reserve(ctx, key, plan)
	if err != nil {
		return quota.Hold{}, outcome("reserve for", key.Job, err)
	}
	s.reserved.add(key.Job)
	return h, nil
}

func (s *Store) reserve(ctx context.Context, key quota.Key, plan quota.Plan) (quota.Hold, error) {
	ctx, cancel := s.limit(ctx)
	defer cancel()
	if s.reserved.has(key.Job) {
		if h, err := s.Hold(ctx, key.Job); !errors.Is(err, quota.ErrNoHold) {
			return h, err
		}
	}
	p := s.of(key.Team)
	for {
		r, d, err := s.planned(ctx, key, plan)
		if refused := (*planError)(nil); errors.As(err, &refused) {
			if h, err := s.Hold(ctx, key.Job); !errors.Is(err, quota.ErrNoHold) {
				return h, err
			}
			return quota.Hold{}, refused.err
		}
		if err != nil {
			return quota.Hold{}, err
		}
		var a *ask
		reply, err := s.guarded(ctx, p, r, func(ctx context.Context, e elsewhere) (list, error) {
			if a, err = newAsk(r, e); err != nil {
				return nil, err
			}
			return s.callList(ctx, p, reserveScript,
				a.arguments([]any{key.Job, seat(key.Team, key.Member), key.Team, d.member, d.team, e.closes})...)
		})
		if err != nil {
			return quota.Hold{}, err
		}
		switch reply.text(0) {
		case "made", "covered":
			return a.made(r, reply)
		case "hold":
			return decodeHold(key.Job, reply.text(1))
		case "limit":
			return quota.Hold{}, refusal(r, reply)
		default: // stale
			s.standings.put(seat(key.Team, key.Member), decided{reply.text(1), reply.text(2)})
		}
	}
}

// Bill settles or releases the hold of a job.
func (s *Store) Bill(ctx context.Context, job string, b quota.Billing, at time.Time) (quota.Hold, error) {
	ctx, cancel := s.limit(ctx)
	defer cancel()
	p, _, err := s.find(ctx, holdsKey, job)
	if errors.Is(err, goredis.Nil) {
		return quota.Hold{}, quota.ErrNoHold
	}
	var reply any
	if err == nil {
		reply, err = s.call(ctx, p, billScript, append([]any{job}, billing(b, at)...)...)
	}
	if err != nil {
		return quota.Hold{}, outcome("bill", job, err)
	}
	value, ok := reply.(string)
	if !ok {
		return quota.Hold{}, quota.ErrNoHold
	}
	h, err := decodeHold(job, value)
	return h, outcome("bill", job, err)
}

// billing is how scripts get a billing: kind, amount, time.
func billing(b quota.Billing, at time.Time) []any {
	return []any{string(b.Kind), int64(b.Amount), sortable(at)}
}

// Hold returns the hold of a job.
func (s *Store) Hold(ctx context.Context, job string) (quota.Hold, error) {
	_, value, err := s.find(ctx, holdsKey, job)
	if errors.Is(err, goredis.Nil) {
		return quota.Hold{}, quota.ErrNoHold
	}
	var h quota.Hold
	if err == nil {
		h, err = decodeHold(job, value)
	}
	return h, outcome("read hold of", job, err)
}

// Used reads the counters of counts. Those of the bot are the sums of all
// partitions.
func (s *Store) Used(ctx context.Context, team string, counts []quota.Count) ([]int64, error) {
	var own, shared []string
	for _, c := range counts {
		for _, name := range append([]string{c.Counter}, c.Also...) {
			field := counterField(team, c.Scope, name)
			if c.Scope.Kind == quota.Bot {
				shared = append(shared, field)
			} else {
				own = append(own, field)
			}
		}
	}
	sums, err := s.counters(ctx, s.of(team), own, shared)
	if err != nil {
		return nil, fmt.Errorf("read counters: %w", err)
	}
	used := make([]int64, len(counts))
	for i, c := range counts {
		for _, name := range append([]string{c.Counter}, c.Also...) {
			used[i] += sums[counterField(team, c.Scope, name)]
		}
	}
	return used, nil
}

// counters reads the counters own of p and adds up those shared by all.
func (s *Store) counters(ctx context.Context, p partition, own, shared []string) (map[string]int64, error) {
	type read struct {
		fields []string
		values *goredis.SliceCmd
	}
	var reads []read
	err := s.pipelined(ctx, func(ctx context.Context, pipe goredis.Pipeliner) {
		reads = nil
		if len(own) > 0 {
			reads = append(reads, read{own, pipe.HMGet(ctx, p.keys[useKey], own...)})
		}
		if len(shared) > 0 {
			for _, each := range s.parts {
				reads = append(reads, read{shared, pipe.HMGet(ctx, each.keys[useKey], shared...)})
			}
		}
	})
	if err != nil {
		return nil, err
	}
	sums := map[string]int64{}
	for i, r := range reads {
		first := map[string]bool{} // a field that is asked for twice counts once
		for n, field := range r.fields {
			if !first[field] {
				sums[field] += list(reads[i].values.Val()).number(n)
			}
			first[field] = true
		}
	}
	return sums, nil
}

// recent remembers the latest names it was given, half of size at least.
type recent struct {
	mu       sync.Mutex
	now, old map[string]bool
}

const recentSize = 1 << 14

func newRecent() *recent { return &recent{now: map[string]bool{}} }

func (r *recent) add(name string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.now) >= recentSize/2 {
		r.now, r.old = map[string]bool{}, r.now
	}
	r.now[name] = true
}

func (r *recent) has(name string) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.now[name] || r.old[name]
}

package redis

import (
	"context"
	"crypto/rand"
	"log/slog"
	"sync/atomic"
	"time"

	goredis "github.com/redis/go-redis/v9"

	"ltxbot/core/quota"
)

// What all teams together may use can't be looked at by one script: it is
// spread over the partitions. So whoever adds to it under a limit first passes
// the turnstile, a lease that one process has at a time: adds up the partitions,
// and tells the script the sum and the time until which it is good for. A
// process that was stopped in between comes too late and passes again. Without
// a limit on the whole bot nobody comes here.

const (
	// passTime is how long the lease of a process lasts that dies inside.
	passTime = 2 * time.Second
	// passMargin is how much the clocks of servers of a cluster may differ.
	passMargin = 500 * time.Millisecond
	// releaseTime is how long a call that is otherwise over waits to leave.
	releaseTime = 100 * time.Millisecond
)

// elsewhere is what partitions other than one hold of what all share. The zero
// value says that the turnstile was not passed.
type elsewhere struct {
	closes int64 // when the turnstile does, in microseconds of the server
	slots  int64
	sums   map[string]int64
}

// used is the sum of counters in other partitions.
func (e elsewhere) used(fields ...string) int64 {
	var sum int64
	for _, f := range fields {
		sum += e.sums[f]
	}
	return sum
}

// limitsBot reports whether a reservation must pass the turnstile.
func limitsBot(r quota.Reservation) bool {
	if r.Line.BotMax > 0 {
		return true
	}
	for _, c := range r.Counts {
		if c.Scope.Kind == quota.Bot && c.Max > 0 {
			return true
		}
	}
	return false
}

// botFields are the counters of the whole bot that a decision on r looks at.
func botFields(r quota.Reservation) []string {
	var fields []string
	for _, c := range r.Counts {
		if c.Scope.Kind != quota.Bot || c.Max == 0 {
			continue
		}
		fields = append(fields, counterField("", c.Scope, c.Counter))
		for _, other := range c.Also {
			fields = append(fields, counterField("", c.Scope, other))
		}
		for _, g := range usable(r, c) {
			fields = append(fields, counterField("", c.Scope, g.Counter(c.Unit)))
		}
	}
	return fields
}

// guarded calls do, through the turnstile if r needs it, until it was not late.
func (s *Store) guarded(ctx context.Context, p partition, r quota.Reservation, do func(context.Context, elsewhere) (list, error)) (list, error) {
	if !limitsBot(r) {
		return do(ctx, elsewhere{})
	}
	for {
		var reply list
		err := s.pass(ctx, func(ctx context.Context, closes int64) error {
			e, err := s.elsewhere(ctx, p, botFields(r))
			if err != nil {
				return err
			}
			e.closes = closes
			reply, err = do(ctx, e)
			return err
		})
		if err != nil || reply.text(0) != "late" {
			return reply, err
		}
	}
}

// pass calls do while no other process is inside the turnstile.
func (s *Store) pass(ctx context.Context, do func(ctx context.Context, closes int64) error) error {
	select {
	case s.turn <- struct{}{}: // one call of this process at a time
		defer func() { <-s.turn }()
	case <-ctx.Done():
		return stopped(ctx.Err())
	}
	keys, token := []string{s.leaseKey("turnstile")}, rand.Text()
	for n := 0; ; n++ {
		reply, err := s.eval(ctx, acquireScript, keys, token, passTime.Milliseconds())
		if err != nil {
			return err
		}
		got, _ := reply.([]any)
		if list(got).number(0) == 1 {
			defer s.leaveTurnstile(ctx, keys, token)
			return do(ctx, list(got).number(1)+(passTime-passMargin).Microseconds())
		}
		if !pause(ctx, min(backoff(n), passTime/100)) {
			return stopped(ctx.Err())
		}
	}
}

// leaveTurnstile lets the next process in. Where that does not succeed, it
// waits until the lease is over.
func (s *Store) leaveTurnstile(ctx context.Context, keys []string, token string) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), releaseTime)
	defer cancel()
	if _, err := s.eval(ctx, releaseScript, keys, token); err != nil {
		s.log.DebugContext(ctx, "redis: turnstile is left to expire", slog.Any("error", err))
	}
}

// elsewhere adds up what partitions other than p hold.
func (s *Store) elsewhere(ctx context.Context, p partition, fields []string) (elsewhere, error) {
	sums := [partitions]*goredis.SliceCmd{}
	slots := [partitions]*goredis.StringCmd{}
	err := s.pipelined(ctx, func(ctx context.Context, pipe goredis.Pipeliner) {
		for i, other := range s.parts {
			if i == p.number {
				continue
			}
			slots[i] = pipe.HGet(ctx, other.keys[lineKey], "slots")
			if len(fields) > 0 {
				sums[i] = pipe.HMGet(ctx, other.keys[useKey], fields...)
			}
		}
	})
	if err != nil {
		return elsewhere{}, err
	}
	e := elsewhere{sums: map[string]int64{}}
	for i := range s.parts {
		if i == p.number {
			continue
		}
		e.slots += parseInt(slots[i].Val())
		if len(fields) > 0 {
			values := list(sums[i].Val())
			for f, name := range fields {
				e.sums[name] += values.number(f)
			}
		}
	}
	return e, nil
}

// capped is whether jobs wait for a slot that all teams share, as far as this
// process knows: zero when none does, another number after each that does.
type capped = atomic.Int64

// countCapped finds out whether jobs wait for a slot that all teams share.
func (s *Store) countCapped(ctx context.Context) error {
	waiting := [partitions]*goredis.StringCmd{}
	err := s.pipelined(ctx, func(ctx context.Context, pipe goredis.Pipeliner) {
		for i, p := range s.parts {
			waiting[i] = pipe.HGet(ctx, p.keys[lineKey], "capped")
		}
	})
	if err != nil {
		return err
	}
	for _, w := range waiting {
		if parseInt(w.Val()) > 0 {
			s.capped.Add(1)
		}
	}
	return nil
}

// admitAll gives free slots to the jobs of all teams whose turn has come, in
// the order of generate.Next.
func (s *Store) admitAll(ctx context.Context) error {
	return s.pass(ctx, func(ctx context.Context, closes int64) error {
		slots, waits, err := s.lines(ctx)
		if err != nil {
			return err
		}
		for {
			total := int64(0)
			for _, n := range slots {
				total += n
			}
			p, id, err := s.nextOfAll(ctx, waits, total)
			if err != nil || id == "" {
				return err
			}
			reply, err := s.call(ctx, p, admitScript, id, total-slots[p.number], closes, s.channel())
			switch {
			case err != nil:
				return err
			case reply == "late":
				return nil // the next beat goes on
			case reply == "admitted":
				slots[p.number]++
			default:
				if slots, waits, err = s.lines(ctx); err != nil {
					return err
				}
			}
		}
	})
}

// lines reads how many jobs hold a slot and wait in each partition.
func (s *Store) lines(ctx context.Context) (slots, waits [partitions]int64, err error) {
	counts := [partitions]*goredis.SliceCmd{}
	err = s.pipelined(ctx, func(ctx context.Context, pipe goredis.Pipeliner) {
		for i, p := range s.parts {
			counts[i] = pipe.HMGet(ctx, p.keys[lineKey], "slots", "waiting")
		}
	})
	if err != nil {
		return slots, waits, err
	}
	for i, c := range counts {
		slots[i], waits[i] = list(c.Val()).number(0), list(c.Val()).number(1)
	}
	return slots, waits, nil
}

// nextOfAll finds the waiting job of all teams whose turn it is.
func (s *Store) nextOfAll(ctx context.Context, waits [partitions]int64, total int64) (best partition, id string, err error) {
	var turn, seq int64
	for i, p := range s.parts {
		if waits[i] == 0 {
			continue
		}
		reply, err := s.call(ctx, p, nextScript, total)
		if err != nil {
			return partition{}, "", err
		}
		items, ok := reply.([]any)
		if !ok {
			continue
		}
		found := list(items)
		t, n := found.number(1), found.number(2)
		if id == "" || t < turn || t == turn && n < seq {
			best, id, turn, seq = p, found.text(0), t, n
		}
	}
	return best, id, nil
}

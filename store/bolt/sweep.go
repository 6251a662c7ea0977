package bolt

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"time"

	"ltxbot/core/generate"
	"ltxbot/core/quota"
)

// orphanAge is how old a hold without a job must be before it is released:
// longer than anybody needs to record the job after reserving for it.
const orphanAge = 10 * time.Minute

// sweepChunk is how many records one transaction of a sweep changes, so that
// commands that arrive meanwhile hardly wait.
const sweepChunk = 200

// Sweep releases the holds whose job is over or does not exist, and returns
// how many. It also forgets counters that no window includes any more, what
// closed holds have added to them, and marks that have expired.
func (s *Store) Sweep(ctx context.Context) (released int, err error) {
	now := s.now()
	released, err = s.sweep(ctx, view.overdueHolds, func(t *txn, job string) (bool, error) { return t.sweepHold(job, now) })
	if err != nil {
		return released, fmt.Errorf("sweep holds: %w", err)
	}
	// The counters first: what a hold forgets must not be missed by an audit.
	_, err = s.sweep(ctx, func(v view) ([]string, error) { return v.expiredCounters(now), nil }, (*txn).forgetCounter)
	if err != nil {
		return released, fmt.Errorf("sweep counters: %w", err)
	}
	_, err = s.sweep(ctx, func(v view) ([]string, error) { return v.expiredHolds(now), nil },
		func(t *txn, key string) (bool, error) { return t.trimHold(key, now) })
	if err != nil {
		return released, fmt.Errorf("sweep old holds: %w", err)
	}
	_, err = s.sweep(ctx, func(v view) ([]string, error) { return v.expiredMarks(now) },
		func(t *txn, key string) (bool, error) { return t.forgetMark(key, now) })
	if err != nil {
		return released, fmt.Errorf("sweep marks: %w", err)
	}
	return released, nil
}

// sweep finds keys in the last commit and applies a change to each of them, a
// chunk in a transaction. It returns how often apply has done something.
func (s *Store) sweep(ctx context.Context, find func(view) ([]string, error), apply func(*txn, string) (bool, error)) (int, error) {
	var keys []string
	err := s.view(ctx, func(v view) error {
		var err error
		keys, err = find(v)
		return err
	})
	if err != nil {
		return 0, err
	}
	total := 0
	for chunk := range slices.Chunk(keys, sweepChunk) {
		var n int
		err := s.write(ctx, func(t *txn) error {
			n = 0
			for _, key := range chunk {
				done, err := apply(t, key)
				if err != nil {
					return err
				}
				if done {
					n++
				}
			}
			return nil
		})
		if err != nil {
			return total, err
		}
		total += n
	}
	return total, nil
}

// overdueHolds are the jobs whose hold is still held although they are over
// or don't exist.
func (v view) overdueHolds() ([]string, error) {
	var jobs []string
	c := v.cursor(holdsHeld)
	for k, _ := c.First(); k != nil; k, _ = c.Next() {
		overdue, err := v.jobIsOver(string(k))
		if err != nil {
			return nil, err
		}
		if overdue {
			jobs = append(jobs, string(k))
		}
	}
	return jobs, nil
}

// jobIsOver reports whether nothing will happen to a job any more. A job that
// can't be read may be one that is being paid for: it is not over.
func (v view) jobIsOver(id string) (bool, error) {
	j, err := v.job(id)
	var damaged *damagedError
	switch {
	case errors.Is(err, generate.ErrNoJob):
		return true, nil
	case errors.As(err, &damaged):
		return false, nil
	default:
		return j.State.Terminal(), err
	}
}

// sweepHold releases the hold of a job that is still over.
func (t *txn) sweepHold(job string, now time.Time) (bool, error) {
	over, err := t.jobIsOver(job)
	if err != nil || !over {
		return false, err
	}
	h, err := t.hold(job)
	if err != nil {
		t.log.Error("bolt: hold can't be swept", slog.String("job", job), slog.Any("error", err))
		return false, nil
	}
	if t.get(jobsBucket, job) == nil && now.Sub(h.At) < orphanAge {
		return false, nil
	}
	h, err = t.bill(job, quota.Release(), now)
	return err == nil && h.State == quota.Released, err
}

// expiredCounters are the keys of counters that have expired.
func (v view) expiredCounters(now time.Time) []string {
	var keys []string
	c := v.cursor(countersBucket)
	for k, value := c.First(); k != nil; k, value = c.Next() {
		if counterExpired(value, now) {
			keys = append(keys, string(k))
		}
	}
	return keys
}

func (t *txn) forgetCounter(key string) (bool, error) { return true, t.remove(countersBucket, key) }

// expiredHolds are the keys by expiry of the holds whose counters have all
// expired.
func (v view) expiredHolds(now time.Time) []string {
	var keys []string
	end := timeBytes(now)
	c := v.cursor(holdsByExpiry)
	for k, _ := c.First(); k != nil && string(k[:timeLength]) <= end; k, _ = c.Next() {
		keys = append(keys, string(k))
	}
	return keys
}

// trimHold forgets what a closed hold has added to counters that are gone.
func (t *txn) trimHold(key string, now time.Time) (bool, error) {
	h, err := t.hold(key[timeLength:])
	if err != nil {
		t.log.Error("bolt: hold can't be trimmed", slog.String("job", key[timeLength:]), slog.Any("error", err))
		return true, t.remove(holdsByExpiry, key)
	}
	if h.State == quota.Held {
		return false, nil
	}
	h.Entries = slices.DeleteFunc(h.Entries, func(e quota.Entry) bool {
		return !e.Expires.IsZero() && !now.Before(e.Expires)
	})
	return true, errors.Join(t.putHold(h), t.remove(holdsByExpiry, key), t.dropHold(h, now))
}

package store

import (
	"context"
	"errors"
	"log/slog"
	"maps"
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
const sweepChunk = 50

// Sweep puts right what crashes have left, and returns how many holds it has
// released: those of jobs that are over or don't exist. It hands out unfinished
// jobs whose hand-out was lost, admits who has room, and forgets what has
// expired: counters, closed holds without a job, TTL keys, sessions. When the clock has
// leapt it does all but what depends on the time, and returns ErrLeap.
func (s *Store) Sweep(ctx context.Context) (released int, err error) {
	if c, err := s.Clock(ctx); err == nil && c.Ahead() > 0 {
		s.log.WarnContext(ctx, "store: the clock was ahead once, and the windows of limits stand still until it is that late again; "+
			"if it is right now, stop the bot and run: bot store clock --accept",
			slog.Time("now", c.Now), slog.Time("clock", c.Shown))
	}
	leap := s.checkClock(ctx)
	if leap != nil && !errors.Is(leap, ErrLeap) {
		return 0, outcome("sweep", leap)
	}
	released, err = s.sweepHolds(ctx, leap == nil)
	if err != nil {
		return released, outcome("sweep holds", err)
	}
	for _, step := range []struct {
		what  string
		timed bool
		run   func(context.Context) error
	}{
		{"hand out stray jobs", false, s.sweepStrays},
		{"admit waiting jobs", false, s.Admit},
		// The counters first: what a hold forgets must not be missed by an audit.
		{"sweep counters", true, s.sweepUsage},
		{"sweep old holds", true, s.sweepExpired},
		{"sweep TTL keys", true, s.sweepTTL},
		{"sweep sessions", true, s.sweepSessions},
	} {
		if step.timed && leap != nil {
			continue
		}
		if err := step.run(ctx); err != nil {
			return released, outcome(step.what, err)
		}
	}
	return released, leap
}

// each applies a change to names, a chunk in a transaction. It returns how
// often the change has done something.
func (s *Store) each(ctx context.Context, names []string, change func(*txn, string) (bool, error)) (int, error) {
	total := 0
	for chunk := range slices.Chunk(names, sweepChunk) {
		var n int
		err := s.update(ctx, func(t *txn) error {
			n = 0
			for _, name := range chunk {
				done, err := change(t, name)
				if err != nil {
					return err
				}
				n += one(done)
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

// sweepHolds releases the holds that are still held although their job is over
// or, if the clock is right, does not exist.
func (s *Store) sweepHolds(ctx context.Context, clock bool) (int, error) {
	total := 0
	err := s.pages(ctx, heldHolds, "", func(keys []string, _ [][]byte) error {
		var overdue []string
		err := s.view(ctx, func(t *txn) error {
			overdue = nil
			for _, k := range keys {
				over, err := t.jobIsOver(last(k), clock)
				if err != nil {
					return err
				}
				if over {
					overdue = append(overdue, last(k))
				}
			}
			return nil
		})
		if err != nil {
			return err
		}
		n, err := s.each(ctx, overdue, func(t *txn, id string) (bool, error) { return t.sweepHold(id, clock) })
		total += n
		return err
	})
	return total, err
}

// jobIsOver reports whether nothing will happen to a job any more. A job that
// can't be read may be one that is being paid for: it is not over.
func (t *txn) jobIsOver(id string, clock bool) (bool, error) {
	h, err := head(t, id)
	var damaged *DamagedError
	switch {
	case errors.Is(err, generate.ErrNoJob):
		return clock, nil
	case errors.As(err, &damaged):
		return false, nil
	default:
		return h.State.Terminal(), err
	}
}

func (t *txn) sweepHold(id string, clock bool) (bool, error) {
	over, err := t.jobIsOver(id, clock)
	if err != nil || !over {
		return false, err
	}
	h, err := hold(t, id)
	if err != nil {
		t.s.log.Error("store: hold can't be swept", slog.String("job", id), slog.Any("error", err))
		return false, nil
	}
	if t.Get(join(jobKey, id)) == nil && t.now.Sub(h.At) < orphanAge {
		return false, nil
	}
	b := quota.Release()
	if j, err := job(t, id); err == nil && j.Charged > 0 {
		b = quota.Settle(j.Charged) // the bill was lost with the last writes of a server
	}
	h, err = t.bill(id, b, t.now)
	return err == nil && h.State == quota.Released, err
}

// sweepStrays hands out the unfinished jobs whose hand-out was lost.
func (s *Store) sweepStrays(ctx context.Context) error {
	n, err := s.handOut(ctx)
	if n > 0 {
		s.log.WarnContext(ctx, "store: unfinished jobs are handed out again", slog.Int("jobs", n))
	}
	return err
}

// handOut hands out the unfinished jobs that nothing hands out, and returns
// how many there were.
func (s *Store) handOut(ctx context.Context) (total int, err error) {
	err = s.pages(ctx, openJobs, "", func(keys []string, _ [][]byte) error {
		ids := make([]string, len(keys))
		keyOf := make(map[string]string, len(keys))
		for i, k := range keys {
			ids[i] = last(k)
			keyOf[ids[i]] = k
		}
		strays, err := s.db.Stray(ctx, ids)
		if err != nil {
			return err
		}
		n, err := s.each(ctx, strays, func(t *txn, id string) (bool, error) {
			h, err := head(t, id)
			var damaged *DamagedError
			if errors.As(err, &damaged) || err == nil && handedOut(h.job()) {
				t.Publish(id) // who takes a damaged one sets it aside
				return true, nil
			}
			if errors.Is(err, generate.ErrNoJob) {
				t.Delete(keyOf[id]) // it was set aside
				err = nil
			}
			return false, err
		})
		total += n
		return err
	})
	return total, err
}

// sweepStale goes over the keys below a prefix, and changes those whose values
// are stale.
func (s *Store) sweepStale(
	ctx context.Context, prefix string, stale func(key string, value []byte, now time.Time) (bool, error), change func(*txn, string) (bool, error),
) error {
	return s.pages(ctx, prefix, "", func(keys []string, values [][]byte) error {
		now, err := s.db.Now(ctx)
		if err != nil {
			return err
		}
		var found []string
		for i, k := range keys {
			old, err := stale(k, values[i], now)
			if err != nil {
				return err
			}
			if old {
				found = append(found, k)
			}
		}
		_, err = s.each(ctx, found, change)
		return err
	})
}

// sweepUsage forgets the counters that have expired.
func (s *Store) sweepUsage(ctx context.Context) error {
	return s.sweepStale(ctx, usageKey, func(key string, value []byte, now time.Time) (bool, error) {
		var r usageRecord
		err := decode(key, value, &r)
		for _, c := range r.Counters {
			if c.expired(now) {
				return true, err
			}
		}
		return false, err
	}, func(t *txn, key string) (bool, error) {
		r, err := usage{}.read(t, key)
		if err != nil {
			return false, err
		}
		maps.DeleteFunc(r.Counters, func(_ string, c counter) bool { return c.expired(t.now) })
		if len(r.Counters) == 0 {
			t.Delete(key)
			return true, nil
		}
		return true, save(t, key, r)
	})
}

// sweepExpired forgets what closed holds have added to counters that have all
// expired, and those holds whose job is gone.
func (s *Store) sweepExpired(ctx context.Context) error {
	now, err := s.db.Now(ctx)
	if err != nil {
		return err
	}
	return s.pages(ctx, holdsByExpiry, holdsByExpiry+stamped(now.Add(1)), func(keys []string, _ [][]byte) error {
		_, err := s.each(ctx, keys, func(t *txn, key string) (bool, error) {
			h, err := hold(t, last(key))
			if err != nil {
				t.s.log.ErrorContext(ctx, "store: hold can't be trimmed", slog.String("job", last(key)), slog.Any("error", err))
				t.Delete(key)
				return true, nil
			}
			if h.State == quota.Held {
				return false, nil
			}
			return true, t.trim(h)
		})
		return err
	})
}

// sweepTTL removes the TTL keys that have expired.
func (s *Store) sweepTTL(ctx context.Context) error {
	return s.sweepStale(ctx, ttlKey, func(key string, value []byte, now time.Time) (bool, error) {
		var r ttlRecord
		err := decode(key, value, &r)
		return !now.Before(r.Expires), err
	}, func(t *txn, key string) (bool, error) {
		if _, ok, err := t.ttl(last(key)); ok || err != nil {
			return false, err
		}
		t.Delete(key)
		return true, nil
	})
}

// ApplyRetention removes the jobs that ended before jobsBefore, and blanks what
// was asked for in those that ended before promptsBefore. A zero time removes
// nothing, and a job is kept for generate.LateEvents after its end, whatever is
// given. It returns how many jobs it has changed. When the clock has leapt it
// does nothing and returns ErrLeap.
func (s *Store) ApplyRetention(ctx context.Context, jobsBefore, promptsBefore time.Time) (int, error) {
	if err := s.checkClock(ctx); err != nil {
		return 0, outcome("apply the retention", err)
	}
	now, err := s.db.Now(ctx)
	if err != nil {
		return 0, closed(err)
	}
	total := 0
	for _, step := range []struct {
		prefix string
		before time.Time
		change func(*txn, string) (bool, error)
	}{
		{endedJobs, jobsBefore, (*txn).removeOldJob},
		{endedPrompts, promptsBefore, (*txn).blankOldPrompt},
	} {
		before := step.before
		if latest := now.Add(-generate.LateEvents); before.After(latest) {
			before = latest
		}
		err := s.pages(ctx, step.prefix, step.prefix+stamped(before), func(keys []string, _ [][]byte) error {
			n, err := s.each(ctx, keys, step.change)
			total += n
			return err
		})
		if err != nil {
			return total, outcome("apply the retention", err)
		}
	}
	return total, nil
}

// removeOldJob removes the job that an entry of endedJobs is about, if the entry
// is still right.
func (t *txn) removeOldJob(key string) (bool, error) {
	h, err := head(t, last(key))
	if err != nil || h.job().Unfinished() || key != join(endedJobs, stamped(ended(h.job())), h.ID) {
		return false, t.skip(key, err)
	}
	return true, t.removeJob(h.job())
}

// blankOldPrompt blanks what was asked for in the job that an entry of
// endedPrompts is about.
func (t *txn) blankOldPrompt(key string) (bool, error) {
	r, err := job(t, last(key))
	if err != nil || r.Unfinished() || key != join(endedPrompts, stamped(ended(r.Job)), r.ID) {
		return false, t.skip(key, err)
	}
	j := r.WithoutPrompt()
	j.Version++
	return true, t.putJob(r.Job, j, r.Run)
}

// skip leaves out a job that can't be read, or is not there.
func (t *txn) skip(key string, err error) error {
	var damaged *DamagedError
	if errors.As(err, &damaged) || errors.Is(err, generate.ErrNoJob) {
		t.s.log.Error("store: old job can't be read", slog.String("key", key), slog.Any("error", err))
		return nil
	}
	return err
}

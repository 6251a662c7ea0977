package bolt

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"ltxbot/core/generate"
	"ltxbot/core/quota"
)

var _ generate.Archive = (*Store)(nil)

// Remove removes a job that is over, with its index entries and its hold, in
// one transaction. A hold of which a counter still has a share is left to the
// sweep.
func (s *Store) Remove(ctx context.Context, j generate.Job) error {
	err := s.write(ctx, func(t *txn) error { return t.removeJob(j) })
	return outcome("remove", j.ID, err)
}

func (t *txn) removeJob(j generate.Job) error {
	old, err := t.job(j.ID)
	if err != nil {
		return err
	}
	if old.Version != j.Version || old.Unfinished() {
		return generate.ErrConflict
	}
	for _, k := range indexKeys(old) {
		if err := t.remove(k.bucket, k.key); err != nil {
			return err
		}
	}
	if err := t.remove(jobsBucket, old.ID); err != nil {
		return err
	}
	t.line.drop(old)
	t.saved = append(t.saved, savedJob{id: old.ID})
	h, err := t.hold(old.ID)
	switch {
	case errors.Is(err, quota.ErrNoHold):
		return nil
	case err != nil:
		t.log.Error("bolt: hold of a removed job stays", slog.String("job", old.ID), slog.Any("error", err))
		return nil
	}
	return t.dropHold(h, t.now)
}

// dropHold removes a closed hold whose job is gone, unless a counter that is
// still kept has a share of it.
func (t *txn) dropHold(h quota.Hold, now time.Time) error {
	if h.State == quota.Held || h.Counted(now) || t.get(jobsBucket, h.Job) != nil {
		return nil
	}
	totals, err := t.totals()
	if err != nil {
		return err
	}
	totals.Remove(h)
	if at := lastExpiry(h); !at.IsZero() {
		if err := t.remove(holdsByExpiry, timeKey("", at, h.Job)); err != nil {
			return err
		}
	}
	return errors.Join(
		t.remove(holdsBucket, h.Job),
		t.remove(holdsHeld, h.Job),
		t.remove(holdsByTeam, timeKey(h.Team, h.At, h.Job)),
		t.putTotals(totals),
	)
}

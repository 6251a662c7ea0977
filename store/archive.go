package store

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"log/slog"
	"time"

	"ltxbot/core/generate"
)

// copyRecord is a job of which the archive is to be brought in line with the
// record.
type copyRecord struct {
	stamp
	generate.CopyTask

	Due time.Time `json:"due"`
	// Again is set when the record has changed since the copy was claimed. Who
	// has claimed it may be writing: nobody else is let at it meanwhile.
	Again bool `json:"again,omitempty"`
}

func (r copyRecord) dueKey() string { return join(copiesByDue, stamped(r.Due), r.Job) }

// putCopy puts j in line, or takes it out, when what is wanted of its copy is
// another thing than it was of old.
func (t *txn) putCopy(old, j generate.Job) error {
	if j.Copy.State == old.Copy.State {
		return nil
	}
	before, queued, err := queuedCopy(t, j.ID)
	if err != nil {
		return err
	}
	if queued {
		t.Delete(before.dueKey())
	}
	if j.Copy.State == generate.CopyKept {
		t.Delete(join(copyKey, j.ID))
		return nil
	}
	task := generate.CopyTask{Job: j.ID, Path: cmp.Or(j.Copy.Path, old.Copy.Path), Since: t.now}
	r := copyRecord{stamp: v1, CopyTask: task, Due: t.now}
	if queued && before.Claim != "" && t.now.Before(before.Due) {
		r.Claim, r.Due, r.Again = before.Claim, before.Due, true
	}
	return t.saveCopy(r)
}

func (t *txn) saveCopy(r copyRecord) error {
	mark(t, r.dueKey())
	return save(t, join(copyKey, r.Job), &r)
}

// queuedCopy is the job's place in the line.
func queuedCopy(t *txn, job string) (r copyRecord, ok bool, err error) {
	ok, err = load(t, join(copyKey, job), &r)
	return r, ok, err
}

// ClaimCopy implements generate.CopyQueue.
func (s *Store) ClaimCopy(ctx context.Context, lease time.Duration) (generate.CopyTask, error) {
	var task generate.CopyTask
	err := s.update(ctx, func(t *txn) error {
		task = generate.CopyTask{}
		for k := range t.Scan(copiesByDue, "") {
			if k >= copiesByDue+stamped(t.now.Add(1)) {
				return nil
			}
			t.Delete(k)
			r, ok, err := queuedCopy(t, last(k))
			if _, damaged := errors.AsType[*DamagedError](err); damaged {
				s.log.ErrorContext(ctx, "store: a copy in the archive stays as it is", slog.String("job", last(k)), slog.Any("error", err))
				continue
			}
			if err != nil {
				return err
			}
			if !ok || r.dueKey() != k {
				continue
			}
			r.Due, r.Claim, r.Again = t.now.Add(lease), rand.Text(), false
			r.Tries++
			task = r.CopyTask
			return t.saveCopy(r)
		}
		return nil
	})
	if err == nil && task.Job == "" {
		err = generate.ErrNoCopy
	}
	return task, outcome("claim a copy", err)
}

// DelayCopy implements generate.CopyQueue.
func (s *Store) DelayCopy(ctx context.Context, task generate.CopyTask, d time.Duration) error {
	return outcome("delay a copy", s.claimedCopy(ctx, task, func(t *txn, r copyRecord) error {
		r.Due, r.Claim = t.now.Add(d), ""
		return t.saveCopy(r)
	}))
}

// DropCopy implements generate.CopyQueue.
func (s *Store) DropCopy(ctx context.Context, task generate.CopyTask) error {
	return outcome("drop a copy", s.claimedCopy(ctx, task, func(t *txn, r copyRecord) error {
		t.Delete(join(copyKey, r.Job))
		return nil
	}))
}

// claimedCopy ends a claim, if it still holds, by a change of the job's place in
// the line, whose entry by when it is due is gone already. A record that has changed
// since makes the copy due at once instead.
func (s *Store) claimedCopy(ctx context.Context, task generate.CopyTask, change func(*txn, copyRecord) error) error {
	return s.update(ctx, func(t *txn) error {
		r, ok, err := queuedCopy(t, task.Job)
		if err != nil || !ok || r.Claim != task.Claim {
			return err
		}
		t.Delete(r.dueKey())
		if r.Again {
			r.Due, r.Claim, r.Again = t.now, "", false
			return t.saveCopy(r)
		}
		return change(t, r)
	})
}

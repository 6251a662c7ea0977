package bolt

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"

	"ltxbot/core/generate"
	"ltxbot/core/quota"
)

// Accept records j with its hold and puts it in line, in one transaction.
func (s *Store) Accept(ctx context.Context, j generate.Job, plan quota.Plan) (generate.Job, error) {
	if err := checkNames(j.ID, j.Team, j.Member); err != nil {
		return generate.Job{}, fmt.Errorf("accept job: %w", err)
	}
	var out generate.Job
	err := s.write(ctx, func(t *txn) error {
		var err error
		out, err = t.accept(j, plan)
		return err
	})
	return out, outcome("accept", j.ID, err)
}

func (t *txn) accept(j generate.Job, plan quota.Plan) (generate.Job, error) {
	old, err := t.job(j.ID)
	if err == nil {
		return old, generate.ErrExists
	}
	if !errors.Is(err, generate.ErrNoJob) {
		return generate.Job{}, err
	}
	r, err := t.plan(quota.Key{Job: j.ID, Team: j.Team, Member: j.Member}, plan)
	if err != nil {
		return generate.Job{}, err
	}
	// A hold without a job is from before; released, it holds nothing.
	hold, err := t.hold(j.ID)
	held := err == nil && hold.State != quota.Released
	if !held {
		if hold, err = t.decide(r); err != nil {
			return generate.Job{}, err
		}
	}
	j.Line = r.Line
	j.Admitted = t.line.room(j.Team, j.Member, j.Line)
	if n := t.line.waiting(j.Team, j.Member); !j.Admitted && n >= j.Line.WaitingMax {
		return generate.Job{}, &quota.LimitError{Reason: quota.LineFull, Line: n}
	}
	if !held {
		if err := t.reserve(hold); err != nil {
			return generate.Job{}, err
		}
	}
	if j.Line.Seq, err = t.nextSeq(); err != nil {
		return generate.Job{}, err
	}
	j.Version = 1
	if j.Admitted {
		if err := t.serve(j); err != nil {
			return generate.Job{}, err
		}
	}
	return j, t.putJob(nil, j)
}

// Save replaces the stored job by j, bills its hold and, when that frees a
// slot, admits the jobs whose turn has come, in one transaction. A job keeps
// its team, its member and its place in the line. A job whose hold is gone
// is saved nevertheless: what was asked for must come to an end.
func (s *Store) Save(ctx context.Context, j generate.Job, b quota.Billing) (generate.Job, error) {
	var out generate.Job
	err := s.write(ctx, func(t *txn) error {
		var err error
		out, err = t.save(j, b)
		return err
	})
	return out, outcome("save", j.ID, err)
}

func (t *txn) save(j generate.Job, b quota.Billing) (generate.Job, error) {
	old, err := t.job(j.ID)
	if err != nil {
		return generate.Job{}, err
	}
	if old.Version != j.Version {
		return generate.Job{}, generate.ErrConflict
	}
	if old.Team != j.Team || old.Member != j.Member {
		return generate.Job{}, errors.New("a job can't change its team or member")
	}
	if b.Kind != quota.KeepHold {
		_, err := t.bill(j.ID, b, t.now)
		if errors.Is(err, quota.ErrNoHold) {
			t.log.Error("bolt: job has no hold to bill", slog.String("job", j.ID), slog.String("billing", string(b.Kind)))
		} else if err != nil {
			return generate.Job{}, err
		}
	}
	j.Version++
	j.Line.Seq = old.Line.Seq
	if err := t.putJob(&old, j); err != nil {
		return generate.Job{}, err
	}
	if old.HoldsSlot() && !j.HoldsSlot() || j.Waiting() {
		return t.admit(j)
	}
	return j, nil
}

// admit gives free slots to the jobs whose turn has come after a change of
// saved. It returns saved, which may be one of them: that is still the same
// save of it. A job that can't be read loses its turn.
func (t *txn) admit(saved generate.Job) (generate.Job, error) {
	for {
		c, ok := t.line.next(saved.Team)
		if !ok {
			return saved, nil
		}
		old, err := t.job(c.id)
		if err != nil {
			t.log.Error("bolt: job can't be admitted", slog.String("job", c.id), slog.Any("error", err))
			t.line.forget(c)
			continue
		}
		j := old
		j.Admitted = true
		if j.ID == saved.ID {
			saved.Admitted = true
		} else {
			j.Version++
		}
		if err := t.serve(j); err != nil {
			return generate.Job{}, err
		}
		if err := t.putJob(&old, j); err != nil {
			return generate.Job{}, err
		}
	}
}

// serve notes that it was j's member's turn.
func (t *txn) serve(j generate.Job) error {
	turn := t.line.serve(j.Team, j.Member)
	return t.put(servedBucket, memberKey(j.Team, j.Member), numberBytes(turn))
}

func (t *txn) nextSeq() (int64, error) {
	t.dirty = true
	seq, err := t.tx.Bucket([]byte(jobsBucket)).NextSequence()
	if err != nil {
		return 0, fmt.Errorf("number the job: %w", err)
	}
	return int64(seq), nil //nolint:gosec // counts jobs from 1
}

// putJob writes j in place of old, which is nil for a new job, with all that
// finds it: indexes, line, and after the commit those who work on it.
func (t *txn) putJob(old *generate.Job, j generate.Job) error {
	if err := t.putRecord(jobsBucket, j.ID, j); err != nil {
		return err
	}
	stale := map[indexKey]bool{}
	if old != nil {
		for _, k := range indexKeys(*old) {
			stale[k] = true
		}
	}
	for _, k := range indexKeys(j) {
		if stale[k] {
			delete(stale, k)
			continue
		}
		if err := t.put(k.bucket, k.key, nil); err != nil {
			return err
		}
	}
	for k := range stale {
		if err := t.remove(k.bucket, k.key); err != nil {
			return err
		}
	}
	if old != nil {
		t.line.drop(*old)
	}
	t.line.add(j)
	t.saved = append(t.saved, savedJob{id: j.ID, unfinished: j.Unfinished()})
	return nil
}

// Job reads a job.
func (s *Store) Job(ctx context.Context, id string) (generate.Job, error) {
	var j generate.Job
	err := s.view(ctx, func(v view) error {
		var err error
		j, err = v.job(id)
		return err
	})
	return j, outcome("read", id, err)
}

// defaultLimit is how many jobs a Query without a limit selects at most.
const defaultLimit = 100

// Jobs lists jobs, newest first. One that can't be read is left out.
func (s *Store) Jobs(ctx context.Context, q generate.Query) ([]generate.Job, error) {
	if q.Limit <= 0 {
		q.Limit = defaultLimit
	}
	var jobs []generate.Job
	err := s.view(ctx, func(v view) error {
		jobs = nil
		index, prefix := indexFor(q)
		c := v.cursor(index)
		end := prefix + strings.Repeat("\xff", timeLength+1)
		if !q.Before.IsZero() {
			end = prefix + timeBytes(q.Before)
		}
		k, _ := c.Seek([]byte(end))
		if k == nil {
			k, _ = c.Last()
		} else {
			k, _ = c.Prev()
		}
		for ; bytes.HasPrefix(k, []byte(prefix)) && k != nil && len(jobs) < q.Limit; k, _ = c.Prev() {
			id := string(k[len(prefix)+timeLength:])
			j, err := v.job(id)
			if err != nil {
				s.log.WarnContext(ctx, "bolt: job left out of a list", slog.String("job", id), slog.Any("error", err))
				continue
			}
			if q.Team == "" || j.Team == q.Team {
				jobs = append(jobs, j)
			}
		}
		return ctx.Err()
	})
	if err != nil {
		return nil, fmt.Errorf("list jobs: %w", err)
	}
	return jobs, nil
}

// indexFor chooses the index with the fewest jobs that q does not select, and
// what the keys of those that it may select begin with.
func indexFor(q generate.Query) (index bucket, prefix string) {
	all := [...]bucket{jobsByTime, jobsByTeam, jobsByMember}
	if q.Unfinished {
		all = [...]bucket{openByTime, openByTeam, openByMember}
	}
	switch {
	case q.Member != "":
		return all[2], namePrefix(q.Member)
	case q.Team != "":
		return all[1], namePrefix(q.Team)
	default:
		return all[0], ""
	}
}

// Place is the place of a waiting job in its team's line.
func (s *Store) Place(ctx context.Context, id string) (int, error) {
	j, err := s.Job(ctx, id)
	if err != nil || !j.Waiting() {
		return 0, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.line == nil {
		return 0, nil
	}
	return s.line.place(j), nil
}

// outcome leaves the errors that callers act on as they are, and says of the
// others what could not be done.
func outcome(op, id string, err error) error {
	var limit *quota.LimitError
	switch {
	case err == nil, errors.As(err, &limit),
		errors.Is(err, generate.ErrExists), errors.Is(err, generate.ErrConflict), errors.Is(err, generate.ErrNoJob), errors.Is(err, generate.ErrClosed),
		errors.Is(err, quota.ErrNoHold):
		return err
	default:
		return fmt.Errorf("%s job %s: %w", op, id, err)
	}
}

// checkNames refuses what can't be part of a key.
func checkNames(names ...string) error {
	for _, n := range names {
		if n == "" || strings.Contains(n, sep) {
			return fmt.Errorf("name %q can't be a key", n)
		}
	}
	return nil
}

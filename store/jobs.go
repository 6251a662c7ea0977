package store

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"

	"ltxbot/core/generate"
	"ltxbot/core/quota"
)

// Record records a job that was asked for, before anybody is told that it was:
// nothing is held for it, and nobody works on it until it is saved in another
// state. If it exists, it is returned with ErrExists.
func (s *Store) Record(ctx context.Context, j generate.Job) (generate.Job, error) {
	if err := checkNames(j.ID, j.Team, j.Member); err != nil {
		return generate.Job{}, outcome("record job", err)
	}
	var out generate.Job
	err := s.update(ctx, func(t *txn) error {
		old, err := job(t, j.ID)
		if err == nil {
			out = old.Job
			return generate.ErrExists
		}
		if !errors.Is(err, generate.ErrNoJob) {
			return err
		}
		out = j
		out.State, out.Version, out.Admitted = generate.Received, 1, false
		return t.putJob(generate.Job{}, out, t.run)
	})
	return out, outcome("record job "+j.ID, err)
}

// Accept records j with its hold and puts it in line, in one transaction. A
// job that is recorded already is accepted if it was not accepted before and
// its version is j's.
func (s *Store) Accept(ctx context.Context, j generate.Job, plan quota.Plan) (generate.Job, error) {
	out, err := s.AcceptAll(ctx, []generate.Asked{{Job: j, Plan: plan}})
	if len(out) == 0 {
		return generate.Job{}, err
	}
	return out[0], err
}

// AcceptAll accepts all jobs of a batch or none: each with a hold and a place
// in the line of its own. If one of them exists, those that exist are returned
// with ErrExists. The refusal of one refuses all.
func (s *Store) AcceptAll(ctx context.Context, batch []generate.Asked) ([]generate.Job, error) {
	for _, a := range batch {
		if err := checkNames(a.Job.ID, a.Job.Team, a.Job.Member); err != nil {
			return nil, outcome("accept job", err)
		}
	}
	var out []generate.Job
	err := s.updateLine(ctx, func(t *txn) error {
		var err error
		out, err = t.accept(batch)
		return err
	})
	if err != nil && !errors.Is(err, generate.ErrExists) {
		out = nil
	}
	return out, outcome("accept jobs", err)
}

// early reports whether a job in this state may still be accepted.
func early(s generate.State) bool { return s == generate.Received || s == generate.Preparing }

func (t *txn) accept(batch []generate.Asked) ([]generate.Job, error) {
	var exist []generate.Job
	before := make([]headRecord, len(batch))
	for i, a := range batch {
		old, err := head(t, a.Job.ID)
		switch {
		case errors.Is(err, generate.ErrNoJob):
		case err != nil:
			return nil, err
		case early(old.State) && old.Version == a.Job.Version:
			before[i] = old
		default:
			there, err := job(t, a.Job.ID)
			if err != nil {
				return nil, err
			}
			exist = append(exist, there.Job)
		}
	}
	if len(exist) > 0 {
		return exist, generate.ErrExists
	}
	l, err := t.theLine()
	if err != nil {
		return nil, err
	}
	jobs := make([]generate.Job, len(batch))
	waiting := map[seat]int{} // before the batch
	most := map[seat]int{}    // that may wait
	for i, a := range batch {
		j := &jobs[i]
		*j = a.Job
		at := seat{j.Team, j.Member}
		if _, ok := waiting[at]; !ok {
			if waiting[at], err = l.waiting(at); err != nil {
				return nil, err
			}
		}
		r, err := t.reserveJob(*j, a.Plan)
		if err != nil {
			return nil, err
		}
		l.bot.Seq++
		j.State, j.Version, j.Admitted = generate.Accepted, a.Job.Version+1, false // a record that was lost had that number
		j.Line = r.Line
		j.Line.Seq = l.bot.Seq
		most[at] = r.Line.WaitingMax
		if err := l.arrive(j); err != nil {
			return nil, err
		}
	}
	if err := l.admit(); err != nil {
		return nil, err
	}
	for at, n := range waiting {
		wait := n
		for _, j := range jobs {
			wait += one(j.Waiting() && at == seat{j.Team, j.Member})
		}
		if wait > n && wait > most[at] {
			return nil, &quota.LimitError{Reason: quota.LineFull, Line: n}
		}
	}
	for i, j := range jobs {
		run := t.run
		if before[i].ID != "" { // what was lost since may have accepted it, and more
			run = before[i].Run
		}
		if err := t.putJob(before[i].job(), j, run); err != nil {
			return nil, err
		}
	}
	return jobs, nil
}

// reserveJob makes the hold of a job that is accepted. A hold that is there
// without a job is from before; released, it holds nothing.
func (t *txn) reserveJob(j generate.Job, plan quota.Plan) (quota.Reservation, error) {
	r, err := t.plan(quota.Key{Job: j.ID, Team: j.Team, Member: j.Member}, plan)
	if err != nil {
		return r, err
	}
	old, err := hold(t, j.ID)
	if err != nil && !errors.Is(err, quota.ErrNoHold) {
		return r, err
	}
	if err == nil && old.State != quota.Released {
		return r, nil
	}
	_, err = t.reserve(r)
	return r, err
}

// arrive puts a new job in line, or admits it if nobody is before it.
func (l *line) arrive(j *generate.Job) error {
	l.fresh[j.ID] = j
	next, err := l.isNext(*j)
	if err != nil {
		return err
	}
	nothing := generate.Job{}
	if !next {
		return errors.Join(l.move(nothing, *j), l.settle())
	}
	j.Admitted = true
	if err := l.move(nothing, *j); err != nil {
		return err
	}
	return l.turn(seat{j.Team, j.Member})
}

// Save replaces the stored job by j, bills its hold and, when that frees a
// slot, admits the jobs whose turn has come, in one transaction. A job keeps
// its team, its member and its number. A job whose hold is gone is saved
// nevertheless: what was asked for must come to an end. The save before a
// submit waits until it is as safe as is configured.
func (s *Store) Save(ctx context.Context, j generate.Job, b quota.Billing) (generate.Job, error) {
	own := s.ownership(j.ID)
	var out generate.Job
	var wrote ownership
	err := s.updateLine(ctx, func(t *txn) error {
		var err error
		out, err = t.save(j, b, own)
		wrote = t.wrote
		return err
	})
	if err == nil && j.State == generate.Submitting {
		err = s.db.Sync(ctx)
	}
	if err != nil {
		return generate.Job{}, outcome("save job "+j.ID, closed(err))
	}
	s.saved(wrote)
	return out, nil
}

// maxLeapOfVersion is so large that two processes never choose the same number.
const maxLeapOfVersion = 1 << 40

func (t *txn) save(j generate.Job, b quota.Billing, own ownership) (generate.Job, error) {
	stored, err := headOr(t, j.ID, own)
	again := t.lost(own, j, stored, err)
	switch {
	case again:
		// The server has lost what this process wrote: it is written again.
		t.s.log.Warn("store: job is written again that the server has lost", slog.String("job", j.ID))
		stored.Run = own.run
		if stored.ID == "" {
			stored.Line.Seq = j.Line.Seq
		}
		if b.Kind == quota.KeepHold && j.Charged > 0 {
			b = quota.Settle(j.Charged) // that may be lost, too
		}
	case err != nil:
		return generate.Job{}, err
	case stored.Version != j.Version:
		return generate.Job{}, generate.ErrConflict
	}
	old := stored.job()
	if old.ID != "" && (old.Team != j.Team || old.Member != j.Member) {
		return generate.Job{}, errors.New("a job can't change its team or member")
	}
	if early(old.State) && !early(j.State) && !j.State.Terminal() && !again {
		return generate.Job{}, fmt.Errorf("a job that is %s becomes %s by Accept", old.State, j.State)
	}
	if b.Kind != quota.KeepHold {
		_, err := t.bill(j.ID, b, t.now)
		if errors.Is(err, quota.ErrNoHold) {
			t.s.log.Error("store: job has no hold to bill", slog.String("job", j.ID), slog.String("billing", string(b.Kind)))
		} else if err != nil {
			return generate.Job{}, err
		}
	}
	j.Version++
	j.Line.Seq = old.Line.Seq
	if err := t.moveInLine(old, &j); err != nil {
		return generate.Job{}, err
	}
	run := stored.Run
	if j.Doubted && run != t.run {
		run = t.run // the job itself says so now
		// A process that has written versions which the server has lost, and
		// comes back, must not meet one of its own numbers.
		j.Version += rand.Int64N(maxLeapOfVersion) //nolint:gosec // needs no secrecy
	}
	return j, t.putJob(old, j, run)
}

// moveInLine does what a save changes in the line.
func (t *txn) moveInLine(old generate.Job, j *generate.Job) error {
	if old.HoldsSlot() == j.HoldsSlot() && old.Waiting() == j.Waiting() &&
		(!j.Waiting() || tiersKey(old.Tiers) == tiersKey(j.Tiers)) {
		return nil
	}
	l, err := t.theLine()
	if err != nil {
		return err
	}
	if j.Line.Seq == 0 { // it was never in line
		l.bot.Seq++
		j.Line.Seq = l.bot.Seq
	}
	l.fresh[j.ID] = j
	if err := l.move(old, *j); err != nil {
		return fmt.Errorf("move in line: %w", err)
	}
	return l.admit()
}

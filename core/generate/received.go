package generate

import (
	"context"
	"errors"
	"fmt"
	"time"

	"ltxbot/core/quota"
)

// Timeouts between a command and an accepted job.
const (
	// unconfirmedAfter is how old a received job must be until somebody else
	// than the process that recorded it takes it up: no platform waits so long
	// for an acknowledgement.
	unconfirmedAfter = 10 * time.Second
	// ownUnconfirmedAfter is the same for the process that recorded it, whose
	// handler may still be at work.
	ownUnconfirmedAfter = time.Minute
	receivedPause       = 2 * time.Second        // between looks for such jobs
	acceptPause         = 250 * time.Millisecond // between tries to accept, growing
	acceptMost          = 5 * time.Second
	prepareLimit        = 30 * time.Second // for one answer of the courier
	prepareGiveUp       = 10 * time.Minute // of answers that do not come
)

// Record makes a job of a command that is about to be acknowledged. Nothing is
// held for it, and nobody works on it until Accept or Prepare. The error is
// ErrExists with the job when the event was recorded before. After any other
// error it may have been recorded: Drop ends it then.
func (e *Engine) Record(ctx context.Context, a Ask) (Job, error) {
	j := Job{
		ID: NewID(a.Event), State: Received, Event: a.Event,
		Team: a.Asker.Team, Member: a.Asker.Member, Tiers: a.Asker.Tiers, Place: a.Place, Parent: a.Parent, Until: a.Until, PostBefore: a.PostBefore,
		Request: a.Request, Endpoint: a.Request.Endpoint(), Estimate: e.estimate(a.Request),
		Notes: a.Notes, Owner: e.cfg.Owner, Created: time.Now(),
	}
	recorded, err := e.cfg.Store.Record(ctx, j)
	if err == nil {
		e.cfg.OnChange("", recorded)
	}
	return recorded, err
}

// Drop ends a job that was recorded and not acknowledged: its requester has
// seen that. A job that has gone on is left alone.
func (e *Engine) Drop(ctx context.Context, id string) error {
	_, err := e.edit(ctx, id, func(j *Job) error {
		if j.State != Received {
			return errNothingNew
		}
		j.unacknowledged()
		return nil
	})
	if errors.Is(err, ErrNoJob) || errors.Is(err, errNothingNew) {
		return nil
	}
	return err
}

// unacknowledged ends a job whose requester has seen that the command did not
// arrive: nothing more is said about it.
func (j *Job) unacknowledged() {
	j.end(Failed, Failure{Kind: FailUnacknowledged}, quota.Keep())
	j.Shown, j.Notes, j.Unconfirmed = j.State, withoutSecrets(j.Notes), false
}

// Prepare hands over a job that Record has returned and that was acknowledged,
// but can't be accepted yet: its courier must find something out first. If it
// has gone on meanwhile, it is returned as it is.
func (e *Engine) Prepare(ctx context.Context, j Job) (Job, error) {
	j.State = Preparing
	return e.persist(ctx, j, func(ctx context.Context, j Job) (Job, error) {
		return e.cfg.Store.Save(ctx, j, quota.Keep())
	})
}

// Accept accepts a job that Record has returned and that was acknowledged: its
// quota is held, and it will end with a video or with the reason why there is
// none. One that is refused is returned as Failed, and its requester is told. If
// it has gone on meanwhile, it is returned as it is. Accept tries until ctx is
// done; what it leaves is taken up later. One with files that must be uploaded
// first is returned as Preparing.
func (e *Engine) Accept(ctx context.Context, j Job) (Job, error) {
	if len(j.Request.Pending()) > 0 {
		return e.Prepare(ctx, j)
	}
	return e.persist(ctx, j, e.accept)
}

// persist saves a received job in another state, as often as it takes.
func (e *Engine) persist(ctx context.Context, j Job, save func(context.Context, Job) (Job, error)) (Job, error) {
	for n := 1; ; n++ {
		saved, err := save(ctx, j)
		if err == nil {
			e.cfg.OnChange(Received, saved)
			return saved, nil
		}
		found, readErr := e.cfg.Store.Job(ctx, j.ID)
		switch {
		case readErr == nil && found.State != Received:
			return found, nil // somebody else did it, or the answer was lost
		case readErr == nil:
			j.Version = found.Version
		case errors.Is(readErr, ErrNoJob):
			// A server that failed over has lost it: who knows it writes it again.
			lost := j
			lost.State, lost.Version = Received, 0
			if again, err := e.cfg.Store.Record(ctx, lost); err == nil {
				j.Version = again.Version
			}
		}
		if !wait(ctx, backoff(n, acceptPause, acceptMost)) {
			return j, fmt.Errorf("take job %s on: %w", j.ID, errors.Join(err, context.Cause(ctx)))
		}
	}
}

// accept makes the hold of a job that is not accepted yet, or ends it when a
// limit has no room.
func (e *Engine) accept(ctx context.Context, j Job) (Job, error) {
	asker := quota.Asker{Team: j.Team, Member: j.Member, Tiers: j.Tiers}
	j.Unconfirmed = false
	now, err := e.cfg.Store.Now(ctx)
	if err != nil {
		return j, err
	}
	policy := e.cfg.Policy()
	plan := func(t Job) quota.Plan { return policy.Plan(t.ID, asker, t.Estimate, now) }
	accepted, err := e.acceptTakes(ctx, e.takes(j), plan)
	if refusal, ok := errors.AsType[*quota.LimitError](err); ok {
		if j.Request.Count() > 1 { // said for all of them, not for the one that had no room
			_, err := e.Quote(ctx, Ask{Asker: asker, Request: j.Request})
			if all, ok := errors.AsType[*quota.LimitError](err); ok {
				refusal = all
			}
		}
		j.end(Failed, Failure{Kind: FailQuota, Refusal: refusal}, quota.Keep())
		return e.cfg.Store.Save(ctx, j, quota.Keep())
	}
	if errors.Is(err, quota.ErrLinked) {
		j.end(Failed, Failure{Kind: FailUnprepared}, quota.Keep())
		return e.cfg.Store.Save(ctx, j, quota.Keep())
	}
	return accepted, err
}

// watchReceived takes up the jobs that stay received: the process that
// recorded them has died before it could say whether they were acknowledged.
func (e *Engine) watchReceived(ctx context.Context) {
	for {
		if err := e.takeUpReceived(ctx); err != nil && ctx.Err() == nil {
			e.log.WarnContext(ctx, "cannot look for received jobs", "error", err)
		}
		if !wait(ctx, receivedPause) {
			return
		}
	}
}

// takeUpReceived hands out the jobs that are received for too long.
func (e *Engine) takeUpReceived(ctx context.Context) error {
	now := time.Now()
	stale, err := e.cfg.Store.Jobs(ctx, Query{State: Received, Before: now.Add(-unconfirmedAfter)})
	if err != nil {
		return err
	}
	for _, j := range stale {
		if j.Owner == e.cfg.Owner && now.Sub(j.Created) < ownUnconfirmedAfter {
			continue
		}
		j.State, j.Unconfirmed = Preparing, true
		saved, err := e.cfg.Store.Save(ctx, j, quota.Keep())
		switch {
		case err == nil:
			e.log.InfoContext(ctx, "taking up a job of which it is not known whether it was acknowledged", "job", j.ID, "team", j.Team, "member", j.Member)
			e.cfg.OnChange(Received, saved)
		case !errors.Is(err, ErrConflict) && !errors.Is(err, ErrNoJob):
			return err
		}
	}
	return nil
}

// preparing is the step from a job that was acknowledged to one that is
// accepted, or refused.
type preparing struct {
	*run

	began time.Time // of this process
	tries tries     // to ask the courier
	// fetches counts the tries of a file that can't be brought now, failing is
	// when the first of them ended.
	fetches int
	failing time.Time
}

func (p *preparing) end() {}

// do finds out what is needed to accept a job, and accepts it.
func (p *preparing) do(ctx context.Context, j Job) (time.Duration, error) {
	if p.began.IsZero() {
		p.began = time.Now()
	}
	err := p.try(ctx, j)
	missing, unprepared := errors.AsType[*unpreparedError](err)
	switch {
	case !unprepared:
		return 0, err
	case time.Since(p.began) > prepareGiveUp:
		p.log.ErrorContext(ctx, "giving up on preparing a job", "error", missing.err)
		return 0, p.finish(ctx, Preparing, Failed, Failure{Kind: FailUnprepared}, quota.Keep())
	}
	return p.tries.again(ctx, p.run, missing.err)
}

// unpreparedError says that the courier had no answer yet.
type unpreparedError struct{ err error }

func (e *unpreparedError) Error() string { return e.err.Error() }

// try asks the courier about a job and accepts it, once.
func (p *preparing) try(ctx context.Context, j Job) error {
	if j.Cancel != nil && !j.Doubted {
		return p.finish(ctx, Preparing, Cancelled, Failure{}, quota.Keep())
	}
	courier := p.courier(j)
	if courier == nil {
		return &unpreparedError{&RetryError{After: platformOffPause, Err: errPlatformOff}}
	}
	p.card.wait()
	call, cancel := context.WithTimeout(ctx, prepareLimit)
	defer cancel()
	if j.Unconfirmed {
		told, err := courier.Acknowledged(call, j)
		switch {
		case errors.Is(err, ErrCannotTell) && j.Doubted: // it may have been submitted since
		case errors.Is(err, ErrCannotTell):
			return p.finish(ctx, Preparing, Failed, Failure{Kind: FailInterrupted}, quota.Keep())
		case err != nil:
			return &unpreparedError{err}
		case !told:
			return p.update(ctx, Preparing, quota.Keep(), (*Job).unacknowledged)
		}
		// The card is shown from here on, and nobody can tell after that.
		return p.update(ctx, Preparing, quota.Keep(), func(j *Job) { j.Unconfirmed = false })
	}
	ready, err := courier.Prepare(call, j)
	refusal, refused := errors.AsType[*RefusedError](err)
	switch {
	case refused:
		return p.finish(ctx, Preparing, Failed, refusal.Failure, quota.Keep())
	case errors.Is(err, ErrUnreachable):
		return p.finish(ctx, Preparing, Failed, Failure{Kind: FailUnreachable}, quota.Keep())
	case err != nil:
		return &unpreparedError{err}
	}
	if bad := p.e.cfg.Refuses(ready.Request, ready.Tiers); len(bad) > 0 {
		return p.finish(ctx, Preparing, Failed, Failure{Kind: FailModel, Invalid: bad}, quota.Keep())
	}
	if len(j.Request.Pending()) > 0 {
		return p.input(ctx, courier, ready)
	}
	p.setProgress(func(now *Progress) { now.Input, now.Retrying = "", false })
	accepted, err := p.e.accept(ctx, ready)
	if errors.Is(err, ErrExists) || errors.Is(err, ErrConflict) {
		fresh, err := p.e.cfg.Store.Job(ctx, j.ID) // it was changed meanwhile: a button was pressed
		if err == nil && !p.replace(fresh) {
			return errLost // the store has lost what was written since, as in change
		}
		return err
	}
	if err != nil {
		return err
	}
	p.replace(accepted)
	p.measure(ctx)
	p.log.InfoContext(ctx, "job changed state", "from", string(Preparing), "state", string(accepted.State))
	p.e.cfg.OnChange(Preparing, accepted)
	return nil
}

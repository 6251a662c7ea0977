package generate

import (
	"context"
	"errors"
	"time"

	"ltxbot/core/quota"
)

// step does what is to be done for a job in its state. It returns when the
// job is in another state, or when it is to be looked at again.
func (e *Engine) step(ctx context.Context, r *run, j Job) error {
	if r.pending != nil {
		return r.outcome(e.hard, r.pending)
	}
	switch j.State {
	case Received: // nobody works on it
	case Preparing:
		return e.prepare(ctx, r, j)
	case Accepted:
		return e.begin(ctx, r, j)
	case Submitting:
		return e.submit(ctx, r, j)
	case Unknown:
		return e.search(ctx, r, j)
	case Queued, Running:
		return e.watch(ctx, r, j)
	case Fetched, Delivering:
		return e.deliver(ctx, r, j)
	case Delivered, Failed, Cancelled:
		return e.conclude(ctx, r, j)
	}
	return errors.New("this version does not know the state " + string(j.State))
}

// How patient the first steps are.
const (
	turnPause    = 5 * time.Second  // between looks at the place in the line
	firstCard    = 15 * time.Minute // until the conversation must have taken the card
	submitPause  = 2 * time.Second  // after a temporary refusal, growing
	submitMost   = 30 * time.Second
	submitGiveUp = 10 * time.Minute // of temporary refusals in a row
	submitLimit  = 60 * time.Second // for the provider to answer a submit
	passOnTries  = 20               // to tell a successor, which needs a moment to begin
	// untilLeast is how much time a conversation that stops taking messages
	// must have left when a job is submitted. The model needs one or two
	// minutes, and its queue may be long.
	untilLeast = 5 * time.Minute
)

// begin waits for the job's turn, shows its card, and saves the intention to
// submit. No money is spent for a conversation that does not take the card.
func (e *Engine) begin(ctx context.Context, r *run, j Job) error {
	if j.Cancel != nil {
		return r.finish(ctx, Accepted, Cancelled, Failure{}, quota.Release())
	}
	if !j.Until.IsZero() && time.Until(j.Until) < untilLeast {
		return r.finish(ctx, Accepted, Failed, Failure{Kind: FailUnreachable}, quota.Release())
	}
	if !j.Admitted {
		place, err := e.cfg.Store.Place(ctx, j.ID)
		if err != nil {
			return err
		}
		r.setProgress(func(p *Progress) { p.Waiting = place })
		r.card.refresh(ctx)
		r.pause(ctx, turnPause)
		return r.reload(ctx)
	}
	r.setProgress(func(p *Progress) { p.Waiting = 0 })
	if err := r.card.settle(ctx); err != nil {
		if r.asking.IsZero() {
			r.asking = time.Now()
		}
		if errors.Is(err, ErrUnreachable) || time.Since(r.asking) > firstCard {
			return r.finish(ctx, Accepted, Failed, Failure{Kind: FailUnreachable}, quota.Release())
		}
		return r.retry(ctx, err)
	}
	if d := time.Until(r.notBefore); d > 0 {
		r.pause(ctx, d)
		return r.reload(ctx)
	}
	now := time.Now()
	r.intent = now
	return r.change(ctx, quota.Keep(), func(j *Job) error {
		if j.Owner != e.cfg.Owner {
			return errLost
		}
		if j.State != Accepted || j.Cancel != nil {
			return errMoved
		}
		j.State, j.Submitted, j.Deadline = Submitting, now, e.deadline(*j, now)
		return nil
	})
}

// deadline is when the provider is asked to stop a job that is submitted now:
// before its conversation stops taking messages, so that a job which is still
// in the provider's queue ends without cost.
func (e *Engine) deadline(j Job, now time.Time) time.Time {
	end := now.Add(e.cfg.Deadline)
	if !j.Until.IsZero() && j.Until.Before(end) {
		return j.Until
	}
	return end
}

// submit asks the provider, once. A job found in this state by a later run
// was perhaps submitted: it is looked for, never submitted again.
func (e *Engine) submit(ctx context.Context, r *run, j Job) error {
	mine := r.means(j)
	r.intent = time.Time{}
	if !mine {
		return r.update(ctx, Submitting, quota.Keep(), func(j *Job) { j.State = Unknown })
	}
	// A stop of the process lets the answer come in: it is worth money.
	call, cancel := context.WithTimeout(e.hard, submitLimit)
	defer cancel()
	sub, err := e.cfg.Provider.Submit(call, Order{Job: j.ID, Endpoint: j.Endpoint, Request: j.Request})
	return r.outcome(e.hard, e.submitted(r, sub, err))
}

// takeBack returns a job to its turn that this run meant to submit and did
// not, since the process is stopping: only this process knows that.
func (e *Engine) takeBack(r *run, j Job) {
	if j.State != Submitting || !r.means(j) {
		return
	}
	err := r.update(e.hard, Submitting, quota.Keep(), func(j *Job) {
		j.State, j.Submitted, j.Deadline = Accepted, time.Time{}, time.Time{}
	})
	if err != nil {
		r.log.Warn("cannot take back the intention to submit", "error", err)
	}
}

// means reports whether it was this very run that saved the intention to
// submit j, and has not acted on it.
func (r *run) means(j Job) bool { return !r.intent.IsZero() && j.Submitted.Equal(r.intent) }

// submitted is how the answer to a submit is saved.
func (e *Engine) submitted(r *run, sub Submission, err error) func(context.Context) error {
	var refused *ProviderError
	switch {
	case err == nil:
		r.refusals = 0
		return func(ctx context.Context) error {
			err := r.update(ctx, Submitting, quota.Keep(), func(j *Job) { j.State, j.Submission = Queued, sub })
			if errors.Is(err, errLost) || errors.Is(err, errMoved) {
				e.passOn(ctx, r, sub)
			}
			return err
		}
	case errors.Is(err, ErrNotSent), errors.As(err, &refused) && refused.Temporary:
		return e.putBack(r, err, refused)
	case refused != nil:
		r.log.Warn("provider refused the job", "kind", string(refused.Kind), "request_id", sub.RequestID, "error", err)
		return func(ctx context.Context) error {
			return r.finish(ctx, Submitting, Failed, refused.failure(), quota.Release(), unsure, func(j *Job) { j.Submission = sub })
		}
	default:
		r.log.Warn("outcome of the submit is not known", "error", err)
		return func(ctx context.Context) error {
			return r.update(ctx, Submitting, quota.Keep(), func(j *Job) { j.State = Unknown })
		}
	}
}

// passOn tells whoever has taken the job over what the provider answered: it
// looks for that very request.
func (e *Engine) passOn(ctx context.Context, r *run, sub Submission) {
	for n := 1; ; n++ {
		err := e.Arrived(ctx, r.claim.Job.ID, sub.RequestID)
		switch {
		case err == nil, errors.Is(err, ErrNoJob):
			return
		case n == passOnTries:
			r.log.ErrorContext(ctx, "cannot pass on what the provider answered", "request_id", sub.RequestID, "error", err)
			return
		case !wait(ctx, backoff(n, time.Second, searchPause)):
			return
		}
	}
}

// putBack returns a job that the provider does not take now to its turn.
func (e *Engine) putBack(r *run, err error, refused *ProviderError) func(context.Context) error {
	if r.refusals++; r.refusals == 1 {
		r.refused = time.Now()
	}
	r.log.Warn("provider takes no job now", "tries", r.refusals, "error", err)
	left := submitGiveUp - time.Since(r.refused)
	if left <= 0 {
		return func(ctx context.Context) error {
			return r.finish(ctx, Submitting, Failed, Failure{Kind: FailBusy}, quota.Release(), unsure)
		}
	}
	pause := backoff(r.refusals, submitPause, submitMost)
	if refused != nil {
		pause = max(pause, refused.RetryAfter)
	}
	pause = min(pause, left) // whatever it asks for, it is tried a last time
	r.notBefore = time.Now().Add(pause)
	return func(ctx context.Context) error {
		return r.update(ctx, Submitting, quota.Keep(), func(j *Job) {
			j.State, j.Submitted, j.Deadline = Accepted, time.Time{}, time.Time{}
		})
	}
}

// conclude shows how the job ended. Then nothing is left to do for it, but for
// a lost submit that is looked for once more.
func (e *Engine) conclude(ctx context.Context, r *run, j Job) error {
	r.media.remove()
	if j.Shown == j.State {
		return e.lookAgain(ctx, r, j)
	}
	r.measure(ctx) // the bill has changed what is left
	err := r.card.settle(ctx)
	switch {
	case err == nil, errors.Is(err, ErrUnreachable):
	case time.Since(j.Finished) > giveUpAfter:
		r.log.ErrorContext(ctx, "giving up on the last word of a job", "error", err)
	default:
		return r.retry(ctx, err)
	}
	return r.change(e.hard, quota.Keep(), func(j *Job) error {
		if !j.State.Terminal() {
			return errMoved
		}
		j.Shown, j.Notes = j.State, withoutSecrets(j.Notes)
		return nil
	})
}

const (
	// giveUpAfter is how long a conversation that does not answer is tried,
	// and any step that does not succeed.
	giveUpAfter = 24 * time.Hour
	// maxPause is the longest pause that a conversation may ask for.
	maxPause = 15 * time.Minute
)

// pause is the time to the next try, whatever the conversation asks for.
func (e *RetryError) pause() time.Duration { return min(max(e.After, 100*time.Millisecond), maxPause) }

// retry pauses as long as err, or the number of tries, asks for.
func (r *run) retry(ctx context.Context, err error) error {
	if errors.Is(err, errLost) {
		return err
	}
	r.tries++
	pause := backoff(r.tries, time.Second, time.Minute)
	if again, ok := errors.AsType[*RetryError](err); ok {
		pause = again.pause()
	} else if ctx.Err() == nil {
		r.log.WarnContext(ctx, "conversation did not take it", "tries", r.tries, "error", err)
	}
	r.pause(ctx, pause)
	return r.reload(ctx)
}

// failure is what the provider's answer means for the person.
func (e *ProviderError) failure() Failure {
	return Failure{Kind: e.Kind, Field: e.Field, Limit: e.Limit}
}

package generate

import (
	"context"
	"errors"
	"math"
	"time"

	"ltxbot/core/quota"
)

// Timeouts of the first steps.
const (
	turnPause    = time.Minute      // between looks whether the turn has come, should its signal be lost
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

// asking is the step from a job that is accepted to one that the provider has.
type asking struct {
	*run

	// intent is when this run saved that it is about to submit. It is zero again
	// once Submit is called, and Submit is called only while it is set.
	intent    time.Time
	refusals  int       // temporary refusals of the submit in a row
	refused   time.Time // when the first of them came
	notBefore time.Time // when the submit may be tried again
	carding   time.Time // since when the conversation is asked to take the first card
	tries     tries     // to show it
}

func (a *asking) do(ctx context.Context, j Job) (time.Duration, error) {
	if j.State == Submitting {
		return 0, a.submit(ctx, j)
	}
	return a.begin(ctx, j)
}

func (a *asking) end() {}

// begin waits for the job's turn, shows its card, and saves the intention to
// submit. No money is spent for a conversation that does not take the card.
func (a *asking) begin(ctx context.Context, j Job) (time.Duration, error) {
	if j.Doubted { // it was perhaps submitted: like one whose submit was lost, it is looked for
		return 0, a.update(ctx, Accepted, quota.Keep(), func(j *Job) {
			j.State, j.Submitted, j.Deadline, j.Batch.Carded = Unknown, j.Created, time.Now().Add(a.e.cfg.Deadline), j.Leads()
		})
	}
	if j.Cancel != nil {
		return 0, a.finish(ctx, Accepted, Cancelled, Failure{}, quota.Release())
	}
	left := turnPause
	if !j.Until.IsZero() {
		if left = time.Until(j.Until) - untilLeast; left < 0 {
			return 0, a.finish(ctx, Accepted, Failed, Failure{Kind: FailUnreachable}, quota.Release())
		}
	}
	// The other takes of a batch may have their turn before the lead, and wait
	// for its card: it is there before its own turn.
	early := j.Leads() && !j.Batch.Carded
	if !j.Admitted && !early {
		a.card.refresh()
		return min(left+time.Millisecond, turnPause), nil
	}
	if j.Admitted {
		a.setProgress(func(p *Progress) { p.Waiting = 0 })
	}
	if d := time.Until(a.notBefore); d > 0 {
		return d, nil
	}
	if j.follows() {
		if rest, err := a.afterCard(ctx, j); rest > 0 || err != nil || a.snapshot().State != Accepted {
			return rest, err
		}
	}
	rest, err := a.card.settle(ctx)
	if rest > 0 {
		return rest, nil
	}
	if err != nil {
		if a.carding.IsZero() {
			a.carding = time.Now()
		}
		if errors.Is(err, ErrUnreachable) || time.Since(a.carding) > firstCard {
			return 0, a.finish(ctx, Accepted, Failed, Failure{Kind: FailUnreachable}, quota.Release())
		}
		return a.tries.again(ctx, a.run, err)
	}
	if !j.Admitted {
		return 0, a.update(ctx, Accepted, quota.Keep(), func(j *Job) { j.Batch.Carded = true })
	}
	now := time.Now()
	a.intent = now
	return 0, a.change(ctx, quota.Keep(), func(j *Job) error {
		if j.Owner != a.e.cfg.Owner {
			return errLost
		}
		if j.State != Accepted || j.Cancel != nil {
			return errMoved
		}
		j.State, j.Submitted, j.Deadline, j.Batch.Carded = Submitting, now, a.e.deadline(*j, now), j.Leads()
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
func (a *asking) submit(ctx context.Context, j Job) error {
	mine := a.means(j)
	a.intent = time.Time{}
	if !mine {
		return a.update(ctx, Submitting, quota.Keep(), func(j *Job) { j.State = Unknown })
	}
	// A stop of the process lets the answer come in: it is worth money.
	call, cancel := context.WithTimeout(a.e.hard, submitLimit)
	defer cancel()
	a.e.polls.spend()
	sub, err := a.e.cfg.Provider.Submit(call, JobRequest{Job: j.ID, Endpoint: j.Endpoint, Request: j.Request, Deadline: j.Deadline})
	return a.outcome(a.e.hard, a.submitted(sub, err))
}

// unsubmit returns a job to its turn that this run meant to submit and did
// not, since the process is stopping: only this process knows that.
func (r *run) unsubmit(j Job) {
	if a, ok := r.step.(*asking); !ok || j.State != Submitting || !a.means(j) {
		return
	}
	err := r.update(r.e.hard, Submitting, quota.Keep(), func(j *Job) {
		j.State, j.Submitted, j.Deadline = Accepted, time.Time{}, time.Time{}
	})
	if err != nil {
		r.log.Warn("cannot take back the intention to submit", "error", err)
	}
}

// means reports whether it was this very run that saved the intention to
// submit j, and has not acted on it.
func (a *asking) means(j Job) bool { return !a.intent.IsZero() && j.Submitted.Equal(a.intent) }

// submitted is how the answer to a submit is saved.
func (a *asking) submitted(sub Submission, err error) func(context.Context) error {
	var refused *ProviderError
	switch {
	case err == nil:
		a.refusals = 0
		return func(ctx context.Context) error {
			err := a.update(ctx, Submitting, quota.Keep(), func(j *Job) { j.State, j.Submission = Queued, sub })
			if errors.Is(err, errLost) || errors.Is(err, errMoved) {
				a.passOn(ctx, sub)
			}
			return err
		}
	case errors.Is(err, ErrNotSent), errors.As(err, &refused) && refused.Temporary:
		return a.putBack(err, refused)
	case refused != nil:
		a.log.Warn("provider refused the job", "kind", string(refused.Kind), "request_id", sub.RequestID, "error", err)
		return func(ctx context.Context) error {
			return a.finish(ctx, Submitting, Failed, refused.failure(), quota.Release(), unsure, func(j *Job) { j.Submission = sub })
		}
	default:
		a.log.Warn("outcome of the submit is not known", "error", err)
		return func(ctx context.Context) error {
			return a.update(ctx, Submitting, quota.Keep(), func(j *Job) { j.State = Unknown })
		}
	}
}

// passOn tells whoever has taken the job over what the provider answered: it
// looks for that very request.
func (r *run) passOn(ctx context.Context, sub Submission) {
	for n := 1; ; n++ {
		err := r.e.Arrived(ctx, r.id, sub.RequestID)
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
func (a *asking) putBack(err error, refused *ProviderError) func(context.Context) error {
	if a.refusals++; a.refusals == 1 {
		a.refused = time.Now()
	}
	a.log.Warn("provider takes no job now", "tries", a.refusals, "error", err)
	left := submitGiveUp - time.Since(a.refused)
	if left <= 0 {
		return func(ctx context.Context) error {
			return a.finish(ctx, Submitting, Failed, Failure{Kind: FailBusy}, quota.Release(), unsure)
		}
	}
	pause := backoff(a.refusals, submitPause, submitMost)
	if refused != nil {
		pause = max(pause, refused.RetryAfter)
	}
	pause = min(pause, left) // whatever it asks for, it is tried a last time
	a.notBefore = time.Now().Add(pause)
	return func(ctx context.Context) error {
		return a.update(ctx, Submitting, quota.Keep(), func(j *Job) {
			j.State, j.Submitted, j.Deadline = Accepted, time.Time{}, time.Time{}
		})
	}
}

// concluding is the step of a job that is over.
type concluding struct {
	carrier

	tries   tries     // to show how it ended
	again   time.Time // when the next of them may be
	states  []State   // of the takes, as the card shows them
	purges  int       // tries to delete the provider's copy
	purgeAt time.Time // when the next of them may be
	looking time.Time // since when a lost submit is looked for once more
	lookups int       // such searches that were not answered
}

// do shows how the job ended, and has the provider's copy deleted meanwhile if that
// is asked for. Then nothing is left to do for the job, but for a lost submit that is
// looked for once more.
func (c *concluding) do(ctx context.Context, j Job) (time.Duration, error) {
	rest := time.Duration(math.MaxInt64)
	if j.Shown != j.State {
		var err error
		if rest, err = c.lastWord(ctx, j); rest == 0 || err != nil {
			return rest, err
		}
	}
	if !j.Purge.IsZero() {
		pause, err := c.purge(ctx, j)
		return min(rest, pause), err
	}
	if j.Shown != j.State {
		return rest, nil
	}
	return c.lookAgain(ctx, j)
}

// lastWord shows how the job ended. The lead of a batch that has no video of its own
// posts those of the other takes first, and any lead shows the card until all takes
// are over.
func (c *concluding) lastWord(ctx context.Context, j Job) (time.Duration, error) {
	if d := time.Until(c.again); d > 0 {
		return d, nil
	}
	if j.Leads() && j.State != Delivered {
		if done, rest, err := c.others(ctx, j); !done {
			return rest, err
		}
	}
	if rest, err := c.late(ctx, j); rest > 0 || err != nil {
		return rest, err
	}
	c.measure(ctx) // the bill has changed what is left
	rest, err := c.card.settle(ctx)
	if rest == 0 && err == nil {
		err = c.tellApart(ctx, j)
	}
	switch {
	case rest > 0:
		return rest, nil
	case err == nil, errors.Is(err, ErrUnreachable):
	case time.Since(j.Finished) > giveUpAfter:
		c.log.ErrorContext(ctx, "giving up on the last word of a job", "error", err)
	default:
		pause, err := c.tries.again(ctx, c.run, err)
		c.again = time.Now().Add(pause)
		return pause, err
	}
	return 0, c.change(c.e.hard, quota.Keep(), func(j *Job) error {
		if !j.State.Terminal() {
			return errMoved
		}
		j.Shown, j.Notes = j.State, withoutSecrets(j.Notes)
		return nil
	})
}

func (c *concluding) end() { c.remove() }

const (
	// giveUpAfter is how long a conversation that does not answer is tried,
	// and any step that does not succeed.
	giveUpAfter = 24 * time.Hour
	// maxPause is the longest pause that a conversation may ask for.
	maxPause = 15 * time.Minute
)

// pause is the time to the next try, whatever the conversation asks for.
func (e *RetryError) pause() time.Duration { return min(max(e.After, 100*time.Millisecond), maxPause) }

// tries counts the tries of a call to the conversation.
type tries int

// again returns the rest that err, or the number of tries, asks for.
func (t *tries) again(ctx context.Context, r *run, err error) (rest time.Duration, _ error) {
	if errors.Is(err, errLost) {
		return 0, err
	}
	*t++
	if asked, ok := errors.AsType[*RetryError](err); ok {
		return asked.pause(), nil
	}
	if ctx.Err() == nil {
		r.log.WarnContext(ctx, "conversation did not take it", "tries", int(*t), "error", err)
	}
	return backoff(int(*t), time.Second, time.Minute), nil
}

// failure is what the provider's answer means for the person.
func (e *ProviderError) failure() Failure {
	return Failure{Kind: e.Kind, Field: e.Field, Limit: e.Limit}
}

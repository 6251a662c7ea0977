package generate

import (
	"context"
	"errors"
	"fmt"
	"time"

	"ltxbot/core/quota"
)

// lastLooks is how long a run asks the provider about a job whose time is
// long over, before it gives it up: the process may have been down until now.
// A shorter Config.GiveUp counts instead.
const lastLooks = 2 * time.Minute

// ends is when this run gives up waiting for the provider. It is counted from
// when the deadline was first seen, on the monotonic clock: a clock that is
// set ends no job.
func (w *watching) ends(j Job) time.Time {
	if w.last.IsZero() || !w.lastOf.Equal(j.Deadline) {
		w.lastOf = j.Deadline
		timeout := w.e.cfg.GiveUp
		w.last = time.Now().Add(max(time.Until(j.Deadline)+timeout, min(timeout, lastLooks)))
	}
	return w.last
}

// giveUp ends a job that the provider has not ended long after it was asked
// to stop. The result is asked for a last time.
func (w *watching) giveUp(ctx context.Context, j Job) error {
	if over, err := w.fetch(ctx, j); over || err != nil {
		return err
	}
	j = w.snapshot()
	to, failure, billing := w.e.ending(j, FailGivenUp)
	w.log.ErrorContext(ctx, "the provider has never ended the job; it is given up",
		"request_id", j.Submission.RequestID, "complete", !j.Completed.IsZero(), "charged_usd", billing.Amount.Dollars())
	return w.finish(ctx, j.State, to, failure, billing, unsure)
}

// ending is how a job ends that nobody waits for any longer, by the state it
// is in. kind is why, where nothing better is known.
func (e *Engine) ending(j Job, kind FailureKind) (State, Failure, quota.Billing) {
	billing := quota.Release()
	switch {
	case j.State.early():
		billing = quota.Keep() // there is none
	case j.State == Fetched, j.State == Delivering:
		return Failed, Failure{Kind: FailUnreachable}, quota.Keep()
	case !j.Completed.IsZero(): // made and billed, like one that has vanished
		return Failed, Failure{Kind: FailExpired}, quota.Settle(j.Estimate)
	case e.cfg.BillFailures && (j.State == Queued || j.State == Running):
		billing = quota.Settle(j.Estimate)
	}
	if j.Cancel != nil && j.Cancel.By != ByDeadline {
		return Cancelled, Failure{}, billing
	}
	return Failed, Failure{Kind: kind}, billing
}

// GiveUp ends a job at once, in whatever state it is: an operator does not
// want to wait for it any longer. Its hold is released, or settled where the
// provider has billed it, or may have and that is charged. One that is over
// already, and whose last word can't be shown, is no longer tried. A job that
// is over in every respect is ErrTooLate. by is who gives it up. A hint of the
// provider does not take it up again: a person has decided.
func (e *Engine) GiveUp(ctx context.Context, id, by string) (Job, error) {
	return e.giveUpFor(ctx, id, by, FailGivenUp)
}

func (e *Engine) giveUpFor(ctx context.Context, id, by string, kind FailureKind) (Job, error) {
	return e.bill(ctx, id, func(j *Job) (quota.Billing, error) {
		switch {
		case !j.Unfinished():
			return quota.Keep(), ErrTooLate
		case j.State.Terminal():
			j.Shown, j.LookAt, j.Unsure = j.State, time.Time{}, false
			j.purged()
			return quota.Keep(), nil
		case (j.State == Accepted || j.State.early()) && j.Cancel == nil && by != ByBot: // it never came to the provider
			j.Cancel = &CancelRequest{By: by, At: time.Now()}
		}
		// The provider may run, unknown to the bot, what it was asked for.
		asked := stateFacts[j.State].slot && j.State != Accepted
		to, failure, billing := e.ending(*j, kind)
		j.end(to, failure, billing)
		j.Unsure = asked && by == ByBot
		return billing, nil
	})
}

// end makes j terminal.
func (j *Job) end(to State, f Failure, b quota.Billing) {
	j.State, j.Failure, j.Finished = to, f, time.Now()
	if b.Kind == quota.SettleHold {
		j.Charged = b.Amount
	}
}

// unsure marks a job that ends without the provider's word on its request: a
// hint that the provider has run it takes it up again.
func unsure(j *Job) { j.Unsure = true }

// unsureAndLookAgain is unsure, for a job whose request was never found: it is
// looked for once more at its deadline, since the history may list only
// requests that have ended.
func unsureAndLookAgain(j *Job) {
	unsure(j)
	if j.Deadline.After(time.Now()) {
		j.LookAt = j.Deadline
	}
}

// lookAgain looks for a lost submit a last time when it should have ended, and
// takes the job up again if it is found. Its requester was told before that it
// was lost, and its hold was released.
func (c *concluding) lookAgain(ctx context.Context, j Job) (time.Duration, error) {
	if d := time.Until(j.LookAt); d > 0 {
		return d, nil
	}
	if c.looking.IsZero() {
		c.looking = time.Now()
	}
	sub, found, err := c.e.find(ctx, j, time.Now())
	switch {
	case found:
		c.log.InfoContext(ctx, "found the lost submit after it was given up", "request_id", sub.RequestID)
		return 0, c.update(ctx, j.State, quota.Keep(), func(j *Job) {
			j.revive(sub)
			j.State = Unknown // until no other job claims it
		})
	case ctx.Err() != nil:
		return 0, ctx.Err()
	case err != nil && time.Since(c.looking) < c.e.cfg.Grace:
		c.lookups++
		return backoff(c.lookups, searchPause, searchMost), nil
	case err != nil:
		c.log.ErrorContext(ctx, "a lost submit is given up though the provider's history could not be searched", "error", err)
	}
	return 0, c.update(ctx, j.State, quota.Keep(), func(j *Job) { j.LookAt = time.Time{} })
}

// errSearch says that a search was not answered.
var errSearch = errors.New("search the provider's history")

// find looks for the submit of j among what the provider has received until
// to, leaving out what other jobs have.
func (e *Engine) find(ctx context.Context, j Job, to time.Time) (Submission, bool, error) {
	look, cancel := context.WithTimeout(ctx, searchLimit)
	defer cancel()
	e.polls.spend()
	found, err := e.cfg.Provider.Find(look, JobRequest{Job: j.ID, Endpoint: j.Endpoint, Request: j.Request}, j.Submitted, to)
	if err != nil {
		return Submission{}, false, fmt.Errorf("%w: %w", errSearch, err)
	}
	return e.unclaimed(ctx, j, found)
}

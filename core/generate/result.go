package generate

import (
	"context"
	"errors"
	"time"

	"ltxbot/core/quota"
	"ltxbot/core/usd"
)

const (
	// resultDoubt is how long a result must be refused in a way that may pass
	// before that is believed: a video that is paid for is not given up for
	// one bad answer.
	resultDoubt = time.Minute
	// keepsResults is how long the provider surely keeps the result of a
	// submission that nobody saw complete.
	keepsResults = 30 * time.Minute
	// maxOverrun bounds what a job is charged, as a multiple of its estimate,
	// whatever the provider says.
	maxOverrun = 3
)

// fetch asks for the result, and reports whether the job is over with it:
// what it cost is settled then. Otherwise it is to be asked for again.
func (w *watching) fetch(ctx context.Context, j Job) (over bool, _ error) {
	call, done := context.WithTimeout(ctx, callLimit)
	defer done()
	w.e.polls.spend()
	result, err := w.e.cfg.Provider.Result(call, j.Submission)
	failed, answered := errors.AsType[*ProviderError](err)
	switch {
	case err == nil:
		return true, w.fetched(j, result)
	case ctx.Err() != nil:
		return true, ctx.Err()
	case errors.Is(err, ErrNotReady):
		w.doubted = time.Time{}
	case errors.Is(err, ErrGone):
		if w.forgotten(j) || w.complete && w.doubt() {
			return true, w.vanished(ctx, j)
		}
	case answered && !failed.Temporary:
		if w.blamed || final(j, failed) || w.doubt() {
			return true, w.refused(ctx, j, failed)
		}
	}
	w.results++
	if w.results == 1 || w.results%logEvery == 0 {
		w.log.WarnContext(ctx, "cannot read the result", "tries", w.results, "complete", w.complete, "error", err)
	}
	if w.complete && j.Completed.IsZero() {
		return false, w.update(ctx, j.State, quota.Keep(), func(j *Job) { j.Completed = time.Now() })
	}
	return false, nil
}

// final reports whether an answer in place of a result is how the job ended:
// the model's own word. A server error, or an answer without a name, may come
// from something in between.
func final(j Job, err *ProviderError) bool {
	switch {
	case err.Kind == FailCancelled && j.Cancel != nil:
		return true
	case err.HTTPStatus >= 500:
		return false
	}
	return err.Type != "" || err.Kind == FailRefused
}

// doubt reports whether the result has been refused for resultDoubt.
func (w *watching) doubt() bool {
	if w.doubted.IsZero() {
		w.doubted = time.Now()
	}
	return time.Since(w.doubted) >= resultDoubt
}

// fetched saves an output and settles what it cost.
func (w *watching) fetched(j Job, result Result) error {
	charged, billed := w.e.charge(j, result)
	if billed > charged {
		w.log.Error("the provider's bill is out of proportion to the estimate; the rest is not charged to anybody",
			"request_id", j.Submission.RequestID, "billed_usd", billed.Dollars(), "charged_usd", charged.Dollars(), "estimated_usd", j.Estimate.Dollars())
	}
	return w.outcome(w.e.hard, func(ctx context.Context) error {
		err := w.update(ctx, j.State, quota.Settle(charged), func(j *Job) {
			j.State, j.Fetched = Fetched, time.Now()
			j.Output, j.Charged, j.Billed, j.Seconds = result.Output, charged, billed, w.ran
		})
		if err == nil {
			w.e.history.add(w.snapshot())
		}
		return err
	})
}

// vanished ends a job that the provider no longer knows. One that was
// cancelled was removed from the queue. One that had begun, or that is so old
// that its result may have come and gone, was made and billed; any other was
// lost before it cost anything.
func (w *watching) vanished(ctx context.Context, j Job) error {
	switch {
	case j.Cancel != nil && !w.complete && j.Completed.IsZero():
		return w.refused(ctx, j, &ProviderError{Op: "status", Kind: FailCancelled, Message: "the provider no longer knows the request"})
	case w.complete, !j.Completed.IsZero(), j.State == Running, time.Since(j.Submitted) > keepsResults:
		return w.finish(ctx, j.State, Failed, Failure{Kind: FailExpired}, quota.Settle(j.Estimate), unsure)
	case w.known:
		return w.finish(ctx, j.State, Failed, Failure{Kind: FailProvider}, quota.Release(), unsure)
	default: // it never knew the request: it may run it under another id
		return w.finish(ctx, j.State, Failed, Failure{Kind: FailProvider}, quota.Release(), unsureAndLookAgain)
	}
}

// refused ends a job that the provider says has failed.
func (w *watching) refused(ctx context.Context, j Job, err *ProviderError) error {
	w.log.InfoContext(ctx, "job failed at the provider", "kind", string(err.Kind), "error", err)
	billing := quota.Release()
	began := !j.Started.IsZero() || w.ran > 0
	if w.e.cfg.BillFailures && (err.MayBill || err.Kind == FailCancelled && began) {
		billing = quota.Settle(j.Estimate)
	}
	to, failure := Failed, err.failure()
	switch {
	case j.Cancel != nil && j.Cancel.By == ByDeadline:
		failure = Failure{Kind: FailTimeout}
	case j.Cancel != nil:
		to, failure = Cancelled, Failure{}
	}
	return w.finish(ctx, j.State, to, failure, billing)
}

// charge is what a finished job costs: what the provider bills, else by the
// real size of the output, else the estimate; and never more than maxOverrun
// times the estimate. billed is what the provider bills if that is more.
func (e *Engine) charge(j Job, result Result) (charged, billed usd.Micros) {
	bill := j.Request.Bill(e.cfg.Price(j.Endpoint), result.BillableUnits, result.Output)
	switch most := maxOverrun * j.Estimate; {
	case j.Charged > 0: // before it was taken up again, and the hold was settled with it
		return j.Charged, 0
	case bill > most:
		return most, bill
	default:
		return bill, 0
	}
}

package generate

import (
	"context"
	"errors"
	"time"

	"ltxbot/core/ltx"
	"ltxbot/core/quota"
	"ltxbot/core/usd"
)

// How often the provider is asked while a job is there. In the queue slower
// and slower; while it runs the status stream tells, and a slow poll makes
// sure that a silent stream is noticed.
const (
	queueFirst   = time.Second
	queueMost    = 12 * time.Second // when the next place may be ours
	queueFar     = time.Minute      // when many are ahead
	queueEach    = 2 * time.Second  // more for each job ahead
	runFirst     = 2 * time.Second
	runMost      = 8 * time.Second
	streamedPoll = 25 * time.Second
	tick         = 5 * time.Second // of the percentage guessed from past durations
	callLimit    = 30 * time.Second
	// maxGone is how often in a row the provider may not know a submission
	// before that is believed.
	maxGone = 5
)

// watch follows the submission until it is complete, and tells the provider
// when somebody, or the deadline, wants it stopped.
func (e *Engine) watch(ctx context.Context, r *run, j Job) error {
	streaming, cancel := context.WithCancel(ctx)
	defer cancel()
	var (
		polls   int
		errs    int
		news    <-chan Status // of the stream; nil while there is none
		opened  bool          // a stream that broke is not opened again
		next    = time.NewTimer(firstPoll(j))
		ticker  = time.NewTicker(tick)
		expires = time.NewTimer(time.Until(j.Deadline))
	)
	defer next.Stop()
	defer ticker.Stop()
	defer expires.Stop()
	r.card.refresh(ctx)
	for {
		j = r.snapshot()
		if j.State != Queued && j.State != Running {
			return nil
		}
		if err := e.stopAsked(ctx, r, j); err != nil {
			return err
		}
		if j.State == Running && !opened {
			opened, news = true, e.stream(streaming, j)
		}
		var status Status
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-r.claim.Lost:
			return errLost
		case <-r.claim.Changed:
			if err := r.reload(ctx); err != nil {
				return err
			}
			if hinted := r.snapshot().Hinted; hinted.After(j.Hinted) {
				next.Reset(0)
			}
			continue
		case <-expires.C:
			continue
		case <-ticker.C:
			if r.guess() {
				r.card.refresh(ctx)
			}
			continue
		case s, open := <-news:
			if !open {
				news = nil
				next.Reset(pollPause(j, polls, false))
				continue
			}
			status = s
			next.Reset(streamedPoll)
		case <-next.C:
			call, done := context.WithTimeout(ctx, callLimit)
			s, err := e.cfg.Provider.Status(call, j.Submission)
			done()
			if err != nil {
				errs++
				if over, err := e.statusFailed(ctx, r, j, err); over || err != nil {
					return err
				}
				next.Reset(backoff(errs, runFirst, queueFar))
				continue
			}
			errs, r.gone = 0, 0
			polls++
			status = s
			next.Reset(pollPause(j, polls, news != nil))
		}
		if done, err := e.progress(ctx, r, status); done || err != nil {
			return err
		}
	}
}

// firstPoll is the time to the first poll: none for a job that the provider
// has already called about.
func firstPoll(j Job) time.Duration {
	if !j.Hinted.IsZero() {
		return 0
	}
	return pollPause(j, 0, false)
}

// pollPause is the time to the next poll.
func pollPause(j Job, polls int, streamed bool) time.Duration {
	switch {
	case streamed:
		return streamedPoll
	case j.State == Running:
		return backoff(polls+1, runFirst, runMost)
	default:
		most := queueMost + queueEach*time.Duration(max(0, j.Progress.Position))
		return backoff(polls+1, queueFirst, min(most, queueFar))
	}
}

// stream opens the status stream of a submission, when there is room for one
// more. The channel is closed when the stream ends; it is nil when there is
// no room.
func (e *Engine) stream(ctx context.Context, j Job) <-chan Status {
	select {
	case e.streams <- struct{}{}:
	default:
		return nil
	}
	news := make(chan Status)
	e.workers.Go(func() {
		defer func() { <-e.streams }()
		defer close(news)
		for s, err := range e.cfg.Provider.Watch(ctx, j.Submission) {
			if err != nil {
				return
			}
			select {
			case news <- s:
			case <-ctx.Done():
				return
			}
		}
	})
	return news
}

// stopAsked tells the provider, once, that the job is not wanted any more.
// The wish was saved before; that it was passed on is saved after.
func (e *Engine) stopAsked(ctx context.Context, r *run, j Job) error {
	if j.Cancel == nil && time.Now().After(j.Deadline) {
		if err := r.change(ctx, quota.Keep(), func(j *Job) error {
			if j.Cancel == nil {
				j.Cancel = &CancelRequest{By: ByDeadline, At: time.Now()}
			}
			return nil
		}); err != nil {
			return err
		}
		j = r.snapshot()
	}
	if j.Cancel == nil || !j.Cancel.Asked.IsZero() {
		return nil
	}
	r.card.refresh(ctx)
	call, done := context.WithTimeout(ctx, callLimit)
	defer done()
	outcome, err := e.cfg.Provider.Cancel(call, j.Submission)
	if err != nil {
		r.log.Warn("cannot pass on the cancel", "error", err)
		return err
	}
	r.log.InfoContext(ctx, "asked the provider to stop", "outcome", string(outcome))
	return r.change(ctx, quota.Keep(), func(j *Job) error {
		if j.Cancel == nil {
			return errMoved
		}
		c := *j.Cancel
		c.Asked = time.Now()
		j.Cancel = &c
		return nil
	})
}

// ByDeadline is who asks for a cancel when nobody did.
const ByDeadline = "deadline"

// statusFailed judges a status that could not be read, and reports whether
// the job is over with it.
func (e *Engine) statusFailed(ctx context.Context, r *run, j Job, err error) (over bool, _ error) {
	if ctx.Err() != nil {
		return true, ctx.Err()
	}
	if errors.Is(err, ErrGone) {
		if r.gone++; r.gone >= maxGone {
			// The result may still be there, or it was fetched too late.
			return true, e.fetch(ctx, r, j)
		}
		return false, nil
	}
	r.log.Warn("cannot read the status", "error", err)
	return false, nil
}

// progress takes in a status, and reports whether the submission is complete.
func (e *Engine) progress(ctx context.Context, r *run, s Status) (done bool, _ error) {
	j := r.snapshot()
	switch s.Phase {
	case PhaseComplete:
		if s.Seconds > 0 {
			r.ran = s.Seconds
		}
		return true, e.fetch(ctx, r, j)
	case PhaseRunning:
		if j.State == Queued {
			if err := r.update(ctx, Queued, quota.Keep(), func(j *Job) { j.State, j.Started = Running, time.Now() }); err != nil {
				return false, err
			}
		}
		r.setProgress(func(p *Progress) {
			p.Position, p.Expected = -1, e.history.expect(j)
			p.Percent = max(p.Percent, s.Percent)
		})
		r.guess()
	case PhaseQueued:
		r.setProgress(func(p *Progress) { p.Position = s.Position })
	}
	r.card.refresh(ctx)
	return false, nil
}

// guessMost is the highest percentage that is guessed from past durations:
// only the provider says that a job is done.
const guessMost = 95

// guess raises the percentage to what past durations suggest, and reports
// whether it did.
func (r *run) guess() bool {
	j := r.snapshot()
	if j.State != Running || j.Progress.Expected <= 0 || j.Started.IsZero() {
		return false
	}
	percent := min(int(100*time.Since(j.Started)/j.Progress.Expected), guessMost)
	if percent <= j.Progress.Percent {
		return false
	}
	r.setProgress(func(p *Progress) { p.Percent = max(p.Percent, percent) })
	return true
}

// setProgress changes what is known of the progress, in memory only.
func (r *run) setProgress(change func(*Progress)) {
	r.mu.Lock()
	defer r.mu.Unlock()
	change(&r.seen)
}

// fetch reads the result of a complete submission and settles what it cost.
func (e *Engine) fetch(ctx context.Context, r *run, j Job) error {
	call, done := context.WithTimeout(ctx, callLimit)
	defer done()
	result, err := e.cfg.Provider.Result(call, j.Submission)
	var failed *ProviderError
	switch {
	case err == nil:
		charged := e.charge(j, result)
		if err := r.update(ctx, j.State, quota.Settle(charged), func(j *Job) {
			j.State, j.Fetched = Fetched, time.Now()
			j.Output, j.Charged, j.Seconds = result.Output, charged, r.ran
		}); err != nil {
			return err
		}
		e.history.add(r.snapshot())
		return nil
	case errors.Is(err, ErrGone):
		// It may have been made and billed while nobody could fetch it.
		return r.finish(ctx, j.State, Failed, Failure{Kind: FailExpired}, quota.Settle(j.Cost))
	case errors.As(err, &failed) && !failed.Temporary:
		return e.failed(ctx, r, j, failed)
	default:
		return err
	}
}

// failed ends a job that the provider says has failed.
func (e *Engine) failed(ctx context.Context, r *run, j Job, err *ProviderError) error {
	r.log.Info("job failed at the provider", "kind", string(err.Kind), "error", err)
	billing := quota.Release()
	if err.MayBill && e.cfg.BillFailures {
		billing = quota.Settle(j.Cost)
	}
	switch {
	case j.Cancel != nil && j.Cancel.By == ByDeadline:
		return r.finish(ctx, j.State, Failed, Failure{Kind: FailTimeout}, billing)
	case j.Cancel != nil:
		return r.finish(ctx, j.State, Cancelled, Failure{}, billing)
	default:
		return r.finish(ctx, j.State, Failed, err.failure(), billing)
	}
}

// charge is what a finished job costs: what the provider bills, else by the
// real size of the output, else the estimate.
func (e *Engine) charge(j Job, result Result) usd.Micros {
	if result.BillableUnits > 0 {
		return ltx.Cost(result.BillableUnits, e.cfg.USDPerMegapixel)
	}
	if mp, ok := result.Output.Megapixels(); ok {
		return ltx.Cost(float64(mp), e.cfg.USDPerMegapixel)
	}
	return j.Cost
}

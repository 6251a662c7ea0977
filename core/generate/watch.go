package generate

import (
	"context"
	"errors"
	"time"

	"ltxbot/core/quota"
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
	cancelLimit  = 10 * time.Second // of one try to pass on a cancel
	cancelMost   = time.Minute      // between such tries
	// maxGone is how often in a row the provider may not know a submission
	// before that is believed, and goneAfter how old one must be that it
	// never knew: a new one may not be known everywhere yet.
	maxGone   = 5
	goneAfter = 2 * time.Minute
	// resultEvery: after so many failed status calls in a row the result is
	// asked for, which may be there all the same.
	resultEvery = 5
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
		ends    = time.NewTimer(time.Until(r.ends(j)))
	)
	defer next.Stop()
	defer ends.Stop()
	defer ticker.Stop()
	defer expires.Stop()
	r.card.refresh(ctx)
	for {
		j = r.snapshot()
		if j.State != Queued && j.State != Running {
			return nil
		}
		if !time.Now().Before(r.ends(j)) {
			return e.giveUp(ctx, r, j)
		}
		if again, err := e.stopAsked(ctx, r, j); err != nil {
			return err
		} else if again > 0 {
			expires.Reset(again)
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
		case <-ends.C:
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
			status = s // and no word on the poll: a stream may be wrong for hours
		case <-next.C:
			if r.complete {
				if over, err := e.fetch(ctx, r, j); over || err != nil {
					return err
				}
				next.Reset(backoff(r.results, runFirst, queueFar))
				continue
			}
			hinted := j.Hinted.After(r.hinted)
			r.hinted = j.Hinted
			call, done := context.WithTimeout(ctx, callLimit)
			s, err := e.cfg.Provider.Status(call, j.Submission)
			done()
			if err != nil {
				errs++
				over, err := e.statusFailed(ctx, r, j, errs, err)
				if !over && err == nil && (!j.Hinted.IsZero() || errs%resultEvery == 0) {
					over, err = e.fetch(ctx, r, j)
				}
				if over || err != nil {
					return err
				}
				next.Reset(backoff(errs, runFirst, queueFar))
				continue
			}
			if hinted && s.Phase != PhaseComplete {
				if over, err := e.fetch(ctx, r, j); over || err != nil {
					return err
				}
			}
			errs, r.gone, r.known = 0, 0, true
			polls++
			status = s
			next.Reset(pollPause(j, polls, news != nil))
		}
		if over, err := e.progress(ctx, r, status); over || err != nil {
			return err
		}
		if r.complete {
			next.Reset(backoff(r.results, runFirst, queueFar))
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
// The wish was saved before; that it was passed on is saved after. While the
// provider does not take it, the job is watched all the same, and again says
// when to come back.
func (e *Engine) stopAsked(ctx context.Context, r *run, j Job) (again time.Duration, _ error) {
	if j.Cancel == nil && time.Now().After(j.Deadline) {
		if err := r.change(ctx, quota.Keep(), func(j *Job) error {
			if j.Cancel == nil {
				j.Cancel = &CancelRequest{By: ByDeadline, At: time.Now()}
			}
			return nil
		}); err != nil {
			return 0, err
		}
		j = r.snapshot()
	}
	if j.Cancel == nil || !j.Cancel.Asked.IsZero() {
		return 0, nil
	}
	if wait := time.Until(r.cancelAfter); wait > 0 {
		return wait, nil
	}
	r.card.refresh(ctx)
	call, done := context.WithTimeout(ctx, cancelLimit)
	defer done()
	outcome, err := e.cfg.Provider.Cancel(call, j.Submission)
	if refused, ok := errors.AsType[*ProviderError](err); err != nil && (!ok || refused.Temporary) {
		r.cancels++
		pause := backoff(r.cancels, runFirst, cancelMost)
		r.cancelAfter = time.Now().Add(pause)
		r.log.WarnContext(ctx, "cannot pass on the cancel", "tries", r.cancels, "error", err)
		return pause, nil
	}
	r.log.InfoContext(ctx, "asked the provider to stop", "outcome", string(outcome), "error", err)
	return 0, r.change(ctx, quota.Keep(), func(j *Job) error {
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

// ByBot is who gives up a job with which nothing can be done.
const ByBot = "bot"

// statusFailed judges a status that could not be read, and reports whether
// the job is over with it.
func (e *Engine) statusFailed(ctx context.Context, r *run, j Job, failures int, err error) (over bool, _ error) {
	if ctx.Err() != nil {
		return true, ctx.Err()
	}
	if errors.Is(err, ErrGone) {
		if r.gone++; r.forgotten(j) {
			// The result may still be there, or it was fetched too late.
			return e.fetch(ctx, r, j)
		}
		return false, nil
	}
	if failures == 1 || failures%tellEvery == 0 {
		r.log.WarnContext(ctx, "cannot read the status", "failures", failures, "error", err)
	}
	return false, nil
}

// forgotten reports whether it is believed that the provider does not know the
// submission.
func (r *run) forgotten(j Job) bool {
	return r.gone >= maxGone && (r.known || time.Since(j.Submitted) > goneAfter)
}

// progress takes in a status, and reports whether the job is over with it.
func (e *Engine) progress(ctx context.Context, r *run, s Status) (over bool, _ error) {
	j := r.snapshot()
	switch s.Phase {
	case PhaseComplete:
		r.complete, r.blamed = true, r.blamed || s.Failed
		if s.Seconds > 0 {
			r.ran = s.Seconds
		}
		return e.fetch(ctx, r, j)
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

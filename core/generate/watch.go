package generate

import (
	"context"
	"errors"
	"sync"
	"time"

	"ltxbot/core/quota"
)

// How often the provider is asked while a job is there, as far as the rate limit of
// the process allows. In the queue slower and slower; while it runs the more
// often the nearer its expected end is, before and after it. A status stream
// tells more, and a slow poll makes sure that a silent stream is noticed.
const (
	queueFirst   = time.Second
	queueMost    = 12 * time.Second // when the next place may be ours
	queueFar     = time.Minute      // when many are ahead
	queueEach    = 2 * time.Second  // more for each job ahead
	runFirst     = 2 * time.Second
	runMost      = 8 * time.Second  // when it is not known how long it runs
	runFar       = 20 * time.Second // far from the expected end
	streamedPoll = 25 * time.Second
	hookedPoll   = 3 // times as long, when the provider calls by itself
	callLimit    = 30 * time.Second
	cancelLimit  = 10 * time.Second // of one try to pass on a cancel
	cancelMost   = time.Minute      // between such tries
	// usualRun is how long a job is expected to run of which nothing is known.
	usualRun = time.Minute
	// maxGone is how often in a row the provider may not know a submission
	// before that is believed, and goneAfter how old one must be that it
	// never knew: a new one may not be known everywhere yet.
	maxGone   = 5
	goneAfter = 2 * time.Minute
	// resultEvery: after so many failed status calls in a row the result is
	// asked for, which may be there all the same.
	resultEvery = 5
)

// watching is the step of a job that is at the provider: it follows the
// submission until it is complete, and tells the provider when somebody, or the
// deadline, wants it stopped.
type watching struct {
	*run

	poke         chan struct{} // run.poke
	request      string        // the submission's
	turn         turn          // to poll
	polls        int
	errs         int       // polls in a row that were not answered
	gone         int       // times in a row that the provider did not know the submission
	known        bool      // the provider has given a status
	complete     bool      // a poll said that it is done
	blamed       bool      // a poll said that it is done, with an error
	ran          float64   // seconds that the model ran, as the provider says
	results      int       // times that the result could not be read
	doubted      time.Time // since when the result is refused in a way that may pass
	hinted       time.Time // the last hint on which the provider was asked
	cancels      int       // tries to pass on a cancel that the provider did not take
	cancelAfter  time.Time // when to pass it on again
	last, lastOf time.Time // when the job is given up, and the deadline that follows from

	close  context.CancelFunc // ends the stream; nil while there is none
	broken bool               // a stream that broke is not opened again
	mu     sync.Mutex
	news   *Status // the latest of the stream that was not taken in
	ended  bool    // the stream has
	lent   bool    // and it was not taken away for another job
}

func newWatching(r *run, j Job) *watching {
	w := &watching{run: r, request: j.Submission.RequestID, poke: make(chan struct{}, 1)}
	r.poke = w.poke
	w.turn.call = func(context.Context) { w.again() }
	r.card.refresh()
	// Nobody knows how it stands: it comes before those that were asked about.
	r.e.polls.book(&w.turn, w.pollPause(j), 0)
	return w
}

func (w *watching) end() {
	w.e.polls.drop(&w.turn)
	if w.close != nil {
		w.close()
	}
}

// again asks for a call of do soon, from another goroutine.
func (w *watching) again() {
	select {
	case w.poke <- struct{}{}:
	default:
	}
}

func (w *watching) book(pause time.Duration) { w.e.polls.book(&w.turn, pause, pause) }

func (w *watching) do(ctx context.Context, j Job) (rest time.Duration, _ error) {
	if !time.Now().Before(w.ends(j)) {
		return 0, w.giveUp(ctx, j)
	}
	again, err := w.stopAsked(ctx, j)
	if err != nil {
		return 0, err
	}
	if s, ok := w.streamed(); ok {
		// This puts off no poll: a stream may be wrong for hours.
		if over, err := w.heard(ctx, s); over || err != nil {
			return 0, err
		}
	}
	if j = w.snapshot(); w.e.polls.given(&w.turn) || j.Hinted.After(w.hinted) {
		if over, err := w.poll(ctx, j); over || err != nil {
			return 0, err
		}
		j = w.snapshot()
	}
	rest = time.Until(w.ends(j))
	if j.Cancel == nil {
		rest = min(rest, time.Until(j.Deadline))
	}
	if again > 0 {
		rest = min(rest, again)
	}
	return max(rest, time.Nanosecond), nil
}

// poll asks the provider, and reports whether the job is over with what it
// said. If not, another turn is booked.
func (w *watching) poll(ctx context.Context, j Job) (over bool, err error) {
	pause := runFirst
	defer func() {
		if over && err == nil {
			w.e.polls.drop(&w.turn)
		} else {
			w.book(pause)
		}
	}()
	hinted := j.Hinted.After(w.hinted)
	if hinted && !w.e.polls.given(&w.turn) {
		w.e.polls.spend()
	}
	w.hinted = j.Hinted
	if w.complete {
		over, err = w.fetch(ctx, j)
		pause = backoff(w.results, runFirst, queueFar)
		return over, err
	}
	call, done := context.WithTimeout(ctx, callLimit)
	s, err := w.e.cfg.Provider.Status(call, j.Submission)
	done()
	if err != nil {
		w.errs++
		pause = backoff(w.errs, runFirst, queueFar)
		over, err = w.statusFailed(ctx, j, err)
		if !over && err == nil && (!j.Hinted.IsZero() || w.errs%resultEvery == 0) {
			over, err = w.fetch(ctx, j)
		}
		return over, err
	}
	if s.Phase != PhaseComplete {
		w.doubted = time.Time{} // a refused result was none
	}
	if hinted && s.Phase != PhaseComplete {
		if over, err := w.fetch(ctx, j); over || err != nil {
			return over, err
		}
	}
	w.errs, w.gone, w.known = 0, 0, true
	w.polls++
	over, err = w.progress(ctx, s)
	if !over && err == nil {
		w.stream(ctx, w.snapshot())
	}
	if pause = w.pollPause(w.snapshot()); w.complete {
		pause = backoff(w.results, runFirst, queueFar)
	}
	return over, err
}

// pollPause is the time to the next poll.
func (w *watching) pollPause(j Job) time.Duration {
	var pause time.Duration
	switch {
	case w.close != nil:
		return streamedPoll
	case j.State == Running && w.polls > 0 && j.Progress.Expected > 0:
		pause = min(max(runFirst, distance(j.expectedEnd())/3), runFar)
	case j.State == Running:
		pause = backoff(w.polls+1, runFirst, runMost)
	default:
		most := queueMost + queueEach*time.Duration(max(0, j.Progress.Position))
		pause = backoff(w.polls+1, queueFirst, min(most, queueFar))
	}
	if w.e.cfg.Webhooks {
		pause = min(hookedPoll*pause, queueFar)
	}
	return pause
}

// expectedEnd is when a job that runs is expected to end.
func (j Job) expectedEnd() time.Time {
	expected := j.Progress.Expected
	if expected <= 0 {
		expected = usualRun
	}
	return j.Started.Add(expected)
}

// stream opens the status stream of a job that runs, when one is free or with
// a job that needs it less.
func (w *watching) stream(ctx context.Context, j Job) {
	if w.close != nil || w.broken || w.complete || j.State != Running {
		return
	}
	ctx, cancel := context.WithCancel(ctx)
	lent := w.e.streams.lend(j.expectedEnd(), cancel)
	if lent == nil {
		cancel()
		return
	}
	w.close = cancel
	w.e.polls.spend()
	w.e.workers.Go(func() {
		defer w.again()
		defer cancel()
		for s, err := range w.e.cfg.Provider.Watch(ctx, j.Submission) {
			if err != nil {
				break
			}
			w.mu.Lock()
			w.news = &s
			w.mu.Unlock()
			w.again()
		}
		lent := w.e.streams.giveBack(lent)
		w.mu.Lock()
		defer w.mu.Unlock()
		w.ended, w.lent = true, lent
	})
}

// streamed is what the stream has said since it was last asked.
func (w *watching) streamed() (s Status, ok bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.news != nil {
		s, ok = *w.news, true
		w.news = nil
	}
	if w.ended {
		w.close, w.broken, w.ended = nil, w.lent, false
		w.book(w.pollPause(w.snapshot()))
	}
	return s, ok
}

// heard takes in what the stream has said, and reports whether the job is over
// with it. That the job is done is a hint: the result is asked for, and if it
// is not there, the next poll tells.
func (w *watching) heard(ctx context.Context, s Status) (over bool, _ error) {
	if s.Phase != PhaseComplete {
		return w.progress(ctx, s)
	}
	w.took(s)
	over, err := w.fetch(ctx, w.snapshot())
	if !over && err == nil {
		w.book(runFirst)
	}
	return over, err
}

// took notes how long the model ran, if s tells.
func (w *watching) took(s Status) {
	if s.Seconds > 0 {
		w.ran = s.Seconds
	}
}

// stopAsked tells the provider, once, that the job is not wanted any more.
// The wish was saved before; that it was passed on is saved after. While the
// provider does not take it, the job is watched all the same, and again says
// when to come back.
func (w *watching) stopAsked(ctx context.Context, j Job) (again time.Duration, _ error) {
	if j.Cancel == nil && !time.Now().Before(j.Deadline) {
		if err := w.change(ctx, quota.Keep(), func(j *Job) error {
			if j.Cancel == nil {
				j.Cancel = &CancelRequest{By: ByDeadline, At: time.Now()}
			}
			return nil
		}); err != nil {
			return 0, err
		}
		j = w.snapshot()
	}
	if j.Cancel == nil || !j.Cancel.Asked.IsZero() {
		return 0, nil
	}
	if rest := time.Until(w.cancelAfter); rest > 0 {
		return rest, nil
	}
	w.card.refresh()
	call, done := context.WithTimeout(ctx, cancelLimit)
	defer done()
	w.e.polls.spend()
	outcome, err := w.e.cfg.Provider.Cancel(call, j.Submission)
	if refused, ok := errors.AsType[*ProviderError](err); err != nil && (!ok || refused.Temporary) {
		w.cancels++
		pause := backoff(w.cancels, runFirst, cancelMost)
		w.cancelAfter = time.Now().Add(pause)
		w.log.WarnContext(ctx, "cannot pass on the cancel", "tries", w.cancels, "error", err)
		return pause, nil
	}
	w.log.InfoContext(ctx, "asked the provider to stop", "outcome", string(outcome), "error", err)
	return 0, w.change(ctx, quota.Keep(), func(j *Job) error {
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
func (w *watching) statusFailed(ctx context.Context, j Job, err error) (over bool, _ error) {
	if ctx.Err() != nil {
		return true, ctx.Err()
	}
	if errors.Is(err, ErrGone) {
		if w.gone++; w.forgotten(j) {
			// The result may still be there, or it was fetched too late.
			return w.fetch(ctx, j)
		}
		return false, nil
	}
	if w.errs == 1 || w.errs%logEvery == 0 {
		w.log.WarnContext(ctx, "cannot read the status", "failures", w.errs, "error", err)
	}
	return false, nil
}

// forgotten reports whether it is believed that the provider does not know the
// submission.
func (w *watching) forgotten(j Job) bool {
	return w.gone >= maxGone && (w.known || time.Since(j.Submitted) > goneAfter)
}

// progress takes in a status, and reports whether the job is over with it.
func (w *watching) progress(ctx context.Context, s Status) (over bool, _ error) {
	j := w.snapshot()
	switch s.Phase {
	case PhaseComplete:
		w.complete, w.blamed = true, w.blamed || s.Failed
		w.took(s)
		return w.fetch(ctx, j)
	case PhaseRunning:
		if j.State == Queued {
			if err := w.update(ctx, Queued, quota.Keep(), func(j *Job) { j.State, j.Started = Running, time.Now() }); err != nil {
				return false, err
			}
		}
		w.setProgress(func(p *Progress) {
			p.Position, p.Expected = -1, w.e.history.expect(j)
			p.Percent = max(p.Percent, s.Percent)
		})
		w.guess()
	case PhaseQueued:
		w.setProgress(func(p *Progress) { p.Position = s.Position })
	}
	w.card.refresh()
	return false, nil
}

// guessedMost is the highest percentage that is guessed from past durations:
// only the provider says that a job is done.
const guessedMost = 95

// guess raises the percentage to what past durations suggest, and reports
// whether it did.
func (r *run) guess() bool {
	j := r.snapshot()
	if j.State != Running || j.Progress.Expected <= 0 || j.Started.IsZero() {
		return false
	}
	percent := min(int(100*time.Since(j.Started)/j.Progress.Expected), guessedMost)
	if percent <= j.Progress.Percent {
		return false
	}
	r.setProgress(func(p *Progress) { p.Percent = max(p.Percent, percent) })
	return true
}

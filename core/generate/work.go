package generate

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"time"
)

// A step is the work on a job in one state, or in a few that belong together.
// It keeps what it must know between two calls.
type step interface {
	// do does what is to be done now for j. It returns how long the job can
	// rest until do is called again; 0 is not at all. It is called sooner
	// when somebody else has changed the job, and after a value on run.poke.
	do(ctx context.Context, j Job) (rest time.Duration, err error)
	// end is called once when the job has left the step's states, or this
	// process.
	end()
}

// logEvery: after the first failure in a row, every 20th is logged.
const logEvery = 20

// work takes one job as far as it gets. Its goroutine only waits. What is to
// be done is done in another one, which ends with it: a job that waits keeps no
// stack of the calls that it has made.
func (r *run) work(ctx context.Context) {
	defer r.done()
	defer r.leave()
	if !apart(func() bool { return r.begin(ctx) }) {
		return
	}
	for apart(func() bool { return r.advance(ctx) }) {
		r.sleep(ctx)
	}
}

// apart calls do in a goroutine of its own and waits for it.
func apart(do func() bool) bool {
	done := make(chan bool, 1)
	go func() { done <- do() }()
	return <-done
}

// begin makes the job this process' own, and reports whether that is done.
func (r *run) begin(ctx context.Context) bool {
	if err := r.own(ctx); err != nil {
		if !errors.Is(err, errLost) {
			r.log.ErrorContext(ctx, "cannot claim job", "error", err)
			wait(ctx, time.Second)
		}
		return false
	}
	if r.snapshot().State != Preparing { // it has no hold yet
		r.measure(ctx)
	}
	return true
}

// sleep waits until there is something to do.
func (r *run) sleep(ctx context.Context) {
	t := time.NewTimer(time.Until(r.alarm))
	defer t.Stop()
	select {
	case <-t.C:
		r.stale = true // the store may have lost a signal
	case <-r.changed:
		r.stale = true
	case <-r.poke:
		r.poked = true
	case <-r.stir:
		r.poked = true
	case <-r.lostTo:
	case <-ctx.Done():
	}
}

// advance does what is to be done now, and reports whether the job is to be
// gone on with after a rest.
func (r *run) advance(ctx context.Context) bool {
	if r.lost() {
		return false
	}
	if ctx.Err() == nil && r.stale {
		fresh, err := r.e.cfg.Store.Job(ctx, r.id)
		switch {
		case errors.Is(err, ErrNoJob):
			// A server that failed over has lost it. This process knows it, and
			// its next save, or the end of its claim, writes it again.
			fresh = r.snapshot()
		case err != nil:
			return r.failed(ctx, r.snapshot(), err)
		}
		r.stale = false
		// A save of this run, which its store may also signal, ends no rest.
		if !r.replace(fresh) && !r.poked && time.Now().Before(r.rest) {
			r.alarm = r.rest
			return true
		}
	}
	for {
		r.poked = false
		j := r.snapshot()
		if r.lost() || !j.Unfinished() {
			return false
		}
		if ctx.Err() != nil {
			r.unsubmit(j)
			return false
		}
		rest, err := r.guard(ctx, j)
		switch {
		case err == nil && rest > 0:
			r.failures = 0
			r.rest = time.Now().Add(rest)
			r.alarm = r.rest
			return true
		case err == nil:
			r.failures = 0
		case errors.Is(err, errMoved):
			// Somebody changed the job: look at it again.
		default:
			on := r.failed(ctx, j, err)
			r.rest = r.alarm
			return on
		}
	}
}

// failed judges a step that did not succeed, and reports whether it is to be
// tried again.
func (r *run) failed(ctx context.Context, j Job, err error) bool {
	if errors.Is(err, errLost) || ctx.Err() != nil {
		return false
	}
	if r.failures++; r.failures == 1 {
		r.failing = time.Now()
	}
	if r.failures == 1 || r.failures%logEvery == 0 {
		r.log.ErrorContext(ctx, "job step did not succeed, it is tried again", "state", string(j.State), "failures", r.failures, "error", err)
	}
	if time.Since(r.failing) > giveUpAfter {
		// A bug, or a record that can't be worked with.
		if _, err := r.e.giveUpFor(ctx, j.ID, ByBot, FailInternal); err == nil {
			r.log.ErrorContext(ctx, "job is given up: its step does not succeed", "state", string(j.State))
		}
	}
	r.alarm = time.Now().Add(backoff(r.failures, time.Second, time.Minute))
	r.stale = true
	return true
}

// guard does one step and turns a panic into an error: it costs the job a
// moment, not the process.
func (r *run) guard(ctx context.Context, j Job) (rest time.Duration, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("panic in state %s: %v\n%s", j.State, p, debug.Stack())
		}
	}()
	if r.pending != nil {
		return 0, r.outcome(r.e.hard, r.pending) //nolint:contextcheck // saved even while the process stops
	}
	if err := r.enter(j); err != nil {
		return 0, err
	}
	return r.step.do(ctx, j)
}

// enter makes r.step the one for j.
func (r *run) enter(j Job) error {
	r.join(j)
	var fits bool
	var next func() step
	switch j.State {
	case Accepted, Submitting:
		_, fits = r.step.(*asking)
		next = func() step { return &asking{run: r} }
	case Unknown:
		_, fits = r.step.(*searching)
		next = func() step { return &searching{run: r} }
	case Queued, Running:
		w, ok := r.step.(*watching)
		fits = ok && w.request == j.Submission.RequestID
		next = func() step { return newWatching(r, j) }
	case Fetched, Delivering:
		_, fits = r.step.(*delivering)
		next = func() step { return &delivering{carrier: carrier{run: r}} }
	case Delivered, Failed, Cancelled:
		_, fits = r.step.(*concluding)
		next = func() step { return &concluding{carrier: carrier{run: r}} }
	case Preparing:
		_, fits = r.step.(*preparing)
		next = func() step { return &preparing{run: r} }
	case Received: // nobody works on it
		fallthrough
	default:
		return errors.New("this version does not know the state " + string(j.State))
	}
	if !fits {
		r.quit()
		r.step = next()
	}
	return nil
}

// quit ends the present step.
func (r *run) quit() {
	if r.step != nil {
		r.step.end()
		r.step, r.poke = nil, nil
	}
}

// leave ends what goes on for the job in this process.
func (r *run) leave() {
	r.quit()
	r.leaveBatch()
	r.card.wait()
}

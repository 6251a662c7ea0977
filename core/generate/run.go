package generate

import (
	"context"
	"errors"
	"log/slog"
	"maps"
	"sync"
	"time"

	"ltxbot/core/quota"
	"ltxbot/internal/retry"
)

// run is the work on one job in this process.
type run struct {
	e        *Engine
	id       string
	changed  <-chan struct{} // Claim.Changed
	lostTo   <-chan struct{} // Claim.Lost
	done     func()          // Claim.Done
	doubtful bool            // Claim.Doubtful
	log      *slog.Logger
	card     *card

	// The work on the job, by one goroutine at a time.
	step     step
	stir     chan struct{} // has a value when another take of the batch has changed
	poke     chan struct{} // of the step: has a value when it is to be called; nil for most steps
	rest     time.Time     // the step is not called before, unless something happens
	alarm    time.Time     // when sleep ends at the latest
	stale    bool          // the record is to be read before the step is called
	poked    bool          // something has happened
	failures int           // of steps in a row
	failing  time.Time     // when the first of them came
	// pending saves the outcome of an outside effect that could not be saved
	// yet: it is known to this process alone.
	pending func(context.Context) error

	mu     sync.Mutex
	job    Job           // as last saved
	proven time.Time     // when the record said last that the job is this run's
	seen   Progress      // since then; never saved
	gauges []quota.Gauge // the limits that apply, as last read; never saved
}

// errMoved says that the job is no longer what a step was to work on.
var errMoved = errors.New("job has moved on")

// errLost says that another run works on the job now, here or elsewhere.
var errLost = errors.New("job was taken over")

func newRun(e *Engine, c Claim) *run {
	r := &run{
		e: e, id: c.Job.ID, changed: c.Changed, lostTo: c.Lost, done: c.Done, doubtful: c.Doubtful,
		job: c.Job, seen: Progress{Position: -1}, proven: wallClock(),
		stir: make(chan struct{}, 1),
		log:  e.log.With("job", c.Job.ID, "team", c.Job.Team, "member", c.Job.Member),
	}
	r.card = newCard(r)
	return r
}

// snapshot is the job with its progress.
func (r *run) snapshot() Job {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.view()
}

func (r *run) view() Job {
	j := r.job
	j.Progress, j.Gauges = r.seen, r.gauges
	j.Notes = maps.Clone(j.Notes)
	return j
}

// created is when the job was accepted.
func (r *run) created() time.Time {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.job.Created
}

// setProgress changes what is known of the progress, in memory only, and
// reports whether that made a difference.
func (r *run) setProgress(change func(*Progress)) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	before := r.seen
	change(&r.seen)
	return r.seen != before
}

// replace takes over a job read from the store, and reports whether it is newer
// than what was known.
func (r *run) replace(j Job) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	newer := j.Version > r.job.Version
	if newer {
		r.job = j
	}
	return newer
}

// lost reports whether another process has the job.
func (r *run) lost() bool {
	select {
	case <-r.lostTo:
		return true
	default:
		return false
	}
}

// proofLasts: how long a run trusts its last ownership check. It is less than a
// store waits before it hands a job to another process. proofLimit: how long
// one check may take.
const (
	proofLasts = 5 * time.Second
	proofLimit = time.Second
)

// mine reports whether the job is still this run's. A process that was stopped
// for a while is told late that its job was taken over: what it has not heard
// from the record lately, it asks before it shows anything. When the store does
// not answer, the card goes on: most likely nobody can take jobs over.
func (r *run) mine(ctx context.Context) bool {
	if r.lostTo == nil {
		return true
	}
	r.mu.Lock()
	proven := r.proven
	r.mu.Unlock()
	asked := wallClock()
	switch {
	case r.lost():
		return false
	case asked.Sub(proven) < proofLasts:
		return true
	}
	ctx, cancel := context.WithTimeout(ctx, proofLimit)
	defer cancel()
	j, err := r.e.cfg.Store.Job(ctx, r.id)
	if err != nil {
		return true
	}
	if j.Owner != r.e.cfg.Owner {
		return false
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.proven = asked
	return true
}

// wallClock is the time without the monotonic clock, which stands still while
// a machine is suspended.
func wallClock() time.Time { return time.Now().Round(0) }

// own makes this process the owner of the job, so that saves of a former
// owner conflict.
func (r *run) own(ctx context.Context) error {
	if r.snapshot().Owner == r.e.cfg.Owner && !r.doubtful {
		return nil
	}
	return r.change(ctx, quota.Keep(), func(j *Job) error {
		j.Owner = r.e.cfg.Owner
		j.Doubted = j.Doubted || r.doubtful
		return nil
	})
}

// update saves a change of the job, if it is still in state from and still
// ours; else errMoved or errLost.
func (r *run) update(ctx context.Context, from State, b quota.Billing, change func(*Job)) error {
	return r.change(ctx, b, func(j *Job) error {
		if j.Owner != r.e.cfg.Owner {
			return errLost
		}
		if j.State != from {
			return errMoved
		}
		change(j)
		return nil
	})
}

// change applies a change to the newest record of the job and saves it.
// Whoever else saves it in between is not overwritten: change is applied again.
func (r *run) change(ctx context.Context, b quota.Billing, change func(*Job) error) error {
	before := r.snapshot().State
	err := r.apply(ctx, b, change)
	if r.snapshot().State != before {
		r.stirOthers()
	}
	return err
}

// apply is change, without a word to the other takes of the batch.
func (r *run) apply(ctx context.Context, b quota.Billing, change func(*Job) error) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	for {
		if r.lost() { // the record is the successor's, also in this process
			return errLost
		}
		next := r.job
		next.Notes = maps.Clone(next.Notes)
		if err := change(&next); err != nil {
			return err
		}
		asked := wallClock()
		saved, err := r.e.cfg.Store.Save(ctx, next, b)
		switch {
		case err == nil:
			from := r.job.State
			r.job, r.proven = saved, asked
			if from != saved.State {
				r.log.InfoContext(ctx, "job changed state", "from", string(from), "state", string(saved.State))
				r.e.cfg.OnChange(from, saved)
			}
			return nil
		case errors.Is(err, ErrConflict):
			fresh, err := r.e.cfg.Store.Job(ctx, next.ID)
			if err != nil {
				return err
			}
			if fresh.Version < r.job.Version {
				// The store has lost what was written since. Going on from there
				// would do again what the lost notes say was done: who claims the
				// job next doubts the record.
				return errLost
			}
			r.job = fresh
		default:
			return err
		}
	}
}

// keep is the Keep that a courier is given.
func (r *run) keep(ctx context.Context, notes map[string]string) error {
	return r.keepIn(ctx, notes, func(*Job) {})
}

// keepIn is keep with something else that is saved with the notes.
func (r *run) keepIn(ctx context.Context, notes map[string]string, also func(*Job)) error {
	return r.change(ctx, quota.Keep(), func(j *Job) error {
		if j.Owner != r.e.cfg.Owner {
			return errLost
		}
		j.Notes = merge(j.Notes, notes)
		also(j)
		return nil
	})
}

// measure reads the limits that apply to the job, for its card to show. A
// card without them is better than none.
func (r *run) measure(ctx context.Context) {
	gauges, err := r.e.gaugesOf(ctx, r.snapshot())
	if err != nil {
		r.log.WarnContext(ctx, "cannot read the usage", "error", err)
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.gauges = gauges
}

// merge adds notes to old; an empty value removes one.
func merge(old, notes map[string]string) map[string]string {
	out := maps.Clone(old)
	if out == nil {
		out = map[string]string{}
	}
	for k, v := range notes {
		if v == "" {
			delete(out, k)
		} else {
			out[k] = v
		}
	}
	return out
}

// outcome saves what an outside effect came to, and if the store does not
// take it, again and again before anything else is done.
func (r *run) outcome(ctx context.Context, save func(context.Context) error) error {
	err := save(ctx)
	if err != nil && !errors.Is(err, errMoved) && !errors.Is(err, errLost) {
		r.pending = save
		return err
	}
	r.pending = nil
	return err
}

// finish ends the job. What else is to be saved with that comes last.
func (r *run) finish(ctx context.Context, from, to State, f Failure, b quota.Billing, also ...func(*Job)) error {
	return r.update(ctx, from, b, func(j *Job) {
		j.end(to, f, b)
		for _, change := range also {
			change(j)
		}
	})
}

// courier is the courier of the job's platform, or nil when the platform is
// switched off in this process.
func (r *run) courier(j Job) Courier { return r.e.cfg.Couriers[j.Place.Platform] }

// backoff is the pause before try n+1: it grows from first by a half each
// time up to most, and is spread by a quarter so that jobs don't march in step.
func backoff(n int, first, most time.Duration) time.Duration {
	return retry.Backoff{First: first, Most: most, Growth: 1.5, Spread: 0.25}.After(n)
}

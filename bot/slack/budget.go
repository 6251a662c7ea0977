package slack

import (
	"context"
	"errors"
	"math/rand/v2"
	"sync"
	"time"

	"golang.org/x/time/rate"
)

// Edits of messages that a workspace takes: Slack allows 50 a minute in all,
// so ten jobs that are edited every five seconds are already too many. Most
// are for progress; some are kept for how jobs end. Together they stay below
// 45 in any minute.
// https://docs.slack.dev/apis/web-api/rate-limits
const (
	progressEdits = 34 // a minute
	progressBurst = 3
	endEdits      = 6 // a minute
	endBurst      = 2
)

// editLapse is how long a job counts that does not come back when it may.
const editLapse = time.Minute

// A Meter is what counts budgets that several processes share. Whoever can't
// reach it goes on with a budget of its own.
type Meter interface {
	// Spend takes one of the budget called name, which has burst when it is
	// full and one more after each every. It returns 0, or how long there is
	// none. users is how many in this process want some, and total how many in
	// all processes.
	Spend(ctx context.Context, name string, every time.Duration, burst, users int) (wait time.Duration, total int, err error)
	// HoldBack lets no process spend of the budget for d.
	HoldBack(ctx context.Context, name string, every time.Duration, burst int, d time.Duration) error
}

// meterPatience is how long the meter may take. An edit can wait that long.
const meterPatience = time.Second

// guess is how many processes there are, as far as one knows that can't reach
// the meter: of what progress may spend, it takes its part. How jobs end waits
// no longer than it does with one process.
const guess = 4

// editBudgets are the budgets of all workspaces.
type editBudgets struct {
	now   func() time.Time
	meter Meter // nil = this process is the only one

	mu         sync.Mutex
	workspaces map[string]*editBudget
}

// editBudget is the edits of one workspace.
type editBudget struct {
	progress, ends *purse

	// Below the mutex of editBudgets:
	jobs  map[string]*editor
	total int       // jobs of all processes, as the meter said last
	until time.Time // Slack takes no edits until then
}

// editor is a job that wants its card edited.
type editor struct {
	due    time.Time // when it may ask again
	edited time.Time // when it was edited last
}

// purse is edits for one purpose.
type purse struct {
	name  string // of the budget that processes share
	every time.Duration
	burst int
	own   *rate.Limiter // what this process spends where there is no meter
}

func newEditBudgets(now func() time.Time, meter Meter) *editBudgets {
	return &editBudgets{now: now, meter: meter, workspaces: map[string]*editBudget{}}
}

func newPurse(name string, perMinute, burst int) *purse {
	p := &purse{name: name, every: time.Minute / time.Duration(perMinute), burst: burst}
	p.own = rate.NewLimiter(rate.Every(p.every), burst)
	return p
}

// of is the budget of a workspace; e.mu is held.
func (e *editBudgets) of(workspace string) *editBudget {
	w := e.workspaces[workspace]
	if w == nil {
		w = &editBudget{
			progress: newPurse("slack edits "+workspace, progressEdits, progressBurst),
			ends:     newPurse("slack ends "+workspace, endEdits, endBurst),
			jobs:     map[string]*editor{},
		}
		if e.meter != nil {
			w.progress.own = rate.NewLimiter(rate.Every(guess*time.Minute/progressEdits), 1)
			w.ends.own = rate.NewLimiter(rate.Every(time.Minute/(progressEdits+endEdits)), progressBurst+endBurst)
		}
		e.workspaces[workspace] = w
	}
	return w
}

// take asks for one edit of a job's card, and returns 0, or how long to wait.
// Jobs share what there is: when there are many, each is edited less often.
// The last word on a job has a budget of its own besides.
func (e *editBudgets) take(ctx context.Context, workspace, job string, last bool) time.Duration {
	w, users, wait := e.enter(workspace, job, last)
	if wait > 0 {
		return wait
	}
	wait, total := e.spend(ctx, w.progress, users)
	switch {
	case wait == 0:
	case last:
		other, _ := e.spend(ctx, w.ends, 0)
		wait = min(wait, other)
	case total > 1:
		// Those who ask at once must not come back at once.
		wait += rand.N(time.Duration(total) * w.progress.every / 2) //nolint:gosec // needs no secrecy
	}
	e.leave(w, job, wait, total, last)
	return wait
}

// enter looks whether a job is due, and how many jobs want edits here.
func (e *editBudgets) enter(workspace, job string, last bool) (w *editBudget, users int, wait time.Duration) {
	e.mu.Lock()
	defer e.mu.Unlock()
	w = e.of(workspace)
	now := e.now()
	for id, j := range w.jobs {
		if now.Sub(j.due) > editLapse {
			delete(w.jobs, id)
		}
	}
	if last {
		delete(w.jobs, job)
		return w, len(w.jobs), w.until.Sub(now)
	}
	j := w.jobs[job]
	if j == nil {
		j = &editor{}
		w.jobs[job] = j
	}
	wait = w.until.Sub(now)
	if !j.edited.IsZero() {
		share := time.Duration(max(len(w.jobs), w.total)) * w.progress.every
		wait = max(wait, j.edited.Add(share).Sub(now))
	}
	j.due = now.Add(max(0, wait))
	return w, len(w.jobs), wait
}

// spend takes one from a purse, or says how long there is none. total is how
// many jobs want some in all processes; 0 when that is not known.
func (e *editBudgets) spend(ctx context.Context, p *purse, users int) (wait time.Duration, total int) {
	if e.meter != nil {
		ctx, cancel := context.WithTimeout(ctx, meterPatience)
		defer cancel()
		if wait, total, err := e.meter.Spend(ctx, p.name, p.every, p.burst, users); err == nil {
			return wait, total
		}
	}
	now := e.now()
	if p.own.AllowN(now, 1) {
		return 0, 0
	}
	return pause(p.own, now), 0
}

// leave notes what a job was told.
func (e *editBudgets) leave(w *editBudget, job string, wait time.Duration, total int, last bool) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if total > 0 {
		w.total = total
	}
	j := w.jobs[job]
	if j == nil || last {
		return
	}
	j.due = e.now().Add(wait)
	if wait == 0 {
		j.edited = e.now()
	}
}

// refused notes that Slack has refused an edit for now, if that is what err
// says: then no edit of the workspace is tried before it takes some again.
func (e *editBudgets) refused(ctx context.Context, workspace string, err error) {
	_, err = judge("edit card", err)
	var l *limitError
	if !errors.As(err, &l) {
		return
	}
	e.mu.Lock()
	w := e.of(workspace)
	if until := e.now().Add(l.after); until.After(w.until) {
		w.until = until
	}
	e.mu.Unlock()
	if e.meter == nil {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, meterPatience)
	defer cancel()
	for _, p := range []*purse{w.progress, w.ends} {
		// Who is not told finds out by a refusal of its own.
		_ = e.meter.HoldBack(ctx, p.name, p.every, p.burst, l.after)
	}
}

// pause is how long it takes until a limiter has room.
func pause(l *rate.Limiter, now time.Time) time.Duration {
	r := l.ReserveN(now, 1)
	defer r.CancelAt(now)
	return max(r.DelayFrom(now), 50*time.Millisecond)
}

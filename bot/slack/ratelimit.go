package slack

import (
	"context"
	"errors"
	"math/rand/v2"
	"sync"
	"time"

	"golang.org/x/time/rate"

	"ltxbot/bot/adapter"
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

	progressEvery = time.Minute / progressEdits
	endEvery      = time.Minute / endEdits
)

// leastPause is how soon an edit that has to wait is tried again at the least.
const leastPause = 50 * time.Millisecond

// editLapse is how long a job counts that does not come back when it may.
const editLapse = time.Minute

// editLimits are the rate limits of all workspaces.
type editLimits struct {
	now   func() time.Time
	meter adapter.Meter // nil = this process is the only one

	mu         sync.Mutex
	workspaces map[string]*editLimit
}

// editLimit is the edits of one workspace.
type editLimit struct {
	progress, ends *adapter.Limiter

	// Below the mutex of editLimits:
	jobs  map[string]*editor
	total int       // jobs of all processes, as the meter said last
	until time.Time // Slack takes no edits until then
}

// editor is a job that wants its card edited.
type editor struct {
	due    time.Time // when it may ask again
	edited time.Time // when it was edited last
}

func newEditLimits(now func() time.Time, meter adapter.Meter) *editLimits {
	return &editLimits{now: now, meter: meter, workspaces: map[string]*editLimit{}}
}

// of is the rate limit of a workspace; e.mu is held.
func (e *editLimits) of(workspace string) *editLimit {
	w := e.workspaces[workspace]
	if w == nil {
		w = &editLimit{
			progress: adapter.NewLimiter(adapter.LimiterConfig{
				Name: "slack edits " + workspace, Every: progressEvery, Burst: progressBurst, Meter: e.meter, Now: e.now,
			}),
			// Alone, the last word waits no longer than with one process.
			ends: adapter.NewLimiter(adapter.LimiterConfig{
				Name: "slack ends " + workspace, Every: endEvery, Burst: endBurst, Meter: e.meter, Now: e.now,
				Alone: rate.NewLimiter(rate.Every(time.Minute/(progressEdits+endEdits)), progressBurst+endBurst),
			}),
			jobs: map[string]*editor{},
		}
		e.workspaces[workspace] = w
	}
	return w
}

// take asks for one edit of a job's card, and returns 0, or how long to wait.
// Jobs share what there is: when there are many, each is edited less often.
// The last word on a job has a rate limit of its own besides.
func (e *editLimits) take(ctx context.Context, workspace, job string, last bool) time.Duration {
	w, users, wait := e.enter(workspace, job, last)
	if wait > 0 {
		return wait
	}
	wait, total := w.progress.Spend(ctx, users)
	switch {
	case wait == 0:
	case last:
		other, _ := w.ends.Spend(ctx, 0)
		wait = min(wait, other)
	case total > 1:
		// Those who ask at once must not come back at once.
		wait += rand.N(time.Duration(total) * progressEvery / 2) //nolint:gosec // needs no secrecy
	}
	if wait > 0 {
		wait = max(wait, leastPause)
	}
	e.leave(w, job, wait, total, last)
	return wait
}

// enter looks whether a job is due, and how many jobs want edits here.
func (e *editLimits) enter(workspace, job string, last bool) (w *editLimit, users int, wait time.Duration) {
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
		share := time.Duration(max(len(w.jobs), w.total)) * progressEvery
		wait = max(wait, j.edited.Add(share).Sub(now))
	}
	j.due = now.Add(max(0, wait))
	return w, len(w.jobs), wait
}

// leave notes what a job was told.
func (e *editLimits) leave(w *editLimit, job string, wait time.Duration, total int, last bool) {
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
func (e *editLimits) refused(ctx context.Context, workspace string, err error) {
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
	w.progress.HoldBack(ctx, l.after)
	w.ends.HoldBack(ctx, l.after)
}

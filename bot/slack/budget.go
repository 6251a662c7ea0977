package slack

import (
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

// editLapse is how long a job counts that has shown nothing new.
const editLapse = time.Minute

// editBudgets are the budgets of all workspaces.
type editBudgets struct {
	now func() time.Time

	mu         sync.Mutex
	workspaces map[string]*editBudget
}

// editBudget is the edits of one workspace.
type editBudget struct {
	progress, ends *rate.Limiter
	jobs           map[string]*editor
}

// editor is a job that wants its card edited.
type editor struct {
	asked  time.Time // when it wanted to be last
	edited time.Time // when it was last
}

func newEditBudgets(now func() time.Time) *editBudgets {
	return &editBudgets{now: now, workspaces: map[string]*editBudget{}}
}

// take asks for one edit of a job's card, and returns 0, or how long to wait.
// Jobs share what there is: when there are many, each is edited less often.
// The last word on a job has a budget of its own besides.
func (e *editBudgets) take(workspace, job string, last bool) time.Duration {
	e.mu.Lock()
	defer e.mu.Unlock()
	w := e.workspaces[workspace]
	if w == nil {
		w = &editBudget{
			progress: rate.NewLimiter(rate.Limit(progressEdits/time.Minute.Seconds()), progressBurst),
			ends:     rate.NewLimiter(rate.Limit(endEdits/time.Minute.Seconds()), endBurst),
			jobs:     map[string]*editor{},
		}
		e.workspaces[workspace] = w
	}
	now := e.now()
	if last {
		delete(w.jobs, job)
		if w.progress.AllowN(now, 1) || w.ends.AllowN(now, 1) {
			return 0
		}
		return min(pause(w.progress, now), pause(w.ends, now))
	}
	for id, j := range w.jobs {
		if now.Sub(j.asked) > editLapse {
			delete(w.jobs, id)
		}
	}
	j := w.jobs[job]
	if j == nil {
		j = &editor{}
		w.jobs[job] = j
	}
	j.asked = now
	share := time.Duration(float64(len(w.jobs)) / progressEdits * float64(time.Minute))
	if wait := j.edited.Add(share).Sub(now); !j.edited.IsZero() && wait > 0 {
		return wait
	}
	if !w.progress.AllowN(now, 1) {
		return pause(w.progress, now)
	}
	j.edited = now
	return 0
}

// pause is how long it takes until a limiter has room.
func pause(l *rate.Limiter, now time.Time) time.Duration {
	r := l.ReserveN(now, 1)
	defer r.CancelAt(now)
	return max(r.DelayFrom(now), 50*time.Millisecond)
}

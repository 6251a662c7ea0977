// Package adapter is what the adapters of Discord and Slack share: the head of
// their Config, the Pool that runs handlers, the Notes of a job, and caches. A
// Limiter keeps all processes together below a platform's rate limit.
package adapter

import (
	"context"
	"sync"
	"time"

	"golang.org/x/time/rate"
)

// A Meter is a set of token buckets that several processes share, in the store.
type Meter interface {
	// Spend takes one token from the bucket name, which holds at most burst
	// tokens and gains one after each every. It returns 0, or how long to wait
	// before another try. users is how many callers of this process want tokens,
	// and total how many of all processes.
	Spend(ctx context.Context, name string, every time.Duration, burst, users int) (wait time.Duration, total int, err error)
	// HoldBack lets no process take a token of the bucket for d.
	HoldBack(ctx context.Context, name string, every time.Duration, burst int, d time.Duration) error
}

// LimiterConfig is what a Limiter is made of.
type LimiterConfig struct {
	Name  string        // of the bucket, the same in all processes: "slack edits T024BE7LD"
	Every time.Duration // the bucket gains one token in this time
	Burst int           // the tokens of a full bucket
	Meter Meter         // nil = there are no other processes
	// Alone is used while the meter does not answer; nil = this process's share
	// of assumedProcesses.
	Alone *rate.Limiter
	Now   func() time.Time // nil = time.Now
}

// assumedProcesses is how many processes there are taken to be while the meter
// does not answer.
const assumedProcesses = 4

// meterTimeout is the time limit for one answer of the meter. After a failure
// the meter is not asked for meterPause.
const (
	meterTimeout = time.Second
	meterPause   = 5 * time.Second
)

// A Limiter limits how often something is done: by all processes together if
// there is a meter, else by this process.
type Limiter struct {
	cfg LimiterConfig
	own *rate.Limiter // what this process does without a meter

	mu       sync.Mutex
	askAfter time.Time // the meter is not asked before
}

// NewLimiter makes a limiter.
func NewLimiter(cfg LimiterConfig) *Limiter {
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	t := &Limiter{cfg: cfg, own: cfg.Alone}
	switch {
	case cfg.Meter == nil:
		t.own = rate.NewLimiter(rate.Every(cfg.Every), cfg.Burst)
	case t.own == nil:
		t.own = rate.NewLimiter(rate.Every(assumedProcesses*cfg.Every), max(1, cfg.Burst/assumedProcesses))
	}
	return t
}

// Spend returns 0 when the caller may go on now, else how long to wait. users is
// how many callers of this process want to go on; total is how many of all
// processes, or 0 when that is not known.
func (t *Limiter) Spend(ctx context.Context, users int) (wait time.Duration, total int) {
	if t.meterWorks() {
		asked, cancel := context.WithTimeout(ctx, meterTimeout)
		defer cancel()
		wait, total, err := t.cfg.Meter.Spend(asked, t.cfg.Name, t.cfg.Every, t.cfg.Burst, users)
		if err == nil {
			return wait, total
		}
		t.failed(ctx)
	}
	now := t.cfg.Now()
	if t.own.AllowN(now, 1) {
		return 0, 0
	}
	r := t.own.ReserveN(now, 1)
	defer r.CancelAt(now)
	return max(r.DelayFrom(now), time.Millisecond), 0
}

// HoldBack tells the other processes that the platform refuses calls for d. If
// that fails, they find out when they are refused themselves.
func (t *Limiter) HoldBack(ctx context.Context, d time.Duration) {
	if !t.meterWorks() {
		return
	}
	asked, cancel := context.WithTimeout(ctx, meterTimeout)
	defer cancel()
	if t.cfg.Meter.HoldBack(asked, t.cfg.Name, t.cfg.Every, t.cfg.Burst, d) != nil {
		t.failed(ctx)
	}
}

// meterWorks reports whether there is a meter that has not just failed.
func (t *Limiter) meterWorks() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.cfg.Meter != nil && !t.cfg.Now().Before(t.askAfter)
}

// failed notes that the meter did not answer. It does nothing if ctx has ended,
// which is then the reason.
func (t *Limiter) failed(ctx context.Context) {
	if ctx.Err() != nil {
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.askAfter = t.cfg.Now().Add(meterPause)
}

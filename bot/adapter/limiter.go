// Package adapter holds what the adapters of both platforms share. A Limiter
// keeps all processes together below a platform's rate limit.
package adapter

import (
	"context"
	"sync"
	"time"

	"golang.org/x/time/rate"
)

// A Meter counts what several processes do together: a store that they share.
type Meter interface {
	// Spend takes one of the budget called name, which has burst when it is
	// full and one more after each every. It returns 0, or how long there is
	// none. users is how many in this process want some, and total how many in
	// all processes.
	Spend(ctx context.Context, name string, every time.Duration, burst, users int) (wait time.Duration, total int, err error)
	// HoldBack lets no process spend of the budget for d.
	HoldBack(ctx context.Context, name string, every time.Duration, burst int, d time.Duration) error
}

// LimiterConfig is what a Limiter is made of.
type LimiterConfig struct {
	Name  string        // what processes know it by: "slack edits T024BE7LD"
	Every time.Duration // until one more may be done
	Burst int           // how many may be done at once, after a pause
	Meter Meter         // nil = there are no other processes
	// Alone holds while the meter does not answer; nil = a quarter of the
	// whole, as if there were four processes.
	Alone *rate.Limiter
	Now   func() time.Time // nil = time.Now
}

// guess is the number of processes that is assumed while the meter can't be
// reached.
const guess = 4

// meterPatience is the time limit for one answer of the meter. After a failure
// the meter is not asked for meterPause.
const (
	meterPatience = time.Second
	meterPause    = 5 * time.Second
)

// A Limiter limits how often something is done: by all processes together if
// there is a meter, else by this process.
type Limiter struct {
	cfg LimiterConfig
	own *rate.Limiter // what this process does without a meter

	mu   sync.Mutex
	deaf time.Time // the meter is not asked before
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
		t.own = rate.NewLimiter(rate.Every(guess*cfg.Every), max(1, cfg.Burst/guess))
	}
	return t
}

// Spend returns 0 when the caller may go on now, else how long to wait. users is
// the number of callers that want to in this process; total is the number in
// all processes, or 0 when that is not known.
func (t *Limiter) Spend(ctx context.Context, users int) (wait time.Duration, total int) {
	if t.hears() {
		asked, cancel := context.WithTimeout(ctx, meterPatience)
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

// HoldBack tells the other processes that the platform refuses calls for d. A
// process that is not told finds out when it is refused itself.
func (t *Limiter) HoldBack(ctx context.Context, d time.Duration) {
	if !t.hears() {
		return
	}
	asked, cancel := context.WithTimeout(ctx, meterPatience)
	defer cancel()
	if t.cfg.Meter.HoldBack(asked, t.cfg.Name, t.cfg.Every, t.cfg.Burst, d) != nil {
		t.failed(ctx)
	}
}

// hears reports whether there is a meter that has not just failed.
func (t *Limiter) hears() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.cfg.Meter != nil && !t.cfg.Now().Before(t.deaf)
}

// failed notes that the meter did not answer. It does nothing if ctx has ended:
// then that was the reason.
func (t *Limiter) failed(ctx context.Context) {
	if ctx.Err() != nil {
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.deaf = t.cfg.Now().Add(meterPause)
}

// Package adapter is what the adapters of both platforms do in the same way.
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

// guess is how many processes there are, as far as one knows that can't reach
// the meter.
const guess = 4

// How long the meter may take, and how long it is not asked after it did not
// answer.
const (
	meterPatience = time.Second
	meterPause    = 5 * time.Second
)

// A Limiter is how often something may be done: by all processes together
// where there is a meter, else by this one.
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

// Spend returns 0 when it may be done now, or how long not. users is how many
// in this process want to, and total how many in all processes; 0 when that is
// not known.
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

// HoldBack tells the other processes that nothing is taken for d. Whoever does
// not hear of it finds out by a refusal of its own.
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

// hears reports whether there is a meter that is worth asking.
func (t *Limiter) hears() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.cfg.Meter != nil && !t.cfg.Now().Before(t.deaf)
}

// failed notes that the meter did not answer, unless it was not let.
func (t *Limiter) failed(ctx context.Context) {
	if ctx.Err() != nil {
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.deaf = t.cfg.Now().Add(meterPause)
}

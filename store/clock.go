package store

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// maxLeap is how far the time may be ahead of the last sweep. After a longer jump
// the clock may be wrong, and a sweep would delete what has not expired.
const maxLeap = 36 * time.Hour

// leapWait is how long a process must have run since the leap before it
// believes that the store was merely not in use.
const leapWait = 24 * time.Hour

// ErrLeap says that the time has leapt: nothing is removed because it is old.
var ErrLeap = errors.New("the clock has leapt")

// clockRecord is when a sweep last ran.
type clockRecord struct {
	stamp

	Swept time.Time `json:"swept"`
}

// checkClock returns ErrLeap when the time has leapt since the last sweep, and
// notes this one else.
func (s *Store) checkClock(ctx context.Context) error {
	waited := time.Since(s.opened) >= leapWait
	err := s.update(ctx, func(t *txn) error {
		var r clockRecord
		known, err := load(t, clockKey, &r)
		if err != nil {
			return err
		}
		if leap := t.now.Sub(r.Swept); known && leap > maxLeap && !waited {
			return fmt.Errorf("%w: it is %s, %.1f days after the last sweep; if the clock of this machine is right, "+
				"nothing is to be done: the sweep goes on %s after the start, or at once after bot store clock --accept",
				ErrLeap, stamped(t.now), leap.Hours()/24, leapWait)
		}
		r.stamp, r.Swept = v1, t.now
		return save(t, clockKey, &r)
	})
	return err
}

// A Clock is what a store knows of the time.
type Clock struct {
	Now   time.Time // by which the windows of limits are counted
	Shown time.Time // what the clock of this machine, or of the server, shows
	Swept time.Time // when a sweep last ran; zero = never
}

// maxAhead is how far Now may be ahead of the clock until that is told.
const maxAhead = 2 * time.Minute

// Ahead is how far Now is ahead of the clock, because the clock was wrong once.
// Until the clock catches up, the windows of limits stand still. A small
// difference counts as 0.
func (c Clock) Ahead() time.Duration {
	if d := c.Now.Sub(c.Shown); d > maxAhead {
		return d
	}
	return 0
}

// Leapt is how far the time has jumped since the last sweep, if that is too far
// for a sweep to accept at once; else 0.
func (c Clock) Leapt() time.Duration {
	if d := c.Now.Sub(c.Swept); !c.Swept.IsZero() && d > maxLeap {
		return d
	}
	return 0
}

// Clock reads what the store knows of the time.
func (s *Store) Clock(ctx context.Context) (Clock, error) {
	var c Clock
	var err error
	if c.Shown, err = s.db.Clock(ctx); err != nil {
		return c, outcome("read the clock", closed(err))
	}
	if c.Now, err = s.db.Now(ctx); err != nil {
		return c, outcome("read the clock", closed(err))
	}
	err = s.view(ctx, func(t *txn) error {
		var r clockRecord
		_, err := load(t, clockKey, &r)
		c.Swept = r.Swept
		return err
	})
	return c, outcome("read the clock", err)
}

// AcceptClock sets the store's time to the clock's, even if that is earlier. The
// next sweep accepts it however far it has jumped.
func (s *Store) AcceptClock(ctx context.Context) error {
	if err := s.db.ResetClock(ctx); err != nil {
		return outcome("accept the clock", closed(err))
	}
	return outcome("accept the clock", s.update(ctx, func(t *txn) error {
		return save(t, clockKey, &clockRecord{v1, t.now})
	}))
}

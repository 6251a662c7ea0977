package store

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// maxLeap is how far the time may have gone on since the last sweep. More may
// be a clock that is wrong, and what it takes for expired would be lost.
const maxLeap = 36 * time.Hour

// leapPatience is how long a process must have run since the leap before it
// believes that the store was merely not in use.
const leapPatience = 24 * time.Hour

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
	patient := time.Since(s.opened) >= leapPatience
	err := s.update(ctx, func(t *txn) error {
		var r clockRecord
		known, err := load(t, clockKey, &r)
		if err != nil {
			return err
		}
		if leap := t.now.Sub(r.Swept); known && leap > maxLeap && !patient {
			return fmt.Errorf("%w: it is %s, %.1f days after the last sweep; if the clock of this machine is right, "+
				"nothing is to be done: the sweep goes on %s after the start", ErrLeap, stamped(t.now), leap.Hours()/24, leapPatience)
		}
		r.stamp, r.Swept = v1, t.now
		return save(t, clockKey, &r)
	})
	return err
}

// AcceptClock makes the next sweep believe the clock, whatever it says.
func (s *Store) AcceptClock(ctx context.Context) error {
	return outcome("accept the clock", s.update(ctx, func(t *txn) error {
		return save(t, clockKey, &clockRecord{v1, t.now})
	}))
}

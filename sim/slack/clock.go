package slack

import (
	"slices"
	"sync"
	"time"
)

// A Clock is the simulator's time. It either runs with the real time or stands
// still; both jump forward on Advance.
type Clock struct {
	mu      sync.Mutex
	running bool
	at      time.Time     // what a stopped clock shows
	ahead   time.Duration // how far a running clock is ahead of the real time
	timers  []*timer
	wake    *time.Timer // real time until the first timer of a running clock
	firing  sync.WaitGroup
}

type timer struct {
	owner any
	due   time.Time
	f     func()
}

// NewClock returns a clock that runs.
func NewClock() *Clock { return &Clock{running: true} }

// NewStoppedClock returns a clock that shows at until Advance is called.
func NewStoppedClock(at time.Time) *Clock { return &Clock{at: at} }

// Now is the time the clock shows.
func (c *Clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now()
}

func (c *Clock) now() time.Time {
	if c.running {
		return time.Now().Add(c.ahead)
	}
	return c.at
}

// Advance moves the clock by d and calls, in order, everything that falls due
// on the way. It returns when these calls have returned.
func (c *Clock) Advance(d time.Duration) {
	c.mu.Lock()
	target := c.now().Add(d)
	for len(c.timers) > 0 && !c.timers[0].due.After(target) {
		t := c.timers[0]
		c.timers = c.timers[1:]
		c.moveTo(t.due)
		c.mu.Unlock()
		t.f()
		c.mu.Lock()
	}
	c.moveTo(target)
	c.arm()
	c.mu.Unlock()
}

// moveTo makes the clock show t, unless it is later already.
func (c *Clock) moveTo(t time.Time) {
	gap := t.Sub(c.now())
	if gap <= 0 {
		return
	}
	if c.running {
		c.ahead += gap
	} else {
		c.at = t
	}
}

// after calls f once d from now, in a goroutine of the clock's own or within
// Advance. The function it returns cancels the call if it has not begun.
func (c *Clock) after(owner any, d time.Duration, f func()) (cancel func()) {
	c.mu.Lock()
	defer c.mu.Unlock()
	t := &timer{owner: owner, due: c.now().Add(d), f: f}
	at, _ := slices.BinarySearchFunc(c.timers, t, func(a, b *timer) int {
		if a.due.After(b.due) {
			return 1
		}
		return -1
	})
	c.timers = slices.Insert(c.timers, at, t)
	c.arm()
	return func() {
		c.mu.Lock()
		defer c.mu.Unlock()
		c.timers = slices.DeleteFunc(c.timers, func(x *timer) bool { return x == t })
		c.arm()
	}
}

// arm sets the real timer of a running clock to its first timer.
func (c *Clock) arm() {
	if !c.running {
		return
	}
	if c.wake != nil && c.wake.Stop() {
		c.firing.Done()
	}
	c.wake = nil
	if len(c.timers) == 0 {
		return
	}
	c.firing.Add(1)
	c.wake = time.AfterFunc(time.Until(c.timers[0].due.Add(-c.ahead)), func() {
		defer c.firing.Done()
		c.Advance(0)
	})
}

// release drops the timers of owner and waits for calls that have begun.
func (c *Clock) release(owner any) {
	c.mu.Lock()
	c.timers = slices.DeleteFunc(c.timers, func(t *timer) bool { return t.owner == owner })
	c.arm()
	idle := len(c.timers) == 0
	c.mu.Unlock()
	if idle {
		c.firing.Wait()
	}
}

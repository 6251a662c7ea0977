package generate

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"sync"
	"time"
)

// How often the card of a job is edited: at most every cardPace; a job that
// is older than cardSlowAfter every cardSlowPace, since platforms limit edits
// of old messages.
const (
	cardPace      = 3 * time.Second
	cardSlowAfter = 30 * time.Minute
	cardSlowPace  = 30 * time.Second
	cardTimeout   = 30 * time.Second
)

// errPlatformOff says that the job's platform is switched off in the config.
var errPlatformOff = errors.New("platform is switched off")

// platformOffPause is how long a job of a platform that is switched off waits
// before it looks again.
const platformOffPause = time.Minute

// card keeps a job's card current without holding up the job: the newest
// state wins, and what was never shown is skipped.
type card struct {
	r *run

	mu      sync.Mutex
	busy    bool // a goroutine is showing
	again   bool // something newer came meanwhile
	idle    chan struct{}
	hurry   chan struct{} // closed to end the goroutine's pause without an edit
	last    time.Time     // when it was last shown
	notTill time.Time     // the platform asked to wait until then
	gone    bool          // the conversation is gone, or the job: stop showing
}

func newCard(r *run) *card {
	idle := make(chan struct{})
	close(idle)
	return &card{r: r, idle: idle}
}

// refresh shows the job's present state soon.
func (c *card) refresh(ctx context.Context) {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case c.gone:
	case c.busy:
		c.again = true
	default:
		c.busy, c.idle, c.hurry = true, make(chan struct{}), make(chan struct{})
		go c.loop(ctx, c.hurry)
	}
}

// loop shows the newest state at the card's pace until nothing newer came.
func (c *card) loop(ctx context.Context, hurry <-chan struct{}) {
	for {
		pause := time.NewTimer(c.due(c.pace()))
		select {
		case <-pause.C:
		case <-hurry:
		case <-ctx.Done():
		}
		pause.Stop()
		if ctx.Err() != nil || closed(hurry) {
			c.end()
			return
		}
		err := c.show(ctx)
		// Edits that have to wait are made later: that is how edits are paced.
		_, later := errors.AsType[*RetryError](err)
		if err != nil && !later && !errors.Is(err, ErrUnreachable) && !errors.Is(err, errLost) && ctx.Err() == nil {
			c.r.log.WarnContext(ctx, "cannot show the card", "error", err)
		}
		if !c.more() {
			c.end()
			return
		}
	}
}

// pace is the least time between two edits.
func (c *card) pace() time.Duration {
	if time.Since(c.r.snapshot().Created) > cardSlowAfter {
		return cardSlowPace
	}
	return cardPace
}

// due is how long to wait before the next edit.
func (c *card) due(pace time.Duration) time.Duration {
	c.mu.Lock()
	defer c.mu.Unlock()
	next := c.last.Add(pace)
	if c.notTill.After(next) {
		next = c.notTill
	}
	return time.Until(next)
}

// more reports whether there is something newer to show.
func (c *card) more() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	again := c.again && !c.gone
	c.again = false
	return again
}

// end lets the next refresh start a goroutine.
func (c *card) end() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.busy = false
	close(c.idle)
}

// show shows the present state now.
func (c *card) show(ctx context.Context) error {
	j := c.r.snapshot()
	courier := c.r.courier(j)
	if courier == nil {
		return &RetryError{After: platformOffPause, Err: errPlatformOff}
	}
	err := errLost
	if c.r.mine(ctx) {
		err = c.call(ctx, courier, j)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.last = time.Now()
	var retry *RetryError
	switch {
	case errors.Is(err, ErrUnreachable), errors.Is(err, errLost):
		c.gone = true
	case errors.As(err, &retry):
		c.notTill, c.again = time.Now().Add(retry.pause()), true
	}
	return err
}

// call calls the courier. A panic in it costs an edit, not the process.
func (c *card) call(ctx context.Context, courier Courier, j Job) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("panic while showing the card: %v\n%s", p, debug.Stack())
		}
	}()
	ctx, cancel := context.WithTimeout(ctx, cardTimeout)
	defer cancel()
	return courier.Show(ctx, j, c.r.keep)
}

// settle shows the present state and returns when that is done or was
// refused: the first and the last word on a job, which its step must know to
// have arrived.
func (c *card) settle(ctx context.Context) error {
	c.wait()
	if !wait(ctx, c.due(cardPace)) {
		return ctx.Err()
	}
	return c.show(ctx)
}

// wait ends the pause before an edit that is due, and returns when no
// goroutine of the card is left.
func (c *card) wait() {
	c.mu.Lock()
	c.again = false
	if c.busy && !closed(c.hurry) {
		close(c.hurry)
	}
	idle := c.idle
	c.mu.Unlock()
	<-idle
}

func closed(ch <-chan struct{}) bool {
	select {
	case <-ch:
		return true
	default:
		return false
	}
}

package generate

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"sync"
	"time"
)

// How often the card of a job is edited: at most every CardPace; a job that
// is older than cardSlowAfter every cardSlowPace, since platforms limit edits
// of old messages. What changes by itself, the percentage guessed from past
// durations and the place in the line, is shown more rarely.
const (
	CardPace      = 3 * time.Second
	cardSlowAfter = 30 * time.Minute
	cardSlowPace  = 30 * time.Second
	cardTimeout   = 30 * time.Second
	guessPause    = 5 * time.Second // near the expected end
	guessMost     = time.Minute     // far from it
	placePause    = 20 * time.Second
)

// errPlatformOff says that the job's platform is switched off in the config.
var errPlatformOff = errors.New("platform is switched off")

// platformOffPause is how long a job of a platform that is switched off waits
// before it looks again.
const platformOffPause = time.Minute

// card keeps a job's card current without holding up the job: the newest
// state wins, and what was never shown is skipped. All cards of a process share
// Engine.edits.
type card struct {
	r       *run
	turn    turn
	showing chan struct{} // full while the courier is called

	mu      sync.Mutex
	news    bool      // there is something to show
	editing bool      // a turn is under way
	last    time.Time // when it was last shown
	notTill time.Time // the platform asked to wait until then
	gone    bool      // the conversation is gone, or the job: stop showing
}

func newCard(r *run) *card {
	c := &card{r: r, showing: make(chan struct{}, 1)}
	c.turn.call = func(ctx context.Context) { go c.edit(ctx) }
	return c
}

// refresh shows the job's present state soon.
func (c *card) refresh() {
	if c.quiet() {
		c.r.showByLead()
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.gone || c.news && (c.editing || c.r.e.edits.booked(&c.turn)) {
		return
	}
	c.news = true
	if !c.editing {
		c.book(0, c.r.e.cfg.CardPace)
	}
}

// quiet reports whether the job shows nothing by itself: the lead of its batch
// does.
func (c *card) quiet() bool { return c.r.snapshot().follows() }

// book asks for a turn. The caller holds mu.
func (c *card) book(after, pause time.Duration) {
	c.r.e.edits.book(&c.turn, max(after, c.due(c.pace())), pause)
}

// edit shows what is new, in a turn of the card.
func (c *card) edit(ctx context.Context) {
	c.showing <- struct{}{}
	defer func() { <-c.showing }()
	c.mu.Lock()
	if !c.r.e.edits.given(&c.turn) {
		c.mu.Unlock()
		return
	}
	c.editing = true
	c.mu.Unlock()

	look := c.look(ctx)
	c.mu.Lock()
	news := (c.news || look) && !c.gone && ctx.Err() == nil
	c.news = false
	c.mu.Unlock()
	if news {
		err := c.show(ctx)
		// Edits that have to wait are made later: that is how edits are paced.
		_, later := errors.AsType[*RetryError](err)
		if err != nil && !later && !errors.Is(err, ErrUnreachable) && !errors.Is(err, errLost) && ctx.Err() == nil {
			c.r.log.WarnContext(ctx, "cannot show the card", "error", err)
		}
	} else {
		c.r.e.edits.refund()
	}

	c.mu.Lock()
	defer c.mu.Unlock()
	c.editing = false
	c.r.e.edits.drop(&c.turn)
	switch after := c.r.changesAfter(); {
	case c.gone || ctx.Err() != nil:
	case c.news:
		c.book(0, c.r.e.cfg.CardPace)
	case after > 0:
		c.book(after, after)
	}
}

// look brings up to date what changes by itself, and reports whether it has
// changed.
func (c *card) look(ctx context.Context) bool {
	j := c.r.snapshot()
	if !j.Waiting() {
		return c.r.guess() || j.Leads()
	}
	place, err := c.r.e.cfg.Store.Place(ctx, c.r.id)
	if err != nil {
		c.r.log.WarnContext(ctx, "cannot read the place in the line", "error", err)
		return false
	}
	return c.r.setProgress(func(p *Progress) { p.Waiting = place })
}

// changesAfter is how long until something to show has changed by itself; 0 is
// never.
func (r *run) changesAfter() time.Duration {
	switch j := r.snapshot(); {
	case j.Waiting():
		return placePause
	case j.Leads():
		return guessPause // another take may be running, perhaps elsewhere
	case j.State == Running && j.Progress.Expected > 0 && j.Progress.Percent < guessedMost:
		return min(max(guessPause, distance(j.Started.Add(j.Progress.Expected))/5), guessMost)
	}
	return 0
}

// pace is the least time between two edits.
func (c *card) pace() time.Duration {
	if time.Since(c.r.created()) > cardSlowAfter {
		return cardSlowPace
	}
	return c.r.e.cfg.CardPace
}

// due is how long to wait before the next edit. The caller holds mu.
func (c *card) due(pace time.Duration) time.Duration {
	next := c.last.Add(pace)
	if c.notTill.After(next) {
		next = c.notTill
	}
	return max(0, time.Until(next))
}

// show shows the present state now. The caller has filled showing.
func (c *card) show(ctx context.Context) error {
	j, err := c.r.e.whole(ctx, c.r.snapshot())
	if err != nil {
		return err
	}
	courier := c.r.courier(j)
	if courier == nil {
		return &RetryError{After: platformOffPause, Err: errPlatformOff}
	}
	err = errLost
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
		c.notTill, c.news = time.Now().Add(retry.pause()), true
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
// have arrived. It does nothing while an edit must wait, and says how long.
func (c *card) settle(ctx context.Context) (rest time.Duration, _ error) {
	if c.quiet() {
		c.r.showByLead()
		return 0, nil
	}
	c.wait()
	c.mu.Lock()
	rest = c.due(c.r.e.cfg.CardPace)
	c.mu.Unlock()
	if rest > 0 {
		return rest, nil
	}
	c.r.e.edits.spend()
	c.showing <- struct{}{}
	defer func() { <-c.showing }()
	return 0, c.show(ctx)
}

// wait returns when the card is not being edited, and will not be before the
// next refresh.
func (c *card) wait() {
	c.cancel()
	c.showing <- struct{}{} // an edit that is under way ends first, and may have booked another one
	defer func() { <-c.showing }()
	c.cancel()
}

// cancel gives up the turn that the card has booked.
func (c *card) cancel() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.news = false
	if !c.editing {
		c.r.e.edits.drop(&c.turn)
	}
}

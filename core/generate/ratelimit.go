package generate

import (
	"container/heap"
	"context"
	"sync"
	"time"
)

// A limiter limits how often a process does one thing for all of its jobs
// together: so many times a second, and so many at a time. A job books a turn and
// says after which pause it wants it; a short pause means a great need.
//
// A turn never comes before its pause is over. While the rate suffices for all
// pauses, it comes right then. Otherwise all pauses are stretched by one factor, so
// that the job with the greatest need still has the most turns. No pause is
// stretched beyond longestPause: a part of the rate is kept for that. Turns whose
// pause is over come in the order of their stretched pauses, so that no part of the
// rate is unused while a job waits.
type limiter struct {
	rate float64 // turns a second
	most int     // turns under way at a time

	mu     sync.Mutex
	soon   turns   // whose pause is not over, by when it is
	ready  turns   // whose pause is over, by when their stretched pause is
	demand float64 // turns a second that all booked ones would like
	active int
	tokens float64 // turns that may be given now
	free   float64 // what spend may still take
	filled time.Time
	wake   chan struct{}
}

const (
	// longestPause is how long a turn waits at most while few enough want
	// one: then a part of the rate is enough for all.
	longestPause = 2 * time.Minute
	// fairShare is the part of the rate that suffices to give everybody a
	// turn within the longest pause. The rest goes by need.
	fairShare = 0.7
	// spendShare is the part of the rate that spend may take from the turns.
	spendShare = 0.5
	// burst is how many seconds of the rate may be saved up.
	burst = 0.1
)

// A turn is one job's place in a limiter.
type turn struct {
	call func(ctx context.Context) // tells the job that its turn has come; must not block

	state    turnState
	index    int
	need     float64   // turns a second that it would like
	earliest time.Time // when the pause is over
	latest   time.Time // when the stretched pause is over
}

type turnState int

const (
	turnIdle  turnState = iota
	turnSoon            // booked, its pause is not over
	turnReady           // booked, its pause is over
	turnGiven           // its time has come; finish ends it
)

func newLimiter(rate float64, most int) *limiter {
	return &limiter{
		rate: rate, most: most, tokens: 1, free: 1, filled: time.Now(),
		soon:  turns{key: func(t *turn) time.Time { return t.earliest }},
		ready: turns{key: func(t *turn) time.Time { return t.latest }},
		wake:  make(chan struct{}, 1),
	}
}

// book asks for a turn for t, in place of one that it has or has booked: not
// before after has passed. pause says how urgent it is; 0 is more than any.
func (b *limiter) book(t *turn, after, pause time.Duration) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.remove(t)
	now := time.Now()
	t.need = 0
	if pause > 0 {
		t.need = 1 / pause.Seconds()
	}
	b.demand += t.need
	t.earliest = now.Add(after)
	t.latest = now.Add(max(after, b.stretched(pause)))
	t.state = turnSoon
	heap.Push(&b.soon, t)
	if t.index == 0 {
		b.poke()
	}
}

// stretched is how long a turn with such a pause waits at most.
func (b *limiter) stretched(pause time.Duration) time.Duration {
	n := float64(len(b.soon.all) + len(b.ready.all) + b.active + 1)
	longest := max(longestPause.Seconds(), n/(fairShare*b.rate))
	stretch := max(1, b.demand/(b.rate-n/longest))
	return time.Duration(min(pause.Seconds()*stretch, longest) * float64(time.Second))
}

// drop gives up the turn that t has or has booked.
func (b *limiter) drop(t *turn) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.remove(t)
}

// given reports whether t's turn has come and is not over.
func (b *limiter) given(t *turn) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return t.state == turnGiven
}

// booked reports whether t has booked a turn that has not come.
func (b *limiter) booked(t *turn) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return t.state == turnSoon || t.state == turnReady
}

// spend counts something that is done without a turn, since it must not wait.
// Turns that come after it come later for it, but at least half of the rate
// stays theirs.
func (b *limiter) spend() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.fill(time.Now())
	if b.free >= 1 {
		b.free--
		b.tokens--
	}
}

// refund takes back a turn that was given and not used.
func (b *limiter) refund() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.tokens++
}

// remove makes t idle. The caller holds mu.
func (b *limiter) remove(t *turn) {
	switch t.state {
	case turnIdle:
		return
	case turnSoon:
		heap.Remove(&b.soon, t.index)
		b.demand -= t.need
	case turnReady:
		heap.Remove(&b.ready, t.index)
		b.demand -= t.need
	case turnGiven:
		if b.active--; b.active == b.most-1 {
			b.poke()
		}
	}
	t.state = turnIdle
}

func (b *limiter) poke() {
	select {
	case b.wake <- struct{}{}:
	default:
	}
}

// serve gives turns until ctx is done.
func (b *limiter) serve(ctx context.Context) {
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-timer.C:
		case <-b.wake:
		}
		timer.Reset(b.give(ctx))
	}
}

// give gives the turns that can be given now, and says when to come back.
func (b *limiter) give(ctx context.Context) time.Duration {
	b.mu.Lock()
	defer b.mu.Unlock()
	now := time.Now()
	b.fill(now)
	for len(b.soon.all) > 0 && !b.soon.all[0].earliest.After(now) {
		t := heap.Pop(&b.soon).(*turn) //nolint:forcetypeassert // it holds nothing else
		t.state = turnReady
		heap.Push(&b.ready, t)
	}
	for len(b.ready.all) > 0 && b.active < b.most && b.tokens >= 1 {
		t := heap.Pop(&b.ready).(*turn) //nolint:forcetypeassert // it holds nothing else
		b.demand -= t.need
		b.tokens--
		b.active++
		t.state = turnGiven
		t.call(ctx)
	}
	next := time.Hour
	if len(b.soon.all) > 0 {
		next = b.soon.all[0].earliest.Sub(now)
	}
	if len(b.ready.all) > 0 && b.active < b.most {
		token := time.Duration((1 - b.tokens) / b.rate * float64(time.Second))
		next = min(next, token+time.Microsecond)
	}
	return next
}

// fill adds the tokens that have come since the last call.
func (b *limiter) fill(now time.Time) {
	passed := max(0, now.Sub(b.filled).Seconds())
	b.filled = now
	b.tokens = min(b.tokens+passed*b.rate, max(1, burst*b.rate))
	b.free = min(b.free+passed*b.rate*spendShare, max(1, burst*b.rate))
}

// turns is a heap of turns.
type turns struct {
	all []*turn
	key func(*turn) time.Time
}

func (h *turns) Len() int           { return len(h.all) }
func (h *turns) Less(i, j int) bool { return h.key(h.all[i]).Before(h.key(h.all[j])) }
func (h *turns) Swap(i, j int) {
	h.all[i], h.all[j] = h.all[j], h.all[i]
	h.all[i].index, h.all[j].index = i, j
}

// Push is part of heap.Interface.
func (h *turns) Push(x any) {
	t := x.(*turn) //nolint:forcetypeassert // nothing else is pushed
	t.index = len(h.all)
	h.all = append(h.all, t)
}

// Pop is part of heap.Interface.
func (h *turns) Pop() any {
	last := len(h.all) - 1
	t := h.all[last]
	h.all[last] = nil
	h.all = h.all[:last]
	return t
}

// Package lookback finds out whether a message of a job was posted before. It
// remembers which parts of a conversation were read, and which messages of the
// bot are in them. So jobs that search at the same time share the pages that are
// read, and a search that a rate limit interrupts goes on where it stopped.
package lookback

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// What is remembered of conversations in which no job is searching. Beyond these
// limits, the conversation that was not used for the longest time is removed as a
// whole, and read again when it is needed.
const (
	maxConversations = 1000
	maxKept          = 100_000 // posts and parts together, about 200 bytes each
	idleAfter        = 10 * time.Minute
)

// A Part is a part of a conversation: the messages whose ids are above After
// and below Before. Without Before it reaches to the newest message. Ids are
// numbers that grow with time.
type Part struct{ After, Before uint64 }

// A Page is what one call has read of a part.
type Page[P comparable] struct {
	Own []Own[P] // in any order
	// Oldest and Newest are ids of messages of the part on this page, whoever
	// wrote them; 0 when there are none.
	Oldest, Newest uint64
	// More says that the part has messages that are not on this page: older
	// ones, or newer ones if the page is Ascending.
	More, Ascending bool
}

// An Own is a message of the bot's that belongs to a job.
type Own[P comparable] struct {
	Job  string
	ID   uint64
	Post P // what the platform needs to know of it
}

// A Look is what is looked for, and where.
type Look[P comparable] struct {
	In    string // the conversation
	Since uint64 // messages with greater ids are looked at
	Job   string
	Is    func(P) bool
	// Read reads a page of a part: the newest messages, or the oldest ones of a
	// conversation that is only read upwards.
	Read func(context.Context, Part) (Page[P], error)
}

// Posts remembers what the bot has posted. Its methods may be called at the
// same time.
type Posts[P comparable] struct {
	overlap uint64

	mu            sync.Mutex
	conversations map[string]*conversation[P]
}

// New remembers nothing yet. A message may be seen later than one with a
// greater id, so what is newer than the newest known id less overlap is read
// again by the next look.
func New[P comparable](overlap uint64) *Posts[P] {
	return &Posts[P]{overlap: overlap, conversations: map[string]*conversation[P]{}}
}

// Find looks for a message of a job. It finds what was posted before it was
// called, and reads all messages since look.Since before it says that there is
// none. A message that it remembers counts as posted, even if it was deleted or
// edited since. An error of look.Read is returned, to all that were
// waiting for the page too; what was read until then is remembered.
func (s *Posts[P]) Find(ctx context.Context, look Look[P]) (post P, found bool, err error) {
	c := s.enter(look.In)
	defer s.leave(c)
	seen := &view{begun: c.begun.Load(), refused: c.refused.Load()}
	for !seen.all && !found && err == nil {
		post, found, err = c.advance(ctx, s.overlap, look, seen)
	}
	return post, found, err
}

// enter is a conversation, which is not forgotten until leave.
func (s *Posts[P]) enter(name string) *conversation[P] {
	s.mu.Lock()
	defer s.mu.Unlock()
	c := s.conversations[name]
	if c == nil {
		c = &conversation[P]{turn: make(chan struct{}, 1), own: map[string][]Own[P]{}}
		s.conversations[name] = c
	}
	c.users++
	return c
}

// leave forgets what is remembered beyond the bounds.
func (s *Posts[P]) leave(c *conversation[P]) {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := time.Now()
	c.users--
	c.used = now
	for {
		oldest, kept := "", 0
		for name, c := range s.conversations {
			if c.users > 0 {
				continue
			}
			kept += c.posts + len(c.read)
			if oldest == "" || c.used.Before(s.conversations[oldest].used) {
				oldest = name
			}
		}
		if oldest == "" || kept <= maxKept && len(s.conversations) <= maxConversations && now.Sub(s.conversations[oldest].used) < idleAfter {
			return
		}
		delete(s.conversations, oldest)
	}
}

// view is what one look has seen.
type view struct {
	begun   int64  // the last read of the newest page that began before the look
	refused int64  // refusals before the look
	placed  bool   // top is known
	top     uint64 // the newest message of a read that began after the look
	all     bool   // everything up to top was read
}

// conversation is what is remembered of one.
type conversation[P comparable] struct {
	users int       // guarded by Posts
	used  time.Time // guarded by Posts

	begun   atomic.Int64 // reads of the newest page
	refused atomic.Int64 // pages

	turn  chan struct{} // held while a page is read; guards the rest
	own   map[string][]Own[P]
	posts int
	read  []span // in order, apart from each other
	ended int64  // the last read of the newest page that came to the end
	top   uint64 // and the newest message then
	tail  int64  // the last of those that distrust has dealt with
	err   error  // of the last refusal
}

// span says that all messages with from < id <= to were read.
type span struct{ from, to uint64 }

// advance waits for its turn and brings a look one page further, if it needs
// one.
func (c *conversation[P]) advance(ctx context.Context, overlap uint64, look Look[P], seen *view) (post P, found bool, err error) {
	select {
	case c.turn <- struct{}{}:
		defer func() { <-c.turn }()
	case <-ctx.Done():
		return post, false, ctx.Err()
	}
	for _, o := range c.own[look.Job] {
		if o.ID > look.Since && look.Is(o.Post) {
			return o.Post, true, nil
		}
	}
	if c.refused.Load() != seen.refused {
		return post, false, c.err
	}
	if !seen.placed && c.ended > seen.begun {
		seen.placed, seen.top = true, c.top
	}
	// What is missing comes before what is new: a look that may read one page
	// at a time gets on, too.
	top := c.newest()
	if seen.placed {
		top = seen.top
	}
	want, all := c.missing(look.Since, top)
	number := int64(0)
	switch {
	case all && seen.placed:
		seen.all = true
		return post, false, nil
	case all:
		c.distrust(overlap)
		number = c.begun.Add(1)
		want = Part{After: max(look.Since, c.newest())}
	}
	page, err := look.Read(ctx, want)
	if err == nil && page.More && (page.Oldest <= want.After || page.Newest < page.Oldest || want.Before != 0 && page.Newest >= want.Before) {
		err = errNoProgress
	}
	if err == nil {
		c.take(want, page, number)
	} else if ctx.Err() == nil { // else it is only this look that ends
		c.err = err
		c.refused.Add(1)
	}
	return post, false, err
}

// errNoProgress says that there are more messages, of which a page has none.
var errNoProgress = errors.New("the history of the conversation has more pages and does not show them")

// missing is the newest part that was not read of the messages with
// since < id <= top; all is true when there is none.
func (c *conversation[P]) missing(since, top uint64) (want Part, all bool) {
	for _, s := range slices.Backward(c.read) {
		if top <= since || s.to < top {
			break
		}
		top = min(top, s.from)
	}
	if top <= since {
		return Part{}, true
	}
	for _, s := range c.read {
		if s.to < top {
			since = max(since, s.to)
		}
	}
	return Part{After: since, Before: top + 1}, false
}

// newest is the newest id that was read.
func (c *conversation[P]) newest() uint64 {
	if len(c.read) == 0 {
		return 0
	}
	return c.read[len(c.read)-1].to
}

// distrust forgets that what were the newest messages were read, once for each
// time that a read came to the end.
func (c *conversation[P]) distrust(overlap uint64) {
	if c.tail == c.ended {
		return
	}
	c.tail = c.ended
	var kept []span
	for _, s := range c.read {
		for _, part := range []span{{s.from, min(s.to, c.top-min(c.top, overlap))}, {max(s.from, c.top), s.to}} {
			if part.from < part.to {
				kept = append(kept, part)
			}
		}
	}
	c.read = kept
}

// take remembers a page. A read of the newest page has a number.
func (c *conversation[P]) take(want Part, page Page[P], number int64) {
	for _, o := range page.Own {
		if !slices.Contains(c.own[o.Job], o) {
			c.own[o.Job] = append(c.own[o.Job], o)
			c.posts++
		}
	}
	now := span{want.After, want.Before - 1}
	if want.Before == 0 {
		now.to = max(page.Newest, want.After)
	}
	switch {
	case page.More && page.Ascending:
		now.to = page.Newest
	case page.More:
		now.from = page.Oldest - 1
	}
	if number > 0 && (!page.More || !page.Ascending) {
		c.ended, c.top = number, now.to
	}
	var apart []span
	for _, s := range c.read {
		if s.to < now.from || s.from > now.to {
			apart = append(apart, s)
			continue
		}
		now = span{min(s.from, now.from), max(s.to, now.to)}
	}
	if now.from < now.to {
		apart = append(apart, now)
		slices.SortFunc(apart, func(a, b span) int { return cmp.Compare(a.from, b.from) })
	}
	c.read = apart
}

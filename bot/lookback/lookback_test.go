package lookback_test

import (
	"context"
	"errors"
	"math/rand/v2"
	"strconv"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"ltxbot/bot/lookback"
)

// How the fake platform is read.
const (
	pageSize = 100
	pageTime = time.Second // that reading one takes
	overlap  = 5
)

// errBusy is a refusal for now.
var errBusy = errors.New("rate limit")

// chat is a conversation on a fake platform.
type chat struct {
	mu        sync.Mutex
	messages  []lookback.Own[uint64] // the id is the post; without job, somebody else's
	last      uint64
	pages     int
	refuse    func(page int) bool
	ascending bool
	limit     int
	during    func() // while a page is on its way
}

func newChat() *chat { return &chat{last: 1000, limit: pageSize} }

// say posts n messages of others.
func (c *chat) say(n int) {
	for range n {
		c.post("")
	}
}

// post posts a message of a job and returns its id.
func (c *chat) post(job string) uint64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.last += 10
	c.messages = append(c.messages, lookback.Own[uint64]{Job: job, ID: c.last, Post: c.last})
	return c.last
}

// read reads a page as of now; the answer takes a while.
func (c *chat) read(ctx context.Context, want lookback.Part) (lookback.Page[uint64], error) {
	c.mu.Lock()
	c.pages++
	number := c.pages
	var part []lookback.Own[uint64]
	for _, m := range c.messages {
		if m.Post > want.After && (want.Before == 0 || m.Post < want.Before) {
			part = append(part, m)
		}
	}
	c.mu.Unlock()
	if c.during != nil {
		c.during()
	}
	select {
	case <-time.After(pageTime):
	case <-ctx.Done():
		return lookback.Page[uint64]{}, ctx.Err()
	}
	if c.refuse != nil && c.refuse(number) {
		return lookback.Page[uint64]{}, errBusy
	}
	page := lookback.Page[uint64]{Ascending: c.ascending, More: len(part) > c.limit}
	switch {
	case page.More && c.ascending:
		part = part[:c.limit]
	case page.More:
		part = part[len(part)-c.limit:]
	}
	for _, m := range part {
		if m.Job != "" {
			page.Own = append(page.Own, m)
		}
	}
	if len(part) > 0 {
		page.Oldest, page.Newest = part[0].Post, part[len(part)-1].Post
	}
	return page, nil
}

// elapse lets virtual time pass.
func elapse(d time.Duration) { <-time.After(d) }

// look is a look for a job's message, whichever it is.
func (c *chat) look(job string, since uint64) lookback.Look[uint64] {
	return lookback.Look[uint64]{In: "here", Since: since, Job: job, Is: func(uint64) bool { return true }, Read: c.read}
}

// mustFind looks and compares the id that is found; 0 for none.
func (c *chat) mustFind(t *testing.T, posts *lookback.Posts[uint64], job string, since, want uint64) {
	t.Helper()
	got, found, err := posts.Find(t.Context(), c.look(job, since))
	if err != nil || found != (want != 0) || got != want {
		t.Errorf("look for %q: %d %t %v, want %d", job, got, found, err, want)
	}
}

// mustRead compares how many pages were read since the last time.
func (c *chat) mustRead(t *testing.T, want int) {
	t.Helper()
	if c.pages != want {
		t.Errorf("%d pages were read, want %d", c.pages, want)
	}
	c.pages = 0
}

// both runs a test with pages that begin at either end.
func both(t *testing.T, test func(t *testing.T, c *chat)) {
	for _, ascending := range []bool{false, true} {
		t.Run("ascending "+strconv.FormatBool(ascending), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c := newChat()
				c.ascending = ascending
				test(t, c)
			})
		})
	}
}

func TestALookReadsEverythingSince(t *testing.T) {
	both(t, func(t *testing.T, c *chat) {
		posts := lookback.New[uint64](overlap)
		c.say(10)
		early := c.post("early")
		since := c.post("")
		mine := c.post("mine")
		c.say(1499)
		c.mustFind(t, posts, "mine", since, mine)
		c.pages = 0
		c.mustFind(t, posts, "early", since, 0)
		c.mustFind(t, posts, "mine", since, mine)
		c.mustFind(t, posts, "early", 0, early)
		c.mustFind(t, posts, "early", since, 0)
		if c.pages > 17 {
			t.Errorf("%d pages", c.pages)
		}
	})
}

func TestAnEmptyConversationHasNothing(t *testing.T) {
	both(t, func(t *testing.T, c *chat) {
		posts := lookback.New[uint64](overlap)
		c.mustFind(t, posts, "mine", 7, 0)
		c.mustRead(t, 1)
		mine := c.post("mine")
		c.mustFind(t, posts, "mine", 7, mine)
		c.mustRead(t, 1)
	})
}

func TestPagesThatWereReadAreNotReadAgain(t *testing.T) {
	both(t, func(t *testing.T, c *chat) {
		posts := lookback.New[uint64](overlap)
		c.say(1450)
		c.mustFind(t, posts, "none", 0, 0)
		c.mustRead(t, 15)
		c.say(50)
		c.mustFind(t, posts, "none", 0, 0)
		c.mustRead(t, 1)
		c.say(250)
		c.mustFind(t, posts, "none", 0, 0)
		c.mustRead(t, 3)
	})
}

func TestARefusedLookGoesOnWhereItWas(t *testing.T) {
	both(t, func(t *testing.T, c *chat) {
		posts := lookback.New[uint64](overlap)
		since := c.post("")
		mine := c.post("mine")
		c.say(1999)
		if c.ascending {
			c.mustFind(t, posts, "mine", since, mine)
			return
		}
		c.refuse = func(page int) bool { return page%5 == 0 }
		tries := 0
		for {
			tries++
			got, found, err := posts.Find(t.Context(), c.look("mine", since))
			if err == nil {
				if !found || got != mine {
					t.Errorf("found %d %t", got, found)
				}
				break
			}
			if !errors.Is(err, errBusy) || tries > 20 {
				t.Fatalf("after %d tries: %v", tries, err)
			}
			c.say(3)
		}
		if tries < 5 || c.pages > 32 { // each try reads the newest page, too
			t.Errorf("%d tries and %d pages", tries, c.pages)
		}
	})
}

// Apps outside of Slack's Marketplace may read 15 messages a minute.
func TestALookThatMayReadOnePageAtATimeEnds(t *testing.T) {
	both(t, func(t *testing.T, c *chat) {
		posts := lookback.New[uint64](overlap)
		c.limit = 15
		since := c.post("")
		mine := c.post("mine")
		c.say(300)
		used := false
		c.refuse = func(int) bool { defer func() { used = true }(); return used }
		for tries := 1; ; tries++ {
			used = false
			got, found, err := posts.Find(t.Context(), c.look("mine", since))
			if found && got == mine {
				break
			}
			if err == nil || tries > 40 {
				t.Fatalf("after %d tries: %d %t %v", tries, got, found, err)
			}
			c.say(3)
		}
	})
}

func TestLooksAtTheSameTimeShareTheirPages(t *testing.T) {
	both(t, func(t *testing.T, c *chat) {
		posts := lookback.New[uint64](overlap)
		c.say(1450)
		var all sync.WaitGroup
		for n := range 100 {
			all.Go(func() { c.mustFind(t, posts, strconv.Itoa(n), 0, 0) })
		}
		all.Wait()
		if c.pages > 16 { // the newest one again for those that came while it was read
			t.Errorf("%d pages were read", c.pages)
		}
	})
}

func TestARefusalIsOfAllThatWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, posts := newChat(), lookback.New[uint64](overlap)
		c.say(10)
		c.refuse = func(int) bool { return true }
		var all sync.WaitGroup
		for n := range 20 {
			all.Go(func() {
				if _, _, err := posts.Find(t.Context(), c.look(strconv.Itoa(n), 0)); !errors.Is(err, errBusy) {
					t.Errorf("error %v", err)
				}
			})
		}
		all.Wait()
		c.mustRead(t, 1)
		c.refuse = nil
		c.mustFind(t, posts, "none", 0, 0)
	})
}

// A look must not rely on a page that was on its way when it began: the
// message was perhaps posted after the page was made.
func TestALookSeesWhatWasPostedBeforeItBegan(t *testing.T) {
	both(t, func(t *testing.T, c *chat) {
		posts := lookback.New[uint64](overlap)
		c.say(10)
		var all sync.WaitGroup
		c.during = func() {
			c.during = nil
			mine := c.post("mine")
			for range 10 {
				all.Go(func() { c.mustFind(t, posts, "mine", 0, mine) })
			}
		}
		c.mustFind(t, posts, "none", 0, 0)
		all.Wait()
		c.mustRead(t, 2)
	})
}

func TestAWaitingLookEndsWithItsContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, posts := newChat(), lookback.New[uint64](overlap)
		c.say(1000)
		var all sync.WaitGroup
		all.Go(func() { c.mustFind(t, posts, "none", 0, 0) })
		synctest.Wait()
		ctx, cancel := context.WithTimeout(t.Context(), pageTime/2)
		defer cancel()
		if _, _, err := posts.Find(ctx, c.look("other", 0)); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("error %v", err)
		}
		all.Wait()
	})
}

func TestALookThatEndsIsNoRefusalForOthers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, posts := newChat(), lookback.New[uint64](overlap)
		c.say(1000)
		ctx, cancel := context.WithTimeout(t.Context(), pageTime/2)
		defer cancel()
		var all sync.WaitGroup
		all.Go(func() { _, _, _ = posts.Find(ctx, c.look("none", 0)) })
		synctest.Wait()
		c.mustFind(t, posts, "none", 0, 0)
		all.Wait()
	})
}

// Messages may become visible in another order than that of their ids.
func TestAMessageThatIsSeenLateIsFound(t *testing.T) {
	for _, tt := range []struct {
		behind uint64
		found  bool
	}{{overlap - 1, true}, {overlap + 1, false}} {
		synctest.Test(t, func(t *testing.T) {
			c, posts := newChat(), lookback.New[uint64](overlap)
			c.say(pageSize)
			c.limit = 1 // a newest page alone does not show it
			c.mustFind(t, posts, "none", 1000, 0)
			late := c.last - tt.behind
			n := len(c.messages) - 1
			c.messages = append(c.messages[:n:n], lookback.Own[uint64]{Job: "mine", ID: late, Post: late}, c.messages[n])
			want := uint64(0)
			if tt.found {
				want = late
			}
			c.mustFind(t, posts, "mine", 1000, want)
		})
	}
}

func TestWhatLiesBetweenIsNotReadWhenNobodyNeedsIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, posts := newChat(), lookback.New[uint64](overlap)
		c.say(100)
		c.mustFind(t, posts, "none", c.last-50, 0)
		c.say(5000)
		c.pages = 0
		since := c.last
		c.say(20)
		c.mustFind(t, posts, "none", since, 0)
		c.mustRead(t, 1)
		c.mustFind(t, posts, "none", 0, 0)
		if c.pages < 50 || c.pages > 53 {
			t.Errorf("%d pages", c.pages)
		}
	})
}

func TestAPageWithoutProgressIsAnErrorAndNoEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		posts := lookback.New[uint64](overlap)
		look := newChat().look("mine", 0)
		look.Read = func(context.Context, lookback.Part) (lookback.Page[uint64], error) {
			return lookback.Page[uint64]{More: true}, nil
		}
		if _, _, err := posts.Find(t.Context(), look); err == nil {
			t.Error("no error")
		}
	})
}

// Whatever happens in whatever order, no look misses a message that was there
// when it began.
func TestNoLookEverMissesAMessage(t *testing.T) {
	for seed := range uint64(60) {
		synctest.Test(t, func(t *testing.T) {
			r := rand.New(rand.NewPCG(seed, 0))
			c, posts := newChat(), lookback.New[uint64](overlap)
			c.ascending, c.limit = seed%2 == 1, 3+r.IntN(20)
			var dice sync.Mutex
			roll := func(n int) int {
				dice.Lock()
				defer dice.Unlock()
				return r.IntN(n)
			}
			c.refuse = func(int) bool { return roll(5) == 0 }
			c.during = func() {
				for roll(2) == 0 {
					c.post("")
				}
			}
			var all sync.WaitGroup
			for n := range 80 {
				job := strconv.Itoa(n)
				mine := c.post(job)
				c.say(roll(10))
				since := mine - 1 - uint64(roll(500))
				delay := time.Duration(roll(60)) * time.Second
				all.Go(func() {
					elapse(delay)
					for range 1000 {
						got, found, err := posts.Find(t.Context(), c.look(job, since))
						if err == nil {
							if !found || got != mine {
								t.Errorf("seed %d: job %s has %d, found %d %t", seed, job, mine, got, found)
							}
							return
						}
						elapse(time.Second)
					}
					t.Errorf("seed %d: job %s never finds out", seed, job)
				})
			}
			all.Wait()
		})
	}
}

func TestMemoryIsBounded(t *testing.T) {
	// after reports whether a second look reads the conversation again when n
	// conversations with size posts each were looked at in between.
	forgets := func(t *testing.T, n, size int, pause time.Duration) bool {
		t.Helper()
		again := false
		synctest.Test(t, func(t *testing.T) {
			c, posts := newChat(), lookback.New[uint64](0)
			c.say(250)
			c.mustFind(t, posts, "none", 0, 0)
			for k := range n {
				look := newChat().look("none", 0)
				look.In = strconv.Itoa(k)
				elapse(time.Millisecond)
				look.Read = func(context.Context, lookback.Part) (lookback.Page[uint64], error) {
					own := make([]lookback.Own[uint64], size)
					for i := range own {
						own[i] = lookback.Own[uint64]{Job: strconv.Itoa(i), ID: 1, Post: 1}
					}
					return lookback.Page[uint64]{Own: own, Oldest: 1, Newest: 1}, nil
				}
				if _, _, err := posts.Find(t.Context(), look); err != nil {
					t.Error(err)
				}
			}
			elapse(pause)
			c.pages = 0
			other := newChat().look("none", 0)
			other.In = "other"
			_, _, _ = posts.Find(t.Context(), other)
			c.mustFind(t, posts, "none", 0, 0)
			again = c.pages > 1
		})
		return again
	}
	for _, tt := range []struct {
		name    string
		n, size int
		pause   time.Duration
		want    bool
	}{
		{"998 others", 998, 0, 0, false},
		{"1000 others", 1000, 0, 0, true},
		{"99,000 posts", 9, 11_000, 0, false},
		{"101,000 posts", 10, 10_100, 0, true},
		{"nine minutes", 0, 0, 9 * time.Minute, false},
		{"eleven minutes", 0, 0, 11 * time.Minute, true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := forgets(t, tt.n, tt.size, tt.pause); got != tt.want {
				t.Errorf("forgotten: %t, want %t", got, tt.want)
			}
		})
	}
}

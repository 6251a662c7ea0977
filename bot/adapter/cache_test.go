package adapter_test

import (
	"strconv"
	"testing"

	"ltxbot/bot/adapter"
	"ltxbot/core/generate"
)

func TestAFullCacheIsEmptied(t *testing.T) {
	c := adapter.NewCache[int](2)
	c.Put("a", 1)
	c.Put("b", 2)
	if old := c.Put("a", 3); old != 1 {
		t.Errorf("a was %d, want 1", old)
	}
	if a, b := c.Get("a"), c.Get("b"); a != 3 || b != 2 {
		t.Errorf("a is %d and b %d: a value that is replaced needs no room", a, b)
	}
	c.Put("c", 4)
	if a, b, other := c.Get("a"), c.Get("b"), c.Get("c"); a != 0 || b != 0 || other != 4 {
		t.Errorf("a is %d, b %d and c %d, want only c", a, b, other)
	}
	c.Delete("c")
	if got := c.Get("c"); got != 0 {
		t.Errorf("c is %d after it was forgotten", got)
	}
}

func TestACardIsNewsWhenItChanges(t *testing.T) {
	type card struct{ Text string }
	running := generate.Job{ID: "j", State: generate.Running}
	done := generate.Job{ID: "j", State: generate.Delivered}
	s := adapter.NewShownCards()
	for _, step := range []struct {
		name string
		job  generate.Job
		card any
		want bool
	}{
		{"the first", running, card{"10 %"}, true},
		{"the same", running, card{"10 %"}, false},
		{"another", running, card{"20 %"}, true},
		{"the same of another job", generate.Job{ID: "k", State: generate.Running}, card{"20 %"}, true},
		{"what is no JSON", running, func() {}, true},
		{"the last", done, card{"done"}, true},
		{"the last again", done, card{"done"}, true},
		{"an earlier one after the last", running, card{"20 %"}, true},
		{"that again", running, card{"20 %"}, false},
	} {
		if got := s.News(step.job, step.card); got != step.want {
			t.Errorf("%s: news is %v", step.name, got)
		}
	}
	s.Delete("j")
	if !s.News(running, card{"20 %"}) {
		t.Error("a card that was not shown is no news")
	}
}

func TestTwentyThousandCardsAreRemembered(t *testing.T) {
	s := adapter.NewShownCards()
	news := func(n int) bool {
		return s.News(generate.Job{ID: strconv.Itoa(n), State: generate.Running}, "card")
	}
	for n := range 20_000 {
		news(n)
	}
	if news(0) {
		t.Error("the first of 20,000 is forgotten")
	}
	news(20_000)
	if !news(0) {
		t.Error("more than 20,000 are remembered")
	}
}

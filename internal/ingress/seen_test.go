package ingress_test

import (
	"strconv"
	"testing"
	"time"

	"ltxbot/internal/ingress"
)

func TestWhatComesTwiceCountsOnceWithinAWhile(t *testing.T) {
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	s := ingress.NewSeen(func() time.Time { return now }, time.Minute)
	steps := []struct {
		after time.Duration
		key   string
		want  bool
	}{
		{0, "a", true}, {0, "a", false}, {0, "b", true}, {time.Minute, "a", false}, {time.Second, "a", true}, {0, "b", true},
	}
	for n, step := range steps {
		now = now.Add(step.after)
		if got := s.First(step.key); got != step.want {
			t.Errorf("step %d: First(%q) = %v", n, step.key, got)
		}
	}
}

func TestASeenIsBounded(t *testing.T) {
	now := time.Now()
	s := ingress.NewSeen(func() time.Time { return now }, time.Hour)
	const most = 100_000
	for n := range most {
		s.First(strconv.Itoa(n))
	}
	if s.First(strconv.Itoa(1)) {
		t.Error("the second of 100,000 is forgotten too early")
	}
	for n := range most {
		s.First(strconv.Itoa(most + n))
	}
	if !s.First("1") {
		t.Error("100,000 later it is still remembered")
	}
}

package ingress_test

import (
	"fmt"
	"testing"
	"time"

	"ltxbot/internal/ingress"
)

func TestEachAddressHasALimitOfItsOwn(t *testing.T) {
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	l := ingress.NewLimiter(ingress.Rate{Burst: 2, Pause: time.Second}, ingress.Rate{Burst: 4, Pause: time.Minute})
	for _, step := range []struct {
		after  time.Duration
		remote string
		want   bool
	}{
		{0, "192.0.2.1:1", true},
		{0, "192.0.2.1:2", true},
		{0, "192.0.2.1:3", false}, // however often
		{0, "192.0.2.1:4", false},
		{0, "192.0.2.2", true},
		{0, "[2001:db8::1]:1", true},
		{0, "192.0.2.3:1", false}, // all together
		{time.Minute, "192.0.2.1:1", true},
		{0, "192.0.2.2:1", false},
	} {
		now = now.Add(step.after)
		if got := l.Allow(step.remote, now); got != step.want {
			t.Errorf("%s at %s: %t", step.remote, now.Format(time.TimeOnly), got)
		}
	}
}

// Who comes from many addresses has them forgotten, not those of others refused.
func TestTheAddressesOfALimiterAreBounded(t *testing.T) {
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	l := ingress.NewLimiter(ingress.Rate{Burst: 1, Pause: time.Hour}, ingress.Rate{Burst: 1 << 20, Pause: time.Second})
	from := func(n int) string { return fmt.Sprintf("10.%d.%d.1:1", n/250, n%250) }
	for n := range 1000 {
		now = now.Add(time.Millisecond)
		if !l.Allow(from(n), now) {
			t.Fatalf("address %d", n)
		}
	}
	if l.Allow(from(0), now) || !l.Allow(from(1000), now) {
		t.Error("a thousand addresses are not remembered, or no further one is let in")
	}
	if l.Allow(from(0), now) || !l.Allow(from(1), now) {
		t.Error("it was not the one forgotten that was there longest ago")
	}
	now = now.Add(2 * time.Hour)
	if !l.Allow(from(0), now) {
		t.Error("it is refused for good")
	}
}

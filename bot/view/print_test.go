package view_test

import (
	"testing"
	"time"

	"ltxbot/bot/view"
)

func TestADistanceInTimeReadsAsAPersonSaysIt(t *testing.T) {
	for d, want := range map[time.Duration]string{
		-3 * time.Second:         "3s ago",
		-300 * time.Millisecond:  "just now",
		0:                        "just now",
		400 * time.Millisecond:   "just now",
		90 * time.Second:         "in 1m30s",
		-61*time.Minute - 2*1e9:  "1h1m2s ago",
		1500 * time.Millisecond:  "in 2s",
		-1500 * time.Millisecond: "2s ago",
	} {
		if got := view.FromNow(d); got != want {
			t.Errorf("%s reads %q, want %q", d, got, want)
		}
	}
}

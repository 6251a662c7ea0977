package view_test

import (
	"testing"
	"time"

	"ltxbot/bot/view"
)

func TestADistanceInTimeReadsAsAPersonSaysIt(t *testing.T) {
	for d, want := range map[time.Duration]string{
		-3 * time.Second:         "3 seconds ago",
		-300 * time.Millisecond:  "just now",
		0:                        "just now",
		400 * time.Millisecond:   "just now",
		time.Second:              "in 1 second",
		1500 * time.Millisecond:  "in 2 seconds",
		-1500 * time.Millisecond: "2 seconds ago",
		59800 * time.Millisecond: "in 1 minute",
		100 * time.Second:        "in 2 minutes",
		3599 * time.Second:       "in 1 hour",
		-61*time.Minute - 2*1e9:  "1 hour ago",
		23*time.Hour + 40*60*1e9: "in 1 day",
		33*time.Hour + 32*60*1e9: "in 1 day",
		7*24*time.Hour - 1e9:     "in 7 days",
		777 * time.Hour:          "in 32 days",
	} {
		if got := view.FromNow(d); got != want {
			t.Errorf("%s reads %q, want %q", d, got, want)
		}
	}
}

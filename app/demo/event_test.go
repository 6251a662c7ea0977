package demo_test

import (
	"testing"
	"testing/synctest"
	"time"

	"ltxbot/app/demo"
)

func TestATranscriptEndsWhenNothingNewIsFound(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := demo.NewTranscript()
		const pause = 100 * time.Millisecond
		for n := range 3 {
			time.AfterFunc(time.Duration(n+1)*pause, func() { r.Add(demo.Event{Kind: demo.Edited}) })
		}
		begin := time.Now()
		if n := r.Settle(t.Context()); n != 3 {
			t.Errorf("the transcript has %d events, want 3", n)
		}
		if took, most := time.Since(begin), 3*pause+demo.Silence+50*time.Millisecond; took > most {
			t.Errorf("it took %s, want at most %s", took, most)
		}
	})
}

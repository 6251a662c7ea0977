package demo

import (
	"testing"
	"testing/synctest"
	"time"
)

func TestATranscriptEndsWhenNothingNewIsFound(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := newRecorder(nil)
		const pause = 100 * time.Millisecond
		go func() {
			for range 3 {
				time.Sleep(pause)
				r.add(Event{Kind: Edited})
			}
		}()
		begin := time.Now()
		r.settle(t.Context())
		if n := len(r.events()); n != 3 {
			t.Errorf("the transcript has %d events, want 3", n)
		}
		if took, most := time.Since(begin), 3*pause+(quietLooks+2)*quietPause; took > most {
			t.Errorf("it took %s, want at most %s", took, most)
		}
	})
}

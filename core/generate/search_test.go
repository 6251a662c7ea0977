package generate_test

import (
	"testing"
	"testing/synctest"
	"time"

	"ltxbot/core/generate"
)

func TestALostSubmitIsNotMistakenForAnEarlierOne(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		p := w.start(crashAt(0))
		defer p.kill(t)
		first, err := p.engine.Accept(t.Context(), ask(t, 1))
		if err != nil {
			t.Fatal(err)
		}
		elapse(50 * time.Second)
		again := ask(t, 1)
		again.Event = "test:same seed"
		w.provider.mu.Lock()
		w.provider.loseReply = true
		w.provider.mu.Unlock()
		second, err := p.engine.Accept(t.Context(), again)
		if err != nil {
			t.Fatal(err)
		}
		elapse(5 * time.Minute)
		a, b := finished(t, p, first.ID), finished(t, p, second.ID)
		if a.State != generate.Delivered || b.State != generate.Delivered {
			t.Errorf("jobs are %s and %s, want both delivered", a.State, b.State)
		}
		if a.Submission.RequestID == b.Submission.RequestID {
			t.Errorf("both jobs have request %s", a.Submission.RequestID)
		}
	})
}

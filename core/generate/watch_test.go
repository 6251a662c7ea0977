package generate_test

import (
	"testing"
	"testing/synctest"
	"time"

	"ltxbot/core/generate"
	"ltxbot/core/quota"
)

// errServer is a server error that names its kind.
var errServer = &generate.ProviderError{Op: "result", Kind: generate.FailProvider, HTTPStatus: 503, Type: "runner_disconnected"}

func TestABadAnswerInPlaceOfAResultIsNotBelievedAtOnce(t *testing.T) {
	for _, tt := range []struct {
		name  string
		err   error
		says  bool          // the status says that it has failed
		lasts time.Duration // how long the answer lasts
		want  generate.State
	}{
		{"a typed server error, for half a minute", errServer, false, 30 * time.Second, generate.Delivered},
		{"a typed server error, for less than a minute", errServer, false, 55 * time.Second, generate.Delivered},
		{"a typed server error, for two minutes", errServer, false, 2 * time.Minute, generate.Failed},
		{"a typed server error that the status has told", errServer, true, 5 * time.Second, generate.Failed},
		{"an answer without a type", &generate.ProviderError{Op: "result", Kind: generate.FailInvalid, HTTPStatus: 400}, false, 30 * time.Second, generate.Delivered},
		{"a result that is not there", generate.ErrGone, false, 30 * time.Second, generate.Delivered},
		{"a result that is not there, for two minutes", generate.ErrGone, false, 2 * time.Minute, generate.Failed},
		{"the model's own word", &generate.ProviderError{Op: "result", Kind: generate.FailNoMedia, HTTPStatus: 422, Type: "no_media_generated"}, false, 5 * time.Second, generate.Failed},
		{"it is not ready, for an hour", generate.ErrNotReady, false, time.Hour, generate.Delivered},
	} {
		t.Run(tt.name, virtual(func(t *testing.T) {
			w := newWorld(t)
			w.provider.queue, w.provider.run = 0, 0
			w.provider.resultErr, w.provider.failed = tt.err, tt.says
			p := w.run()
			id := p.accept(t, 1)
			elapse(tt.lasts)
			w.change(func(p *fakeProvider) { p.resultErr = nil })
			elapse(90 * time.Second)
			p.wantEnd(t, id, tt.want)
			if n := w.provider.results; n > 80 {
				t.Errorf("asked for the result %d times", n)
			}
		}))
	}
}

func TestAResultIsAskedForWhenTheStatusCannotBeRead(t *testing.T) {
	for _, tt := range []struct {
		name   string
		hint   bool
		within time.Duration
	}{
		{"at once after a hint", true, time.Second},
		{"after some tries without one", false, 2 * time.Minute},
	} {
		t.Run(tt.name, virtual(func(t *testing.T) {
			w := newWorld(t)
			w.provider.statusErr = errPassing
			p := w.run()
			id := p.accept(t, 1)
			elapse(50 * time.Second) // it is done
			if tt.hint {
				p.arrived(t, w, id)
			}
			elapse(tt.within)
			p.wantEnd(t, id, generate.Delivered)
		}))
	}
}

// TestAStreamThatTalksDoesNotReplaceThePolls: it repeats that the job runs, long
// after it is done.
func TestAStreamThatTalksDoesNotReplaceThePolls(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.provider.chatty = true
		p := w.run()
		id := p.accept(t, 1)
		elapse(75 * time.Second) // done after 45
		p.wantEnd(t, id, generate.Delivered)
		if n := w.provider.statuses; n > 8 {
			t.Errorf("polled %d times in the 45 seconds of a job with a stream", n)
		}
	})
}

// TestAStreamThatSaysDoneIsAHint: only a poll's answer counts. Else a job of
// which a stream was wrong would be charged, or told to have failed.
func TestAStreamThatSaysDoneIsAHint(t *testing.T) {
	for _, tt := range []struct {
		name   string
		result error
	}{
		{"and the result is not ready", generate.ErrNotReady},
		{"and the result is not known", generate.ErrGone},
		{"and the result is a server's error", errServer},
	} {
		t.Run(tt.name, virtual(func(t *testing.T) {
			w := newWorld(t)
			w.provider.hasty, w.provider.stubborn, w.provider.run = true, true, 1000*time.Hour
			w.provider.resultErr = tt.result
			p := w.run()
			id := p.accept(t, 1)
			elapse(2 * time.Minute)
			if j, err := p.store.Job(t.Context(), id); err != nil || j.State != generate.Running || !j.Completed.IsZero() {
				t.Fatalf("job is %s (%s), %v, completed %s; want it to run", j.State, j.Failure.Kind, err, j.Completed)
			}
			elapse(3 * time.Hour)
			if j, h := finished(t, p, id), hold(t, p, id); j.Failure.Kind != generate.FailGivenUp || h.State != quota.Released {
				t.Errorf("job is %s (%s), its hold %s", j.State, j.Failure.Kind, h.State)
			}
		}))
	}
}

package generate_test

import (
	"context"
	"iter"
	"maps"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"ltxbot/core/generate"
	"ltxbot/core/quota"
)

// TestWaitsEndWhenTheyShould is the table of how long the engine is patient: at
// before a job is not over, and at after it is.
func TestWaitsEndWhenTheyShould(t *testing.T) {
	busy := &generate.ProviderError{Op: "submit", Kind: generate.FailBusy, HTTPStatus: 429, Temporary: true}
	for _, tt := range []struct {
		name          string
		arrange       func(*world)
		forget        time.Duration // when the provider forgets the job; 0 is never
		before, after time.Duration
		kind          generate.FailureKind // empty: the video is there
	}{
		{
			"a provider that takes no jobs is asked for ten minutes", func(w *world) {
				for range 1000 {
					w.provider.submitErr = append(w.provider.submitErr, busy)
				}
			}, 0, 9*time.Minute + 50*time.Second, 10*time.Minute + 10*time.Second, generate.FailBusy,
		},
		{
			"a conversation has 15 minutes to take the first card", func(w *world) { w.channel.refuseAll() },
			0, 15 * time.Minute, 16*time.Minute + 10*time.Second, generate.FailUnreachable,
		},
		{
			"a download is tried for three minutes", func(w *world) { w.provider.openErr = errReply },
			0, 45*time.Second + 3*time.Minute, 45*time.Second + 5*time.Minute, "",
		},
		{
			"a submission that was never known is looked for for two minutes", func(w *world) { w.provider.queue = 3 * time.Hour },
			time.Millisecond, 115 * time.Second, 190 * time.Second, generate.FailProvider,
		},
		{
			"a job that vanishes within half an hour was not made", func(w *world) { w.provider.queue, w.deadline = 3*time.Hour, 2*time.Hour },
			27 * time.Minute, 27 * time.Minute, 29 * time.Minute, generate.FailProvider,
		},
		{
			"a job that vanishes later may have been made", func(w *world) { w.provider.queue, w.deadline = 3*time.Hour, 2*time.Hour },
			31 * time.Minute, 31 * time.Minute, 33 * time.Minute, generate.FailExpired,
		},
	} {
		t.Run(tt.name, virtual(func(t *testing.T) {
			w := newWorld(t)
			tt.arrange(w)
			p := w.run()
			id := p.accept(t, 1)
			elapse(tt.forget)
			for asked := tt.forget == 0; !asked; { // it forgets no job before it has it
				w.change(func(p *fakeProvider) { asked = len(p.jobs) > 0; clear(p.jobs) })
				if !asked {
					elapse(time.Millisecond)
				}
			}
			elapse(tt.before - tt.forget)
			if j, err := p.store.Job(t.Context(), id); err != nil || j.State.Terminal() {
				t.Fatalf("job is %s (%s), %v after %s", j.State, j.Failure.Kind, err, tt.before)
			}
			elapse(tt.after - tt.before)
			j, err := p.store.Job(t.Context(), id)
			if err != nil || j.Failure.Kind != tt.kind || !j.State.Terminal() {
				t.Errorf("job is %s (%s), %v after %s, want %q", j.State, j.Failure.Kind, err, tt.after, tt.kind)
			}
		}))
	}
}

// refuseAll makes the conversation take nothing.
func (c *fakeChannel) refuseAll() {
	for range 10_000 {
		c.refuse = append(c.refuse, errReply)
	}
}

func TestAProviderIsBelievedWhenItHasForgottenAJobFiveTimes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.provider.queue = time.Hour
		p := w.run()
		id := p.accept(t, 1)
		elapse(10 * time.Second)
		before := w.provider.statuses
		w.change(func(p *fakeProvider) { clear(p.jobs) })
		elapse(10 * time.Minute)
		finished(t, p, id)
		if n := w.provider.statuses - before; n != 5 {
			t.Errorf("asked %d times, want 5", n)
		}
	})
}

func TestTheResultIsAskedForAtEveryFifthFailure(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.provider.queue, w.provider.statusErr = time.Hour, errPassing
		p := w.run()
		p.accept(t, 1)
		elapse(15 * time.Minute)
		var asked, failed int
		w.change(func(p *fakeProvider) { asked, failed = p.results, p.statuses })
		if asked != failed/5 {
			t.Errorf("asked %d times for the result and %d times for the status", asked, failed)
		}
	})
}

// timedWorld notes how long each call may take at most.
type timedWorld struct {
	generate.Provider
	generate.Courier

	mu    sync.Mutex
	limit map[string]time.Duration
}

func (w *timedWorld) note(ctx context.Context, call string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if end, ok := ctx.Deadline(); ok {
		w.limit[call] = time.Until(end)
	}
}

func (w *timedWorld) Submit(ctx context.Context, o generate.JobRequest) (generate.Submission, error) {
	w.note(ctx, "submit")
	return w.Provider.Submit(ctx, o)
}

func (w *timedWorld) Status(ctx context.Context, s generate.Submission) (generate.Status, error) {
	w.note(ctx, "status")
	return w.Provider.Status(ctx, s)
}

func (w *timedWorld) Watch(context.Context, generate.Submission) iter.Seq2[generate.Status, error] {
	return func(func(generate.Status, error) bool) {}
}

func (w *timedWorld) Result(ctx context.Context, s generate.Submission) (generate.Result, error) {
	w.note(ctx, "result")
	return w.Provider.Result(ctx, s)
}

func (w *timedWorld) Cancel(ctx context.Context, s generate.Submission) (generate.CancelOutcome, error) {
	w.note(ctx, "cancel")
	return w.Provider.Cancel(ctx, s)
}

func (w *timedWorld) Find(ctx context.Context, o generate.JobRequest, since, until time.Time) ([]generate.Submission, error) {
	w.note(ctx, "find")
	return w.Provider.Find(ctx, o, since, until)
}

func (w *timedWorld) Show(ctx context.Context, j generate.Job, keep generate.Keep) error {
	w.note(ctx, "show")
	return w.Courier.Show(ctx, j, keep)
}

func TestEachCallHasItsLimit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.provider.loseReply = true
		timed := &timedWorld{Provider: w.provider, Courier: w.channel, limit: map[string]time.Duration{}}
		w.courier, w.asked = timed, timed
		p := w.run()
		id := p.accept(t, 1)
		elapse(20 * time.Second)
		p.cancel(t, id)
		elapse(2 * time.Minute)
		want := map[string]time.Duration{
			"submit": time.Minute, "status": 30 * time.Second, "result": 30 * time.Second,
			"cancel": 10 * time.Second, "find": 30 * time.Second, "show": 30 * time.Second,
		}
		if !maps.Equal(timed.limit, want) {
			t.Errorf("calls may take %v, want %v", timed.limit, want)
		}
	})
}

// timedChannel notes when a card is edited.
type timedChannel struct {
	*fakeChannel

	mu    sync.Mutex
	shown []time.Time
}

func (c *timedChannel) Show(ctx context.Context, j generate.Job, keep generate.Keep) error {
	c.mu.Lock()
	c.shown = append(c.shown, time.Now())
	c.mu.Unlock()
	return c.fakeChannel.Show(ctx, j, keep)
}

// TestACardIsEditedAtItsPace: a stream brings news each second.
func TestACardIsEditedAtItsPace(t *testing.T) {
	for _, tt := range []struct {
		name     string
		age      time.Duration
		pace     time.Duration
		lasts    time.Duration
		min, max int
	}{
		{"every three seconds", time.Minute, 3 * time.Second, time.Minute, 12, 20},
		{"every three seconds for half an hour", 28 * time.Minute, 3 * time.Second, time.Minute, 12, 20},
		{"every half minute after that", 31 * time.Minute, 30 * time.Second, 5 * time.Minute, 8, 10},
	} {
		t.Run(tt.name, virtual(func(t *testing.T) {
			w := newWorld(t)
			w.provider.run, w.provider.chatty, w.deadline = 3*time.Hour, true, 5*time.Hour
			timed := &timedChannel{fakeChannel: w.channel}
			w.courier = timed
			p := w.run()
			p.accept(t, 1)
			elapse(tt.age)
			timed.mu.Lock()
			timed.shown = nil
			timed.mu.Unlock()
			elapse(tt.lasts)
			timed.mu.Lock()
			defer timed.mu.Unlock()
			if n := len(timed.shown); n < tt.min || n > tt.max {
				t.Errorf("edited %d times in %s, want %d to %d", n, tt.lasts, tt.min, tt.max)
			}
			for i := 1; i < len(timed.shown); i++ {
				if gap := timed.shown[i].Sub(timed.shown[i-1]); gap < tt.pace {
					t.Errorf("edited again after %s, want %s", gap, tt.pace)
				}
			}
		}))
	}
}

// muteStore loses the signals of its claims, and counts who asks for a place.
type muteStore struct {
	generate.Store

	mu     *sync.Mutex
	places *[]time.Time
}

func (s muteStore) Claim(ctx context.Context) (generate.Claim, error) {
	c, err := s.Store.Claim(ctx)
	c.Changed = nil
	return c, err
}

func (s muteStore) Place(ctx context.Context, id string) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	*s.places = append(*s.places, time.Now())
	return s.Store.Place(ctx, id)
}

// TestAJobThatWaitsForItsTurnLooksRarely, and is not forgotten when the store
// loses the signal that its turn has come.
func TestAJobThatWaitsForItsTurnLooksRarely(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.policy.Member.JobsAtATime = 1
		w.provider.run = 10 * time.Minute
		var mu sync.Mutex
		var places []time.Time
		w.worn = func(s generate.Store) generate.Store { return muteStore{s, &mu, &places} }
		p := w.run()
		first, second := p.accept(t, 1), p.accept(t, 2)
		elapse(5 * time.Minute)
		mu.Lock()
		n := len(places)
		mu.Unlock()
		if n < 14 || n > 21 { // and once a minute a look whether its turn has come
			t.Errorf("asked for the place %d times in 5 minutes, want every 20 seconds", n)
		}
		if place := w.channel.shown(second).Progress.Waiting; place != 1 {
			t.Errorf("the card shows place %d, want 1", place)
		}
		freed := 0 * time.Second
		for ; freed < 10*time.Minute; freed += time.Second {
			elapse(time.Second)
			if j, err := p.store.Job(t.Context(), first); err == nil && !j.HoldsSlot() {
				break
			}
		}
		elapse(time.Minute + 5*time.Second)
		w.wantSubmits(t, second, 1)
	})
}

// TestALostSubmitIsLookedForWhenTheHistoryIsBackSoon: at the deadline, an
// outage of the history that is shorter than the grace time loses nothing.
func TestALostSubmitIsLookedForWhenTheHistoryIsBackSoon(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.provider.loseReply, w.provider.endedOnly, w.provider.run = true, true, 10*time.Minute
		p := w.run()
		id := p.accept(t, 1)
		elapse(19 * time.Minute)
		w.change(func(p *fakeProvider) { p.findErr = errReply })
		elapse(3 * time.Minute) // the deadline is in one
		w.change(func(p *fakeProvider) { p.findErr = nil })
		elapse(2 * time.Minute)
		if j := finished(t, p, id); j.State != generate.Delivered || hold(t, p, id).State != quota.Settled {
			t.Errorf("job is %s, want the video that was made", j.State)
		}
	})
}

func TestAShortDownloadIsTriedFiveTimesBeforeTheNextDelivery(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.provider.media += strings.Repeat("x", 1<<10)
		w.provider.cut = 4
		p := w.run()
		id := p.accept(t, 1)
		elapse(2 * time.Minute)
		p.wantEnd(t, id, generate.Delivered)
	})
}

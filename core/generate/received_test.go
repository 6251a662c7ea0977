package generate_test

import (
	"context"
	"errors"
	"slices"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"ltxbot/core/generate"
	"ltxbot/core/ltx"
	"ltxbot/core/quota"
)

// orphan is a job that a process has recorded before it died.
func orphan(t *testing.T, w *world, more ...ltx.Setting) generate.Job {
	t.Helper()
	p := w.start(crashAt(0))
	a := ask(t, 0, more...)
	a.Notes = map[string]string{generate.SecretNote + "token": "t0ken"}
	j, err := p.engine.Record(t.Context(), a)
	if err != nil || j.State != generate.Received {
		t.Fatalf("recorded as %s, %v", j.State, err)
	}
	p.kill(t)
	return j
}

// TestAKillBeforeAJobIsAccepted is what becomes of a command whose process was
// killed round its acknowledgement.
func TestAKillBeforeAJobIsAccepted(t *testing.T) {
	for _, tt := range []struct {
		name    string
		arrange func(*world, generate.Job)
		state   generate.State
		kind    generate.FailureKind
		shown   []generate.State // the last that the card shows; nil = there is no card
		within  time.Duration
	}{
		{
			"it was acknowledged, and goes on", func(w *world, j generate.Job) { w.channel.told[j.ID] = true },
			generate.Delivered, "",
			[]generate.State{generate.Delivered},
			2 * time.Minute,
		},
		{
			"it was not, and ends without a word", func(*world, generate.Job) {},
			generate.Failed, generate.FailUnacknowledged, nil, 15 * time.Second,
		},
		{
			"nobody can tell, and it ends with a word", func(w *world, _ generate.Job) { w.channel.mute = true },
			generate.Failed, generate.FailInterrupted,
			[]generate.State{generate.Failed},
			20 * time.Second,
		},
		{
			"the platform does not answer at first", func(w *world, j generate.Job) {
				w.channel.told[j.ID] = true
				w.channel.refuse = []error{errReply, later(20 * time.Second), errReply}
			},
			generate.Delivered, "",
			[]generate.State{generate.Delivered},
			2 * time.Minute,
		},
	} {
		t.Run(tt.name, virtual(func(t *testing.T) {
			w := newWorld(t)
			j := orphan(t, w)
			tt.arrange(w, j)
			p := w.run()
			elapse(tt.within)
			got := p.readJob(t, j.ID)
			if got.State != tt.state || got.Failure.Kind != tt.kind || got.Unfinished() {
				t.Errorf("it is %s (%s), unfinished %v", got.State, got.Failure.Kind, got.Unfinished())
			}
			cards := w.channel.cards[j.ID]
			if len(tt.shown) == 0 && len(cards) > 0 || len(tt.shown) > 0 && (len(cards) == 0 || cards[len(cards)-1] != tt.shown[0]) {
				t.Errorf("its card showed %v, want it to end with %v", cards, tt.shown)
			}
			if want := tt.state == generate.Delivered; want != (w.provider.submitted(j.ID) == 1) {
				t.Errorf("%d submits", w.provider.submitted(j.ID))
			}
			if got.Notes[generate.SecretNote+"token"] != "" {
				t.Error("the token is kept though the job is over")
			}
			books, err := p.store.VerifyLedger(t.Context())
			if err != nil || len(books.Wrong) > 0 || books.Totals.Held != 0 {
				t.Errorf("the books are %+v, %v", books, err)
			}
		}))
	}
}

// TestHowLongAReceivedJobIsLeftAlone is the time that the process has which
// recorded a job, and the time that another one gives it.
func TestHowLongAReceivedJobIsLeftAlone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.channel.mute = true
		j := orphan(t, w)
		p := w.run()
		elapse(9 * time.Second)
		if got := p.readJob(t, j.ID); got.State != generate.Received {
			t.Errorf("after 9 seconds it is %s: its process may still be at it", got.State)
		}
		elapse(4 * time.Second)
		if got := p.readJob(t, j.ID); got.State != generate.Failed {
			t.Errorf("after 13 seconds it is %s", got.State)
		}
		own, err := p.engine.Record(t.Context(), ask(t, 1))
		if err != nil {
			t.Fatal(err)
		}
		elapse(58 * time.Second)
		if got := p.readJob(t, own.ID); got.State != generate.Received {
			t.Errorf("after 58 seconds the process's own is %s", got.State)
		}
		elapse(6 * time.Second)
		if got := p.readJob(t, own.ID); got.State != generate.Failed {
			t.Errorf("after 64 seconds the process's own is %s", got.State)
		}
	})
}

// TestAPlatformThatNeverAnswersIsNotWaitedForForEver is the last resort of a
// job that can't be prepared.
func TestAPlatformThatNeverAnswersIsNotWaitedForForEver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		j := orphan(t, w)
		w.channel.away = true
		p := w.run()
		elapse(10 * time.Minute)
		if got := p.readJob(t, j.ID); got.State != generate.Preparing {
			t.Errorf("after ten minutes it is %s", got.State)
		}
		elapse(2 * time.Minute)
		if got := p.readJob(t, j.ID); got.State != generate.Failed || got.Failure.Kind != generate.FailUnprepared {
			t.Errorf("after twelve minutes it is %s (%s)", got.State, got.Failure.Kind)
		}
	})
}

// TestAnAccountThatWasLinkedMeanwhile: the limits of another one apply now, and
// pressing the button asks for them.
func TestAnAccountThatWasLinkedMeanwhile(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.policy.Linkable = func(string) bool { return true }
		p := w.run()
		j, err := p.engine.Record(t.Context(), ask(t, 0))
		if err == nil {
			err = p.store.PutMemberState(t.Context(), j.Team, j.Member, quota.MemberState{Account: "test:99"})
		}
		if err == nil {
			err = p.acknowledge(t.Context(), j.ID)
		}
		if err == nil {
			_, err = p.engine.Prepare(t.Context(), j)
		}
		if err != nil {
			t.Fatal(err)
		}
		elapse(time.Minute)
		if got := finished(t, p, j.ID); got.State != generate.Failed || got.Failure.Kind != generate.FailUnprepared {
			t.Errorf("it is %s (%s)", got.State, got.Failure.Kind)
		}
		w.wantSettled(t, p)
	})
}

// TestWhatIsFoundOutAfterTheAcknowledgement is a job that can't be accepted at
// once.
func TestWhatIsFoundOutAfterTheAcknowledgement(t *testing.T) {
	for _, tt := range []struct {
		name    string
		arrange func(*world)
		state   generate.State
		kind    generate.FailureKind
	}{
		{"it is accepted", func(*world) {}, generate.Delivered, ""},
		{
			"the platform does not answer at first",
			func(w *world) { w.channel.unprepared = []error{errReply, later(3 * time.Second)} }, generate.Delivered, "",
		},
		{
			"the requester may not",
			func(w *world) {
				w.channel.unprepared = []error{&generate.RefusedError{Failure: generate.Failure{Kind: generate.FailNotAllowed}}}
			}, generate.Failed, generate.FailNotAllowed,
		},
		{
			"the conversation is gone",
			func(w *world) { w.channel.unprepared = []error{generate.ErrUnreachable} }, generate.Failed, generate.FailUnreachable,
		},
		{
			"a limit has no room",
			func(w *world) { w.policy.Member.Windows = []quota.WindowLimit{{Window: quota.Month, USD: 1}} },
			generate.Failed, generate.FailQuota,
		},
	} {
		t.Run(tt.name, virtual(func(t *testing.T) {
			w := newWorld(t)
			tt.arrange(w)
			p := w.run()
			j, err := p.engine.Record(t.Context(), ask(t, 0))
			if err != nil {
				t.Fatal(err)
			}
			if j, err = p.engine.Prepare(t.Context(), j); err != nil || j.State != generate.Preparing {
				t.Fatalf("it is %s, %v", j.State, err)
			}
			elapse(2 * time.Minute)
			got := p.readJob(t, j.ID)
			if got.State != tt.state || got.Failure.Kind != tt.kind || got.Unfinished() {
				t.Errorf("it is %s (%s)", got.State, got.Failure.Kind)
			}
			if shown := w.channel.shown(j.ID); shown.State != tt.state || (shown.Failure.Refusal != nil) != (tt.kind == generate.FailQuota) {
				t.Errorf("its card shows %s, refused by %v", shown.State, shown.Failure.Refusal)
			}
			if tt.state == generate.Delivered && !slices.Contains(got.Tiers, "prepared") {
				t.Errorf("its tiers are %q", got.Tiers)
			}
			if _, err := p.store.Hold(t.Context(), j.ID); (err == nil) != (tt.state == generate.Delivered) {
				t.Errorf("its hold: %v", err)
			}
		}))
	}
}

// TestTheCardOfAJobCountsTheJobItself is about the limits on a card: they are
// read again when a job that was prepared has its hold.
func TestTheCardOfAJobCountsTheJobItself(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.policy.Member.Windows = []quota.WindowLimit{{Window: quota.Day, Videos: 3}}
		w.provider.run = time.Minute
		p := w.run()
		j, err := p.engine.Record(t.Context(), ask(t, 0))
		if err != nil {
			t.Fatal(err)
		}
		if _, err = p.engine.Prepare(t.Context(), j); err != nil {
			t.Fatal(err)
		}
		elapse(20 * time.Second)
		shown := w.channel.shown(j.ID)
		if shown.State != generate.Running || len(shown.Gauges) == 0 {
			t.Fatalf("its card shows %s with the limits %+v", shown.State, shown.Gauges)
		}
		for _, g := range shown.Gauges {
			if g.Unit == quota.Videos && g.Used != 1 {
				t.Errorf("its card says that %d videos are used, want 1", g.Used)
			}
		}
	})
}

// TestALimitWithoutRoomEndsTheJob is a refusal after the acknowledgement: it
// costs nothing, and its requester is told once, with the limit.
func TestALimitWithoutRoomEndsTheJob(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.policy.Member.Windows = []quota.WindowLimit{{Window: quota.Month, USD: 1}}
		p := w.start(crashAt(0))
		_, err := p.submit(t.Context(), ask(t, 0))
		if _, ok := errors.AsType[*quota.LimitError](err); !ok {
			t.Fatalf("accepted: %v", err)
		}
		elapse(time.Minute)
		p.kill(t)
		p = w.run()
		elapse(time.Minute)
		id := firstJob(t)
		if shown := w.channel.cards[id]; !slices.Equal(shown, []generate.State{generate.Failed}) {
			t.Errorf("its card showed %v", shown)
		}
		if got := p.readJob(t, id); got.Failure.Refusal == nil || got.Failure.Refusal.Reason != quota.OverLimit || got.Charged != 0 {
			t.Errorf("it is recorded as %+v", got.Failure)
		}
	})
}

func TestAJobThatIsPreparedCanBeStopped(t *testing.T) {
	for name, tt := range map[string]struct {
		stop func(context.Context, *process, string) error
	}{
		"by its requester": {func(ctx context.Context, p *process, id string) error {
			_, err := p.engine.Cancel(ctx, id, "test:1")
			return err
		}},
		"by the operator": {func(ctx context.Context, p *process, id string) error {
			_, err := p.engine.GiveUp(ctx, id, "operator")
			return err
		}},
	} {
		t.Run(name, virtual(func(t *testing.T) {
			w := newWorld(t)
			w.channel.unprepared = []error{later(time.Minute)}
			p := w.run()
			j, err := p.engine.Record(t.Context(), ask(t, 0))
			if err == nil {
				j, err = p.engine.Prepare(t.Context(), j)
			}
			elapse(time.Second)
			if err == nil {
				err = tt.stop(t.Context(), p, j.ID)
			}
			elapse(5 * time.Second)
			got := p.readJob(t, j.ID)
			if err != nil || got.State != generate.Cancelled || got.Unsure || w.channel.shown(j.ID).State != generate.Cancelled {
				t.Errorf("it is %s, unsure %v, %v", got.State, got.Unsure, err)
			}
		}))
	}
}

// awayStore does not take what is accepted at first, or does and loses the
// answers.
type awayStore struct {
	generate.Store
	left *atomic.Int32
	lose bool
}

func (s awayStore) Accept(ctx context.Context, j generate.Job, plan quota.Plan) (generate.Job, error) {
	if s.left.Add(-1) < 0 {
		return s.Store.Accept(ctx, j, plan)
	}
	if s.lose {
		_, _ = s.Store.Accept(ctx, j, plan)
	}
	return generate.Job{}, errReply
}

func TestAnAcknowledgedJobIsAcceptedThoughTheStoreStumbles(t *testing.T) {
	for name, lose := range map[string]bool{"it is away": false, "it loses its answers": true} {
		t.Run(name, virtual(func(t *testing.T) {
			w := newWorld(t)
			var left atomic.Int32
			left.Store(3)
			w.worn = func(s generate.Store) generate.Store { return awayStore{s, &left, lose} }
			p := w.run()
			j, err := p.submit(t.Context(), ask(t, 0))
			if err != nil || j.State == generate.Received {
				t.Errorf("it is %s, %v", j.State, err)
			}
			elapse(2 * time.Minute)
			if got := p.readJob(t, j.ID); got.State != generate.Delivered || w.provider.submitted(j.ID) != 1 {
				t.Errorf("it is %s after %d submits", got.State, w.provider.submitted(j.ID))
			}
		}))
	}
}

func TestAJobThatWasNotAcknowledgedIsDropped(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		p := w.run()
		if err := p.engine.Drop(t.Context(), firstJob(t)); err != nil {
			t.Errorf("one that is not there: %v", err)
		}
		j, err := p.engine.Record(t.Context(), ask(t, 0))
		if err != nil {
			t.Fatal(err)
		}
		if err := p.engine.Drop(t.Context(), j.ID); err != nil {
			t.Fatal(err)
		}
		if got := p.readJob(t, j.ID); got.State != generate.Failed || got.Failure.Kind != generate.FailUnacknowledged || got.Unfinished() {
			t.Errorf("it is %s (%s)", got.State, got.Failure.Kind)
		}
		accepted := p.mustSubmit(t, ask(t, 1))
		if err := p.engine.Drop(t.Context(), accepted.ID); err != nil {
			t.Fatal(err)
		}
		elapse(2 * time.Minute)
		if got := p.readJob(t, accepted.ID); got.State != generate.Delivered || len(w.channel.cards[j.ID]) > 0 {
			t.Errorf("an accepted one is %s; the card of the dropped one showed %v", got.State, w.channel.cards[j.ID])
		}
	})
}

package generate_test

import (
	"context"
	"errors"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"ltxbot/core/generate"
	"ltxbot/core/quota"
)

// fakePurger deletes copies, unless it does not answer.
type fakePurger struct {
	mu     sync.Mutex
	err    error
	slow   time.Duration // how long an answer takes
	asked  int
	now    int      // under way
	most   int      // at a time
	purged []string // request ids
}

func (f *fakePurger) Purge(_ context.Context, s generate.Submission) error {
	f.mu.Lock()
	f.now++
	f.most = max(f.most, f.now)
	slow := f.slow
	f.mu.Unlock()
	<-time.After(slow)
	f.mu.Lock()
	defer f.mu.Unlock()
	f.now--
	if f.asked++; f.err == nil {
		f.purged = append(f.purged, s.RequestID)
	}
	return f.err
}

// answer makes the purger answer with err from now on.
func (f *fakePurger) answer(err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.err = err
}

func (f *fakePurger) seen() (asked int, purged []string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.asked, append([]string(nil), f.purged...)
}

// withPurger is a world with a job that was delivered.
func withPurger(t *testing.T) (*world, *fakePurger, *process, generate.Job) {
	t.Helper()
	w := newWorld(t)
	purger := &fakePurger{}
	w.purger = purger
	p := w.start(crashAt(0))
	id := p.accept(t, 1)
	elapse(5 * time.Minute)
	return w, purger, p, finished(t, p, id)
}

func discard(t *testing.T, p *process, id string) {
	t.Helper()
	if _, err := p.engine.Discard(t.Context(), id, map[string]string{"deleted": "yes"}); err != nil {
		t.Fatal(err)
	}
}

// TestADeletionDoesNotWaitForTheLastWord: the lead of a batch shows its card until
// all takes are over.
func TestADeletionDoesNotWaitForTheLastWord(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		purger := &fakePurger{}
		w.purger, w.deadline = purger, 2*time.Hour
		p := w.run()
		p.mustSubmit(t, askTakes(t, 0, 3))
		elapse(30 * time.Second)
		w.provider.slow(take(t, 2), 100*time.Minute)
		elapse(33 * time.Minute)
		lead := p.readJob(t, take(t, 1))
		if lead.State != generate.Delivered || lead.Shown == lead.State {
			t.Fatalf("the lead is %s, %s is shown", lead.State, lead.Shown)
		}
		purger.answer(errors.New("no answer"))
		discard(t, p, lead.ID)
		elapse(10 * time.Minute)
		if asked, _ := purger.seen(); asked < 5 || asked > 20 {
			t.Errorf("the provider was asked %d times in ten minutes", asked)
		}
		purger.answer(nil)
		elapse(10 * time.Minute)
		if _, purged := purger.seen(); len(purged) != 1 || !p.readJob(t, lead.ID).Purge.IsZero() {
			t.Errorf("%d of 1 are deleted at the provider", len(purged))
		}
		elapse(2 * time.Hour)
		if got := finished(t, p, lead.ID); got.Shown != got.State {
			t.Errorf("the last word is %s, want %s", got.Shown, got.State)
		}
	})
}

// TestADeletedVideoIsDeletedAtTheProvider: however often the process dies and
// however long the provider does not answer.
func TestADeletedVideoIsDeletedAtTheProvider(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, purger, p, j := withPurger(t)
		purger.answer(errors.New("bad gateway"))
		discard(t, p, j.ID)
		p.kill(t)
		p = w.start(crashAt(0))
		elapse(10 * time.Minute)
		if asked, _ := purger.seen(); asked < 5 {
			t.Errorf("it was asked %d times in ten minutes", asked)
		}
		p.kill(t)
		p = w.run()
		elapse(24 * time.Hour)
		if asked, _ := purger.seen(); asked > 100 {
			t.Errorf("it was asked %d times in a day", asked)
		}
		if !p.readJob(t, j.ID).Unfinished() {
			t.Error("nobody waits for the provider any more")
		}
		purger.answer(nil)
		elapse(2 * time.Hour)
		after := p.readJob(t, j.ID)
		if _, purged := purger.seen(); len(purged) != 1 || purged[0] != j.Submission.RequestID {
			t.Errorf("deleted: %q, want %q", purged, j.Submission.RequestID)
		}
		if after.Unfinished() || after.Notes["deleted"] != "yes" || after.State != generate.Delivered || after.Submission != j.Submission {
			t.Errorf("afterwards it is %s, unfinished %v, with %v", after.State, after.Unfinished(), after.Notes)
		}
	})
}

// askedSince makes it so long since somebody deleted the video of a job.
func askedSince(t *testing.T, p *process, id string, since time.Duration) {
	t.Helper()
	j := p.readJob(t, id)
	j.Purge = time.Now().Add(-since)
	if _, err := p.store.Save(t.Context(), j, quota.Keep()); err != nil {
		t.Fatal(err)
	}
}

func TestADeletionIsGivenUpAfterAMonthOrByAnOperator(t *testing.T) {
	for name, end := range map[string]func(t *testing.T, p *process, id string){
		"a month": func(t *testing.T, p *process, id string) { t.Helper(); askedSince(t, p, id, 30*24*time.Hour) },
		"an operator": func(t *testing.T, p *process, id string) {
			t.Helper()
			if _, err := p.engine.GiveUp(t.Context(), id, "operator"); err != nil {
				t.Fatal(err)
			}
		},
	} {
		t.Run(name, virtual(func(t *testing.T) {
			_, purger, p, j := withPurger(t)
			defer p.kill(t)
			purger.answer(errors.New("forbidden"))
			discard(t, p, j.ID)
			askedSince(t, p, j.ID, 29*24*time.Hour)
			elapse(2 * time.Hour)
			if !p.readJob(t, j.ID).Unfinished() {
				t.Error("it was given up early")
			}
			end(t, p, j.ID)
			elapse(2 * time.Hour)
			if p.readJob(t, j.ID).Unfinished() {
				t.Error("it is still tried")
			}
		}))
	}
}

func TestADeletionIsTakenBackWithinAMinute(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, purger, p, j := withPurger(t)
		defer p.kill(t)
		discard(t, p, j.ID)
		elapse(50 * time.Second)
		if _, err := p.engine.Restore(t.Context(), j.ID, map[string]string{"deleted": ""}); err != nil {
			t.Fatal(err)
		}
		elapse(time.Hour)
		if asked, _ := purger.seen(); asked > 0 {
			t.Error("the provider was asked to delete it")
		}
		if after := p.readJob(t, j.ID); after.Unfinished() || after.Notes["deleted"] != "" {
			t.Errorf("it is unfinished %v, with %v", after.Unfinished(), after.Notes)
		}
	})
}

// TestWhatIsErasedIsDeletedAtTheProvider, and then the job no longer says which
// request it was.
func TestWhatIsErasedIsDeletedAtTheProvider(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, purger, p, j := withPurger(t)
		purger.answer(errors.New("no answer"))
		done, err := generate.Erase(t.Context(), p.store, true, "", j.Member)
		if err != nil || done != (generate.Erased{Jobs: 1}) {
			t.Fatalf("erased: %+v, %v", done, err)
		}
		p.kill(t)
		p = w.run()
		elapse(time.Minute)
		if kept := p.readJob(t, j.ID); !kept.Request.IsZero() || kept.Submission.RequestID != j.Submission.RequestID {
			t.Errorf("while the provider does not answer, it has %+v of %q", kept.Submission, kept.Request.Prompt())
		}
		purger.answer(nil)
		elapse(10 * time.Minute)
		if _, purged := purger.seen(); len(purged) != 1 || purged[0] != j.Submission.RequestID {
			t.Errorf("deleted: %q, want %q", purged, j.Submission.RequestID)
		}
		if kept := p.readJob(t, j.ID); kept.Unfinished() || kept.Submission != (generate.Submission{}) {
			t.Errorf("afterwards it has %+v", kept.Submission)
		}
	})
}

// A member with many videos holds up nobody: the calls at the provider are for
// videos first.
func TestManyVideosAreDeletedAtTheProviderAFewAtATime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		purger := &fakePurger{slow: 5 * time.Second}
		w.purger = purger
		p := w.run()
		const jobs = 8
		for n := range jobs {
			p.accept(t, n)
			elapse(5 * time.Minute)
		}
		if done, err := generate.Erase(t.Context(), p.store, true, "", "test:1"); err != nil || done.Jobs != jobs {
			t.Fatalf("erased: %+v, %v", done, err)
		}
		elapse(10 * time.Minute)
		if _, purged := purger.seen(); purger.most != 4 || len(purged) != jobs {
			t.Errorf("%d at a time, %d deleted; want 4 and %d", purger.most, len(purged), jobs)
		}
	})
}

// An erased job whose deletion is given up does not say either which request it
// was.
func TestAnErasedJobWhoseDeletionIsGivenUpKeepsNoRequest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, purger, p, j := withPurger(t)
		defer p.kill(t)
		purger.answer(errors.New("no answer"))
		if _, err := generate.Erase(t.Context(), p.store, true, "", j.Member); err != nil {
			t.Fatal(err)
		}
		elapse(time.Minute)
		if _, err := p.engine.GiveUp(t.Context(), j.ID, "operator"); err != nil {
			t.Fatal(err)
		}
		elapse(time.Minute)
		if kept := p.readJob(t, j.ID); kept.Unfinished() || kept.Submission != (generate.Submission{}) {
			t.Errorf("afterwards it has %+v", kept.Submission)
		}
	})
}

// TestNoSecretIsKeptForADeletion: the job is over for everybody else.
func TestNoSecretIsKeptForADeletion(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, purger, p, j := withPurger(t)
		defer p.kill(t)
		purger.answer(errors.New("no answer"))
		discard(t, p, j.ID)
		noted, err := p.engine.Note(t.Context(), j.ID, map[string]string{generate.SecretNote + "token": "x"})
		if err != nil || noted.Notes[generate.SecretNote+"token"] != "" {
			t.Errorf("it keeps %v, %v", noted.Notes, err)
		}
		if h, err := p.store.Hold(t.Context(), j.ID); err != nil || h.State != quota.Settled {
			t.Errorf("its hold is %s, %v", h.State, err)
		}
	})
}

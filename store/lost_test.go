package store_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"ltxbot/core/generate"
	"ltxbot/core/quota"
	"ltxbot/core/quota/quotatest"
	"ltxbot/store"
	"ltxbot/store/kv"
)

func TestStrayJobsAreHandedOut(t *testing.T) {
	w := newWorld(t)
	engine := w.db.Open()
	defer func() { _ = engine.Close() }()
	w.accept(w.newJob("job1", "acme", "discord:1"))
	w.accept(w.newJob("job2", "acme", "discord:1"))
	received, err := w.Record(t.Context(), w.newJob("job3", "acme", "discord:1"))
	if err != nil {
		t.Fatal(err)
	}
	claim := w.take(w.Store)
	for _, id := range []string{"job1", "job2"} { // what hands them out is lost
		if err := engine.Update(t.Context(), func(tx kv.Tx) error { tx.Retire(id); return nil }); err != nil {
			t.Fatal(err)
		}
	}
	<-claim.Changed
	w.sweep()
	select {
	case <-claim.Changed:
		t.Error("a job on which somebody works was published by a sweep")
	default:
	}
	if c := w.take(w.Store); c.Job.ID == claim.Job.ID {
		t.Errorf("job %s was handed out twice", c.Job.ID)
	}
	received.State = generate.Preparing
	w.save(received, quota.Keep())
	if c := w.take(w.Store); c.Job.ID != "job3" {
		t.Errorf("took %s, want the job that is prepared now", c.Job.ID)
	}
}

func TestDamagedJobIsSetAside(t *testing.T) {
	w := newWorld(t)
	engine := w.db.Open()
	defer func() { _ = engine.Close() }()
	w.accept(w.newJob("job1", "acme", "discord:1"))
	w.accept(w.newJob("job2", "acme", "discord:1"))
	for id, value := range map[string]string{"job1": `{"v":1,"id":`, "job2": `{"v":2}`} {
		if err := engine.Update(t.Context(), func(tx kv.Tx) error { tx.Put("job/"+id, []byte(value)); return nil }); err != nil {
			t.Fatal(err)
		}
	}
	w.sweep() // does not mind
	w.accept(w.newJob("job3", "acme", "discord:1"))
	if c := w.take(w.Store); c.Job.ID != "job3" {
		t.Errorf("took %s", c.Job.ID)
	}
	var damaged *store.DamagedError
	if _, err := w.Job(t.Context(), "job1"); !errors.Is(err, generate.ErrNoJob) {
		t.Errorf("read a damaged job: %v", err)
	}
	if err := engine.View(t.Context(), func(tx kv.Tx) error {
		if got := string(tx.Get("damaged/job/job1")); got != `{"v":1,"id":` {
			t.Errorf("the damaged record is kept as %q", got)
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	if jobs, err := w.Jobs(t.Context(), generate.Query{}); err != nil || len(jobs) != 1 {
		t.Errorf("list: %d jobs, %v", len(jobs), err)
	}
	if err := engine.Update(t.Context(), func(tx kv.Tx) error { tx.Put("hold/job3", []byte("{")); return nil }); err != nil {
		t.Fatal(err)
	}
	if _, err := w.Hold(t.Context(), "job3"); !errors.As(err, &damaged) || damaged.Key != "hold/job3" {
		t.Errorf("read a damaged hold: %v", err)
	}
}

// damage makes the record of a job unreadable.
func (w *world) damage(id string) {
	w.t.Helper()
	engine := w.db.Open()
	defer func() { _ = engine.Close() }()
	if err := engine.Update(w.t.Context(), func(tx kv.Tx) error { tx.Put("job/"+id, []byte("{")); return nil }); err != nil {
		w.t.Fatal(err)
	}
}

// TestADamagedJobGivesItsPlaceBack: nobody can end it, and nobody has to wait
// for it.
func TestADamagedJobGivesItsPlaceBack(t *testing.T) {
	for _, tt := range []struct {
		name   string
		limits quota.Line
	}{
		{"of the member", quota.Line{MemberMax: 1, WaitingMax: 9}},
		{"of the team", quota.Line{TeamMax: 1, WaitingMax: 9}},
		{"of the bot", quota.Line{BotMax: 1, WaitingMax: 9}},
	} {
		t.Run("a slot "+tt.name, func(t *testing.T) {
			w := newWorld(t)
			w.limits = tt.limits
			other := w.accept(w.newJob("job0", "other", "discord:1")) // of the same member, elsewhere
			if tt.limits.BotMax > 0 {
				other = w.finish(other.ID)
			}
			w.accept(w.newJob("job1", "acme", "discord:1"))
			if j := w.accept(w.newJob("job2", "acme", "discord:1")); j.Admitted {
				t.Fatal("there is room for two")
			}
			w.damage("job1")
			for w.take(w.Store).Job.ID != "job2" { // it sets aside what it can't read
			}
			w.sweep()
			if !w.job("job2").Admitted {
				t.Error("the next job waits for the damaged one")
			}
			w.clock.Advance(time.Hour)
			w.sweep()
			if a, err := w.VerifyLedger(t.Context()); err != nil || len(a.Wrong) > 0 {
				t.Errorf("audit: %v, %v", a.Wrong, err)
			}
			for _, q := range []generate.Query{{Unfinished: true}, {Unfinished: true, Team: "acme"}, {Unfinished: true, Member: "discord:1"}} {
				if jobs, err := w.Jobs(t.Context(), q); err != nil || len(jobs) != 1+map[bool]int{true: 1}[other.Unfinished() && q.Team == ""] {
					t.Errorf("unfinished are %d jobs, %v", len(jobs), err)
				}
			}
			w.finish("job2")
			if j := w.accept(w.newJob("job3", "acme", "discord:1")); !j.Admitted {
				t.Error("there is no room for another job")
			}
		})
	}
	t.Run("a place in the line", func(t *testing.T) {
		w := newWorld(t)
		w.limits = quota.Line{MemberMax: 1, WaitingMax: 9}
		w.accept(w.newJob("job1", "acme", "discord:1"))
		w.accept(w.newJob("job2", "acme", "discord:1"))
		w.accept(w.newJob("job3", "acme", "discord:1"))
		w.damage("job2")
		w.finish("job1") // frees a slot
		if !w.job("job3").Admitted {
			t.Error("a job that can't be read holds up those behind it")
		}
		w.finish("job3")
		w.clock.Advance(time.Hour)
		w.sweep()
		if a, err := w.VerifyLedger(t.Context()); err != nil || len(a.Wrong) > 0 {
			t.Errorf("audit: %v, %v", a.Wrong, err)
		}
	})
	t.Run("a place in the line, when all are gone over", func(t *testing.T) {
		w := newWorld(t)
		w.limits = quota.Line{MemberMax: 1, WaitingMax: 9}
		w.accept(w.newJob("job1", "acme", "discord:1"))
		w.accept(w.newJob("job2", "acme", "discord:1"))
		w.damage("job2")
		for range 2 { // whoever takes it sets it aside
			w.sweep()
			ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
			_, _ = w.Claim(ctx)
			cancel()
		}
		w.finish("job1")
		w.clock.Advance(time.Hour)
		w.sweep()
		if a, err := w.VerifyLedger(t.Context()); err != nil || len(a.Wrong) > 0 {
			t.Errorf("audit: %v, %v", a.Wrong, err)
		}
	})
}

func TestSubmitWaitsForSync(t *testing.T) {
	w := newWorld(t)
	e := &syncEngine{Engine: w.db.Open()}
	s := store.New(e, store.Options{})
	defer func() { _ = s.Close() }()
	j := w.accept(w.newJob("job1", "acme", "discord:1"))
	j.Notes = map[string]string{"a": "b"}
	j, err := s.Save(t.Context(), j, quota.Keep())
	if err != nil || e.syncs != 0 {
		t.Fatalf("a save waited %d times for the disk, %v", e.syncs, err)
	}
	j.State = generate.Submitting
	e.err = errors.New("no replica")
	if _, err := s.Save(t.Context(), j, quota.Keep()); !errors.Is(err, e.err) || e.syncs != 1 {
		t.Errorf("save before the submit: got error %v after %d syncs, want the one of Sync", err, e.syncs)
	}
}

// syncEngine counts Syncs, and makes them fail.
type syncEngine struct {
	kv.Engine
	syncs int
	err   error
}

func (e *syncEngine) Sync(context.Context) error {
	e.syncs++
	return e.err
}

func TestLostWrites(t *testing.T) {
	w := newWorld(t)
	w.db.Restart("run1")
	w.accept(w.newJob("old", "acme", "discord:1"))
	claim := w.take(w.Store)
	if claim.Doubtful {
		t.Error("a job is doubtful under the run in which it was accepted")
	}
	restore := w.db.Save()
	submitted := claim.Job
	submitted.State = generate.Submitting
	older := w.save(submitted, quota.Keep())
	submitted = w.save(older, quota.Keep())
	gone := w.accept(w.newJob("gone", "acme", "discord:1"))
	second := w.take(w.Store)
	gone.State = generate.Running
	gone = w.save(gone, quota.Keep())

	// The server comes back under another name, without its last writes.
	restore()
	w.db.Restart("run2")
	if _, err := w.Save(t.Context(), older, quota.Release()); !errors.Is(err, generate.ErrConflict) {
		t.Errorf("save of a version that was not the owner's last: %v, want ErrConflict", err)
	}
	stale := submitted
	stale.Version--
	stale.State = generate.Failed
	submitted.State = generate.Queued
	submitted = w.save(submitted, quota.Keep())
	if got := w.job("old"); got.State != generate.Queued || got.Version != submitted.Version {
		t.Errorf("the owner's job is %s, version %d", got.State, got.Version)
	}
	if _, err := w.Save(t.Context(), stale, quota.Release()); !errors.Is(err, generate.ErrConflict) {
		t.Errorf("save of an older version: %v", err)
	}
	gone = w.save(gone, quota.Keep())
	if got := w.job("gone"); got.State != generate.Running || got.Line.Seq == 0 {
		t.Errorf("the job whose record was gone: %+v", got)
	}
	if _, err := w.Save(t.Context(), w.newJob("never", "acme", "discord:1"), quota.Keep()); !errors.Is(err, generate.ErrNoJob) {
		t.Errorf("save of a job that nobody has claimed: %v", err)
	}
	// A server that has newer writes is right.
	w.db.Restart("run3")
	other := w.open()
	defer func() { _ = other.Close() }()
	if _, err := other.Save(t.Context(), w.job("gone"), quota.Keep()); err != nil {
		t.Fatal(err)
	}
	if _, err := w.Save(t.Context(), gone, quota.Keep()); !errors.Is(err, generate.ErrConflict) {
		t.Errorf("save under another run of a job that somebody else has saved: %v, want ErrConflict", err)
	}
	w.finish("gone") // its hold is gone, it ends nevertheless
	second.Done()
	quotatest.CheckLedger(t, w.Store)

	// Who takes a job over that was accepted before does not believe it, until
	// the job says so itself.
	claim.Done()
	claim = w.take(w.Store)
	if !claim.Doubtful {
		t.Error("a job of before is not doubtful")
	}
	j := claim.Job
	j.Cancel = &generate.CancelRequest{By: "discord:1"}
	j = w.save(j, quota.Keep())
	claim.Done()
	if claim = w.take(w.Store); !claim.Doubtful {
		t.Error("a job is not doubtful any more because it was saved")
	}
	j.Doubted = true
	w.save(j, quota.Keep())
	claim.Done()
	if claim = w.take(w.Store); claim.Doubtful {
		t.Error("a job is doubtful that says so itself")
	}
}

// TestTheAcceptanceOfAJobIsLost: what its owner knows is written over the record
// of a command that was not accepted yet.
func TestTheAcceptanceOfAJobIsLost(t *testing.T) {
	w := newWorld(t)
	w.db.Restart("run1")
	j := w.newJob("job1", "acme", "discord:1")
	j.State = generate.Received
	j, err := w.Record(t.Context(), j)
	if err != nil {
		t.Fatal(err)
	}
	restore := w.db.Save()
	j.State = generate.Accepted
	w.accept(j)
	j = w.take(w.Store).Job
	j.State = generate.Delivering
	j = w.save(j, quota.Keep())
	restore()
	w.db.Restart("run2")
	j.Notes = map[string]string{"file": "F1"}
	j = w.save(j, quota.Keep())
	if got := w.job("job1"); got.State != generate.Delivering || got.Notes["file"] != "F1" {
		t.Errorf("the record is %s with %v, want what its owner knows", got.State, got.Notes)
	}
	j.State = generate.Delivered
	w.save(j, quota.Keep())
	quotatest.CheckLedger(t, w.Store)
}

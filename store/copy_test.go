package store_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"ltxbot/core/quota"
	"ltxbot/core/team"
	"ltxbot/store"
	"ltxbot/store/kv"
)

func TestCopy(t *testing.T) {
	w := newWorld(t)
	w.limits = quota.Line{MemberMax: 1, WaitingMax: 9}
	for i := range 700 {
		w.accept(w.newJob(fmt.Sprintf("job%03d", i), "acme", fmt.Sprintf("discord:%d", i)))
		if i > 2 {
			w.finish(fmt.Sprintf("job%03d", i))
		}
	}
	w.accept(w.newJob("waits", "acme", "discord:0"))
	err := w.Amend(t.Context(), "acme", "discord:0", func(s *quota.AdminState) (team.Record, error) {
		s.Team.Epoch = 3
		s.Member.Epoch = 2
		return team.Record{ID: "r1", At: noon, Team: "acme"}, nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(w.PutSetting(t.Context(), "schedule", []byte("x")), w.PutMark(t.Context(), "code", "v", noon.Add(time.Hour))); err != nil {
		t.Fatal(err)
	}
	to := newWorld(t)
	to.limits = w.limits
	r, err := store.Copy(t.Context(), w.Store, to.Store)
	if err != nil {
		t.Fatal(err)
	}
	want := store.CopyReport{Jobs: 701, Unfinished: 4, AdminStates: 2, Records: 1, Marks: 1, Settings: 1, From: r.From, To: r.From}
	if diff := cmp.Diff(want, r); diff != "" || r.From.Holds != 701 {
		t.Errorf("report (-want +got):\n%s", diff)
	}
	for range 4 {
		c := to.take(to.Store)
		if diff := cmp.Diff(w.job(c.Job.ID), c.Job); diff != "" {
			t.Errorf("copied job (-source +copy):\n%s", diff)
		}
	}
	to.finish("job000")
	if !to.job("waits").Admitted {
		t.Error("a job that waits in the copy was not admitted")
	}
	if _, err := store.Copy(t.Context(), w.Store, to.Store); !errors.Is(err, store.ErrNotEmpty) {
		t.Errorf("copy into a store that is used: %v, want ErrNotEmpty", err)
	}
	other := w.open()
	if _, err := store.Copy(t.Context(), w.Store, newWorld(t).Store); !errors.Is(err, store.ErrWorkedOn) {
		t.Errorf("copy of a store that another process works on: %v, want ErrWorkedOn", err)
	}
	_ = other.Close()
	e := &writing{Engine: w.db.Open(), views: 20, write: func() { w.accept(w.newJob("during", "acme", "discord:5")) }}
	if _, err := store.Copy(t.Context(), store.New(e, store.Options{}), newWorld(t).Store); !errors.Is(err, store.ErrWorkedOn) {
		t.Errorf("copy of a store that is written to meanwhile: %v, want ErrWorkedOn", err)
	}
	_ = e.Close()
}

// writing is an engine whose database is changed after some views.
type writing struct {
	kv.Engine
	views int
	write func()
}

func (e *writing) Processes(context.Context) (int, error) { return 1, nil }

func (e *writing) View(ctx context.Context, fn func(kv.Tx) error) error {
	err := e.Engine.View(ctx, fn)
	if e.views--; e.views == 0 {
		e.write()
	}
	return err
}

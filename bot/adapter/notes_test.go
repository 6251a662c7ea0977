package adapter_test

import (
	"context"
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"

	"ltxbot/bot/adapter"
	"ltxbot/core/generate"
)

func TestNotesStoreOnlyWhatChanges(t *testing.T) {
	job := generate.Job{Notes: map[string]string{"card": "7", "token": "secret"}}
	var stored []map[string]string
	n := adapter.NotesOf(job, func(_ context.Context, change map[string]string) error {
		stored = append(stored, change)
		return nil
	})
	for _, pairs := range [][]string{
		{"card", "7"},                 // as it is
		{"gone", ""},                  // was never there
		{"card", "7", "video", "8"},   // one of two
		{"video", "8", "token", ""},   // one is removed
		{"token", "", "video", "8"},   // as it is now
		{"video", "", "card", "none"}, // both
	} {
		if err := n.Save(t.Context(), pairs...); err != nil {
			t.Fatal(err)
		}
	}
	want := []map[string]string{{"video": "8"}, {"token": ""}, {"video": "", "card": "none"}}
	if diff := cmp.Diff(want, stored); diff != "" {
		t.Error(diff)
	}
	if got := n.Get("token") + n.Get("video") + n.Get("card"); got != "none" {
		t.Errorf("the notes are %q", got)
	}
	if job.Notes["card"] != "7" || job.Notes["token"] != "secret" {
		t.Errorf("the job's own notes changed: %v", job.Notes)
	}
}

func TestANoteThatIsNotStoredIsNotKnown(t *testing.T) {
	broken := errors.New("the store is broken")
	n := adapter.NotesOf(generate.Job{}, func(context.Context, map[string]string) error { return broken })
	if err := n.Save(t.Context(), "card", "7"); !errors.Is(err, broken) {
		t.Errorf("Save returned %v", err)
	}
	if got := n.Get("card"); got != "" {
		t.Errorf("the note is %q", got)
	}
}

func TestANoteThatIsNoNumberIsZero(t *testing.T) {
	n := adapter.NotesOf(generate.Job{Notes: map[string]string{"at": "1700000000", "name": "dm"}}, nil)
	for key, want := range map[string]int64{"at": 1700000000, "name": 0, "none": 0} {
		if got := n.Number(key); got != want {
			t.Errorf("%s is %d, want %d", key, got, want)
		}
	}
}

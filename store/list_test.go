package store_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"ltxbot/core/generate"
	"ltxbot/core/quota"
)

func TestLists(t *testing.T) {
	w := newWorld(t)
	for i := range 6 {
		w.clock.Advance(time.Minute)
		j := w.newJob(fmt.Sprintf("job%d", i), "acme", "discord:1")
		j.Place.Channel = []string{"C1", "C2"}[i%2]
		j.Endpoint = []string{"fal-ai/ltx", "fal-ai/ltx-2.5", "fal-ai/ltx"}[i%3]
		w.accept(j)
	}
	w.finish("job1")
	w.finish("job2")
	for _, test := range []struct {
		name  string
		query generate.Query
		want  []string
	}{
		{"of a channel", generate.Query{Platform: "discord", Tenant: "G1", Channel: "C2"}, []string{"job5", "job3", "job1"}},
		{"of another guild's channel", generate.Query{Platform: "discord", Tenant: "G2", Channel: "C2"}, nil},
		{"in a state", generate.Query{State: generate.Delivered}, []string{"job2", "job1"}},
		{"that wait or run", generate.Query{State: generate.Accepted, Limit: 2}, []string{"job5", "job4"}},
		{"of a model", generate.Query{Endpoint: "fal-ai/ltx-2.5"}, []string{"job4", "job1"}},
		{"of a model and a state", generate.Query{Endpoint: "fal-ai/ltx", State: generate.Delivered, Team: "acme"}, []string{"job2"}},
		{"unfinished of a channel", generate.Query{Platform: "discord", Tenant: "G1", Channel: "C1", Unfinished: true}, []string{"job4", "job0"}},
	} {
		jobs, err := w.Jobs(t.Context(), test.query)
		if err != nil {
			t.Errorf("%s: %v", test.name, err)
		}
		var got []string
		for _, j := range jobs {
			got = append(got, j.ID)
		}
		if !slices.Equal(got, test.want) {
			t.Errorf("%s: got %q, want %q", test.name, got, test.want)
		}
	}
}

func TestListLimit(t *testing.T) {
	w := newWorld(t)
	for i := range 101 {
		w.accept(w.newJob(fmt.Sprintf("job%d", i), "acme", "discord:1"))
	}
	for limit, want := range map[int]int{0: 100, 101: 101, 200: 101} {
		if jobs, err := w.Jobs(t.Context(), generate.Query{Limit: limit}); err != nil || len(jobs) != want {
			t.Errorf("limit %d: %d jobs, %v; want %d", limit, len(jobs), err, want)
		}
	}
}

// A job that is over and is to be looked for once more is unfinished, by all
// that finds it.
func TestAJobThatIsToBeLookedForIsUnfinished(t *testing.T) {
	w := newWorld(t)
	j := w.accept(w.newJob("job1", "acme", "discord:1"))
	claim := w.take(w.Store)
	j.State, j.Shown, j.Finished, j.LookAt = generate.Failed, generate.Failed, w.clock.Now(), w.clock.Now().Add(time.Hour)
	j = w.save(j, quota.Release())
	if err := w.Remove(t.Context(), j); !errors.Is(err, generate.ErrConflict) {
		t.Errorf("remove: %v, want ErrConflict", err)
	}
	claim.Done()
	if again := w.take(w.Store); again.Job.ID != "job1" {
		t.Errorf("took %q", again.Job.ID)
	}
	unfinished := func() int {
		jobs, err := w.Jobs(t.Context(), generate.Query{Unfinished: true})
		if err != nil {
			t.Fatal(err)
		}
		return len(jobs)
	}
	if unfinished() != 1 {
		t.Error("it is not listed")
	}
	j.LookAt = time.Time{}
	j = w.save(j, quota.Keep())
	open := 0
	if err := w.Export(t.Context(), func(key string, _ []byte) error {
		if strings.HasPrefix(key, "open/") {
			open++
		}
		return nil
	}); err != nil || open != 0 || unfinished() != 0 {
		t.Errorf("once it was looked for, %d keys find it among the unfinished, %v", open, err)
	}
	if err := w.Remove(t.Context(), j); err != nil {
		t.Errorf("remove: %v", err)
	}
}

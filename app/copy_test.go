package app_test

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"ltxbot/app"
	"ltxbot/config"
	"ltxbot/core/generate"
	"ltxbot/core/quota"
	"ltxbot/core/team"
	"ltxbot/core/usd"
	"ltxbot/internal/redistest"
	"ltxbot/store"
	"ltxbot/store/storetest"
)

// storeAt is a store as the config names it.
func storeAt(url string) config.Store { return config.Store{URL: config.NewSecret(url)} }

// fillStore makes jobs in every condition, and all else that a store keeps.
func fillStore(t *testing.T, s *store.Store) {
	t.Helper()
	ctx, now := t.Context(), time.Now().UTC().Round(0)
	policy := quota.Policy{
		Waiting: 10,
		Member:  quota.Limits{JobsAtATime: 2, Windows: []quota.WindowLimit{{Window: quota.Day, Videos: 100}, {Window: "6h0m0s", USD: 1e9}}},
	}
	for i := range 12 {
		j := generate.Job{
			ID: fmt.Sprintf("job%d", i), State: generate.Accepted, Team: fmt.Sprintf("team%d", i%2), Member: fmt.Sprintf("discord:%d", i%2),
			Estimate: usd.Micros(100 + i), Created: now.Add(time.Duration(i) * time.Millisecond), Notes: map[string]string{"card": "1"},
		}
		plan := policy.Plan(j.ID, quota.Asker{Team: j.Team, Member: j.Member}, j.Estimate, j.Created)
		j, err := s.Accept(ctx, j, plan)
		if err != nil {
			t.Fatal(err)
		}
		var b quota.Billing
		switch {
		case i%4 < 2:
			j.State, j.Shown, b = generate.Delivered, generate.Delivered, quota.Settle(j.Estimate-1)
		case i == 2:
			j.State, j.Shown, b = generate.Failed, generate.Failed, quota.Release()
		default:
			continue // runs, or waits for its turn
		}
		if _, err := s.Save(ctx, j, b); err != nil {
			t.Fatal(err)
		}
	}
	err := errors.Join(
		s.PutSetting(ctx, "commands", []byte("abc")),
		s.PutMark(ctx, "warned", "50", now.Add(time.Hour).Truncate(time.Microsecond)),
		s.PutTeamState(ctx, "team1", quota.TeamState{Epoch: 3}),
		s.Amend(ctx, "team0", "discord:0", func(st *quota.AdminState) (team.Record, error) {
			st.Member.Blocked = &quota.Block{By: "discord:9", At: now}
			return team.Record{ID: "r1", At: now, Team: "team0", Member: "discord:0", By: "discord:9", Verb: "block"}, nil
		}),
	)
	reserve := func(quota.AdminState) (quota.Reservation, error) { return quota.Reservation{Estimate: 7, At: now}, nil }
	if _, holdErr := s.Reserve(ctx, quota.Key{Job: "forgotten", Team: "team0", Member: "discord:0"}, reserve); errors.Join(err, holdErr) != nil {
		t.Fatal(err, holdErr)
	}
}

// content is everything in a store.
func content(t *testing.T, s *store.Store) map[string]string {
	t.Helper()
	keys := map[string]string{}
	if err := s.Export(t.Context(), func(key string, value []byte) error {
		keys[key] = string(value)
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	return keys
}

func TestAStoreIsCopiedThereAndBack(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t)
	first, second, third := filepath.Join(t.TempDir(), "a.db"), server.URL(), filepath.Join(t.TempDir(), "b.db")
	from, err := storetest.OpenFile(first, storetest.Options{})
	if err != nil {
		t.Fatal(err)
	}
	fillStore(t, from)
	want := content(t, from)
	if err := from.Close(); err != nil {
		t.Fatal(err)
	}
	for _, step := range [][2]string{{"bolt:" + first, second}, {second, "bolt:" + third}} {
		report, err := app.CopyStore(t.Context(), storeAt(step[0]), storeAt(step[1]), nil)
		if err != nil {
			t.Fatalf("copy: %v", err)
		}
		if report.Jobs != 12 || report.Unfinished != 5 || report.AdminStates != 2 || report.Records != 1 || report.Marks != 1 || report.Settings != 1 || report.From.Holds != 13 {
			t.Errorf("report is %+v", report)
		}
		if _, err := app.CopyStore(t.Context(), storeAt(step[0]), storeAt(step[1]), nil); !errors.Is(err, store.ErrNotEmpty) {
			t.Errorf("a copy into a store in use: got error %v, want ErrNotEmpty", err)
		}
	}
	middle := storetest.Redis(t, second)
	last, err := storetest.OpenFile(third, storetest.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer last.Close()
	for name, s := range map[string]*store.Store{"redis": middle, "bolt": last} {
		if diff := cmp.Diff(want, content(t, s)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}

	// Each unfinished job is handed out again, and those that waited wait.
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	for range 5 {
		c, err := middle.Claim(ctx)
		if err != nil {
			t.Fatal(err)
		}
		defer c.Done()
	}
}

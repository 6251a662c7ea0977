package app_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"ltxbot/app"
	"ltxbot/config"
	"ltxbot/core/archive"
	"ltxbot/core/generate"
	"ltxbot/core/quota"
	"ltxbot/core/usd"
	"ltxbot/internal/redistest"
	"ltxbot/store/bolt"
	"ltxbot/store/redis"
)

// storeAt is a store as the config names it.
func storeAt(url string) config.Store { return config.Store{URL: config.NewSecret(url)} }

// fillStore makes jobs in every condition, and all else that a store keeps.
func fillStore(t *testing.T, s archive.Store) {
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
		s.PutTeamStanding(ctx, "team1", quota.TeamStanding{Epoch: 3}),
		s.Amend(ctx, "team0", "discord:0", func(st *quota.Standing) (quota.Record, error) {
			st.Member.Blocked = &quota.Block{By: "discord:9", At: now}
			return quota.Record{ID: "r1", At: now, Team: "team0", Member: "discord:0", By: "discord:9", Verb: "block"}, nil
		}),
	)
	reserve := func(quota.Standing) (quota.Reservation, error) { return quota.Reservation{Estimate: 7, At: now}, nil }
	if _, holdErr := s.Reserve(ctx, quota.Key{Job: "forgotten", Team: "team0", Member: "discord:0"}, reserve); errors.Join(err, holdErr) != nil {
		t.Fatal(err, holdErr)
	}
}

// content is everything in a store, in one order. What a copy may change is
// left out: versions, and the numbers of places in the line.
func content(t *testing.T, s archive.Store) []archive.Item {
	t.Helper()
	var items []archive.Item
	err := s.Export(t.Context(), func(i archive.Item) error {
		if i.Job != nil {
			i.Job.Version, i.Job.Line.Seq = 0, 0
		}
		if i.Hold != nil {
			slices.SortFunc(i.Hold.Entries, func(a, b quota.Entry) int {
				return strings.Compare(a.Scope.String()+a.Counter, b.Scope.String()+b.Counter)
			})
		}
		items = append(items, i)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return items
}

func TestAStoreIsCopiedThereAndBack(t *testing.T) {
	server := redistest.Start(t)
	first, second, third := filepath.Join(t.TempDir(), "a.db"), server.URL(), filepath.Join(t.TempDir(), "b.db")
	from, err := bolt.Open(first, bolt.Options{})
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
		if report.Jobs != 12 || report.Unfinished != 5 || report.Standings != 2 || report.Records != 1 || report.Marks != 1 || report.Settings != 1 || report.From.Holds != 13 {
			t.Errorf("report is %+v", report)
		}
		if _, err := app.CopyStore(t.Context(), storeAt(step[0]), storeAt(step[1]), nil); !errors.Is(err, archive.ErrInUse) {
			t.Errorf("a copy into a store in use: got error %v, want ErrInUse", err)
		}
	}
	middle, err := redis.Open(t.Context(), second, redis.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer middle.Close()
	last, err := bolt.Open(third, bolt.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer last.Close()
	for name, s := range map[string]archive.Store{"redis": middle, "bolt": last} {
		if diff := cmp.Diff(keyed(want), keyed(content(t, s))); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}

	// Each unfinished job is handed out again, and those that waited wait.
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	for range 5 {
		c, err := middle.Take(ctx)
		if err != nil {
			t.Fatal(err)
		}
		defer c.Done()
	}
}

// keyed names the items, so that their order does not count.
func keyed(items []archive.Item) map[string]archive.Item {
	out := map[string]archive.Item{}
	for _, i := range items {
		switch {
		case i.Job != nil:
			out["job "+i.Job.ID] = i
		case i.Hold != nil:
			out["hold "+i.Hold.Job] = i
		default:
			text, _ := json.Marshal(i)
			out[string(text)] = i
		}
	}
	return out
}

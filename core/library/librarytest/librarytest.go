// Package librarytest is the suite that every library.Store passes.
package librarytest

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"ltxbot/core/library"
	"ltxbot/core/ltx"
	"ltxbot/core/team"
)

// Store is a store with the audit log that its changes are written to.
type Store interface {
	library.Store
	Records(ctx context.Context, team string, limit int) ([]team.Record, error)
	Close() error
}

// Harness makes stores for the suite, as quotatest's does.
type Harness struct {
	Open   func(t testing.TB) Store
	Reopen func(t testing.TB, s Store) Store
}

// Run runs the suite.
func Run(t *testing.T, h Harness) {
	for _, test := range []struct {
		name string
		run  func(*testing.T, Harness)
	}{
		{"a change, its record and the edition are one", testChange},
		{"what edit refuses changes nothing", testRefusal},
		{"names are found in any case", testFold},
		{"teams share nothing", testTeams},
		{"styles are kept beside LoRAs", testStyles},
		{"of many who add at once each is counted", testParallel},
		{"a member's defaults are those of one team", testDefaults},
		{"a library as large as can be is read whole", testLarge},
		{"everything survives a restart", testReopen},
	} {
		t.Run(test.name, func(t *testing.T) { test.run(t, h) })
	}
}

var at = time.Date(2026, 3, 11, 12, 0, 0, 0, time.UTC)

func open(t *testing.T, h Harness) Store {
	t.Helper()
	s := h.Open(t)
	t.Cleanup(func() { _ = s.Close() })
	return s
}

// put writes an entry, whatever was there, and returns how many there were.
func put(t testing.TB, s Store, of string, e library.Entry) (count int) {
	t.Helper()
	err := s.EditLoRA(t.Context(), of, e.Name, func(_ *library.Entry, n int) (*library.Entry, team.Record, error) {
		count = n
		return &e, record("add", e.Name), nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return count
}

func record(verb, after string) team.Record {
	return team.Record{ID: verb + after, At: at, Team: "acme", By: "discord:1", Verb: verb, After: after}
}

func entry(name string) library.Entry {
	seed := int64(7)
	return library.Entry{
		Name: name, Path: "acme/" + name, Scale: 0.8, Trigger: "ohwx", Negative: "rain", Note: "a note", Example: "a cat", Seed: &seed,
		Models: []string{"ltx-2.3"}, By: "discord:1", At: at,
	}
}

func contents(t testing.TB, s Store, of string) library.Contents {
	t.Helper()
	c, err := s.Contents(t.Context(), of)
	if err != nil {
		t.Fatal(err)
	}
	edition, err := s.Edition(t.Context(), of)
	if err != nil || edition != c.Edition {
		t.Fatalf("edition %q of contents %q, %v", edition, c.Edition, err)
	}
	return c
}

func testChange(t *testing.T, h Harness) {
	s := open(t, h)
	if c := contents(t, s, "acme"); c.Edition != "" || len(c.LoRAs) > 0 {
		t.Fatalf("an empty library: %v", c)
	}
	if n := put(t, s, "acme", entry("film")); n != 0 {
		t.Errorf("%d before the first", n)
	}
	first := contents(t, s, "acme")
	if diff := cmp.Diff([]library.Entry{entry("film")}, first.LoRAs); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	changed := entry("film")
	changed.Note = "another"
	if n := put(t, s, "acme", changed); n != 1 {
		t.Errorf("%d when it is changed", n)
	}
	second := contents(t, s, "acme")
	if second.Edition == first.Edition || second.LoRAs[0].Note != "another" {
		t.Errorf("after a change: %v", second)
	}
	err := s.EditLoRA(t.Context(), "acme", "film", func(old *library.Entry, n int) (*library.Entry, team.Record, error) {
		if old == nil || old.Note != "another" || n != 1 {
			t.Errorf("edit was given %v of %d", old, n)
		}
		return nil, record("remove", "film"), nil
	})
	if err != nil {
		t.Fatal(err)
	}
	third := contents(t, s, "acme")
	if third.Edition == second.Edition || len(third.LoRAs) != 0 {
		t.Errorf("after its removal: %v", third)
	}
	if n := put(t, s, "acme", entry("clay")); n != 0 {
		t.Errorf("%d after the only one was removed", n)
	}
	records, err := s.Records(t.Context(), "acme", 10)
	if err != nil || len(records) != 3 { // the two of film are one: they have one id
		t.Errorf("records %v, %v", records, err)
	}
}

func testRefusal(t *testing.T, h Harness) {
	s := open(t, h)
	put(t, s, "acme", entry("film"))
	before := contents(t, s, "acme")
	no := errors.New("no")
	err := s.EditLoRA(t.Context(), "acme", "film", func(*library.Entry, int) (*library.Entry, team.Record, error) {
		return nil, team.Record{}, no
	})
	if !errors.Is(err, no) {
		t.Errorf("got %v", err)
	}
	if diff := cmp.Diff(before, contents(t, s, "acme")); diff != "" {
		t.Errorf("changed all the same (-before +after):\n%s", diff)
	}
}

func testFold(t *testing.T, h Harness) {
	s := open(t, h)
	put(t, s, "acme", entry("Film"))
	if n := put(t, s, "acme", entry("FILM")); n != 1 {
		t.Errorf("%d before", n)
	}
	if c := contents(t, s, "acme"); len(c.LoRAs) != 1 || c.LoRAs[0].Name != "FILM" {
		t.Errorf("got %v", c.LoRAs)
	}
}

func testTeams(t *testing.T, h Harness) {
	s := open(t, h)
	put(t, s, "acme", entry("film"))
	put(t, s, "acme/film", entry("clay"))
	put(t, s, "acme2", entry("clay"))
	if c := contents(t, s, "acme"); len(c.LoRAs) != 1 || c.LoRAs[0].Name != "film" {
		t.Errorf("got %v", c.LoRAs)
	}
}

func testStyles(t *testing.T, h Harness) {
	s := open(t, h)
	want := library.Style{
		Name: "Noir", Options: "camera:static", Settings: []ltx.Setting{{Key: "camera", Value: "static"}}, Prefix: "black and white",
		By: "discord:1", At: at,
	}
	write := func(next *library.Style) {
		t.Helper()
		err := s.EditStyle(t.Context(), "acme", "noir", func(*library.Style, int) (*library.Style, team.Record, error) {
			return next, record("style", "noir"), nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	write(&want)
	put(t, s, "acme", entry("noir"))
	c := contents(t, s, "acme")
	if diff := cmp.Diff([]library.Style{want}, c.Styles); diff != "" || len(c.LoRAs) != 1 {
		t.Errorf("(-want +got):\n%s", diff)
	}
	write(nil)
	if c := contents(t, s, "acme"); len(c.Styles) != 0 || len(c.LoRAs) != 1 {
		t.Errorf("after its removal: %v", c)
	}
}

func testParallel(t *testing.T, h Harness) {
	s := open(t, h)
	var group sync.WaitGroup
	for i := range 20 {
		group.Go(func() { put(t, s, "acme", entry(fmt.Sprintf("film%d", i))) })
	}
	group.Wait()
	if n := put(t, s, "acme", entry("last")); n != 20 {
		t.Errorf("%d are counted, want 20", n)
	}
}

func testDefaults(t *testing.T, h Harness) {
	s, ctx := open(t, h), t.Context()
	want := []ltx.Setting{{Key: "camera", Value: "static"}, {Key: "lora", Value: "film@0.8"}}
	if err := s.SetDefaults(ctx, "acme", "discord:1", want); err != nil {
		t.Fatal(err)
	}
	for _, other := range [][2]string{{"acme", "discord:2"}, {"other", "discord:1"}} {
		if got, err := s.Defaults(ctx, other[0], other[1]); err != nil || got != nil {
			t.Errorf("%v: %v, %v", other, got, err)
		}
	}
	got, err := s.Defaults(ctx, "acme", "discord:1")
	if diff := cmp.Diff(want, got); diff != "" || err != nil {
		t.Errorf("%v (-want +got):\n%s", err, diff)
	}
	for _, other := range [][2]string{{"acme", "slack:T1:U2"}, {"acme2", "discord:1"}} {
		if err := s.SetDefaults(ctx, other[0], other[1], want[:1]); err != nil {
			t.Fatal(err)
		}
	}
	for most, want := range map[int]int{1: 1, 2: 2} {
		n, err := s.CountDefaults(ctx, "acme", func(settings []ltx.Setting) bool { return len(settings) <= most })
		if err != nil || n != want {
			t.Errorf("%d members have set %d options at most, %v", n, most, err)
		}
	}
	if err := s.SetDefaults(ctx, "acme", "discord:1", nil); err != nil {
		t.Fatal(err)
	}
	if got, err := s.Defaults(ctx, "acme", "discord:1"); err != nil || got != nil {
		t.Errorf("taken back: %v, %v", got, err)
	}
}

// testLarge reads more than a transaction that writes may read.
func testLarge(t *testing.T, h Harness) {
	s := open(t, h)
	const many = 1200
	var group sync.WaitGroup
	for part := range 4 {
		group.Go(func() {
			for i := range many / 4 {
				put(t, s, "acme", entry(fmt.Sprintf("film%d-%d", part, i)))
			}
		})
	}
	group.Wait()
	if c := contents(t, s, "acme"); len(c.LoRAs) != many {
		t.Errorf("%d are read, want %d", len(c.LoRAs), many)
	}
	if n := put(t, s, "acme", entry("last")); n != many {
		t.Errorf("%d are counted, want %d", n, many)
	}
}

func testReopen(t *testing.T, h Harness) {
	s := h.Open(t)
	put(t, s, "acme", entry("film"))
	if err := s.SetDefaults(t.Context(), "acme", "discord:1", []ltx.Setting{{Key: "camera", Value: "static"}}); err != nil {
		t.Fatal(err)
	}
	before := contents(t, s, "acme")
	s = h.Reopen(t, s)
	t.Cleanup(func() { _ = s.Close() })
	if diff := cmp.Diff(before, contents(t, s, "acme")); diff != "" {
		t.Errorf("(-before +after):\n%s", diff)
	}
	if got, err := s.Defaults(t.Context(), "acme", "discord:1"); err != nil || len(got) != 1 {
		t.Errorf("defaults %v, %v", got, err)
	}
}

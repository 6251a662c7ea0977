package store_test

import (
	"testing"

	"ltxbot/core/generate"
	"ltxbot/core/ltx"
)

// What a member has set for their own videos goes with what is erased of them,
// whoever erases it.
func TestDefaultsAreErasedWithTheirMember(t *testing.T) {
	w, ctx := newWorld(t), t.Context()
	names := [][2]string{{"acme", "discord:1"}, {"globex", "discord:1"}, {"acme", "discord:2"}, {"acme", "slack:T1:U1"}}
	for _, n := range names {
		if err := w.SetDefaults(ctx, n[0], n[1], []ltx.Setting{{Key: "camera", Value: "static"}}); err != nil {
			t.Fatal(err)
		}
	}
	for _, step := range []struct {
		team, member string
		left         [4]bool
	}{
		{"globex", "discord:1", [4]bool{true, false, true, true}},
		{"", "discord:1", [4]bool{false, false, true, true}},
		{"", "slack:T1:U1", [4]bool{false, false, true, false}},
	} {
		if _, err := generate.Erase(ctx, w.Store, false, step.team, step.member); err != nil {
			t.Fatal(err)
		}
		for i, n := range names {
			if own, err := w.Defaults(ctx, n[0], n[1]); err != nil || len(own) > 0 != step.left[i] {
				t.Errorf("after %s is erased in %q, %s of %s has %v, %v", step.member, step.team, n[1], n[0], own, err)
			}
		}
	}
}

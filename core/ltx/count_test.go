package ltx_test

import (
	"encoding/json"
	"errors"
	"slices"
	"testing"

	"ltxbot/core/ltx"
)

func TestACommandCanAskForSeveralVideos(t *testing.T) {
	for _, tt := range []struct {
		key, value string
		want       int
	}{
		{"seed", "7", 1},
		{"count", "1", 1},
		{"count", "4", 4},
		{"takes", "x3", 3},
		{"videos", "２", 2},
		{"本数", "2", 2},
		{"advanced", "count=3", 3},
	} {
		if got := parse(t, set(tt.key, tt.value)...).Count(); got != tt.want {
			t.Errorf("%s:%s asks for %d videos, want %d", tt.key, tt.value, got, tt.want)
		}
	}
	for _, value := range []string{"0", "5", "1.5", "many", "x"} {
		if _, err := (ltx.Rules{}).Parse(set("prompt", "a", "count", value)); err == nil {
			t.Errorf("count:%s is not refused", value)
		}
	}
	if got := (ltx.Request{}).Count(); got != 1 {
		t.Errorf("the zero request asks for %d videos", got)
	}
}

func TestACountIsASettingLikeOthers(t *testing.T) {
	r := parse(t, set("seed", "7", "count", "3")...)
	if got := r.CommandLine(); got != `prompt:"a cowboy" seed:7 count:3` {
		t.Errorf("typed as %s", got)
	}
	raw, err := json.Marshal(r)
	if err != nil {
		t.Fatal(err)
	}
	var stored ltx.Request
	if err := json.Unmarshal(raw, &stored); err != nil || !stored.Equal(r) || stored.Count() != 3 {
		t.Errorf("stored as %s: %d videos, %v", raw, stored.Count(), err)
	}
	changed, err := r.With(ltx.Rules{}, set("count", "2")...)
	if err != nil || changed.Count() != 2 || changed.Equal(r) {
		t.Errorf("changed: %d videos, %v", changed.Count(), err)
	}
	one := r.One()
	if one.Count() != 1 || one.Seed() != 7 || r.Count() != 3 {
		t.Errorf("one of them: %d videos, seed %d; the request then: %d", one.Count(), one.Seed(), r.Count())
	}
	if slices.ContainsFunc(one.Changed(), func(s ltx.Setting) bool { return s.Key == "count" }) {
		t.Error("the request for one video names the count")
	}
}

func TestACountIsForCommandsOnly(t *testing.T) {
	rules := ltx.Rules{Defaults: set("count", "4")}
	_, err := rules.Parse(set("prompt", "a"))
	if e, ok := errors.AsType[ltx.FieldError](err); !ok || e.Problem != ltx.Misplaced {
		t.Errorf("a default count: %v", err)
	}
}

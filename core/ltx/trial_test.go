package ltx_test

import (
	"encoding/json"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"ltxbot/core/ltx"
)

// withFilm are rules with a LoRA in the team's list, and one in a style.
func withFilm() ltx.Rules {
	return ltx.Rules{
		Seed: seven,
		Library: func(name string) (ltx.LoRA, bool) {
			l := map[string]ltx.LoRA{
				"film": {Name: "film", Path: "https://v3.fal.media/film.safetensors", Scale: 0.8},
				"clay": {Name: "clay", Path: "https://v3.fal.media/clay.safetensors", Scale: 0.5},
			}[name]
			return l, l.Name != ""
		},
	}
}

func TestATrialIsOneVideoForEachStrength(t *testing.T) {
	r := parseBy(t, withFilm(), set("lora", "clay,film")...).Try("Film", ltx.TrialScales()...)
	if r.Count() != 4 {
		t.Fatalf("it asks for %d videos", r.Count())
	}
	var loras []ltx.LoRA
	for i := range r.Count() {
		one := r.Take(i)
		if one.Count() != 1 || one.Seed() != r.Seed() || one.Prompt() != r.Prompt() || one.Trial().LoRA != "" {
			t.Errorf("take %d is %s of %d", i, one.CommandLine(), one.Count())
		}
		loras = append(loras, one.LoRAs()...)
	}
	var scales []float64
	for i, l := range loras {
		if want := []string{"clay", "film"}[i%2]; l.Name != want || want == "clay" && l.Scale != 0.5 {
			t.Errorf("LoRA %d is %+v, want %s", i, l, want)
		}
		if l.Name == "film" {
			scales = append(scales, l.Scale)
		}
	}
	if diff := cmp.Diff([]float64{0.4, 0.7, 1, 1.3}, scales); diff != "" {
		t.Error(diff)
	}
	if got := r.LoRAs()[1].Scale; got != 0.8 {
		t.Errorf("the request itself has %v", got)
	}
	if got := r.Changed(); !slices.Contains(got, ltx.Setting{Key: "lora", Value: "clay@0.5,film@0.4/0.7/1/1.3"}) {
		t.Errorf("a card shows %v", got)
	}
}

func TestATrialLeavesOutWhatTheModelDoesNotTake(t *testing.T) {
	for model, want := range map[string][]float64{"ltx-2.3": {0.4, 2, 2.5}, "quality": {0.4, 2}} {
		r := parseBy(t, withFilm(), set("lora", "film", "model", model)...).Try("film", 0.4, 2, 2.5, 4.5)
		if diff := cmp.Diff(want, r.Trial().Scales); diff != "" {
			t.Errorf("%s: %s", model, diff)
		}
	}
	if r := parseBy(t, withFilm(), set("lora", "clay", "count", "2")...).Try("film", 0.4, 0.7); r.Count() != 2 || r.Trial().LoRA != "" {
		t.Errorf("a request without the LoRA asks for %d videos, and tries %+v", r.Count(), r.Trial())
	}
}

func TestATrialIsKept(t *testing.T) {
	r := parseBy(t, withFilm(), set("lora", "film", "count", "2")...).Try("film", 0.4, 0.7, 1)
	raw, err := json.Marshal(r)
	if err != nil {
		t.Fatal(err)
	}
	var stored ltx.Request
	if err := json.Unmarshal(raw, &stored); err != nil || !stored.Equal(r) || stored.Count() != 3 || r.Equal(r.One()) {
		t.Errorf("stored as %s: %d videos, %v", raw, stored.Count(), err)
	}
	for _, tt := range []struct {
		change []ltx.Setting
		want   int
	}{{set("camera", "static"), 3}, {set("lora", "none"), 1}, {set("count", "2"), 2}} {
		changed, err := r.With(withFilm(), tt.change...)
		if err != nil || changed.Count() != tt.want {
			t.Errorf("with %v it asks for %d videos, want %d; %v", tt.change, changed.Count(), tt.want, err)
		}
	}
}

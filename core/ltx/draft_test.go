package ltx_test

import (
	"testing"

	"ltxbot/core/ltx"
)

func TestADraftIsFinishedWithTheSamePromptAndSeed(t *testing.T) {
	for _, tt := range []struct {
		name    string
		in      []ltx.Setting
		model   string // empty = it is no draft
		changed []ltx.Setting
	}{
		{"a draft model", set("model", "distilled"), "ltx-2.3", nil},
		{"the quality draft", set("quality", "draft", "camera", "static"), "ltx-2.3", set("camera", "static")},
		{"acceleration", set("acceleration", "high"), "ltx-2.3", nil},
		{"a draft model and the quality draft", set("model", "distilled", "quality", "draft"), "ltx-2.3", nil},
		{"the usual model", nil, "", nil},
		{"the quality best", set("quality", "best"), "", nil},
		{"a model without a seed", set("model", "fast"), "", nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r, err := ltx.Rules{Seed: seven}.Parse(append(set("prompt", "a cat"), tt.in...))
			if err != nil {
				t.Fatal(err)
			}
			if got := r.IsDraft(); got != (tt.model != "") {
				t.Fatalf("it is a draft: %t", got)
			}
			if tt.model == "" {
				return
			}
			done, err := r.Finished(ltx.Rules{})
			if err != nil || done.Model() != tt.model || done.Prompt() != r.Prompt() || done.Seed() != r.Seed() || done.IsDraft() {
				t.Errorf("finished by %s with seed %d, want %s with %d; draft: %t, %v", done.Model(), done.Seed(), tt.model, r.Seed(), done.IsDraft(), err)
			}
			if got := done.Changed(); len(got) != len(tt.changed) || len(got) > 0 && got[0] != tt.changed[0] {
				t.Errorf("its settings are %v, want %v", got, tt.changed)
			}
		})
	}
}

func TestADraftIsNotFinishedByAModelThatIsNotAllowed(t *testing.T) {
	r := parse(t, set("model", "distilled")...)
	if done, err := r.Finished(ltx.Rules{Endpoint: "fal-ai/ltx-2.3-22b/distilled/text-to-video/lora", Models: []string{"distilled"}}); err == nil {
		t.Errorf("finished by %s", done.Model())
	}
}

package ltx_test

import (
	"slices"
	"strings"
	"testing"

	"ltxbot/core/ltx"
)

// TestWhatNobodyMayMakeIsNotOffered: what is offered follows the operator's models
// and limits, and the tiers of who asks.
func TestWhatNobodyMayMakeIsNotOffered(t *testing.T) {
	const pro = "fal-ai/ltx-2.3/text-to-video"
	small := ltx.Rules{MaxSide: 1920}
	partner := ltx.Rules{Endpoint: pro, Models: []string{}}
	tiered := ltx.Rules{Models: []string{}, Reserved: map[string][]string{"ltx-2.5": {"studio"}}}
	studio, someone := tiered, tiered
	studio.Tiers, someone.AnyTier = []string{"studio"}, true
	for _, tt := range []struct {
		name       string
		rules      ltx.Rules
		option     string
		with       string // choices, with commas
		without    string
		least, max float64 // where the row has a range
		offered    bool
	}{
		{"large sizes", ltx.Rules{}, "size", "720p,1080p,1440p,2160p", "", 256, 2048, true},
		{"under a limit", small, "size", "720p,1080p,vertical", "1440p,2160p", 256, 1920, true},
		{"of the model of fal alone", ltx.Rules{Models: []string{}}, "size", "1080p", "1440p,2160p", 256, 2048, true},
		{"of another model alone", partner, "size", "1080p,2160p", "landscape_4_3", 256, 2048, true},
		{"a camera that one model has", ltx.Rules{}, "camera", "focus_shift,none", "", 0, 0, true},
		{"that is not there", ltx.Rules{Models: []string{}}, "camera", "dolly_in,none", "focus_shift", 0, 0, true},
		{"that a tier has", studio, "camera", "focus_shift", "", 0, 0, true},
		{"while the tiers are not known", someone, "camera", "focus_shift", "", 0, 0, true},
		{"that only others have", tiered, "camera", "none", "focus_shift", 0, 0, true},
		{"models", tiered, "model", "ltx-2.3", "ltx-2.5,pro", 0, 0, true},
		{"edits", partner, "edit", "retake,extend", "restyle,reference", 0, 0, true},
		{"lengths", ltx.Rules{}, "duration", "", "", 0.4, 20, true},
		{"lengths of another model", partner, "duration", "", "", 1, 20, true},
		{"frame rates", ltx.Rules{}, "fps", "", "", 1, 60, true},
		{"frame rates of another model", partner, "fps", "", "", 24, 50, true},
		{"no LoRAs", partner, "lora", "", "", 0, 4, false},
		{"no steps", partner, "steps", "", "", 8, 50, false},
		{"qualities", ltx.Rules{}, "quality", "draft,standard,best", "", 0, 0, true},
		{"qualities of the operator", ltx.Rules{Qualities: map[string][]ltx.Setting{"cinema": {{Key: "steps", Value: "40"}}}}, "quality", "cinema", "draft", 0, 0, true},
		{"qualities without effect", partner, "quality", "", "", 0, 0, false},
	} {
		p, _ := ltx.Lookup(tt.option)
		p, ok := tt.rules.Offered(p)
		has := func(value string) bool {
			return slices.ContainsFunc(p.Choices, func(c ltx.Choice) bool { return c.Value == value })
		}
		if ok != tt.offered || p.Min != tt.least || p.Max != tt.max {
			t.Errorf("%s: offered %t, between %v and %v", tt.name, ok, p.Min, p.Max)
		}
		for value := range strings.SplitSeq(tt.with, ",") {
			if value != "" && !has(value) {
				t.Errorf("%s: no %s", tt.name, value)
			}
		}
		for value := range strings.SplitSeq(tt.without, ",") {
			if has(value) {
				t.Errorf("%s: %s is offered", tt.name, value)
			}
		}
	}
}

// TestEverythingIsOfferedWithoutLimits: no choice of the table is one that no model
// takes.
func TestEverythingIsOfferedWithoutLimits(t *testing.T) {
	for _, p := range ltx.Params() {
		got, ok := (ltx.Rules{}).Offered(p)
		if !ok && !p.Operator || len(got.Choices) != len(p.Choices) || got.Min != p.Min || got.Max != p.Max {
			t.Errorf("%s: offered %t, %d of %d choices, from %v to %v", p.Key(), ok, len(got.Choices), len(p.Choices), got.Min, got.Max)
		}
	}
}

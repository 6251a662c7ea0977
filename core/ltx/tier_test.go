package ltx_test

import (
	"testing"

	"ltxbot/core/ltx"
)

// TestAModelOfATierIsRefusedOnceTheTiersAreKnown: before that, what any tier may
// choose is taken.
func TestAModelOfATierIsRefusedOnceTheTiersAreKnown(t *testing.T) {
	rules := ltx.Rules{Models: []string{"distilled"}, Reserved: map[string][]string{"quality": {"studio"}}, AnyTier: true}
	r, err := rules.Parse(set("prompt", "a", "model", "quality"))
	if err != nil {
		t.Fatal(err)
	}
	rules.AnyTier = false
	for _, tt := range []struct {
		tiers  []string
		refuse bool
	}{{nil, true}, {[]string{"gold"}, true}, {[]string{"gold", "studio"}, false}} {
		rules.Tiers = tt.tiers
		bad := rules.Refuses(r)
		if (bad != nil) != tt.refuse || tt.refuse && (bad[0].Problem != ltx.TierOnly || bad[0].Other != "studio") {
			t.Errorf("in %v it is refused with %v", tt.tiers, bad)
		}
	}
	if got := rules.Extra(); len(got) != 1 || got[0] != "quality" {
		t.Errorf("its members may choose %v as well", got)
	}
	rules.Tiers = nil
	if got := rules.Extra(); len(got) != 0 {
		t.Errorf("others may choose %v as well", got)
	}
	rules.Tiers, rules.Reserved = []string{"studio"}, nil // the operator has changed the config since
	if bad := rules.Refuses(r); len(bad) != 1 || bad[0].Problem != ltx.NotAChoice {
		t.Errorf("of a model that nobody may choose any more: %v", bad)
	}
}

// TestAModelOfATierIsNotChosenByItself where one that everybody may choose does it.
func TestAModelOfATierIsNotChosenByItself(t *testing.T) {
	rules := ltx.Rules{
		Endpoint: "fal-ai/ltx-2.3-quality/text-to-video/lora", Models: []string{"pro"}, AnyTier: true,
		Reserved: map[string][]string{"ltx-2.3": {"studio"}, "fast": {"studio"}, "ltx-2.5": {"studio"}},
	}
	extend := set("prompt", "a", "clip", "https://example.com/a.mp4", "edit", "extend")
	r, err := rules.Parse(extend)
	if err != nil {
		t.Fatal(err)
	}
	if bad := (ltx.Rules{Endpoint: rules.Endpoint, Models: rules.Models, Reserved: rules.Reserved}).Refuses(r); bad != nil {
		t.Errorf("%s was chosen: %v", r.Model(), bad)
	}
}

package ltx_test

import (
	"errors"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"ltxbot/core/ltx"
)

func TestOptionsAreThoseOfTheEndpoint(t *testing.T) {
	const picture, clip = "https://example.com/a.png", "https://example.com/a.mp4"
	own := ltx.Rules{Own: set("model", "pro")}
	for name, tt := range map[string]struct {
		rules        ltx.Rules
		in           []ltx.Setting
		model        string
		with, withno []string
	}{
		"nothing":                     {in: nil, model: "ltx-2.3", with: []string{"camera", "lora", "negative", "seed", "quality"}, withno: []string{"start_time"}},
		"a model of a partner":        {in: set("model", "pro"), model: "pro", with: []string{"size", "audio"}, withno: []string{"camera", "lora", "negative", "seed", "quality"}},
		"a wrong value beside it":     {in: set("model", "pro", "duration", "soon"), model: "pro", withno: []string{"camera"}},
		"the member's own model":      {rules: own, model: "pro", withno: []string{"camera"}},
		"another one over the own":    {rules: own, in: set("model", "distilled"), model: "distilled", with: []string{"camera", "quality"}},
		"a retake":                    {in: set("clip", clip, "edit", "retake"), model: "pro", with: []string{"start_time", "duration"}, withno: []string{"size"}},
		"a retake, the clip to come":  {in: set("edit", "retake"), model: "pro", with: []string{"start_time"}},
		"a picture with one of these": {in: set("image", picture, "model", "quality"), model: "quality", with: []string{"seed", "lora"}, withno: []string{"camera"}},
	} {
		t.Run(name, func(t *testing.T) {
			o, err := tt.rules.OptionsFor(tt.in)
			if err != nil || o.Model != tt.model {
				t.Fatalf("leads to %q, %v, want %q", o.Model, err, tt.model)
			}
			for key, want := range map[bool][]string{true: tt.with, false: tt.withno} {
				for _, option := range want {
					if p, ok := ltx.Lookup(option); !ok || o.Take(p) != key {
						t.Errorf("it takes %s: %t", option, !key)
					}
				}
			}
		})
	}
	_, err := ltx.Rules{}.OptionsFor(set("model", "fast", "clip", clip))
	if wrong, ok := errors.AsType[ltx.Invalid](err); !ok || wrong[0].Problem != ltx.ModelCannot {
		t.Errorf("what no model makes: %v", err)
	}
}

func TestQualitiesOfWhichNothingIsTakenAreNoOptions(t *testing.T) {
	rules := ltx.Rules{Qualities: map[string][]ltx.Setting{"quick": set("steps", "8"), "sharp": set("video_quality", "maximum"), "plain": nil}}
	for model, want := range map[string][]string{"ltx-2.3": {"plain", "quick", "sharp"}, "distilled": {"plain", "sharp"}, "pro": {"plain"}} {
		o, err := rules.OptionsFor(set("model", model))
		if diff := cmp.Diff(want, o.Qualities()); diff != "" || err != nil {
			t.Errorf("%s, %v (-want +got):\n%s", model, err, diff)
		}
	}
}

func TestARequestAdmitsFilesThatGoTogether(t *testing.T) {
	const file = "https://example.com/file"
	for _, tt := range []struct{ beside, want []string }{
		{nil, []string{"image", "end_image", "soundtrack", "clip"}},
		{[]string{"image", file}, []string{"image", "end_image", "soundtrack"}},
		{[]string{"clip", file}, []string{"end_image", "clip"}},
		{[]string{"clip", file, "edit", "reference"}, []string{"image", "end_image", "soundtrack", "clip"}},
		{[]string{"image", file, "model", "pro"}, []string{"image", "end_image", "soundtrack"}},
		{[]string{"model", "fast"}, []string{"image", "end_image"}},
	} {
		r, err := ltx.Rules{}.Parse(append(set("prompt", "a cat"), set(tt.beside...)...))
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, p := range ltx.Params() {
			if p.Kind == ltx.KindMedia && (ltx.Rules{}).Admits(r, p.Key()) {
				got = append(got, p.Key())
			}
		}
		if diff := cmp.Diff(tt.want, got); diff != "" {
			t.Errorf("beside %q (-want +got):\n%s", tt.beside, diff)
		}
	}
}

func TestOffersTellThePriceOfTheVideo(t *testing.T) {
	offer := func(model string, of ...ltx.Setting) (cost, seconds float64) {
		offers := ltx.Rules{}.Offers(of...)
		i := slices.IndexFunc(offers, func(o ltx.Offer) bool { return o.Value == model })
		return offers[i].Cost.Dollars(), offers[i].Seconds
	}
	long := set("prompt", "a cat", "duration", "10", "size", "1080p", "camera", "dolly_in", "seed", "7")
	if cost, seconds := offer("pro"); cost != 0.48 || seconds < 6 || seconds > 6.1 {
		t.Errorf("pro costs %v for %v s, want 0.48 for its shortest, six", cost, seconds)
	}
	if cost, seconds := offer("pro", long...); cost != 0.8 || seconds < 10 || seconds > 10.1 {
		t.Errorf("pro costs %v for %v s, want 0.8 for ten", cost, seconds)
	}
	if got, _ := offer("fast", append(long, set("clip", "https://example.com/a.mp4")...)...); got != 0 {
		t.Errorf("what a model does not make costs %v", got)
	}
}

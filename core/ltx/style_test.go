package ltx_test

import (
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"ltxbot/core/ltx"
)

// shop are rules with a library of two LoRAs and a style.
func shop() ltx.Rules {
	loras := map[string]ltx.LoRA{
		"film":  {Name: "Film", Path: "acme/film", Scale: 0.8, Trigger: "35mm film, ohwx", Negative: "digital, static, sharp"},
		"alice": {Name: "alice", Path: "acme/alice", Scale: 1, Trigger: "alice"},
	}
	return ltx.Rules{
		Seed:       seven,
		Library:    func(name string) (ltx.LoRA, bool) { l, ok := loras[strings.ToLower(name)]; return l, ok },
		StyleNames: func() []string { return []string{"noir"} },
		Styles: func(name string) (ltx.Style, bool) {
			return ltx.Style{
				Name: "noir", Settings: set("camera", "static", "lora", "film@0.6", "steps", "20"),
				Prefix: "black and white", Suffix: "Long shadows.",
			}, strings.EqualFold(name, "noir")
		},
	}
}

// A style may name a LoRA that is gone, or a model that may not be chosen any more.
func TestAProblemTellsThatItIsOfTheStyle(t *testing.T) {
	for _, tt := range []struct {
		name  string
		in    []ltx.Setting
		style string
	}{
		{"a LoRA that is gone", set("style", "noir"), "noir"},
		{"beside one that was typed", set("style", "noir", "lora", "alice"), "noir"},
		{"one that was typed and is not there", set("style", "pop", "lora", "gone"), ""},
		{"an option that was typed", set("style", "pop", "camera", "spin"), ""},
		{"a model that may not be chosen", set("style", "pro"), "pro"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := shop()
			r.Styles = func(name string) (ltx.Style, bool) {
				of := map[string][]ltx.Setting{"noir": set("lora", "clay@0.5"), "pop": set("camera", "static"), "pro": set("model", "pro")}
				return ltx.Style{Name: name, Settings: of[name]}, of[name] != nil
			}
			r.Models = []string{"ltx-2.3"}
			_, err := r.Parse(append(set("prompt", "a man"), tt.in...))
			wrong, _ := errors.AsType[ltx.Invalid](err)
			if len(wrong) != 1 || wrong[0].Style != tt.style || strings.Contains(wrong[0].Error(), "The style") != (tt.style != "") {
				t.Errorf("%+v", wrong)
			}
		})
	}
}

func TestTriggerWords(t *testing.T) {
	for _, tt := range []struct{ name, prompt, lora, want string }{
		{"missing ones come first", "a man", "film", "35mm film, ohwx, a man"},
		{"those that are there stay where they are", "a man, OHWX, on 35mm  film", "film", "a man, OHWX, on 35mm  film"},
		{"only what is missing is added", "ohwx in the rain", "film", "35mm film, ohwx in the rain"},
		{"a part of another word is none", "a malice", "alice", "alice, a malice"},
		{"a mark after the word does not matter", "alice's walk", "alice", "alice's walk"},
		{"scripts without spaces", "橋のaliceが歩く", "alice", "橋のaliceが歩く"},
		{"of several LoRAs", "a man", "film,alice", "35mm film, ohwx, alice, a man"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := parseBy(t, shop(), set("prompt", tt.prompt, "lora", tt.lora)...).Prompt(); got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}

func TestTheNegativePromptOfALoRA(t *testing.T) {
	standard := parseBy(t, shop()).Negative()
	for _, tt := range []struct {
		name string
		in   []ltx.Setting
		want string
	}{
		{"replaces the default one", set("lora", "film"), "digital, static, sharp"},
		{"does not replace what was typed", set("lora", "film", "negative", "rain"), "rain"},
		{"is nothing for a LoRA without one", set("lora", "alice"), standard},
		{"has no static when the camera is", set("lora", "film", "camera", "static"), "digital, sharp"},
		{"the default has no static either", set("camera", "static"), strings.TrimSuffix(standard, ", static")},
		{"what was typed stays whole", set("camera", "static", "negative", "static, noise"), "static, noise"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			req := parseBy(t, shop(), tt.in...)
			if got := req.Negative(); got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
			again, err := shop().Parse(req.Settings())
			if err != nil || again.Negative() != tt.want {
				t.Errorf("made again: %q, %v", again.Negative(), err)
			}
		})
	}
	without, err := parseBy(t, shop(), set("lora", "film")...).With(shop(), ltx.Setting{Key: "lora", Value: "none"})
	if err != nil || without.Negative() != standard {
		t.Errorf("without the LoRA: %q, %v", without.Negative(), err)
	}
}

func TestStyles(t *testing.T) {
	film := func(scale float64) ltx.LoRA {
		return ltx.LoRA{Name: "Film", Path: "acme/film", Scale: scale, Trigger: "35mm film, ohwx"}
	}
	alice := ltx.LoRA{Name: "alice", Path: "acme/alice", Scale: 1, Trigger: "alice"}
	for _, tt := range []struct {
		name   string
		in     []ltx.Setting
		camera string
		loras  []ltx.LoRA
		steps  int
	}{
		{"sets its options", set("style", "Noir"), "static", []ltx.LoRA{film(0.6)}, 20},
		{"an option wins over it", set("style", "noir", "camera", "jib_up"), "jib_up", []ltx.LoRA{film(0.6)}, 20},
		{"its LoRAs go with others", set("style", "noir", "lora", "alice"), "static", []ltx.LoRA{film(0.6), alice}, 20},
		{"the scale that was typed wins", set("style", "noir", "lora", "FILM@1.1"), "static", []ltx.LoRA{film(1.1)}, 20},
		{"no LoRA is none", set("style", "noir", "lora", "none"), "static", nil, 20},
		{"wins over a quality", set("style", "noir", "quality", "best"), "static", []ltx.LoRA{film(0.6)}, 20},
		{"none is none", set("style", "none"), "none", nil, 15},
	} {
		t.Run(tt.name, func(t *testing.T) {
			req := parseBy(t, shop(), append(tt.in, set("prompt", "a man walks")...)...)
			if req.Camera() != tt.camera || req.Steps() != tt.steps {
				t.Errorf("camera %s, %d steps", req.Camera(), req.Steps())
			}
			if diff := cmp.Diff(tt.loras, req.LoRAs()); diff != "" {
				t.Errorf("LoRAs (-want +got):\n%s", diff)
			}
		})
	}
	req := parseBy(t, shop(), set("prompt", "a man walks", "style", "noir", "lora", "none")...)
	if got, want := req.Prompt(), "black and white, a man walks, Long shadows."; got != want {
		t.Errorf("prompt %q, want %q", got, want)
	}
	if !slices.ContainsFunc(req.Notes, func(n ltx.Note) bool { return n.Reason == ltx.AppliedStyle && n.From == "noir" }) {
		t.Errorf("notes %v", req.Notes)
	}
	if req.Style() != "noir" || parseBy(t, shop(), set("style", "none")...).Style() != "" {
		t.Errorf("the style is %q", req.Style())
	}
	again, err := ltx.Rules{Seed: seven}.Parse(req.Settings()) // the team may have no such style any more
	if err != nil || again.Camera() != "static" || again.Steps() != 20 || again.Prompt() != req.Prompt() {
		t.Errorf("made again: %v, %v", again.CommandLine(), err)
	}
	if _, err := shop().Parse(set("prompt", "a", "style", "nior")); !hasProblem(err, ltx.StyleUnknown, "noir") {
		t.Errorf("an unknown style: %v", err)
	}
	if _, err := shop().Parse(set("style", "noir")); !hasProblem(err, ltx.Missing, "") {
		t.Errorf("a style without a prompt: %v", err)
	}
}

// What is made of a request has its style, until another one is chosen.
func TestARequestKeepsTheNameOfItsStyle(t *testing.T) {
	req := parseBy(t, shop(), set("prompt", "a man walks", "style", "Noir")...)
	text, err := json.Marshal(req)
	if err != nil {
		t.Fatal(err)
	}
	var read ltx.Request
	if err := json.Unmarshal(text, &read); err != nil || read.Style() != "noir" || !read.Equal(req) {
		t.Errorf("stored, its style is %q, %v", read.Style(), err)
	}
	if got := req.WithSeed(3).One().Style(); got != "noir" {
		t.Errorf("with another seed its style is %q", got)
	}
	for _, tt := range []struct {
		changes []ltx.Setting
		want    string
	}{
		{nil, "noir"},
		{set("prompt", "a dog"), "noir"},
		{set("style", "none"), ""},
		{set("style", ""), ""},
		{set("style", "noir"), "noir"},
	} {
		changed, err := req.With(shop(), tt.changes...)
		if err != nil || changed.Style() != tt.want {
			t.Errorf("with %v its style is %q, %v; want %q", tt.changes, changed.Style(), err, tt.want)
		}
	}
	now := shop()
	now.Styles = nil // the team may have no such style any more
	if changed, err := read.With(now); err != nil || changed.Style() != "noir" {
		t.Errorf("by other rules its style is %q, %v", changed.Style(), err)
	}
}

func TestOwnDefaults(t *testing.T) {
	rules := shop()
	rules.Own = set("camera", "jib_up", "steps", "30", "lora", "alice")
	if req := parseBy(t, rules); req.Camera() != "jib_up" || req.Steps() != 30 || !req.HasLoRA() {
		t.Errorf("%s", req.CommandLine())
	}
	if req := parseBy(t, rules, set("camera", "none", "quality", "draft")...); req.Camera() != "none" || req.Steps() != 8 {
		t.Errorf("what was typed wins: %s", req.CommandLine())
	}
	if req := parseBy(t, rules, set("style", "noir")...); req.Camera() != "static" || req.Steps() != 20 || req.LoRAs()[0].Name != "Film" {
		t.Errorf("a style wins: %s", req.CommandLine())
	}
	req := parseBy(t, rules)
	again, err := shop().Parse(req.Settings())
	if err != nil || again.CommandLine() != req.CommandLine() {
		t.Errorf("somebody else makes another video of it: %s, %v", again.CommandLine(), err)
	}
}

func TestWhatCanBeKept(t *testing.T) {
	for _, tt := range []struct {
		in   []ltx.Setting
		want ltx.Problem // "" = it can
	}{
		{set("camera", "static", "lora", "film", "quality", "best"), ""},
		{set("prompt", "a cat"), ltx.Misplaced},
		{set("image", "https://example.com/a.png"), ltx.Misplaced},
		{set("style", "noir"), ltx.Misplaced},
		{set("edit", "extend"), ltx.Misplaced},
		{set("lora", "gone"), ltx.LoRAUnknown},
		{set("steps", "99"), ltx.OutOfRange},
		{set("sync_mode", "yes"), ltx.OperatorOnly},
	} {
		if err := shop().CheckOptions(tt.in); tt.want == "" && err != nil || tt.want != "" && !hasProblem(err, tt.want, "") {
			t.Errorf("%v: %v, want %q", tt.in, err, tt.want)
		}
	}
}

func TestTriggersThatTheModelHasLost(t *testing.T) {
	req := parseBy(t, shop(), set("lora", "film,alice")...)
	for used, want := range map[string][]string{
		"":                                     nil,
		"A grainy 35mm film of alice and ohwx": nil,
		"A woman on a 35MM film walks":         {"ohwx", "alice"},
	} {
		if diff := cmp.Diff(want, req.LostTriggers(used)); diff != "" {
			t.Errorf("%q (-want +got):\n%s", used, diff)
		}
	}
}

func hasProblem(err error, p ltx.Problem, nearest string) bool {
	problems, _ := errors.AsType[ltx.Invalid](err)
	return slices.ContainsFunc(problems, func(e ltx.FieldError) bool {
		return e.Problem == p && (nearest == "" || e.Nearest == nearest)
	})
}

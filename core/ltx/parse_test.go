package ltx_test

import (
	"errors"
	"maps"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"ltxbot/core/ltx"
)

// set makes settings of "key", "value", "key", "value".
func set(pairs ...string) []ltx.Setting {
	var settings []ltx.Setting
	for i := 0; i+1 < len(pairs); i += 2 {
		settings = append(settings, ltx.Setting{Key: pairs[i], Value: pairs[i+1]})
	}
	return settings
}

func TestWhatPeopleTypeIsUnderstood(t *testing.T) {
	for _, tt := range []struct {
		name string
		in   []ltx.Setting
		api  string
		want any
	}{
		{"a camera with a space", set("camera", "dolly in"), "camera_lora", "dolly_in"},
		{"a camera with a dash and capitals", set("Camera", "Dolly-In"), "camera_lora", "dolly_in"},
		{"a camera with a dash that a phone made", set("camera", "dolly–in"), "camera_lora", "dolly_in"},
		{"a camera in a director's words", set("cam", "push in"), "camera_lora", "dolly_in"},
		{"pull back", set("camera", "pull back"), "camera_lora", "dolly_out"},
		{"track left", set("camera", "track left"), "camera_lora", "dolly_left"},
		{"an API name", set("camera_lora", "crane up"), "camera_lora", "jib_up"},
		{"a size by ratio", set("size", "9:16"), "video_size", ltx.Size{Width: 576, Height: 1024}},
		{"a size by an equal ratio", set("size", "32:18"), "video_size", ltx.Size{Width: 1024, Height: 576}},
		{"a size by another ratio", set("ar", "21:9"), "video_size", ltx.Size{Width: 1216, Height: 512}},
		{"a size by a photographer's ratio", set("ar", "3:2"), "video_size", ltx.Size{Width: 960, Height: 640}},
		{"a ratio typed as pixels are", set("size", "16x9"), "video_size", ltx.Size{Width: 1024, Height: 576}},
		{"a tall ratio typed as pixels are", set("size", "9 × 16"), "video_size", ltx.Size{Width: 576, Height: 1024}},
		{"4x3", set("size", "4x3"), "video_size", ltx.Size{Width: 1024, Height: 768}},
		{"1x1", set("size", "1x1"), "video_size", ltx.Size{Width: 1024, Height: 1024}},
		{"21x9", set("size", "21x9"), "video_size", ltx.Size{Width: 1216, Height: 512}},
		{"pixels that are few", set("size", "64x48"), "video_size", ltx.Size{Width: 352, Height: 256}},
		{"few pixels with their unit", set("size", "16x9px"), "video_size", ltx.Size{Width: 448, Height: 256}},
		{"a size by name", set("size", "square HD"), "video_size", ltx.Size{Width: 1024, Height: 1024}},
		{"1:1 is the large square", set("size", "1:1"), "video_size", ltx.Size{Width: 1024, Height: 1024}},
		{"720p", set("size", "720p"), "video_size", ltx.Size{Width: 1280, Height: 704}},
		{"1080p", set("size", "1080P"), "video_size", ltx.Size{Width: 1920, Height: 1088}},
		{"vertical", set("size", "vertical"), "video_size", ltx.Size{Width: 704, Height: 1280}},
		{"pixels", set("size", "1280x704"), "video_size", ltx.Size{Width: 1280, Height: 704}},
		{"pixels with a cross and spaces", set("size", " 1280 × 704 "), "video_size", ltx.Size{Width: 1280, Height: 704}},
		{"pixels with a star", set("size", "1280*704px"), "video_size", ltx.Size{Width: 1280, Height: 704}},
		{"seconds", set("duration", "5"), "num_frames", int64(121)},
		{"seconds with a unit", set("duration", "6.5s"), "num_frames", int64(161)},
		{"seconds in words", set("length", "8 seconds"), "num_frames", int64(193)},
		{"seconds with a decimal comma", set("duration", "6,5 sec"), "num_frames", int64(161)},
		{"milliseconds", set("duration", "1500ms"), "num_frames", int64(41)},
		{"twenty seconds", set("duration", "20"), "num_frames", int64(481)},
		{"seconds at a frame rate given later", set("duration", "5", "fps", "12"), "num_frames", int64(65)},
		{"seconds at a frame rate given before", set("fps", "12", "duration", "5"), "num_frames", int64(65)},
		{"frames", set("frames", "97"), "num_frames", int64(97)},
		{"frames with a unit", set("frames", "97 frames"), "num_frames", int64(97)},
		{"a frame rate with a unit", set("fps", "23.976fps"), "fps", 23.976},
		{"a number with a decimal comma", set("guidance", "3,5"), "video_cfg_scale", 3.5},
		{"three digits after a decimal comma", set("guidance", "3,125"), "video_cfg_scale", 3.125},
		{"an unusual frame rate with a decimal comma", set("fps", "23,976 fps"), "fps", 23.976},
		{"advanced pairs with decimal commas", set("advanced", "video_cfg_scale=3,5, stg=0,5,gamma=2"), "video_cfg_scale", 3.5},
		{"the pair after a decimal comma", set("advanced", "video_cfg_scale=3,5, stg=0,5,gamma=2,5 steps=20"), "gradient_estimation_gamma", 2.5},
		{"no sound", set("audio", "off"), "generate_audio", false},
		{"a format", set("format", ".WebM"), "video_output_type", "VP9 (.webm)"},
		{"a negative prompt of none", set("negative", "None"), "negative_prompt", "watermark, signature"},
		{"a seed", set("seed", "0"), "seed", int64(0)},
		{"the largest seed", set("seed", "2147483647"), "seed", int64(2147483647)},
		{"a random seed", set("seed", "random"), "seed", int64(7)},
		{"a seed of -1", set("seed", "-1"), "seed", int64(7)},
		{"blank values, as forms send", set("seed", "", "camera", " ", "negative", ""), "camera_lora", "none"},
		{"the same value twice", set("camera", "dolly_in", "cam", "Dolly In"), "camera_lora", "dolly_in"},
		{"advanced pairs", set("advanced", "video_cfg_scale=4 scheduler=ltx2"), "scheduler", "ltx2"},
		{"advanced pairs with commas and colons", set("advanced", "scheduler:ltx2, stg=0.5,, --gamma = 2"), "gradient_estimation_gamma", 2.0},
		{"advanced pairs with quotes", set("advanced", `negative="blurry, \"soft\"" steps=20`), "negative_prompt", `blurry, "soft"`},
		{"advanced pairs with curly quotes", set("advanced", "camera=“push in”"), "camera_lora", "dolly_in"},
		{"a quality", set("quality", "draft"), "num_inference_steps", int64(8)},
		{"a quality by another word", set("preset", "FAST"), "acceleration", "high"},
		{"an option against a quality", set("quality", "best", "steps", "12"), "num_inference_steps", int64(12)},
		{"an option against a quality, in the other order", set("steps", "12", "quality", "best"), "num_inference_steps", int64(12)},
		{"the rest of that quality", set("steps", "12", "quality", "best"), "video_quality", "maximum"},
		{"a repository", set("lora", "owner/repo"), "loras", []ltx.LoRA{{Path: "owner/repo", Scale: 1}}},
		{"a repository with a scale", set("lora", "owner/repo@0.75"), "loras", []ltx.LoRA{{Path: "owner/repo", Scale: 0.75}}},
		{
			"two LoRAs", set("lora", "a/b@0.8, https://fal.media/files/x.safetensors@1.2"), "loras",
			[]ltx.LoRA{{Path: "a/b", Scale: 0.8}, {Path: "https://fal.media/files/x.safetensors", Scale: 1.2}},
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if diff := cmp.Diff(tt.want, parse(t, tt.in...).Value(tt.api)); diff != "" {
				t.Errorf("%s (-want +got):\n%s", tt.api, diff)
			}
		})
	}
}

func TestPromptsAreCleaned(t *testing.T) {
	got := parse(t, set("prompt", "  a\x00 cow\x1bboy\r\n\tat \xffnoon \u00a0")...).Prompt()
	if want := "a cowboy\n\tat \uFFFDnoon"; got != want {
		t.Errorf("prompt %q, want %q", got, want)
	}
}

func TestPromptLengthIsCountedInCodePoints(t *testing.T) {
	rules := ltx.Rules{Seed: seven}
	if _, err := rules.Parse(set("prompt", strings.Repeat("ü", 2000))); err != nil {
		t.Errorf("2000 characters of two bytes: %v", err)
	}
	_, err := rules.Parse(set("prompt", strings.Repeat("ü", 2001)))
	want := ltx.Invalid{{Option: "prompt", Problem: ltx.TooLong, Count: 2001, Max: 2000, Unit: "characters"}}
	if diff := cmp.Diff(error(want), err); diff != "" {
		t.Errorf("2001 characters (-want +got):\n%s", diff)
	}
}

func TestWhatIsMadeToFitIsNoted(t *testing.T) {
	for _, tt := range []struct {
		name string
		in   []ltx.Setting
		want []string
	}{
		{"a size on the grid", set("size", "1280x704"), nil},
		{"a size off the grid", set("size", "1280x720"), []string{"size: 1280x720 became 1280x704, because sides are multiples of 32 within the limits."}},
		{"a size too large keeps its shape", set("size", "3840x2160"), []string{
			"size: 3840x2160 became 2048x1152, the largest that the model makes here.",
			"size: 3840x2160 is possible with model:pro, model:fast, model:ltx-2.5.",
		}},
		{"a name of a size too large", set("size", "1440p"), []string{
			"size: 1440p became 2048x1152, the largest that the model makes here.",
			"size: 1440p is possible with model:pro, model:fast, model:ltx-2.5.",
		}},
		{"a size too large for the LoRA's models", set("size", "4k", "lora", "a/b"), []string{"size: 4k became 2048x1152, the largest that the model makes here."}},
		{"a size too large for every model", set("size", "8000x4000"), []string{"size: 8000x4000 became 2048x1024, the largest that the model makes here."}},
		{"a size that the model makes", set("size", "4k", "model", "pro"), []string{"model: this goes to Lightricks, a partner of fal, and costs $0.32 a second."}},

		{"a size too small keeps its shape", set("size", "160x90"), []string{"size: 160x90 became 448x256, because sides are multiples of 32 within the limits."}},
		{"a ratio", set("size", "21:9"), []string{"size: 21:9 became 1216x512."}},
		{"seconds on the grid", set("duration", "5"), nil},
		{"seconds as a card shows them", set("duration", "5.04"), nil},
		{"seconds off the grid", set("duration", "6.5"), []string{"duration: 6.5s became 6.71s, because a video has 9, 17, 25 … frames, always 8 more."}},
		{"frames off the grid", set("frames", "120"), []string{"frames: 120 became 121, because a video has 9, 17, 25 … frames, always 8 more."}},
		{"frames beyond 20 seconds", set("frames", "481", "fps", "12"), []string{"frames: 481 became 241, because a video lasts at most 20 seconds."}},
		{"a static camera", set("camera", "static"), []string{`negative: "static" was dropped from the default, because the camera is static.`}},
		{"a static camera and an own negative prompt", set("camera", "static", "negative", "static"), nil},
		{"a GIF", set("format", "gif"), []string{"format: gif has no sound."}},
		{"a GIF without sound", set("format", "gif", "audio", "no"), nil},
		{
			"a model that does not exist, which the prompt keeps", set("prompt", "a fox model:veo"),
			[]string{`model: "veo" is not one of its values, so it stays in the prompt. Its values: ltx-2.3, distilled, quality, pro, fast, ltx-2.5, ltx-2.5-pro.`},
		},
		{
			"an edit that does not exist", set("prompt", "edit:remix a fox"),
			[]string{`edit: "remix" is not one of its values, so it stays in the prompt. Its values: extend, restyle, reference, retake, reframe.`},
		},
		{"the same words as prose", set("prompt", "a model: tall, an edit: quick, a supermodel:anna"), nil},
		{"a strong LoRA", set("lora", "a/b@2"), []string{"lora: 2 is a strong scale; 0.4 to 1.2 is usual."}},
		{
			"the page of a LoRA", set("lora", "https://huggingface.co/a/b/blob/main/x.safetensors?token=hush"),
			[]string{"lora: the page https://huggingface.co/a/b/blob/main/x.safetensors became https://huggingface.co/a/b/resolve/main/x.safetensors."},
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var got []string
			for _, n := range parse(t, tt.in...).Notes {
				got = append(got, sentence(n))
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("notes (-want +got):\n%s", diff)
			}
		})
	}
}

func TestStaticCameraIsNotWorkedAgainst(t *testing.T) {
	if got := parse(t, set("camera", "static")...).Negative(); strings.Contains(got, "static") || !strings.HasSuffix(got, "slowmo") {
		t.Errorf("negative prompt %q", got)
	}
	if got := parse(t, set("camera", "jib up")...).Negative(); !strings.HasSuffix(got, ", static") {
		t.Errorf("negative prompt %q", got)
	}
}

func TestEveryLengthStaysWithinTheModel(t *testing.T) {
	for fps := 1.0; fps <= 60; fps += 0.25 {
		rules := ltx.Rules{Seed: seven, Defaults: []ltx.Setting{{Key: "fps", Value: trim(fps)}}}
		for _, frames := range []string{"9", "10", "13", "121", "240", "480", "481"} {
			req := parseBy(t, rules, set("frames", frames)...)
			n := req.Frames()
			if n%8 != 1 || n < 9 || n > 481 || float64(n) > 20*fps+1 {
				t.Fatalf("%s frames at %v fps became %d", frames, fps, n)
			}
		}
		_, err := rules.Parse(set("prompt", "a", "duration", "999"))
		var e ltx.FieldError
		if !errors.As(err, &e) || e.Problem != ltx.OutOfRange {
			t.Fatalf("999 seconds at %v fps: %v", fps, err)
		}
		for _, limit := range []float64{e.Min, e.Max} {
			if req := parseBy(t, rules, set("duration", trim(limit))...); req.Frames() < 9 {
				t.Fatalf("%v seconds at %v fps became %d frames", limit, fps, req.Frames())
			}
		}
	}
}

func TestTheOperatorsRulesApply(t *testing.T) {
	rules := ltx.Rules{
		Seed: seven,
		Defaults: set("steps", "20", "duration", "3", "enable_safety_checker", "no", "private", "yes",
			"quality", "mine", "video_write_mode", "small"),
		Qualities: map[string][]ltx.Setting{
			"mine": set("steps", "25"),
			"best": set("steps", "50", "guidance", "4"),
		},
		MaxSide: 1000,
	}
	if err := rules.Validate(); err != nil {
		t.Fatal(err)
	}
	req := parseBy(t, rules)
	if !req.Private || req.Steps() != 25 || req.Frames() != 73 || req.Value("enable_safety_checker") != false || req.Value("video_write_mode") != "small" {
		t.Errorf("defaults and their quality are not in %v", maps.Collect(req.Values()))
	}
	if got, want := req.Size(), (ltx.Size{Width: 992, Height: 576}); got != want {
		t.Errorf("size %v, want %v", got, want)
	}
	req = parseBy(t, rules, set("quality", "best", "private", "no", "frames", "9")...)
	if req.Private || req.Steps() != 50 || req.Frames() != 9 || req.Quality() != "best" {
		t.Errorf("what the person asks for is not in %v", maps.Collect(req.Values()))
	}
	if req := parseBy(t, ltx.Rules{AllowUnsafe: true}); req.Value("enable_safety_checker") != false {
		t.Error("the checker is on although the operator turned it off")
	}
}

func TestRandomSeedsDifferAndFit(t *testing.T) {
	seen := map[int64]bool{}
	for range 50 {
		seed := parseBy(t, ltx.Rules{}).Seed()
		if seed < 0 || seed > ltx.MaxSeed {
			t.Fatalf("seed %d", seed)
		}
		seen[seed] = true
	}
	if len(seen) < 45 {
		t.Errorf("50 requests have %d seeds", len(seen))
	}
}

func TestASeedIsDrawnOncePerRequest(t *testing.T) {
	var drawn int64
	rules := ltx.Rules{Seed: func() int64 { drawn++; return drawn }}
	if got := parseBy(t, rules, set("camera", "dolly_in")...).Seed(); got != 1 || drawn != 1 {
		t.Errorf("seed %d after %d draws", got, drawn)
	}
}

func TestTriggersAreAddedOnce(t *testing.T) {
	rules := ltx.Rules{Seed: seven, Library: func(name string) (ltx.LoRA, bool) {
		return ltx.LoRA{Name: "clay", Path: "team/clay", Scale: 0.9, Trigger: "CLAYMATION"}, strings.EqualFold(name, "clay")
	}}
	req := parseBy(t, rules, set("prompt", "a robot", "lora", "Clay@1.1")...)
	if got, want := req.Prompt(), "CLAYMATION, a robot"; got != want {
		t.Errorf("prompt %q, want %q", got, want)
	}
	want := []ltx.Note{{Option: "lora", From: "clay", To: "CLAYMATION", Reason: ltx.AddedTrigger}}
	if diff := cmp.Diff(want, req.Notes); diff != "" {
		t.Errorf("notes (-want +got):\n%s", diff)
	}
	again, err := rules.Parse(req.Settings())
	if err != nil {
		t.Fatal(err)
	}
	if again.Prompt() != req.Prompt() || len(again.Notes) != 0 {
		t.Errorf("parsed again: %q, %v", again.Prompt(), again.Notes)
	}
	if diff := cmp.Diff([]ltx.LoRA{{Name: "clay", Path: "team/clay", Scale: 1.1, Trigger: "CLAYMATION"}}, again.LoRAs()); diff != "" {
		t.Errorf("LoRAs (-want +got):\n%s", diff)
	}
}

func TestBadRulesAreNamed(t *testing.T) {
	for _, tt := range []struct {
		name  string
		rules ltx.Rules
		want  string
	}{
		{"a default out of range", ltx.Rules{Defaults: set("steps", "99")}, "defaults: steps must be between 8 and 50"},
		{"an unknown default", ltx.Rules{Defaults: set("stesp", "9")}, `defaults: There is no option "stesp". Did you mean "steps"?`},
		{"a prompt as default", ltx.Rules{Defaults: set("prompt", "a")}, "defaults: prompt cannot be set here."},
		{"an unknown default quality", ltx.Rules{Defaults: set("quality", "bset")}, `defaults: quality cannot be "bset". Did you mean "best"?`},
		{"a quality with a bad value", ltx.Rules{Qualities: map[string][]ltx.Setting{"x": set("acceleration", "warp")}}, `quality "x": acceleration cannot be "warp"`},
		{"a quality of qualities", ltx.Rules{Qualities: map[string][]ltx.Setting{"x": set("quality", "y")}}, `quality "x": quality cannot be set here.`},
		{"the operator's switch in a quality", ltx.Rules{Qualities: map[string][]ltx.Setting{"x": set("sync_mode", "y")}}, `quality "x": sync_mode is set by whoever`},
		{"a switch that would lose videos", ltx.Rules{Defaults: set("sync_mode", "yes")}, "defaults: sync_mode must stay off"},
		{"a side too long", ltx.Rules{MaxSide: 4000}, "the longest side is 4000"},
		{"a negative limit", ltx.Rules{MaxLoRAs: -1}, "must not be negative"},
		{"a host with a path", ltx.Rules{LoRAHosts: []string{"https://huggingface.co/"}}, `"https://huggingface.co/" is not a host`},
		{"a default that is too expensive", ltx.Rules{MaxMegapixels: 50}, `a request with the defaults and quality "": size: 1024x576 for 5.04s has 72 megapixels`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			err := tt.rules.Validate()
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %v, want %q in it", err, tt.want)
			}
		})
	}
	for _, rules := range []ltx.Rules{
		{},
		{Defaults: ltx.SettingsOf(map[string]string{"enable_safety_checker": "no", "duration": "4"}), LoRAHosts: []string{"*.example.com"}, MaxMegapixels: 80},
	} {
		if err := rules.Validate(); err != nil {
			t.Errorf("good rules: %v", err)
		}
	}
}

func trim(v float64) string { return strconv.FormatFloat(v, 'f', -1, 64) }

package ltx_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"ltxbot/core/ltx"
	"ltxbot/internal/golden"
)

// refused are settings that must not be accepted. Each line is parsed with a
// prompt unless it names one. testdata/refusals.txt shows what people read.
var refused = []struct {
	rules ltx.Rules
	in    []ltx.Setting
}{
	{in: set("camra", "dolly_in")},
	{in: set("video_cfg_scal", "4")},
	{in: set("zzzzzz", "1")},
	{in: set("prompt", " \n ")},
	{in: set("prompt", strings.Repeat("x", 2345))},
	{in: set("negative", strings.Repeat("x", 2001))},
	{in: set("camera", "doly in")},
	{in: set("camera", "dolly")},
	{in: set("camera", "pan left")},
	{in: set("camera", "spin")},
	{in: set("format", "avi")},
	{in: set("advanced", "scheduler=euler")},
	{in: set("quality", "bst")},
	{in: set("audio", "loud")},
	{in: set("steps", "99")},
	{in: set("steps", "many")},
	{in: set("steps", "12.5")},
	{in: set("fps", "0")},
	{in: set("fps", "NaN")},
	{in: set("guidance", "0x10")},
	{in: set("guidance", "Inf")},
	{in: set("guidance", "1e1")},
	{in: set("guidance", "-3")},
	{in: set("camera_scale", "1.5")},
	{in: set("seed", "2147483648")},
	{in: set("seed", "1,000")},
	{in: set("frames", "8")},
	{in: set("frames", "482")},
	{in: set("duration", "40")},
	{in: set("duration", "0")},
	{in: set("duration", "40", "fps", "60")},
	{in: set("duration", "long")},
	{in: set("duration", "-5")},
	{in: set("duration", "5", "frames", "121")},
	{in: set("camera", "dolly_in", "camera", "jib up")},
	{in: set("steps", "20", "advanced", "num_inference_steps=30")},
	{in: set("prompt", "one", "prompt", "two")},
	{in: set("lora", "a/b 0.8")},
	{in: set("lora", "a/b; c/d")},
	{in: set("lora_strength", "0.5")},
	{in: set("size", "-64x64")},
	{in: set("size", "huge")},
	{in: set("size", "8k")},
	{in: set("size", "8k", "model", "pro")},
	{in: set("size", "480p")},
	{in: set("size", "portrai")},
	{in: set("size", "0x0")},
	{in: set("size", "99999x10")},
	{in: set("size", "100:1")},
	{in: set("no", "people")},
	{in: set("count", "5")},
	{in: set("model", "pro", "negative", "rain", "seed", "7", "camera", "dolly_in", "lora", "a/b")},
	{in: set("model", "ltx-2.5", "seed", "7", "camera", "dolly_in")},
	{in: set("model", "ltx-2.3", "camera", "focus_shift")},
	{in: set("camera", "focus shift")},
	{in: set("camera", "rack focus"), rules: ltx.Rules{Models: []string{"ltx-2.3", "pro"}}},
	{in: set("camera", "focus_shift"), rules: ltx.Rules{Models: []string{"ltx-2.3"}, Reserved: map[string][]string{"ltx-2.5": {"studio"}}, Tiers: []string{"studio"}}},
	{in: set("camera", "focus_shift", "image", "https://example.com/a.png")},
	{in: set("model", "quality", "lora", "https://fal.media/x.safetensors@3")},
	{in: set("model", "quality", "steps", "45")},
	{in: set("model", "flux-2")},
	{in: set("model", "pro", "quality", "best")},
	{in: set("clip", "https://example.com/a.mp4", "edit", "retake", "quality", "draft")},
	{in: set("model", "quality", "camera", "static"), rules: ltx.Rules{Defaults: set("steps", "40", "camera", "dolly_in", "lora", "a/b", "guidance", "5")}},
	{in: set("model", "quality"), rules: ltx.Rules{Models: []string{"distilled"}}},
	{in: set("model", "hq"), rules: ltx.Rules{Models: []string{"distilled"}, Reserved: map[string][]string{"quality": {"studio", "gold"}}, Tiers: []string{"silver"}}},
	{in: set("model", "distilled", "clip", "https://example.com/a.mp4")},
	{in: set("model", "fast", "soundtrack", "https://example.com/a.mp3")},
	{in: set("clip", "https://example.com/a.mp4", "image", "https://example.com/a.png")},
	{in: set("clip", "https://example.com/a.mp4", "soundtrack", "https://example.com/a.mp3")},
	{in: set("clip", "https://example.com/a.mp4", "edit", "retake", "lora", "a/b", "size", "720p")},
	{in: set("clip", "https://example.com/a.mp4", "edit", "nonsense")},
	{in: set("clip", "https://example.com/a.mp4", "edit", "retake start_time:1")},
	{in: set("clip", "https://example.com/a.mp4", "edit", "reframe")},
	{in: set("end_image", "https://example.com/a.png")},
	{in: set("soundtrack", "https://example.com/a.mp3", "audio", "yes")},
	{in: set("model", "quality", "lora", "a/b")},
	{in: set("model", "quality", "lora", "https://fal.media/x.safetensors@3", "steps", "40")},
	{in: set("edit", "extend")},
	{in: set("image", "http://example.com/a.png?token=hush")},
	{in: set("image", "https://user:hush@example.com/a.png")},
	{in: set("end_image", "https://localhost/a.png", "soundtrack", "https://127.0.0.1/a.mp3", "clip", "https://example.com:8443/a.mp4")},
	{in: set("clip", "cat.mp4")},
	{in: set("image", "slack:F123HUSH0", "end_image", "discord:https://cdn.discordapp.com/a.png?ex=hush")},
	{in: set("advanced", "scheduler ltx2")},
	{in: set("advanced", "enable_safety_checker=no")},
	{in: set("advanced", "advanced=x shceduler=ltx2")},
	{in: set("sync_mode", "yes")},
	{in: set("size", "1080p", "duration", "20"), rules: ltx.Rules{MaxMegapixels: 300}},
	{in: set("size", "1080p"), rules: ltx.Rules{MaxMegapixels: 10}},
	{in: set("lora", "clya"), rules: ltx.Rules{LibraryNames: func() []string { return []string{"anime", "clay"} }}},
	{in: set("lora", "style")},
	{in: set("style", "nior"), rules: ltx.Rules{StyleNames: func() []string { return []string{"anime", "noir"} }}},
	{in: set("lora", "a/b@7")},
	{in: set("lora", "a/b@strong")},
	{in: set("lora", "a/b,c/d,e/f,g/h")},
	{in: set("lora", "a/b"), rules: ltx.Rules{LoRAHosts: []string{"fal.media"}}},
	{in: set("lora", "http://huggingface.co/a/b/resolve/main/x.safetensors")},
	{in: set("lora", "data:text/plain,x")},
	{in: set("lora", "https://user:hush@huggingface.co/a/b/resolve/main/x.safetensors")},
	{in: set("lora", "https://huggingface.co:8443/x.safetensors")},
	{in: set("lora", "https://127.0.0.1/x.safetensors")},
	{in: set("lora", "https://localhost/x.safetensors")},
	{in: set("lora", "https://evil.example/x.safetensors?token=hush")},
	{in: set("lora", "https://huggingface.co/a/b/resolve/main/x.ckpt?token=hush")},
	{in: set("lora", "https://huggingface.co/a/b/resolve/main/x.gguf")},
	{in: set("lora", "https://civitai.com/models/12345/some-style?token=hush")},
	{in: set("lora", "https://huggingface.co/datasets/a/b?token=hush")},
	{in: set("lora", "https://huggingface.co/a/b/tree/main/loras")},
	{in: set("lora", "https://cdn-lfs.huggingface.co/repos/a/b?Signature=hush")},
	{in: set("lora", "https://storage.googleapis.com/b/x.safetensors?Signature=hush&Expires=946684800")},
	{in: set("lora", "https://drive.google.com/file/d/1AbC/view?usp=hush")},
	{in: set("lora", "https://civitai.com/api/download/models/12345?type=Model&format=PickleTensor&token=hush")},
	{in: set("lora", "https://fal.media/"+strings.Repeat("x", 2048)+".safetensors")},
	{in: set("lora", "https://huggingface.co\\@evil.example/x.safetensors")},
	{in: set("lora", "https://localhost/a.safetensors,nothing,a/b@9")},
	{in: set("image", "This")},
	{in: set("steps", "99", "camera", "doly in", "durations", "40", "lora", "x", "audio", "maybe")},
}

func TestRefusals(t *testing.T) {
	var b strings.Builder
	// Misplaced is in TestBadRulesAreNamed, MediaLength in TestFilesSettleSizeAndLength.
	met := map[ltx.Problem]bool{ltx.Misplaced: true, ltx.MediaLength: true}
	for _, tt := range refused {
		in := tt.in
		if !slices.ContainsFunc(in, func(s ltx.Setting) bool { return s.Key == "prompt" }) {
			in = append(set("prompt", "a cowboy"), in...)
		}
		_, err := tt.rules.Parse(in)
		var invalid ltx.Invalid
		if !errors.As(err, &invalid) {
			t.Errorf("%v: got %v, want it refused", tt.in, err)
			continue
		}
		for i, s := range tt.in {
			if i > 0 {
				b.WriteByte(' ')
			}
			if len(s.Value) > 100 {
				s.Value = fmt.Sprintf("%s… (%d bytes)", s.Value[:20], len(s.Value))
			}
			fmt.Fprintf(&b, "%s:%q", s.Key, s.Value)
		}
		b.WriteByte('\n')
		for _, e := range invalid {
			met[e.Problem] = true
			fmt.Fprintf(&b, "    %s\n", e.Error())
			if strings.Contains(e.Error(), "hush") {
				t.Errorf("%v: the error holds a secret: %v", tt.in, e)
			}
		}
		b.WriteByte('\n')
	}
	for _, p := range ltx.Problems() {
		if !met[p] {
			t.Errorf("no refusal shows %s", p)
		}
	}
	golden.Equal(t, "refusals.txt", b.String())
}

func TestAllProblemsAreToldAtOnce(t *testing.T) {
	_, err := ltx.Rules{}.Parse(set("steps", "99", "camera", "spin", "lora", "x,y@9", "foo", "bar"))
	var invalid ltx.Invalid
	if !errors.As(err, &invalid) {
		t.Fatal(err)
	}
	var got []string
	for _, e := range invalid {
		got = append(got, e.Option+" "+string(e.Problem))
	}
	want := "foo unknown, prompt missing, camera not_a_choice, lora lora_unknown, lora lora_scale, steps out_of_range"
	if strings.Join(got, ", ") != want {
		t.Errorf("got  %s\nwant %s", strings.Join(got, ", "), want)
	}
}

func TestATextFullOfMistakesCostsLittle(t *testing.T) {
	in := set("prompt", "a", "advanced", strings.Repeat("stesp=9 ", 10_000), "lora", strings.Repeat("x,", 10_000))
	_, err := ltx.Rules{}.Parse(in)
	var invalid ltx.Invalid
	if !errors.As(err, &invalid) || len(invalid) > 60 {
		t.Errorf("%d problems", len(invalid))
	}
}

func BenchmarkParse(b *testing.B) {
	in := set("prompt", "a cowboy walks through a dusty town", "camera", "dolly in", "size", "9:16", "duration", "6.5s", "advanced", "stg=0.5 scheduler=ltx2")
	b.ReportAllocs()
	for b.Loop() {
		if _, err := (ltx.Rules{}).Parse(in); err != nil {
			b.Fatal(err)
		}
	}
}

// TestOnlyAQualityThatWasTypedIsRefused: the operator's own is left out where a
// model has nothing of it.
func TestOnlyAQualityThatWasTypedIsRefused(t *testing.T) {
	rules := ltx.Rules{Defaults: set("quality", "best")}
	for _, in := range [][]ltx.Setting{set("model", "pro"), set("model", "pro", "quality", "none"), set("model", "distilled", "quality", "best")} {
		if _, err := rules.Parse(append(set("prompt", "a"), in...)); err != nil {
			t.Errorf("%v: %v", in, err)
		}
	}
}

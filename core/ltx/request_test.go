package ltx_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/santhosh-tekuri/jsonschema/v6"
	"pgregory.net/rapid"

	"ltxbot/core/ltx"
	"ltxbot/core/usd"
	simfal "ltxbot/sim/fal"
)

// inputSchema compiles the provider's schema of the input.
func inputSchema(t testing.TB) *jsonschema.Schema {
	t.Helper()
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(simfal.Document(ltx.DefaultEndpoint)))
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	if err := c.AddResource("mem:///schema.json", doc); err != nil {
		t.Fatal(err)
	}
	schema, err := c.Compile("mem:///schema.json#/components/schemas/Ltx2322bTextToVideoLoraInput")
	if err != nil {
		t.Fatal(err)
	}
	return schema
}

// checkValues holds the values of a request against the provider's schema: all
// inputs are there, and each fits.
func checkValues(schema *jsonschema.Schema, req ltx.Request) error {
	values := maps.Collect(req.Values())
	values["loras"] = append([]ltx.LoRA{}, req.LoRAs()...) // a list, if an empty one
	b, err := json.Marshal(values)
	if err != nil {
		return err
	}
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(b))
	if err != nil {
		return err
	}
	if got, want := len(values), len(schema.Properties); got != want {
		return fmt.Errorf("%d of %d inputs", got, want)
	}
	return schema.Validate(doc)
}

func TestARequestSurvivesStorage(t *testing.T) {
	rules := ltx.Rules{Seed: seven, Library: func(name string) (ltx.LoRA, bool) { return ltx.LoRA{Path: "team/" + name}, name == "clay" }}
	for name, req := range map[string]ltx.Request{
		"nothing":  {},
		"defaults": parse(t),
		"much": parseBy(t, rules, set("quality", "best", "private", "yes", "frames", "100", "lora", "a/b@0.5,clay", "size", "1280x720",
			"advanced", "stg=0.25")...),
	} {
		b, err := json.Marshal(req)
		if err != nil {
			t.Fatal(err)
		}
		var again ltx.Request
		if err := json.Unmarshal(b, &again); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(req, again); diff != "" || !req.Equal(again) {
			t.Errorf("%s (-was +is):\n%s", name, diff)
		}
		if diff := cmp.Diff(req.Settings(), again.Settings()); diff != "" {
			t.Errorf("%s: settings (-was +is):\n%s", name, diff)
		}
	}
}

func TestAnUnknownStoredInputIsIgnored(t *testing.T) {
	var req ltx.Request
	if err := json.Unmarshal([]byte(`{"values":{"prompt":"a","seed":3,"num_frames":9,"gone":1},"new":true}`), &req); err != nil {
		t.Fatal(err)
	}
	if req.Prompt() != "a" || req.Seed() != 3 || req.Frames() != 9 {
		t.Errorf("got %v", maps.Collect(req.Values()))
	}
	for _, bad := range []string{`[]`, `{"values":[]}`, `{"values":{"prompt":"a","seed":"x"}}`} {
		if err := json.Unmarshal([]byte(bad), &req); err == nil {
			t.Errorf("%s is accepted", bad)
		}
	}
}

func TestSettingsSayWhatThePersonChose(t *testing.T) {
	for _, tt := range []struct {
		name string
		in   []ltx.Setting
		want string
	}{
		{"nothing but a prompt", nil, `prompt:"a cowboy" seed:7`},
		{"what is the default anyway", set("camera", "none", "audio", "yes", "duration", "5", "size", "16:9", "steps", "15"), `prompt:"a cowboy" seed:7`},
		{"options", set("camera", "Push In", "size", "1280x704", "seed", "9", "audio", "0"), `prompt:"a cowboy" camera:dolly_in size:720p seed:9 audio:no`},
		{"frames as a duration", set("frames", "161"), `prompt:"a cowboy" seed:7 duration:6.7`},
		{"a quality stays one", set("quality", "fast"), `prompt:"a cowboy" seed:7 quality:draft`},
		{"a quality and more", set("quality", "best", "steps", "45"), `prompt:"a cowboy" seed:7 quality:best steps:45`},
		{"experts' inputs", set("advanced", "stg=0.5", "private", "on"), `prompt:"a cowboy" seed:7 private:yes video_stg_scale:0.5`},
		{"quotes", set("prompt", `say "hi\" to them`), `prompt:"say \"hi\\\" to them" seed:7`},
		{"a negative prompt", set("negative", "none"), `prompt:"a cowboy" negative:"watermark, signature" seed:7`},
		{"LoRAs without their secrets", set("lora", "a/b,https://civitai.com/api/download/models/1?token=hush@0.5"), `prompt:"a cowboy" lora:"a/b,https://civitai.com/api/download/models/1@0.5" seed:7`},
		{"a GIF", set("format", "GIF (.gif)"), `prompt:"a cowboy" seed:7 format:gif`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got := strings.Fields(parse(t, tt.in...).CommandLine())
			if diff := cmp.Diff(sortedWords(tt.want), sortedWords(strings.Join(got, " "))); diff != "" {
				t.Errorf("command line (-want +got):\n%s", diff)
			}
		})
	}
}

func TestChangedIsFitForACard(t *testing.T) {
	req := parse(t, set("camera", "dolly in", "lora", "https://civitai.com/api/download/models/1?token=hush", "quality", "best", "seed", "random")...)
	want := set("camera", "dolly_in", "lora", "https://civitai.com/api/download/models/1", "quality", "best")
	if diff := cmp.Diff(want, req.Changed()); diff != "" {
		t.Errorf("changed (-want +got):\n%s", diff)
	}
	if strings.Contains(req.CommandLine(), "hush") {
		t.Errorf("the command line is %s", req.CommandLine())
	}
}

func TestEditingARequest(t *testing.T) {
	rules := ltx.Rules{Seed: seven}
	req := parse(t, set("camera", "dolly_in", "duration", "8", "seed", "5", "advanced", "stg=0.5", "steps", "20")...)
	for _, tt := range []struct {
		name    string
		changes []ltx.Setting
		want    string
	}{
		{"nothing", nil, `prompt:"a cowboy" camera:dolly_in duration:8 seed:5 steps:20 video_stg_scale:0.5`},
		{"the prompt", set("prompt", "a horse"), `prompt:"a horse" camera:dolly_in duration:8 seed:5 steps:20 video_stg_scale:0.5`},
		{"by another spelling", set("Cam", "jib up"), `prompt:"a cowboy" camera:jib_up duration:8 seed:5 steps:20 video_stg_scale:0.5`},
		{"frames in place of seconds", set("frames", "97"), `prompt:"a cowboy" camera:dolly_in duration:4 seed:5 steps:20 video_stg_scale:0.5`},
		{"something taken back", set("camera", "", "advanced", "steps= stg=0"), `prompt:"a cowboy" duration:8 seed:5 video_stg_scale:0`},
		{"a new seed", set("seed", "random"), `prompt:"a cowboy" camera:dolly_in duration:8 seed:7 steps:20 video_stg_scale:0.5`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got, err := req.With(rules, tt.changes...)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(sortedWords(tt.want), sortedWords(got.CommandLine())); diff != "" {
				t.Errorf("command line (-want +got):\n%s", diff)
			}
		})
	}
	if _, err := req.With(rules, set("camera", "spin")...); err == nil {
		t.Error("a bad change is accepted")
	}
}

func TestAgainChangesTheSeedOnly(t *testing.T) {
	req := parse(t, set("camera", "jib up", "seed", "5")...)
	again := req.WithSeed(6)
	if req.Seed() != 5 || again.Seed() != 6 {
		t.Errorf("seeds %d and %d", req.Seed(), again.Seed())
	}
	if diff := cmp.Diff(req, again.WithSeed(5)); diff != "" || req.Equal(again) {
		t.Errorf("more than the seed differs: %s", diff)
	}
	if zero := (ltx.Request{}).WithSeed(1); !zero.IsZero() {
		t.Error("no request got a seed")
	}
}

func TestFoldingForForms(t *testing.T) {
	in := set("prompt", "a", "use_multiscale", "no", "steps", "20", "scheduler", "odd, value")
	want := set("prompt", "a", "steps", "20", "advanced", `use_multiscale=no scheduler="odd, value"`)
	if diff := cmp.Diff(want, ltx.Fold(in)); diff != "" {
		t.Errorf("folded (-want +got):\n%s", diff)
	}
}

func TestWhatARequestTells(t *testing.T) {
	req := parse(t, set("lora", "a/b@0.5", "camera", "up", "camera_scale", "0.4", "expand", "no", "audio", "no", "fps", "25", "frames", "161", "private", "yes")...)
	if !req.HasLoRA() || req.Camera() != "jib_up" || req.CameraScale() != 0.4 || req.Expand() || req.Audio() || req.Seconds() != 6.44 || !req.Private {
		t.Errorf("got %v", maps.Collect(req.Values()))
	}
	req.LoRAs()[0].Path = "changed"
	if got := req.LoRAs()[0].Path; got != "a/b" {
		t.Errorf("a caller changed the path to %s", got)
	}
	if zero := (ltx.Request{}); !zero.IsZero() || zero.Seconds() != 0 || zero.Megapixels() != 0 || zero.HasLoRA() || zero.Settings() != nil || zero.Value("seed") != nil {
		t.Error("the zero request asks for something")
	}
}

// The prices are those of https://fal.ai/models/fal-ai/ltx-2.3-22b/text-to-video/lora.
func TestPrices(t *testing.T) {
	for _, tt := range []struct {
		size, frames string
		megapixels   int64
		price        usd.Micros
	}{
		{"512x512", "121", 32, 57_760},
		{"1024x576", "121", 72, 129_960},
		{"768x1024", "121", 96, 173_280},
		{"1280x704", "121", 110, 198_550},
		{"1024x1024", "121", 127, 229_235},
		{"1248x704", "161", 142, 256_310},
		{"1024x576", "241", 143, 258_115},
		{"1024x576", "481", 284, 512_620},
	} {
		req := parse(t, set("size", tt.size, "frames", tt.frames)...)
		if got := req.Megapixels(); got != tt.megapixels {
			t.Errorf("%s × %s: %d megapixels, want %d", tt.size, tt.frames, got, tt.megapixels)
		}
		if got := req.Estimate(ltx.Price{Unit: ltx.Megapixel, USD: ltx.DefaultUSDPerMegapixel}); got != tt.price {
			t.Errorf("%s × %s: %d micro-dollars, want %d", tt.size, tt.frames, got, tt.price)
		}
	}
}

func TestCostIsNeverBelowTheBill(t *testing.T) {
	for _, tt := range []struct {
		megapixels, rate float64
		want             usd.Micros
	}{
		{72, 0.001805, 129_960},
		{1, 0.0018051, 1_806},
		{3.008, 0.001605, 4_828},
		{1, 0.0000001, 1},
		{0, 0.001805, 0},
		{-1, 0.001805, 0},
		{math.NaN(), 1, 0},
		{math.Inf(1), 1, 1 << 60},
	} {
		if got := ltx.Cost(tt.megapixels, tt.rate); got != tt.want {
			t.Errorf("%v at $%v: %d, want %d", tt.megapixels, tt.rate, got, tt.want)
		}
	}
}

// textRows are the rows that set something of a video from text, with the
// limits that they have there.
func textRows() []ltx.Param {
	var rows []ltx.Param
	for _, p := range ltx.Params() {
		if p.Name == "" && p.Key() != "model" && p.Key() != "edit" {
			rows = append(rows, p)
		}
		for _, f := range ltx.FieldsForTest(ltx.DefaultEndpoint) {
			if f.Name == p.Name {
				rows = append(rows, f.Param)
			}
		}
	}
	return rows
}

// someSettings draws settings that are all valid.
func someSettings(t *rapid.T) []ltx.Setting {
	settings := []ltx.Setting{{Key: "prompt", Value: rapid.StringMatching(`[a-zA-ZäöüÄ"'\\,. 。\n]{0,40}x`).Draw(t, "prompt")}}
	for _, p := range textRows() {
		if p.Operator || p.Key() == "prompt" || p.Key() == "frames" || !rapid.Bool().Draw(t, "sets "+p.Key()) {
			continue
		}
		var value string
		switch p.Kind {
		case ltx.KindText:
			value = rapid.StringMatching(`[a-z",\\ ]{0,20}`).Draw(t, p.Key())
		case ltx.KindBool:
			value = rapid.SampledFrom([]string{"yes", "no", "TRUE", "0"}).Draw(t, p.Key())
		case ltx.KindInt:
			value = trim(float64(rapid.Int64Range(int64(p.Min), int64(p.Max)).Draw(t, p.Key())))
		case ltx.KindFloat:
			value = trim(rapid.Float64Range(p.Min, p.Max).Draw(t, p.Key()))
			if len(value) > 40 {
				value = value[:40]
			}
		case ltx.KindChoice, ltx.KindPreset:
			value = rapid.SampledFrom(p.Choices).Draw(t, p.Key()).Typed()
		case ltx.KindSize:
			value = ltx.Size{Width: rapid.IntRange(33, 5000).Draw(t, "width"), Height: rapid.IntRange(1, 5000).Draw(t, "height")}.String()
		case ltx.KindDuration:
			value = rapid.SampledFrom([]string{"8", "8.1s", "8,33", "8000ms"}).Draw(t, p.Key())
		case ltx.KindLoRAs:
			value = rapid.SampledFrom([]string{"none", "a/b", "a/b@0.5,c/d@4", "https://fal.media/a@b/x.safetensors?t=1", "huggingface.co/a/b/blob/x/y.safetensors@0"}).Draw(t, p.Key())
		case ltx.KindAdvanced, ltx.KindMedia, ltx.KindStyle:
			continue
		}
		settings = append(settings, ltx.Setting{Key: p.Key(), Value: value})
	}
	if fps := rapid.SampledFrom([]string{"24", "25", "30", "12.5", "60"}).Draw(t, "frame rate"); true {
		settings = replaceFPS(settings, fps)
	}
	return settings
}

// replaceFPS keeps the frame rate where every duration drawn is possible.
func replaceFPS(settings []ltx.Setting, fps string) []ltx.Setting {
	for i := range settings {
		if settings[i].Key == "fps" {
			settings[i].Value = fps
		}
		if settings[i].Key == "duration" && fps == "60" {
			settings[i].Value = "7.9"
		}
	}
	return settings
}

func TestAnyRequestFitsTheSchemaAndCanBeMadeAgain(t *testing.T) {
	schema := inputSchema(t)
	rapid.Check(t, func(t *rapid.T) {
		rules := ltx.Rules{Seed: seven}
		if rapid.Bool().Draw(t, "operator has defaults") {
			rules.Defaults = set("steps", "20", "duration", "3", "quality", "best", "lora", "x/y@0.3", "size", "square", "audio", "no", "camera", "static")
		}
		req, err := rules.Parse(someSettings(t))
		if err != nil {
			t.Fatal(err)
		}
		if err := checkValues(schema, req); err != nil {
			t.Fatal(err)
		}
		again, err := rules.Parse(req.Settings())
		if err != nil {
			t.Fatalf("settings %v: %v", req.Settings(), err)
		}
		if diff := sameValues(req, again); diff != "" || req.Private != again.Private {
			t.Fatalf("settings %v make another request:\n%s", req.Settings(), diff)
		}
		viaLine, err := rules.Parse(set("advanced", ltx.WholeLine(req)))
		if err != nil {
			t.Fatalf("line %s: %v", ltx.WholeLine(req), err)
		}
		if diff := sameValues(req, viaLine); diff != "" {
			t.Fatalf("line %s makes another request:\n%s", ltx.WholeLine(req), diff)
		}
		folded, err := rules.Parse(ltx.Fold(req.Settings()))
		if err != nil || sameValues(req, folded) != "" {
			t.Fatalf("folded %v: %v", ltx.Fold(req.Settings()), err)
		}
		b, err := json.Marshal(req)
		if err != nil {
			t.Fatal(err)
		}
		var stored ltx.Request
		if err := json.Unmarshal(b, &stored); err != nil || !stored.Equal(req) {
			t.Fatalf("stored as %s: %v", b, err)
		}
	})
}

func FuzzParse(f *testing.F) {
	f.Add("a cowboy", "camera", "dolly in", "size", "1280x720")
	f.Add("x", "duration", "6,5 s", "fps", "23.976")
	f.Add("x", "advanced", `negative="a, \"b\"" stg=.5,steps=9`, "lora", "https://fal.media/x.safetensors?a=b@2")
	f.Add("x", "frames", "482", "seed", "-1")
	schema := inputSchema(f)
	f.Fuzz(func(t *testing.T, prompt, key1, value1, key2, value2 string) {
		rules := ltx.Rules{Seed: seven}
		req, err := rules.Parse(set("prompt", prompt, key1, value1, key2, value2))
		if err != nil {
			if err.Error() == "" {
				t.Fatalf("a refusal without a text: %#v", err)
			}
			return
		}
		if err := checkValues(schema, req); err != nil {
			t.Fatal(err)
		}
		again, err := rules.Parse(req.Settings())
		if err != nil {
			t.Fatalf("settings %v: %v", req.Settings(), err)
		}
		if diff := sameValues(req, again); diff != "" {
			t.Fatalf("settings %v make another request:\n%s", req.Settings(), diff)
		}
	})
}

// sameValues tells how the values of two requests differ.
func sameValues(a, b ltx.Request) string {
	return cmp.Diff(maps.Collect(a.Values()), maps.Collect(b.Values()))
}

// sortedWords splits a command line at its spaces, ignoring the order.
func sortedWords(line string) []string {
	words := strings.Fields(line)
	slices.Sort(words)
	return words
}

package fal_test

import (
	"bytes"
	"encoding/json"
	"testing"

	"github.com/google/go-cmp/cmp"

	"ltxbot/core/generate"
	"ltxbot/core/ltx"
	"ltxbot/internal/golden"
	"ltxbot/internal/testfile"
	"ltxbot/provider/fal"
	sim "ltxbot/sim/fal"
)

// inputs is how many inputs the endpoint has.
func inputs(t *testing.T) int {
	t.Helper()
	var d struct {
		Components struct {
			Schemas map[string]struct {
				Properties map[string]any `json:"properties"`
			} `json:"schemas"`
		} `json:"components"`
	}
	if err := json.Unmarshal(sim.Document(lora), &d); err != nil {
		t.Fatal(err)
	}
	n := len(d.Components.Schemas["Ltx2322bTextToVideoLoraInput"].Properties)
	if n == 0 {
		t.Fatal("the document has no inputs")
	}
	return n
}

func TestInput(t *testing.T) {
	for name, o := range map[string]generate.JobRequest{
		"input_default.json": jobRequest(t, `a <cowboy> & "friends"`),
		"input_full.json": jobRequest(t, "a cowboy", set("camera", "push in", "camera_scale", "0.6", "size", "9:16", "duration", "8s", "fps", "25",
			"lora", "owner/repo@0.8, https://civitai.com/api/download/models/1?token=t", "negative", "blurry", "audio", "no",
			"quality", "best", "guidance", "4.5", "format", "webm", "expand", "no", "advanced", "gamma=2 scheduler=ltx2")...),
	} {
		t.Run(name, func(t *testing.T) {
			body, err := fal.Input(o)
			if err != nil {
				t.Fatal(err)
			}
			var b bytes.Buffer
			if err := json.Indent(&b, body, "", "  "); err != nil {
				t.Fatal(err)
			}
			b.WriteByte('\n')
			golden.Equal(t, name, b.String())
		})
	}
}

func set(pairs ...string) []ltx.Setting {
	var settings []ltx.Setting
	for i := 0; i < len(pairs); i += 2 {
		settings = append(settings, ltx.Setting{Key: pairs[i], Value: pairs[i+1]})
	}
	return settings
}

// decoded is the body of a submit.
func decoded(t *testing.T, o generate.JobRequest) map[string]any {
	t.Helper()
	body, err := fal.Input(o)
	if err != nil {
		t.Fatal(err)
	}
	var in map[string]any
	if err := json.Unmarshal(body, &in); err != nil {
		t.Fatal(err)
	}
	return in
}

func TestTheEndpointWithoutLoRAsIsSentNone(t *testing.T) {
	o := jobRequest(t, prompt)
	with := decoded(t, o)
	without := decoded(t, plainJobRequest(t, prompt))
	delete(with, "loras")
	if diff := cmp.Diff(with, without); diff != "" {
		t.Errorf("other fields differ (-with +without):\n%s", diff)
	}
}

// The example is the one on
// https://fal.ai/models/fal-ai/ltx-2.3-22b/text-to-video/lora/api.
func TestDefaultsAreThoseOfTheModelsPage(t *testing.T) {
	b := testfile.Read(t, "testdata/example-input.json")
	var page map[string]any
	if err := json.Unmarshal(b, &page); err != nil {
		t.Fatal(err)
	}
	sent := decoded(t, jobRequest(t, page["prompt"].(string)))
	page["video_size"] = map[string]any{"width": 1024.0, "height": 576.0} // always sent in pixels
	for name := range sent {
		if _, shown := page[name]; !shown {
			delete(sent, name)
		}
	}
	if diff := cmp.Diff(page, sent); diff != "" {
		t.Errorf("input (-page +sent):\n%s", diff)
	}
}

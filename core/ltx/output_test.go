package ltx_test

import (
	"encoding/json"
	"testing"

	"github.com/google/go-cmp/cmp"

	"ltxbot/core/ltx"
)

func TestAnOutputSurvivesStorage(t *testing.T) {
	seed := int64(149063119)
	o := ltx.Output{
		URL: "https://v3b.fal.media/files/b/x.mp4", ContentType: "video/mp4", FileName: "x.mp4", FileSize: 12,
		Width: 1248, Height: 704, Frames: 161, FPS: 25, Seconds: 6.44, Seed: &seed, Prompt: "a cowboy",
	}
	stored, err := json.Marshal(o)
	if err != nil {
		t.Fatal(err)
	}
	var again ltx.Output
	if err := json.Unmarshal(stored, &again); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(o, again); diff != "" {
		t.Errorf("stored (-was +is):\n%s", diff)
	}
}

func TestMegapixelsAreThoseOfTheOutput(t *testing.T) {
	if mp, ok := (ltx.Output{Width: 1248, Height: 704, Frames: 161}).Megapixels(); mp != 142 || !ok {
		t.Errorf("%d megapixels, %v", mp, ok)
	}
	if _, ok := (ltx.Output{URL: "u", Width: 9}).Megapixels(); ok {
		t.Error("megapixels are known without height and frames")
	}
}

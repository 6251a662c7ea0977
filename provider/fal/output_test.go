package fal_test

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"ltxbot/core/ltx"
	"ltxbot/internal/testfile"
	"ltxbot/provider/fal"
)

func TestTheOutputOfTheModelsPage(t *testing.T) {
	b := testfile.Read(t, "testdata/example-output.json")
	o, err := fal.DecodeOutput(b)
	if err != nil {
		t.Fatal(err)
	}
	seed := int64(149063119)
	want := ltx.Output{
		URL:         "https://v3b.fal.media/files/b/0a8824b1/sdm0KfmenrlywesfzY1Y1_if6euPp1.mp4",
		ContentType: "video/mp4", FileName: "sdm0KfmenrlywesfzY1Y1_if6euPp1.mp4",
		Width: 1248, Height: 704, Frames: 161, FPS: 25, Seconds: 6.44, Seed: &seed,
		Prompt: "A cowboy walking through a dusty town at high noon, camera following from behind, cinematic depth, realistic lighting, western mood, 4K film grain.",
	}
	if diff := cmp.Diff(want, o); diff != "" {
		t.Errorf("output (-want +got):\n%s", diff)
	}
}

func TestAVideoIsNotLostForADetail(t *testing.T) {
	zero := int64(0)
	for _, tt := range []struct {
		name, body string
		want       ltx.Output
	}{
		{"only a URL", `{"video":{"url":"u"}}`, ltx.Output{URL: "u"}},
		{"nulls", `{"video":{"url":"u","width":null,"fps":null,"file_name":null},"seed":null,"prompt":null}`, ltx.Output{URL: "u"}},
		{"floats", `{"video":{"url":"u","width":1248.0,"height":704.0,"num_frames":161.0,"file_size":12.0},"seed":0.0}`, ltx.Output{URL: "u", Width: 1248, Height: 704, Frames: 161, FileSize: 12, Seed: &zero}},
		{"numbers in strings", `{"video":{"url":"u","width":"1248"}}`, ltx.Output{URL: "u", Width: 1248}},
		{"nonsense", `{"video":{"url":"u","width":{},"height":-3,"num_frames":1e300,"fps":"NaN","content_type":7,"file_size":-1},"seed":[],"prompt":{}}`, ltx.Output{URL: "u"}},
		{"more than can be", `{"video":{"url":"u","width":1048577,"height":1e12,"num_frames":1e18,"fps":1001,"duration":86401}}`, ltx.Output{URL: "u"}},
		{"as much as can be", `{"video":{"url":"u","width":1048576,"fps":1000,"duration":86400}}`, ltx.Output{URL: "u", Width: 1 << 20, FPS: 1000, Seconds: 86400}},
		{"a length that cannot be", `{"video":{"url":"u","num_frames":50,"fps":0.0001}}`, ltx.Output{URL: "u", Frames: 50, FPS: 0.0001}},
		{"no duration", `{"video":{"url":"u","num_frames":50,"fps":25}}`, ltx.Output{URL: "u", Frames: 50, FPS: 25, Seconds: 2}},
		{"a detail beside the video", `{"video":{"url":"u"},"detail":"x"}`, ltx.Output{URL: "u"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			o, err := fal.DecodeOutput([]byte(tt.body))
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.want, o); diff != "" {
				t.Errorf("output (-want +got):\n%s", diff)
			}
		})
	}
	big := int64(1<<53 + 1)
	if o, err := fal.DecodeOutput([]byte(`{"video":{"url":"u"},"seed":9007199254740993}`)); err != nil || *o.Seed != big {
		t.Errorf("a large seed: %v, %v", o.Seed, err)
	}
}

func TestWhatIsNoOutput(t *testing.T) {
	for _, body := range []string{
		``, `null`, `[]`, `"hush"`, `{`, `{}`, `{"video":null}`, `{"video":"hush"}`, `{"video":{}}`, `{"video":{"url":""}}`, `{"video":{"url":7}}`,
		`{"detail":"hush"}`, `{"detail":[{"msg":"hush","type":"content_policy_violation"}]}`,
	} {
		_, err := fal.DecodeOutput([]byte(body))
		if !errors.Is(err, fal.ErrNoOutput) {
			t.Errorf("%s: %v", body, err)
			continue
		}
		if strings.Contains(err.Error(), "hush") {
			t.Errorf("%s: the error repeats the body: %v", body, err)
		}
	}
}

func FuzzDecodeOutput(f *testing.F) {
	f.Add([]byte(`{"video":{"url":"u","width":1248.0,"fps":"25","duration":6.44},"seed":1,"prompt":"p"}`))
	f.Add([]byte(`{"detail":[{"msg":"m"}]}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		o, err := fal.DecodeOutput(body)
		if err != nil {
			if !errors.Is(err, fal.ErrNoOutput) {
				t.Fatalf("error %v", err)
			}
			return
		}
		if o.URL == "" || o.Width < 0 || o.Height < 0 || o.Frames < 0 || o.FileSize < 0 || o.FPS < 0 || o.Seconds < 0 {
			t.Fatalf("output %+v", o)
		}
		if _, err := json.Marshal(o); err != nil {
			t.Fatalf("output %+v: %v", o, err)
		}
	})
}

package ltx_test

import (
	"fmt"
	"testing"

	"ltxbot/core/ltx"
	"ltxbot/core/usd"
)

// The prices are those of the endpoints' pages on https://fal.ai/models, with
// the examples there.
func TestPublishedPricesHoldToTheDigit(t *testing.T) {
	for _, tt := range []struct {
		name    string
		in      []ltx.Setting
		files   map[string]ltx.Media
		units   float64 // that fal counts
		charged string  // with the digits that are published
		held    usd.Micros
	}{
		{"22b with a LoRA, 1024×576", set("lora", "a/b"), nil, 71.3687, "0.129", 129_960},
		{"22b with a LoRA, 1280×720", set("lora", "a/b", "size", "1280x704"), nil, 111.5136, "0.201", 198_550},
		{"22b, 1024×576", set("model", "distilled"), nil, 71.3687, "0.086", 86_760},
		{"distilled, 1280×720", set("model", "distilled", "size", "1280x704"), nil, 111.5136, "0.134", 132_550},
		{"extending with a LoRA", set("clip", aClip, "lora", "a/b"), there("video_url", 1280, 704, 6, 24), 111.5136, "0.2013", 198_550},
		{"quality, 1280×720, rounded up", set("model", "quality", "size", "1280x704"), nil, 112, "0.2696", 264_825},
		{"quality with a LoRA", set("model", "quality", "size", "1280x704", "lora", "https://fal.media/x.safetensors"), nil, 112, "0.303", 297_825},
		{"pro at 1080p", set("model", "pro"), nil, 6, "0.48", 480_000},
		{"pro at 1440p", set("model", "pro", "size", "1440p"), nil, 6, "0.96", 960_000},
		{"pro at 2160p", set("model", "pro", "size", "4k", "duration", "10"), nil, 10, "3.20", 3_200_000},
		{"fast at 1080p, the higher of two prices", set("model", "fast", "duration", "20"), nil, 20, "1.20", 1_200_000},
		{"fast at 2160p", set("model", "fast", "size", "2160p"), nil, 6, "1.44", 1_440_000},
		{"2.5 at 720p", set("model", "ltx-2.5", "size", "720p"), nil, 6, "0.54", 540_000},
		{"2.5 at 1080p", set("model", "ltx-2.5"), nil, 6, "0.78", 780_000},
		{"2.5 at 1440p", set("model", "ltx-2.5", "size", "1440p"), nil, 6, "1.14", 1_140_000},
		{"2.5 at 2160p", set("model", "ltx-2.5", "size", "2160p", "duration", "10"), nil, 10, "3.00", 3_000_000},
		{"2.5 pro at 1080p", set("model", "ltx-2.5-pro"), nil, 6, "1.02", 1_020_000},
		{"2.5 pro at 720p", set("model", "ltx-2.5-pro", "size", "720p"), nil, 6, "0.72", 720_000},
		{"2.5 by the second of the sound", set("model", "ltx-2.5", "soundtrack", aSound), there("audio_url", 0, 0, 8, 0), 8, "1.04", 1_040_000},
		{"2.5 pro by the second of the sound", set("model", "ltx-2.5-pro", "soundtrack", aSound), there("audio_url", 0, 0, 8, 0), 8, "1.36", 1_360_000},
		{"2.3 by the second of the sound", set("model", "pro", "soundtrack", aSound), there("audio_url", 0, 0, 8, 0), 8, "0.80", 800_000},
		{"reframing at 720p, by the second of the clip", set("clip", aClip, "edit", "reframe", "size", "720p"), there("video_url", 1280, 704, 5, 24), 5, "0.50", 500_000},
		{"reframing at 1080p", set("clip", aClip, "edit", "reframe", "size", "1080p"), there("video_url", 1280, 704, 5, 24), 5, "1.00", 1_000_000},
		{"retaking: the whole clip is held", set("clip", aClip, "edit", "retake"), there("video_url", 1280, 704, 8, 24), 5, "0.50", 800_000},
		{"extending at a partner: all of it is held", set("model", "pro", "clip", aClip), there("video_url", 1280, 704, 8, 24), 13, "1.30", 1_300_000},
		{"a sound whose length is not known", set("model", "pro", "soundtrack", aSound), there("audio_url", 0, 0, 0, 0), 0, "2.00", 2_000_000},
		{"part of a second counts", set("model", "pro", "soundtrack", aSound), there("audio_url", 0, 0, 7.2, 0), 0, "0.80", 800_000},
		{"retaking a part of a long clip: the part alone is billed", set("clip", aClip, "edit", "retake", "duration", "3"), there("video_url", 1280, 704, 20, 24), 3, "0.30", 2_000_000},
		{"extending a long clip by a second: that second is billed", set("model", "pro", "clip", aClip, "duration", "1"), there("video_url", 1280, 704, 19, 24), 1, "0.10", 2_000_000},
		{"a sound whose length is not known is billed as it is", set("model", "pro", "soundtrack", aSound), there("audio_url", 0, 0, 0, 0), 4, "0.40", 2_000_000},
		{"a bill above twice the estimate stays what it is", set("model", "pro"), nil, 20, "1.60", 480_000},
		{"a bill in another unit is not believed", set("model", "ltx-2.5"), nil, 1, "0.78", 780_000},
	} {
		t.Run(tt.name, func(t *testing.T) {
			req := parse(t, tt.in...)
			if tt.files != nil {
				var err error
				if req, err = req.WithMedia(ltx.Rules{}, tt.files); err != nil {
					t.Fatal(err)
				}
			}
			e, ok := ltx.FindEndpoint(req.Endpoint())
			if !ok {
				t.Fatal(req.Endpoint())
			}
			if got := req.Estimate(e.Price); got != tt.held {
				t.Errorf("held %d, want %d", got, tt.held)
			}
			digits := len(tt.charged) - len("0.")
			if got := fmt.Sprintf("%.*f", digits, req.Bill(e.Price, tt.units, ltx.Output{}).Dollars()); got != tt.charged {
				t.Errorf("charged $%s, want $%s", got, tt.charged)
			}
		})
	}
}

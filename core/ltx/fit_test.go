package ltx_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"testing"

	"ltxbot/core/ltx"
)

const (
	aPicture = "https://example.com/a.png"
	aSound   = "https://example.com/a.mp3"
	aClip    = "https://example.com/a.mp4"
)

// there are files as they are known once they were read and uploaded.
func there(id string, width, height int, seconds, fps float64) map[string]ltx.Media {
	return map[string]ltx.Media{id: {
		Ref: "https://example.com/" + id, URL: "https://v3.fal.media/files/b/x/" + id, Width: width, Height: height, Seconds: seconds, FPS: fps,
	}}
}

func TestFilesSettleSizeAndLength(t *testing.T) {
	for _, tt := range []struct {
		name  string
		in    []ltx.Setting
		files map[string]ltx.Media
		want  string // size, frames, fps; or the problem
	}{
		{"a picture gives its shape", set("image", aPicture), there("image_url", 3000, 4000, 0, 0), "640x832 121 24"},
		{"a very wide picture is bounded", set("image", aPicture), there("image_url", 9000, 1000, 0, 0), "1536x384 121 24"},
		{"a size that was typed wins", set("image", aPicture, "size", "16:9"), there("image_url", 3000, 4000, 0, 0), "1024x576 121 24"},
		{"720p says nothing of the shape", set("image", aPicture, "size", "720p"), there("image_url", 900, 1600, 0, 0), "704x1248 121 24"},
		{"nor does 4k at a partner", set("model", "pro", "image", aPicture, "size", "4k"), there("image_url", 900, 1600, 0, 0), "2160x3840 150 25"},
		{"what is not known changes nothing", set("image", aPicture), there("image_url", 0, 0, 0, 0), "1024x576 121 24"},
		{"a soundtrack gives its length", set("soundtrack", aSound), there("audio_url", 0, 0, 7.3, 0), "1024x576 177 24"},
		{"a long soundtrack is cut", set("soundtrack", aSound), there("audio_url", 0, 0, 95, 0), "1024x576 481 24"},
		{"a duration that was typed wins", set("soundtrack", aSound, "duration", "3"), there("audio_url", 0, 0, 7.3, 0), "1024x576 73 24"},
		{"an extended clip keeps its size and rate", set("clip", aClip), there("video_url", 1280, 720, 6, 30), "1280x704 153 30"},
		{"a restyled clip keeps shape, rate and length", set("clip", aClip, "edit", "restyle"), there("video_url", 1080, 1920, 4, 25), "576x1024 105 25"},
		{"a long clip is cut", set("clip", aClip, "edit", "reference"), there("video_url", 1920, 1080, 90, 60), "1024x576 481 60"},
		{"frames that were typed stay", set("clip", aClip, "edit", "restyle", "frames", "121"), there("video_url", 1920, 1080, 4, 60), "1024x576 121 60"},
		{"frames that were typed stay when extending", set("clip", aClip, "frames", "121"), there("video_url", 1280, 704, 4, 60), "1280x704 121 60"},
		{"frames that would last too long are cut", set("clip", aClip, "frames", "481"), there("video_url", 1280, 704, 4, 12), "1280x704 241 12"},
		{"seconds that were typed stay", set("clip", aClip, "edit", "restyle", "duration", "5"), there("video_url", 1920, 1080, 4, 60), "1024x576 305 60"},
		{"a rate that was typed wins", set("clip", aClip, "edit", "restyle", "fps", "12"), there("video_url", 1920, 1080, 4, 25), "1024x576 49 12"},
		{"a picture of a partner's model", set("model", "pro", "image", aPicture), there("image_url", 3000, 4000, 0, 0), "1080x1920 150 25"},
		{"a soundtrack of a partner's model", set("model", "pro", "soundtrack", aSound), there("audio_url", 0, 0, 7.3, 0), "1920x1080 183 25"},
		{"a soundtrack that is too long for it", set("model", "ltx-2.5-pro", "soundtrack", aSound), there("audio_url", 0, 0, 12, 0), "media_length"},
		{"a soundtrack that is too short for it", set("model", "ltx-2.5", "soundtrack", aSound), there("audio_url", 0, 0, 1, 0), "media_length"},
		{"a part to retake ends with the clip", set("clip", aClip, "edit", "retake", "start_time", "3"), there("video_url", 1920, 1080, 6, 25), "1920x1080 75 25"},
		{"a part to retake begins in the clip", set("clip", aClip, "edit", "retake", "start_time", "5"), there("video_url", 1920, 1080, 6, 25), "out_of_range"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			rules := ltx.Rules{Seed: seven}
			req := parseBy(t, rules, tt.in...)
			settled, err := req.WithMedia(rules, tt.files)
			got := fmt.Sprint(settled.Size(), settled.Frames(), settled.FPS())
			if e, ok := errors.AsType[ltx.FieldError](err); ok {
				got = string(e.Problem)
			}
			if got != tt.want {
				t.Errorf("got %s, want %s (%v)", got, tt.want, err)
			}
			if err != nil {
				return
			}
			text, _ := json.Marshal(settled)
			var read ltx.Request
			if err := json.Unmarshal(text, &read); err != nil || !read.Equal(settled) {
				t.Errorf("storage changes the request: %v", err)
			}
			again, err := rules.Parse(settled.Settings())
			if err != nil || sameValues(settled, again) != "" || again.Endpoint() != settled.Endpoint() {
				t.Errorf("its settings make another request: %v\n%s", err, sameValues(settled, again))
			}
			if len(maps.Collect(settled.Body())) == 0 || len(settled.Pending()) > 0 {
				t.Error("nothing is sent")
			}
		})
	}
}

func TestAModelWithoutASeedIsAskedAgainAsItIs(t *testing.T) {
	req := parseBy(t, ltx.Rules{}, set("model", "pro")...)
	again, err := (ltx.Rules{}).Parse(req.WithSeed(9).Settings())
	if err != nil || again.HasSeed() || !again.Equal(req) {
		t.Errorf("got %v, %v", again, err)
	}
}

// TestWhatBecomesAnotherIsNoted: nobody pays for another size or length than
// was typed without being told.
func TestWhatBecomesAnotherIsNoted(t *testing.T) {
	for _, tt := range []struct {
		name  string
		in    []ltx.Setting
		files map[string]ltx.Media
		want  string // the note; empty = none
	}{
		{"a resolution that is not made", set("model", "pro", "size", "720p"), nil, "size: 720p became 1920x1080, the nearest that can be made here."},
		{"a resolution with a soundtrack", set("model", "pro", "soundtrack", aSound, "size", "720p"), there("audio_url", 0, 0, 7, 0), "size: 720p became 1920x1080, the nearest that can be made here."},
		{"pixels with a soundtrack", set("model", "pro", "soundtrack", aSound, "size", "1280x720"), there("audio_url", 0, 0, 7, 0), "size: 1280x720 became 1920x1080, the nearest that can be made here."},
		{"a resolution that is made", set("model", "ltx-2.5", "size", "720p"), nil, ""},
		{"4k is made", set("model", "pro", "size", "4k"), nil, ""},
		{"a shape says no resolution", set("model", "pro", "size", "16:9"), nil, ""},
		{"seconds at the clip's frame rate", set("clip", aClip, "edit", "restyle", "duration", "3.5"), there("video_url", 1920, 1080, 6, 25), "duration: 3.5s became 3.56s, because a video has 9, 17, 25 … frames, always 8 more."},
		{"seconds that fit at the clip's frame rate", set("clip", aClip, "edit", "restyle", "duration", "3.2"), there("video_url", 1920, 1080, 6, 25), ""},
		{"seconds that fit at the guessed frame rate only", set("clip", aClip, "edit", "restyle", "duration", "5"), there("video_url", 1920, 1080, 6, 25), "duration: 5s became 5.16s, because a video has 9, 17, 25 … frames, always 8 more."},
		{"4k in the shape of the picture", set("image", aPicture, "size", "4k", "lora", "a/b"), there("image_url", 1000, 1000, 0, 0), "size: 4k became 1152x1152, the largest that the model makes here."},
		{"a part that ends with the clip", set("clip", aClip, "edit", "retake", "start_time", "1", "duration", "8"), there("video_url", 1920, 1080, 4, 25), "duration: 8s became 3s, the nearest that can be made here."},
		{"a part that nobody has measured", set("clip", aClip, "edit", "retake", "start_time", "1"), there("video_url", 1920, 1080, 4, 25), ""},
		{"a part of the clip", set("clip", aClip, "edit", "retake", "duration", "3"), there("video_url", 1920, 1080, 4, 25), ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			req := parse(t, tt.in...)
			for range 2 { // a file is looked at again before it is sent
				var err error
				if req, err = req.WithMedia(ltx.Rules{}, tt.files); err != nil {
					t.Fatal(err)
				}
			}
			var want, got []string
			if tt.want != "" {
				want = []string{tt.want}
			}
			for _, n := range req.Notes {
				if n.Reason != ltx.ByPartner {
					got = append(got, sentence(n))
				}
			}
			if !slices.Equal(got, want) {
				t.Errorf("got %q, want %q", got, want)
			}
		})
	}
}

// TestTheLargestVideoIsThatOfTheClip: the operator's limit is held against the
// clip, and against nothing before it is known.
func TestTheLargestVideoIsThatOfTheClip(t *testing.T) {
	for _, tt := range []struct {
		name  string
		in    []ltx.Setting
		files map[string]ltx.Media
		want  string // the option that is refused
	}{
		{"retaking a small clip", set("clip", aClip, "edit", "retake"), there("video_url", 640, 360, 8, 25), ""},
		{"retaking a large clip", set("clip", aClip, "edit", "retake"), there("video_url", 3840, 2160, 8, 25), "clip"},
		{"extending a small clip at a partner", set("model", "pro", "clip", aClip), there("video_url", 640, 360, 8, 25), ""},
		{"extending a large clip at a partner", set("model", "pro", "clip", aClip), there("video_url", 3840, 2160, 8, 25), "clip"},
		{"extending a small clip", set("clip", aClip), there("video_url", 640, 360, 8, 24), ""},
		{"extending a large clip", set("clip", aClip), there("video_url", 1920, 1080, 8, 24), "size"},
		{"reframing a short clip", set("clip", aClip, "edit", "reframe", "size", "1080p"), there("video_url", 1920, 1080, 1, 25), ""},
		{"reframing a long clip", set("clip", aClip, "edit", "reframe", "size", "1080p"), there("video_url", 640, 360, 8, 25), "size"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			rules := ltx.Rules{MaxMegapixels: 80}
			req, err := rules.Parse(append(set("prompt", "a"), tt.in...))
			if err != nil {
				t.Fatalf("before the clip is known: %v", err)
			}
			_, err = req.WithMedia(rules, tt.files)
			e, _ := errors.AsType[ltx.FieldError](err)
			if e.Option != tt.want || tt.want != "" && e.Problem != ltx.TooManyMegapixels {
				t.Errorf("got %v, want %q refused", err, tt.want)
			}
		})
	}
}

func TestASeedThatNobodyTypedBlocksNoModel(t *testing.T) {
	rules := ltx.Rules{Seed: seven}
	drawn := parseBy(t, rules, set("prompt", "a")...)
	typed := parseBy(t, rules, set("prompt", "a", "seed", "9")...)
	again, err := drawn.With(rules, set("camera", "dolly_in")...)
	if err != nil || again.Seed() != drawn.Seed() {
		t.Fatalf("the seed became %d, %v", again.Seed(), err)
	}
	for name, req := range map[string]ltx.Request{"a first video": drawn, "one that was made of it": again} {
		for _, changes := range [][]ltx.Setting{
			set("model", "pro", "camera", ""), set("model", "pro", "camera", "", "advanced", "seed=7"), set("clip", aClip, "edit", "retake", "camera", ""),
		} {
			if other, err := req.With(rules, changes...); err != nil || other.HasSeed() {
				t.Errorf("%s with %v: %v", name, changes, err)
			}
		}
	}
	without := parseBy(t, rules, set("prompt", "a", "model", "pro")...)
	if zero, err := without.With(rules, set("model", "", "seed", "0")...); err != nil || len(zero.Changed()) != 1 {
		t.Errorf("a seed of 0 that was typed is not shown: %v, %v", zero.Changed(), err)
	}
	if _, err := typed.With(rules, set("model", "pro")...); err == nil {
		t.Error("a seed that was typed is forgotten")
	}
	if _, err := drawn.With(rules, set("model", "pro", "seed", "8")...); err == nil {
		t.Error("a seed that is typed with the model is forgotten")
	}
}

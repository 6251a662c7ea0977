package ltx_test

import (
	"encoding/json"
	"testing"

	"github.com/google/go-cmp/cmp"

	"ltxbot/core/ltx"
)

func TestFilesArePartOfARequest(t *testing.T) {
	for _, tt := range []struct {
		name  string
		in    ltx.Setting
		id    string
		want  ltx.Media
		typed string // what can be shown and typed
	}{
		{
			"a link to a picture",
			ltx.Setting{Key: "image", Value: "https://example.com/a/cat.png?token=hush#top"},
			"image_url",
			ltx.Media{Ref: "https://example.com/a/cat.png?token=hush", Name: "cat.png"},
			"https://example.com/a/cat.png",
		},
		{
			"a link as Slack writes it",
			ltx.Setting{Key: "image_url", Value: "<https://example.com/cat.png|example.com>"},
			"image_url",
			ltx.Media{Ref: "https://example.com/cat.png", Name: "cat.png"},
			"https://example.com/cat.png",
		},
		{"the id of a job", ltx.Setting{Key: "clip", Value: "k3f92mq7abcd"}, "video_url", ltx.Media{Ref: "job:k3f92mq7abcd"}, "job:k3f92mq7abcd"},
		{"a job by name", ltx.Setting{Key: "video", Value: "job:kbfmqnqrabcd"}, "video_url", ltx.Media{Ref: "job:kbfmqnqrabcd"}, "job:kbfmqnqrabcd"},
		{
			"an attachment", ltx.FileSetting("soundtrack", ltx.Media{Ref: "slack:F123", Name: "song.mp3"}), "audio_url",
			ltx.Media{Ref: "slack:F123", Name: "song.mp3"},
			"song.mp3",
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			req := parse(t, tt.in, ltx.Setting{Key: "seed", Value: "9"})
			got, ok := req.Media(tt.id)
			if !ok || got != tt.want {
				t.Errorf("got %+v, want %+v", got, tt.want)
			}
			if diff := cmp.Diff([]string{tt.id}, req.Pending()); diff != "" {
				t.Errorf("pending (-want +got):\n%s", diff)
			}
			changed := req.Changed()
			if len(changed) != 2 || changed[0].Value != tt.typed {
				t.Errorf("shown as %v, want %s", changed, tt.typed)
			}
			again, err := ltx.Rules{Seed: seven}.Parse(req.Settings())
			if err != nil || !again.Equal(req) {
				t.Errorf("the settings of the request make another: %v %v", again, err)
			}
			text, err := json.Marshal(req)
			if err != nil {
				t.Fatal(err)
			}
			var read ltx.Request
			if err := json.Unmarshal(text, &read); err != nil || !read.Equal(req) {
				t.Errorf("what was stored is another request: %v %v", read, err)
			}
			there := got
			there.URL = "https://v3.fal.media/files/b/x/cat.png"
			ready, err := req.WithMedia(ltx.Rules{}, map[string]ltx.Media{tt.id: there})
			if m, _ := ready.Media(tt.id); err != nil || m != there || len(ready.Pending()) > 0 {
				t.Errorf("with its address it is %+v, %v", m, err)
			}
		})
	}
}

func TestAPersonCannotTypeAFileOfThePlatform(t *testing.T) {
	for _, typed := range []string{"slack:F123", "discord:https://cdn.discordapp.com/a.png", "cat.png", "sharpenedtax", "http://example.com/a.png", "ftp://example.com/a"} {
		if req, err := (ltx.Rules{}).Parse(set("prompt", "a", "image", typed)); err == nil {
			m, _ := req.Media("image_url")
			t.Errorf("%s was taken for %+v", typed, m)
		}
	}
}

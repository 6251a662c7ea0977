package view_test

import (
	"strings"
	"testing"
	"time"

	"ltxbot/bot/text"
	"ltxbot/bot/view"
	"ltxbot/core/generate"
	"ltxbot/core/ltx"
)

// atFal is where the provider has files of jobs.
const atFal = "https://v3.fal.media/files/b/x/"

// brought is a delivered job with its files at the provider, by the id of their
// parameter.
func brought(t *testing.T, line string, files map[string]ltx.Media) generate.Job {
	t.Helper()
	j := job(t, jobA, line, generate.Delivered)
	for id, there := range files {
		m, _ := j.Request.Media(id)
		there.Ref, there.Name = m.Ref, m.Name
		files[id] = there
	}
	var err error
	if j.Request, err = j.Request.WithMedia(rules(), files); err != nil {
		t.Fatal(err)
	}
	return j
}

func TestDetailsShowWhatWentIn(t *testing.T) {
	inBothLanguages(t, "inputs", func(t *testing.T, p text.Printer) []shown {
		return []shown{
			{"two pictures", view.Details(p, brought(t, "a fox image:https://example.com/fox.png end_image:https://example.com/den.webp", map[string]ltx.Media{
				"image_url":     {URL: atFal + "input.png", Type: "image/png", Width: 1600, Height: 900},
				"end_image_url": {URL: atFal + "input.webp", Type: "image/webp", Width: 1600, Height: 900},
			}))},
			{"a picture, a sound and a clip", view.Details(p, brought(t,
				"a fox clip:job:m4g03nr8bcde soundtrack:https://example.com/rain.mp3 image:https://example.com/fox.gif edit:reference", map[string]ltx.Media{
					"video_url": {URL: atFal + "ltx.mp4", Type: "video/mp4", Width: 1280, Height: 704, Seconds: 4, FPS: 24},
					"audio_url": {URL: atFal + "input.mp3", Type: "audio/mpeg", Seconds: 4},
					"image_url": {URL: atFal + "input.gif", Type: "image/gif", Width: 800, Height: 800},
				}))},
		}
	})
}

func TestDetailsShowNoPictureThatMustNotBeSeen(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		url, kind string
		change    func(*generate.Job)
		want      string
	}{
		"at the provider":                  {url: atFal + "input.png", kind: "image/png", want: atFal + "input.png"},
		"not there yet":                    {},
		"behind what may be secret":        {url: atFal + "input.png?signature=hush", kind: "image/png"},
		"behind a password":                {url: "https://ann:hush@v3.fal.media/input.png", kind: "image/png"},
		"of a kind that not both show":     {url: atFal + "input.heic", kind: "image/heic"},
		"of a video that was deleted":      {url: atFal + "input.png", kind: "image/png", change: func(j *generate.Job) { j.Notes = map[string]string{generate.NoteDeleted: "yes"} }},
		"of a video that is being deleted": {url: atFal + "input.png", kind: "image/png", change: func(j *generate.Job) { j.Purge = time.Now() }},
	} {
		j := brought(t, "a fox image:https://example.com/fox.png", map[string]ltx.Media{"image_url": {URL: tt.url, Type: tt.kind}})
		if tt.change != nil {
			tt.change(&j)
		}
		var seen []string
		for _, b := range view.Details(text.BuiltInCatalog().Printer("en", "/ltx"), j).Blocks {
			if b.Picture != "" {
				seen = append(seen, b.Picture)
			}
		}
		if got := strings.Join(seen, " "); got != tt.want {
			t.Errorf("%s: it shows %q, want %q", name, got, tt.want)
		}
	}
}

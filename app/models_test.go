package app_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"ltxbot/bot/command"
	"ltxbot/config"
	"ltxbot/core/generate"
	"ltxbot/core/ltx"
	"ltxbot/provider/fal"
	simfal "ltxbot/sim/fal"
)

// given are the files behind the links of models.txt, by their name.
var given = map[string]ltx.Media{
	"wide.png":   {Type: "image/png", Width: 1600, Height: 900},
	"tall.png":   {Type: "image/png", Width: 900, Height: 1600},
	"square.png": {Type: "image/png", Width: 800, Height: 800},
	"song.mp3":   {Type: "audio/mpeg", Seconds: 7.3},
	"long.mp3":   {Type: "audio/mpeg", Seconds: 45},
	"clip.mp4":   {Type: "video/mp4", Width: 1280, Height: 704, Seconds: 6, FPS: 25, Sound: true},
	"phone.mp4":  {Type: "video/mp4", Width: 1080, Height: 1920, Seconds: 4, FPS: 30},
}

// typed are lines as people type them; a word in brackets is a file that they
// give.
var typed = []string{
	"a cat", "a cat lora:owner/repo", "a cat camera:dolly_in size:9:16 duration:8 seed:7", "a cat model:ltx-2.3 quality:best",
	"a cat model:distilled", "a cat model:turbo lora:owner/repo@0.5", "a cat model:distilled steps:20", "a cat model:distilled quality:draft",
	"a cat model:quality", "a cat model:hq size:720p guidance:2", "a cat model:quality camera:static", "a cat model:quality lora:owner/repo",
	"a cat model:quality lora:https://huggingface.co/a/b/resolve/main/c.safetensors@1.5", "a cat model:quality quality:best",
	"a cat model:pro", "a cat model:pro size:9:16 duration:7", "a cat model:pro size:4k fps:30", "a cat model:pro seed:7", "a cat model:pro quality:best",
	"a cat model:fast duration:20", "a cat model:fast duration:20 size:1440p", "a cat model:fast audio:no",
	"a cat model:ltx-2.5", "a cat model:2.5 camera:focus_shift size:720p", "a cat model:ltx-2.5 duration:18 fps:50", "a cat model:ltx-2.5 negative:rain",
	"a cat model:ltx-2.5-pro size:2160p duration:20", "a cat model:ltx-2.5 lora:owner/repo", "a cat model:flux-2", "a cat camera:focus_shift",
	"it moves image:[wide.png]", "it moves image:[tall.png] size:720p", "it moves image:[square.png] lora:owner/repo image_strength:0.8",
	"it moves image:[wide.png] model:distilled", "it moves image:[tall.png] model:quality", "it moves image:[tall.png] model:pro", "it moves image:[tall.png] model:fast size:16:9",
	"it moves image:[square.png] model:ltx-2.5 camera:jib_up", "from one to the other image:[wide.png] end_image:[tall.png]",
	"from one to the other image:[wide.png] end_image:[tall.png] model:quality", "from one to the other image:[wide.png] end_image:[tall.png] model:2.5-pro",
	"the end end_image:[tall.png]", "it moves image:http://example.com/a.png", "it moves image:sunny",
	"she sings soundtrack:[song.mp3]", "she sings soundtrack:[long.mp3]", "she sings soundtrack:[song.mp3] image:[tall.png] lora:owner/repo",
	"she sings soundtrack:[song.mp3] audio:no", "she sings soundtrack:[song.mp3] model:distilled", "she sings soundtrack:[song.mp3] model:quality",
	"she sings soundtrack:[song.mp3] model:pro guidance:7", "she sings soundtrack:[long.mp3] model:ltx-2.5", "she sings soundtrack:[song.mp3] model:ltx-2.5 image:[tall.png]", "she sings soundtrack:[song.mp3] model:fast",
	"it goes on clip:[clip.mp4]", "it goes on clip:[clip.mp4] lora:owner/repo extend_direction:backward", "it goes on clip:[clip.mp4] model:distilled",
	"it goes on clip:[clip.mp4] model:pro duration:8 extend_direction:backward", "it goes on clip:[clip.mp4] image:[wide.png]", "as clay clip:[phone.mp4] edit:restyle",
	"as clay clip:[phone.mp4] edit:restyle video_strength:0.3 model:distilled lora:owner/repo", "as clay clip:[phone.mp4] edit:restyle model:quality",
	"as clay clip:[phone.mp4] edit:reference image:[tall.png] preprocessor:depth", "as clay clip:[phone.mp4] edit:reference soundtrack:[song.mp3]",
	"she smiles clip:[clip.mp4] edit:retake start_time:2 duration:3", "she smiles clip:[clip.mp4] edit:retake model:ltx-2.3", "she smiles clip:[clip.mp4] edit:retake start_time:5.5",
	"clip:[clip.mp4] edit:reframe size:9:16", "clip:[clip.mp4] edit:reframe size:1:1 model:pro", "a cat edit:extend",
}

// TestWhatIsTypedBecomesTheRequest holds each line against the endpoint and the
// JSON that it becomes. fal's own documents say that the JSON is right, and that
// nothing in it is ignored.
func TestWhatIsTypedBecomesTheRequest(t *testing.T) {
	t.Parallel()
	sim, err := simfal.Start(simfal.Options{RefuseAtSubmit: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(sim.Close)
	client, err := fal.New(fal.Config{Key: fal.Key(sim.Key()), QueueURL: sim.QueueURL(), RESTURL: sim.RESTURL(), APIURL: sim.APIURL(), MediaHosts: []string{"fal.media"}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(client.Close)
	prices := config.Default()
	var b strings.Builder
	for _, line := range typed {
		fmt.Fprintf(&b, "/ltx %s\n", line)
		req, err := asked(line)
		if err != nil {
			fmt.Fprintf(&b, "    refused: %v\n\n", strings.ReplaceAll(err.Error(), "\n", "\n             "))
			continue
		}
		o := generate.Order{Job: "k3f92mq7abcd", Endpoint: req.Endpoint(), Request: req}
		if _, err := client.Submit(t.Context(), o); err != nil {
			t.Errorf("%s: %v", line, err)
			continue
		}
		sent := sim.Submits()
		last := sent[len(sent)-1]
		if last.Endpoint != req.Endpoint() || len(last.Ignored) > 0 {
			t.Errorf("%s: sent to %s, ignored %v", line, last.Endpoint, last.Ignored)
		}
		fmt.Fprintf(&b, "    %s, model %s, %s\n", last.Endpoint, req.Model(), req.Estimate(prices.PriceOf(req.Endpoint())))
		fmt.Fprintf(&b, "    %s\n", differing(t, last))
		for _, n := range req.Notes {
			fmt.Fprintf(&b, "    note: %s\n", n)
		}
		b.WriteByte('\n')
	}
	const file = "testdata/models.txt"
	if *update {
		if err := os.WriteFile(file, []byte(b.String()), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), b.String()); diff != "" {
		t.Errorf("%s (-want +got), run with -update if it is better now:\n%s", file, diff)
	}
}

// asked is the request of a line, with its files at fal.
func asked(line string) (ltx.Request, error) {
	line = strings.NewReplacer("[", "https://example.com/", "]", "").Replace(line)
	l, err := command.Parse(line)
	if err != nil {
		return ltx.Request{}, err
	}
	if l.Verb != "" {
		return ltx.Request{}, errors.New("no request")
	}
	rules := ltx.Rules{Seed: func() int64 { return 7 }}
	req, err := rules.Parse(l.Settings)
	if err != nil {
		return ltx.Request{}, err
	}
	media := map[string]ltx.Media{}
	for _, id := range req.Pending() {
		m, _ := req.Media(id)
		there := given[path.Base(m.Ref)]
		there.Ref, there.Name, there.URL = m.Ref, m.Name, "https://v3.fal.media/files/b/"+m.Name
		media[id] = there
	}
	return req.WithMedia(rules, media)
}

// differing writes the inputs that are not fal's own defaults.
func differing(t *testing.T, s simfal.Submit) []byte {
	t.Helper()
	var doc struct {
		Input struct {
			Ref string `json:"$ref"`
		} `json:"input"`
		Components struct {
			Schemas map[string]struct {
				Properties map[string]struct {
					Default any `json:"default"`
				} `json:"properties"`
			} `json:"schemas"`
		} `json:"components"`
	}
	if err := json.Unmarshal(simfal.Document(s.Endpoint), &doc); err != nil {
		t.Fatal(err)
	}
	in := s.Input()
	for name, p := range doc.Components.Schemas[path.Base(doc.Input.Ref)].Properties {
		if v, ok := in[name]; ok && p.Default != nil && cmp.Equal(v, p.Default) {
			delete(in, name)
		}
	}
	out, err := json.Marshal(in)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

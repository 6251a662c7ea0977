package app_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"ltxbot/bot/adapter/adaptertest"
	"ltxbot/bot/command"
	"ltxbot/config"
	"ltxbot/core/generate"
	"ltxbot/core/ltx"
	"ltxbot/internal/golden"
	"ltxbot/provider/fal"
	simfal "ltxbot/sim/fal"
)

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

	"a cat lora:owner/repo@0.5,owner/other", "a cat lora:owner/repo,owner/other@0.3,owner/third model:distilled", "a cat lora:a/b,c/d,e/f,g/h",
	"a cat model:quality lora:https://huggingface.co/a/b/resolve/main/c.safetensors,https://huggingface.co/a/b/resolve/main/d.safetensors@0.5",
	"a cat model:quality lora:https://huggingface.co/a/b/resolve/main/c.safetensors,https://huggingface.co/a/b/resolve/main/d.safetensors,https://huggingface.co/a/b/resolve/main/e.safetensors",
	"a cat count:3", "it moves image:[wide.png] model:pro count:2", "a cat count:5", "a cat negative:none audio:no format:gif", "a cat advanced:\"scheduler=ltx2 gamma=2\"",
	"a cat image_strength:0.5", "a cat start_time:2", "a cat model:ltx-2.5-pro camera:static size:9:16", "a cat model:fast lora:owner/repo",

	"it moves image:[wide.png] model:distilled lora:owner/repo@0.7", "it moves image:[wide.png] quality:draft camera:dolly_in audio:no",
	"it moves image:[tall.png] model:quality lora:https://huggingface.co/a/b/resolve/main/c.safetensors image_strength:0.4",
	"it moves image:[square.png] model:pro camera:static", "it moves image:[wide.png] model:fast duration:20", "it moves image:[tall.png] model:ltx-2.5-pro duration:10 fps:50",
	"it moves image:[wide.png] model:pro lora:owner/repo", "it moves image:[wide.png] model:quality steps:40",
	"from one to the other image:[wide.png] end_image:[tall.png] model:distilled interpolation_direction:backward",
	"from one to the other image:[wide.png] end_image:[tall.png] lora:owner/repo end_image_strength:0.5", "from one to the other image:[wide.png] end_image:[tall.png] model:pro",
	"from one to the other image:[wide.png] end_image:[tall.png] model:fast", "from one to the other image:[wide.png] end_image:[tall.png] model:ltx-2.5 camera:dolly_in",

	"she sings soundtrack:[song.mp3] model:distilled lora:owner/repo", "she sings soundtrack:[song.mp3] image:[wide.png] end_image:[tall.png] duration:5",
	"she sings soundtrack:[song.mp3] end_image:[tall.png]", "she sings soundtrack:[song.mp3] image:[tall.png] model:quality lora:https://huggingface.co/a/b/resolve/main/c.safetensors",
	"she sings soundtrack:[song.mp3] image:[tall.png] model:pro", "she sings soundtrack:[song.mp3] model:ltx-2.5-pro", "she sings soundtrack:[song.mp3] model:pro size:9:16",
	"she sings soundtrack:[long.mp3] model:pro", "she sings soundtrack:[song.mp3] model:quality end_image:[tall.png] image:[wide.png]",

	"it goes on clip:[clip.mp4] end_image:[wide.png] num_context_frames:49", "it goes on clip:[clip.mp4] soundtrack:[song.mp3]", "it goes on clip:[clip.mp4] model:quality",
	"it goes on clip:[clip.mp4] model:fast", "it goes on clip:[clip.mp4] model:ltx-2.5", "it goes on clip:[clip.mp4] model:ltx-2.5-pro", "it goes on clip:[clip.mp4] model:pro lora:owner/repo",
	"it goes on clip:[clip.mp4] model:pro end_image:[wide.png]", "it goes on clip:[clip.mp4] model:distilled lora:owner/repo", "it goes on clip:[clip.mp4] start_time:2",
	"as clay clip:[phone.mp4] edit:restyle lora:owner/repo@0.8,owner/other", "as clay clip:[phone.mp4] edit:restyle model:distilled", "as clay clip:[phone.mp4] edit:restyle model:pro",
	"as clay clip:[phone.mp4] edit:restyle image:[tall.png]", "as clay clip:[phone.mp4] edit:restyle image:[tall.png] model:quality",
	"as clay clip:[phone.mp4] edit:restyle model:quality lora:https://huggingface.co/a/b/resolve/main/c.safetensors",
	"as clay clip:[phone.mp4] edit:reference", "as clay clip:[phone.mp4] edit:reference lora:owner/repo ic_lora_type:none", "as clay clip:[phone.mp4] edit:reference model:distilled preprocessor:pose",
	"as clay clip:[phone.mp4] edit:reference model:distilled lora:owner/repo", "as clay clip:[phone.mp4] edit:reference model:quality",
	"as clay clip:[phone.mp4] edit:reference image:[tall.png] end_image:[wide.png] soundtrack:[song.mp3]", "as clay clip:[phone.mp4] edit:reference soundtrack:[song.mp3] model:quality",
	"as clay clip:[phone.mp4] edit:reference model:ltx-2.5",
	"she smiles clip:[clip.mp4] edit:retake retake_mode:audio", "she smiles clip:[clip.mp4] edit:retake lora:owner/repo", "she smiles clip:[clip.mp4] edit:retake size:720p",
	"she smiles clip:[clip.mp4] edit:retake model:distilled", "she smiles clip:[clip.mp4] edit:retake image:[wide.png]",
	"clip:[clip.mp4] edit:reframe", "clip:[phone.mp4] edit:reframe size:720p", "clip:[clip.mp4] edit:reframe size:16:9 model:ltx-2.3", "clip:[clip.mp4] edit:reframe size:1:1 lora:owner/repo",
}

// modelRules draw the same seed each time.
var modelRules = ltx.Rules{Seed: func() int64 { return 7 }}

// TestWhatIsTypedBecomesTheRequest holds each line against the endpoint and the
// JSON that it becomes. fal's own documents say that the JSON is right, and that
// nothing in it is ignored. The tests of both platforms type the lines of the
// golden file, and give its files as people do.
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
		o := generate.JobRequest{Job: "k3f92mq7abcd", Endpoint: req.Endpoint(), Request: req}
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
		if n := req.Count(); n > 1 {
			fmt.Fprintf(&b, "    %d videos\n", n)
		}
		fmt.Fprintf(&b, "    %s\n", simfal.Chosen(last.Endpoint, last.Body))
		for _, n := range req.Notes {
			fmt.Fprintf(&b, "    note: %s: %s %q %q\n", n.Option, n.Reason, n.From, n.To)
		}
		b.WriteByte('\n')
	}
	golden.Equal(t, "models.txt", b.String())
}

// asked is the request of a line, with its files at fal.
func asked(line string) (ltx.Request, error) {
	l, err := command.Parse(strings.NewReplacer("[", "https://example.com/", "]", "").Replace(line))
	if err != nil {
		return ltx.Request{}, err
	}
	if l.Verb != "" {
		return ltx.Request{}, errors.New("no request")
	}
	req, err := modelRules.Parse(l.Settings)
	if err != nil {
		return ltx.Request{}, err
	}
	return adaptertest.Brought(modelRules, req)
}

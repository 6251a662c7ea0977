package discord_test

import (
	"strings"
	"testing"

	"ltxbot/bot/view"
	"ltxbot/core/generate"
	sim "ltxbot/sim/discord"
)

// TestSettingsInThePromptOptionCount is the table of what people type into the
// prompt option beside a prompt.
func TestSettingsInThePromptOptionCount(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name    string
		options []sim.Argument
		prompt  string
		camera  string
		size    string
		seed    int64
		card    string // a note on the card
	}{
		{
			name: "the habits of another bot", options: []sim.Argument{sim.Arg("prompt", "a cat --ar 9:16 --seed 9")},
			prompt: "a cat", size: "576x1024", seed: 9,
		},
		{
			name: "a whole line", options: []sim.Argument{sim.Arg("prompt", "/ltx a cat camera:dolly_in seed:9")},
			prompt: "a cat", camera: "dolly_in", seed: 9,
		},
		{
			name: "the name of the option", options: []sim.Argument{sim.Arg("prompt", "prompt: a cat camera:dolly_in")},
			prompt: "a cat", camera: "dolly_in", seed: 7,
		},
		{
			name: "beside options of their own", options: []sim.Argument{sim.Arg("prompt", "a cat seed:9"), sim.Arg("camera", "dolly_in")},
			prompt: "a cat", camera: "dolly_in", seed: 9,
		},
		{
			name: "which an option overrides", options: []sim.Argument{sim.Arg("prompt", "a cat seed:9"), sim.Arg("seed", "11")},
			prompt: "a cat", seed: 11, card: "11 from the option was used, not 9 from the prompt",
		},
		{
			name:    "which advanced overrides",
			options: []sim.Argument{sim.Arg("prompt", "a cat seed:9"), sim.Arg("advanced", "seed=11")},
			prompt:  "a cat", seed: 11, card: "11 from the option was used, not 9 from the prompt",
		},
		{
			name: "that say the same as an option", options: []sim.Argument{sim.Arg("prompt", "a cat camera:dolly-in"), sim.Arg("camera", "dolly_in")},
			prompt: "a cat", camera: "dolly_in", seed: 7,
		},
		{
			name: "and prose that only looks like them", options: []sim.Argument{sim.Arg("prompt", "Style: noir. At 12:30 a man says \"camera:static\"")},
			prompt: "Style: noir. At 12:30 a man says \"camera:static\"", seed: 7,
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			s := newStage(t)
			j := s.job(s.slash("ltx", tt.options...))
			r := j.Request
			camera := tt.camera
			if camera == "" {
				camera = "none"
			}
			if r.Prompt() != tt.prompt || r.Camera() != camera || r.Seed() != tt.seed || tt.size != "" && r.Size().String() != tt.size {
				t.Errorf("prompt %q, camera %s, seed %d, size %s", r.Prompt(), r.Camera(), r.Seed(), r.Size())
			}
			s.mustShow(j.ID, generate.Queued)
			text := s.card(j).Text()
			if !strings.Contains(text, tt.card) || tt.card == "" && strings.Contains(text, "from the option was used") {
				t.Errorf("card is %q", text)
			}
		})
	}
}

func TestPromptOptionThatIsNoPromptCostsNothing(t *testing.T) {
	t.Parallel()
	tests := map[string]string{
		`""`:                   "prompt",
		"“ ”":                  "prompt",
		"help":                 "Make a video",
		"/ltx help options":    "Options",
		"jobs":                 "no videos yet",
		"a cat duraton:5":      "duration",
		"a cat camera:":        "needs a value",
		"seed:9":               "prompt",
		"cancel all":           "prompt:\"cancel all\"",
		"delete k3f92mq7abcd":  "Delete",
		"Quota":                "limits",
		"cancel k3f92mq7abcd":  "k3f92mq7abcd",
		"a cat seed:1 seed:2":  "seed",
		"a cat --stylize 9000": "stylize",
	}
	s := newStage(t)
	for typed, want := range tests {
		if m := s.response(s.slash("ltx", sim.Arg("prompt", typed))); m.EphemeralTo != s.ada.ID || !strings.Contains(m.Text(), want) {
			t.Errorf("%q: ada reads %q", typed, m.Text())
		}
	}
	if n := len(s.engine.Accepted); n != 0 {
		t.Errorf("%d jobs were made", n)
	}
}

// Who fills in the option means a prompt, however short it is.
func TestTheOptionIsForPromptsThatLookLikeCommands(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	for _, typed := range []string{
		"dance", "snow", "style", "styles", "man", "show", "stop", "delete", "hlep", "hilfe", "admni log", "dance now", "admin", `"jobs"`,
	} {
		if got, want := s.job(s.slash("ltx", sim.Arg("prompt", typed))).Request.Prompt(), strings.Trim(typed, `"`); got != want {
			t.Errorf("%s: prompt is %q", typed, got)
		}
	}
}

func TestAQuestionBesideAnotherOptionIsAPrompt(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	for _, typed := range []string{"what is left?", "settings"} {
		r := s.job(s.slash("ltx", sim.Arg("prompt", typed), sim.Arg("camera", "static"))).Request
		if r.Prompt() != typed || r.Camera() != "static" {
			t.Errorf("%s: prompt %q, camera %s", typed, r.Prompt(), r.Camera())
		}
	}
	if m := s.response(s.slash("ltx", sim.Arg("prompt", "what is left?"))); !strings.Contains(m.Text(), "limits") {
		t.Errorf("ada reads %q", m.Text())
	}
}

func TestSettingsInThePromptOfAFormCount(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	// The prompt of the first video has words in it that would be a setting.
	first := s.askIn(s.general, sim.Arg("prompt", `"a cat and camera:static"`))
	s.mustShow(first.ID, generate.Running)
	s.mustDeliver(first.ID, 1<<20)
	video := videos(s.general, first.ID)[0]
	if got := first.Request.Prompt(); got != "a cat and camera:static" {
		t.Fatalf("prompt is %q", got)
	}
	submit := func(values map[string]any) *sim.Interaction {
		t.Helper()
		open := s.click(s.ada, video, view.ActEdit, first.ID)
		s.form(open)
		i := s.submit(s.ada, open, values)
		return i
	}
	if r := s.job(submit(nil)).Request; r.Prompt() != "a cat and camera:static" || r.Camera() != "none" {
		t.Errorf("an unchanged prompt became %q with camera %s", r.Prompt(), r.Camera())
	}
	if r := s.job(submit(map[string]any{"prompt": "a dog seed:9"})).Request; r.Prompt() != "a dog" || r.Seed() != 9 {
		t.Errorf("prompt %q, seed %d", r.Prompt(), r.Seed())
	}
	i := submit(map[string]any{"prompt": "a dog camera:dolly_in", "camera": "jib_up"})
	if m := s.response(i); !strings.Contains(m.Text(), "camera") || len(m.Buttons) != 1 || len(s.engine.Accepted) != 0 {
		t.Errorf("ada reads %q", m.Text())
	}
}

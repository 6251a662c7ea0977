package bot_test

import (
	"slices"
	"strings"
	"testing"

	"ltxbot/bot"
	"ltxbot/bot/view"
	"ltxbot/core/generate"
	"ltxbot/core/ltx"
)

func TestALoRAIsTriedAtSeveralStrengths(t *testing.T) {
	d, _ := newLibraryService(t, &fakeGenerator{}, true)
	d.LoRAsLine(t.Context(), caller(ann), `add film acme/film@0.6 trigger:ohwx example:"a man in the rain" seed:7`)
	d.LoRAsLine(t.Context(), caller(ann), "add clay acme/clay")
	outsider := caller(bob)
	outsider.Outsider = true
	for _, tt := range []struct {
		name, typed string
		caller      bot.Caller
		want        string // the prompt, or what the refusal says
		check       func(ltx.Request) bool
	}{
		{"with a prompt", `try Film a cowboy says "hello: there"`, caller(bob), `ohwx, a cowboy says "hello: there"`, nil},
		{"with options", "TRY film a cowboy camera:static seed:9", caller(bob), "ohwx, a cowboy", func(r ltx.Request) bool { return r.Camera() == "static" && r.Seed() == 9 }},
		{"without a prompt, by its example", "try film", caller(bob), "ohwx, a man in the rain", func(r ltx.Request) bool { return r.Seed() == 7 }},
		{"with options alone", "try film quality:draft seed:9", caller(bob), "ohwx, a man in the rain", func(r ltx.Request) bool { return r.Quality() == "draft" && r.Seed() == 9 }},
		{"with another LoRA and a count", "try film a cowboy lora:clay count:3", caller(bob), "ohwx, a cowboy", func(r ltx.Request) bool { return len(r.LoRAs()) == 1 && len(r.Notes) >= 2 }},
		{"a name that is not there", "try flim a cowboy", caller(bob), "no LoRA “flim”. /ltx loras lists them. Did you mean film", nil},
		{"no prompt and no example", "try clay", caller(bob), "prompt", nil},
		{"somebody of another organisation", "try film a cowboy", outsider, "for members of the team", nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			a, ok := bot.TryLine(tt.typed)
			if !ok {
				t.Fatal("the line is not read")
			}
			a.Caller, a.Event = tt.caller, tt.name
			ask, refusal := submit(t, d, a)
			if refusal != nil {
				if !strings.Contains(refusal.String(), tt.want) {
					t.Errorf("refused: %s", refusal)
				}
				return
			}
			r := ask.Request
			if r.Prompt() != tt.want || !slices.Equal(r.Trial().Scales, []float64{0.4, 0.7, 1, 1.3}) || r.Trial().LoRA != "film" || r.Count() != 4 {
				t.Errorf("%d videos, trial %+v of %s", r.Count(), r.Trial(), r.CommandLine())
			}
			if tt.check != nil && !tt.check(r) {
				t.Errorf("the options: %s, %v", r.CommandLine(), r.Notes)
			}
		})
	}
	for line, want := range map[string]string{"try": "try NAME [PROMPT]", "try film a cat": "need a conversation"} {
		if m := d.LoRAsLine(t.Context(), caller(bob), line); !strings.Contains(m.String(), want) {
			t.Errorf("%s without a conversation: %s", line, m)
		}
	}
	if _, ok := bot.TryLine("try"); ok {
		t.Error("a line without a name is read")
	}
}

// TestATrialThatFailedIsTriedAgain presses Try again under the card of a trial
// whose takes have all failed.
func TestATrialThatFailedIsTriedAgain(t *testing.T) {
	g := &fakeGenerator{}
	d, _ := newLibraryService(t, g, true)
	d.LoRAsLine(t.Context(), caller(ann), "add film acme/film")
	a, _ := bot.TryLine("try film a cowboy seed:7")
	a.Caller, a.Event = caller(ann), "e"
	ask, refusal := submit(t, d, a)
	if refusal != nil {
		t.Fatal(refusal)
	}
	j := job(t, jobA, cowboy, generate.Failed)
	j.Request, j.Batch = ask.Request.Take(0), generate.Batch{ID: jobA, Index: 1, Size: 4, Trial: ask.Request.Trial()}
	g.jobs[j.ID] = j
	p := d.Press(t.Context(), caller(ann), view.ActRetry, j.ID)
	if p.Ask == nil {
		t.Fatalf("%+v", p.Reply)
	}
	again, refusal := submit(t, d, *p.Ask)
	if refusal != nil {
		t.Fatal(refusal)
	}
	if r := again.Request; r.Count() != 4 || r.Seed() != 7 || r.Take(3).LoRAs()[0].Scale != 1.3 {
		t.Errorf("made again: %d videos, trial %+v of %s", r.Count(), r.Trial(), r.CommandLine())
	}
}

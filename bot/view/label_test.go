package view_test

import (
	"strings"
	"testing"

	"ltxbot/bot/text"
	"ltxbot/bot/view"
	"ltxbot/core/generate"
	"ltxbot/core/ltx"
)

// says reports whether a message has a line of exactly these words, also for
// people who read its plain text.
func says(m view.Message, line string) bool {
	for _, b := range m.Blocks {
		if text.Flat(b.Spans) == line {
			return strings.Contains(m.Plain, line)
		}
	}
	return false
}

func TestEveryMessageWithAVideoSaysThatItIsMadeByAI(t *testing.T) {
	j := job(t, jobA, strings.Repeat("a cowboy walks through a dusty town, ", 50), generate.Delivering)
	j.Output.URL, j.Output.Prompt = "https://v3.fal.media/files/a/b.mp4", strings.Repeat("A weathered cowboy. ", 60)
	lost := j
	lost.State, lost.Failure = generate.Failed, generate.Failure{Kind: generate.FailUnreachable}
	builtIn := text.BuiltInCatalog()
	reworded := builtIn.Reworded(view.KeyLabel, func(language string) string {
		return map[string]string{"de": "Eine Maschine hat das gemacht.", "en": "@here **A machine** made {this}."}[language]
	})
	for _, c := range []struct {
		catalog *text.Catalog
		want    map[string]string
	}{
		{builtIn, map[string]string{
			"en": "Made by AI.", "de": "Mit KI erzeugt.", "es": "Hecho con IA.", "fr": "Généré par IA.", "ja": "AIで生成した動画です。",
		}},
		{reworded, map[string]string{
			"en": "@here **A machine** made {this}.", "de": "Eine Maschine hat das gemacht.", "es": "Hecho con IA.",
		}},
	} {
		for language, want := range c.want {
			p := c.catalog.Printer(language, "/ltx")
			for name, m := range map[string]view.Message{
				"original":             view.Result(p, j, view.ResultFacts{Fit: generate.FitOriginal}),
				"re-encoded":           view.Result(p, j, view.ResultFacts{Fit: generate.FitReencoded}),
				"link":                 view.Result(p, j, view.ResultFacts{Fit: generate.FitLink, URL: j.Output.URL}),
				"link in a last card":  view.Card(p, lost),
				"link of a card shown": view.ShownJob(p, lost),
			} {
				if !says(m, want) {
					t.Errorf("%s, %s: no line %q in %q", language, name, want, m.Plain)
				}
			}
			if alt := view.AltText(p, j); !strings.HasPrefix(alt, want) {
				t.Errorf("%s: the description of the file is %q, want %q first", language, alt, want)
			}
		}
	}
}

// An erased job has no prompt, and its line no empty place for one.
func TestAnErasedJobHasNoEmptyPlaceInTheList(t *testing.T) {
	j := job(t, jobA, cowboy, generate.Delivered)
	j.Request = ltx.Request{}
	list := view.JobList(text.BuiltInCatalog().Printer("en", "/ltx"), []generate.Job{j}).String()
	if !strings.Contains(list, jobA+" · Done · ") || strings.Contains(list, " ·  · ") {
		t.Errorf("the list reads %s", list)
	}
}

package app_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"ltxbot/app"
	"ltxbot/bot/text"
	"ltxbot/bot/view"
	"ltxbot/config"
)

func TestTheOperatorRewordsTheLabelInEachLanguage(t *testing.T) {
	labels := func(l config.Label) map[string]string {
		cfg := config.Default()
		cfg.Label = l
		catalog, out := app.Catalog(cfg), map[string]string{}
		for _, language := range text.BuiltInCatalog().Languages() {
			out[language] = view.Label(catalog.Printer(language, "/ltx"))
		}
		return out
	}
	for _, c := range []struct {
		name  string
		label config.Label
		want  map[string]string
	}{
		{"the bot's own words", config.Label{}, map[string]string{
			"de": "Mit KI erzeugt.", "en": "Made by AI.", "es": "Hecho con IA.", "fr": "Généré par IA.", "ja": "AIで生成した動画です。",
		}},
		{"one line for all, and one for a language", config.Label{All: "AI", JA: "AI製"}, map[string]string{
			"de": "AI", "en": "AI", "es": "AI", "fr": "AI", "ja": "AI製",
		}},
		{"a line for each", config.Label{EN: "a", DE: "b", ES: "c", FR: "d", JA: "e"}, map[string]string{
			"de": "b", "en": "a", "es": "c", "fr": "d", "ja": "e",
		}},
	} {
		if diff := cmp.Diff(c.want, labels(c.label)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", c.name, diff)
		}
	}
}

package discord_test

import (
	"slices"
	"testing"

	"ltxbot/bot"
	"ltxbot/bot/discord"
)

func TestEveryLanguageHasEveryText(t *testing.T) {
	t.Parallel()
	own, err := discord.OwnCatalog()
	if err != nil {
		t.Fatal(err)
	}
	if got, want := own.Languages(), bot.New(bot.Config{}).Languages(); !slices.Equal(got, want) {
		t.Errorf("languages are %v, those of the desk are %v", got, want)
	}
	keys := own.Keys(bot.DefaultLanguage)
	for _, language := range own.Languages() {
		if got := own.Keys(language); !slices.Equal(got, keys) {
			t.Errorf("%s has the keys %v, want %v", language, got, keys)
		}
		for _, key := range keys {
			if got, want := own.Placeholders(language, key), own.Placeholders(bot.DefaultLanguage, key); !slices.Equal(got, want) {
				t.Errorf("%s of %s has the placeholders %v, want %v", key, language, got, want)
			}
		}
	}
}

package discord_test

import (
	"testing"

	"ltxbot/bot/discord"
)

func TestCommandsAreSpelledAsTheyAreTypedHere(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ in, want string }{
		{"/ltx help options", "/ltx-help topic:options"},
		{"/ltx help", "/ltx-help"},
		{"/ltx jobs", "/ltx-jobs list"},
		{"/ltx jobs erase yes", "/ltx-jobs erase sure:True"},
		{"/ltx show ID", "/ltx-jobs show job:ID"},
		{"/ltx cancel k3f92mq7abcd", "/ltx-jobs cancel job:k3f92mq7abcd"},
		{"/ltx quota", "/ltx-quota show"},
		{"/ltx loras", "/ltx-loras"},
		{"/ltx a cowboy walks through a dusty town camera:dolly_in", "/ltx prompt:a cowboy walks through a dusty town camera:dolly_in"},
		{`/ltx prompt:"a \"wild\" fox" seed:7`, `/ltx prompt:a "wild" fox seed:7`},
		{`/ltx prompt:"cancel all"`, `/ltx prompt:"cancel all"`},
		{`/ltx prompt:"she has a \"camera:static\" sign, seed:7"`, `/ltx prompt:"she has a \"camera:static\" sign, seed:7"`},
		{"/ltx", "/ltx"},
		{"dolly_in", "dolly_in"},
		{"/ltxx help", "/ltxx help"},
	} {
		if got := discord.Spell(tt.in); got != tt.want {
			t.Errorf("spell(%q) = %q, want %q", tt.in, got, tt.want)
		}
	}
}

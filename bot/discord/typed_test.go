package discord_test

import (
	"testing"

	"ltxbot/bot/discord"
	"ltxbot/bot/text"
	"ltxbot/core/ltx"
)

func TestCommandsAreShownAsTheyAreTypedHere(t *testing.T) {
	t.Parallel()
	verb := func(name string, args ...string) text.Command { return text.Command{Verb: name, Args: args} }
	video := func(settings ...ltx.Setting) text.Command { return text.Command{Settings: settings} }
	for _, tt := range []struct {
		in   text.Command
		want string
	}{
		{verb("help", "options"), "/ltx-help topic:options"},
		{verb("help"), "/ltx-help"},
		{verb("jobs"), "/ltx-jobs list"},
		{verb("jobs", "erase", "yes"), "/ltx-jobs erase sure:True"},
		{verb("show", "ID"), "/ltx-jobs show job:ID"},
		{verb("cancel", "k3f92mq7abcd"), "/ltx-jobs cancel job:k3f92mq7abcd"},
		{verb("quota"), "/ltx-quota show"},
		{verb("quota", "unlink"), "/ltx-quota unlink"},
		{verb("loras"), "/ltx-loras"},
		{verb("admin"), "/ltx-admin"},
		{
			video(ltx.Setting{Key: "prompt", Value: "a cowboy walks through a dusty town"}, ltx.Setting{Key: "camera", Value: "dolly_in"}),
			"/ltx prompt:a cowboy walks through a dusty town camera:dolly_in",
		},
		{video(ltx.Setting{Key: "prompt", Value: `a "wild" fox`}, ltx.Setting{Key: "seed", Value: "7"}), `/ltx prompt:a "wild" fox seed:7`},
		{video(ltx.Setting{Key: "prompt", Value: "cancel all"}), `/ltx prompt:"cancel all"`},
		{
			video(ltx.Setting{Key: "prompt", Value: `she has a "camera:static" sign, seed:7`}),
			`/ltx prompt:"she has a \"camera:static\" sign, seed:7"`,
		},
		{video(), "/ltx"},
	} {
		if got := discord.Typed(tt.in); got != tt.want {
			t.Errorf("%+v is shown as %q, want %q", tt.in, got, tt.want)
		}
	}
}

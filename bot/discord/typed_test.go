package discord_test

import (
	"strings"
	"testing"

	"ltxbot/bot/discord"
	"ltxbot/bot/text"
	"ltxbot/core/ltx"
	sim "ltxbot/sim/discord"
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
		{verb("quota", "link", "3ENC7K2Q"), "/ltx-quota link code:3ENC7K2Q"},
		{verb("loras"), "/ltx-loras list"},
		{verb("loras", "add", "NAME", "LINK"), "/ltx-loras add name:NAME link:LINK"},
		{verb("loras", "add", "NAME", "LINK", "[scale:SCALE]"), "/ltx-loras add name:NAME link:LINK [scale:SCALE]"},
		{verb("loras", "list", "WORD"), "/ltx-loras list find:WORD"},
		{verb("loras", "frobnicate"), "/ltx-loras frobnicate"},
		{verb("loras", "edit"), "/ltx-loras edit"},
		{verb("styles"), "/ltx-loras styles"},
		{verb("styles", "add", "noir", "camera:static"), "/ltx-loras style-add name:noir options:camera:static"},
		{verb("admin"), "/ltx-admin"},
		{verb("admin", "grant"), "/ltx-admin grant"},
		{verb("admin", "set", "WHO", "LIMIT", "AMOUNT", "[REASON]"), "/ltx-admin set who:WHO limit:LIMIT amount:AMOUNT [reason:REASON]"},
		{
			video(ltx.Setting{Key: "prompt", Value: "a cowboy walks through a dusty town"}, ltx.Setting{Key: "camera", Value: "dolly_in"}),
			"/ltx prompt:a cowboy walks through a dusty town camera:dolly_in",
		},
		{video(ltx.Setting{Key: "prompt", Value: `a "wild" fox`}, ltx.Setting{Key: "seed", Value: "7"}), `/ltx prompt:a "wild" fox seed:7`},
		{video(ltx.Setting{Key: "prompt", Value: "cancel all"}), `/ltx prompt:"cancel all"`},
		{video(ltx.Setting{Key: "prompt", Value: "jobs"}), `/ltx prompt:"jobs"`},
		{
			video(ltx.Setting{Key: "prompt", Value: `she has a "camera:static" sign, seed:7`}),
			`/ltx prompt:"she has a \"camera:static\" sign, seed:7"`,
		},
		{video(ltx.Setting{Key: "negative", Value: `"rain"`}), `/ltx negative:"\"rain\""`},
		{video(), "/ltx"},
	} {
		if got := discord.Typed(tt.in); got != tt.want {
			t.Errorf("%+v is shown as %q, want %q", tt.in, got, tt.want)
		}
	}
}

// TestQuotesRoundAnOptionAreNotPartOfIt types values as people do who know lines
// in which a value with spaces needs quotes.
func TestQuotesRoundAnOptionAreNotPartOfIt(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	boss := s.boss()
	i, err := s.ada.Slash(s.ctx, s.general, "ltx", sim.Arg("prompt", `"a cat" and "a dog"`), sim.Arg("negative", "«rain, don't»"),
		sim.Arg("lora", "‘a/b@0.8’"), sim.Arg("advanced", `"video_stg_scale=0.5 scheduler=ltx2"`), sim.Arg("seed", "„9“"))
	if err != nil {
		t.Fatal(err)
	}
	line := s.job(i).Request.CommandLine()
	want := `prompt:"\"a cat\" and \"a dog\"" lora:a/b@0.8 negative:"rain, don't" seed:9 video_stg_scale:0.5 scheduler:ltx2`
	if line != want {
		t.Errorf("made %s\nwant %s", line, want)
	}
	i = s.slash("ltx", sim.Arg("prompt", "a cat"), sim.Arg("negative", `"rain", "snow"`))
	if line = s.job(i).Request.CommandLine(); !strings.Contains(line, `negative:"\"rain\", \"snow\""`) {
		t.Errorf("made %s", line)
	}
	i = s.slashBy(boss, s.general, "ltx-loras style-add", sim.Arg("name", `"noir"`), sim.Arg("prefix", "“black and white”"))
	s.response(i)
	i = s.slash("ltx", sim.Arg("prompt", "a cat"), sim.Arg("style", `"noir"`))
	if p := s.job(i).Request.Prompt(); !strings.HasPrefix(p, "black and white") {
		t.Errorf("the prompt with the style is %q", p)
	}
}

package discord_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"ltxbot/bot/command"
	"ltxbot/core/ltx"
	"ltxbot/internal/testfile"
	sim "ltxbot/sim/discord"
)

// TestEveryLineOfTheGrammarMeansTheSameInTheOption types the lines of the
// golden file of the grammar into the option prompt: what makes a video there
// makes the same one here, and what is refused or asked about costs nothing.
func TestEveryLineOfTheGrammarMeansTheSameInTheOption(t *testing.T) {
	t.Parallel()
	const least = 250
	file := testfile.Read(t, "../command/testdata/lines.txt")
	s, typed := newStage(t), 0
	for line := range strings.Lines(string(file)) {
		line = strings.TrimSuffix(strings.ReplaceAll(line, "␠", "\u00a0"), "\n")
		if line == "" || strings.HasPrefix(line, " ") || strings.HasPrefix(line, "#") || strings.Contains(line, "⏎") || strings.Contains(line, "<http") {
			continue // an option is one line, and no link is in brackets there
		}
		parsed, err := command.ParsePrompt(line)
		if parsed.Verb != "" || line == "/ltx" {
			continue
		}
		typed++
		i, typeErr := s.ada.Slash(s.ctx, s.general, "ltx", sim.Arg("prompt", line))
		if typeErr != nil {
			t.Fatalf("%s: %v", line, typeErr)
		}
		want, invalid := ltx.Rules{Seed: func() int64 { return 7 }}.Parse(parsed.Settings)
		if err != nil || invalid != nil {
			if m := s.response(i); m.EphemeralTo != s.ada.ID {
				t.Errorf("%s: ada reads %q", line, m.Text())
			}
			continue
		}
		if diff := cmp.Diff(want.Settings(), s.job(i).Request.Settings()); diff != "" {
			t.Errorf("%s (-grammar +discord):\n%s", line, diff)
		}
	}
	if typed < least {
		t.Errorf("%d lines were typed, want at least %d", typed, least)
	}
}

func TestAQuestionKeepsTheOtherOptions(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	i := s.slash("ltx", sim.Arg("prompt", "a cat looks at the camera: static"), sim.Arg("seed", "9"))
	text := s.response(i).Text()
	for _, want := range []string{
		`/ltx prompt:a cat looks at the camera:static seed:9`,
		`/ltx prompt:"a cat looks at the camera: static" seed:9`,
		"Nothing was charged",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("ada does not read %q:\n%s", want, text)
		}
	}
	// What the bot says to write is read as it says.
	i = s.slash("ltx", sim.Arg("prompt", `"a cat looks at the camera: static"`), sim.Arg("seed", "9"))
	if r := s.job(i).Request; r.Prompt() != "a cat looks at the camera: static" || r.Seed() != 9 || r.Camera() != "none" {
		t.Errorf("made %s", r.CommandLine())
	}
}

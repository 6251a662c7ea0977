package slack_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"ltxbot/bot/command"
	"ltxbot/internal/testfile"
)

// TestEveryLineOfTheGrammarMeansTheSameInSlack types the lines of the golden
// file of the grammar: what makes a video there makes the same one here, and
// what is refused or asked about there costs nothing and is told to who typed.
func TestEveryLineOfTheGrammarMeansTheSameInSlack(t *testing.T) {
	t.Parallel()
	const least = 250
	file := testfile.Read(t, "../command/testdata/lines.txt")
	s, typed := newStage(t), 0
	whispers := func() (n int) {
		for _, m := range s.general.Messages() {
			if m.EphemeralTo == s.ann.ID() {
				n++
			}
		}
		return n
	}
	for line := range strings.Lines(string(file)) {
		line = strings.TrimSuffix(strings.ReplaceAll(line, "␠", "\u00a0"), "\n")
		if line == "" || strings.HasPrefix(line, " ") || strings.HasPrefix(line, "#") || strings.Contains(line, "⏎") || strings.Contains(line, "<http") {
			continue // a command is one line, and a link in brackets is what the client makes of one
		}
		parsed, err := command.Parse(line)
		if parsed.Verb != "" || line == "/ltx" {
			continue
		}
		typed++
		t.Logf("type %s", line)
		before := whispers()
		s.slash(s.ann, s.general, line)
		want, invalid := rules("").Parse(parsed.Settings)
		if err != nil || invalid != nil {
			s.until("an answer to "+line, func() bool { return whispers() > before })
			continue
		}
		if diff := cmp.Diff(want.Settings(), s.job().Request.Settings()); diff != "" {
			t.Errorf("%s (-grammar +slack):\n%s", line, diff)
		}
	}
	if typed < least {
		t.Errorf("%d lines were typed, want at least %d", typed, least)
	}
	select {
	case j := <-s.engine.Accepted:
		t.Errorf("a refused line made a video: %s", j.Request.CommandLine())
	default:
	}
}

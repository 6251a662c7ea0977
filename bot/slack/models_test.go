package slack_test

import (
	"slices"
	"strings"
	"testing"

	"ltxbot/bot/adapter/adaptertest"
	"ltxbot/bot/command"
	"ltxbot/bot/view"
	simfal "ltxbot/sim/fal"
	sim "ltxbot/sim/slack"
)

// TestWhatIsTypedAndGivenBecomesTheRequest types the lines of the golden file of
// all models, in a message to the bot that their files come with: each becomes the
// endpoint and the JSON that stand there, or is refused for the same reasons.
func TestWhatIsTypedAndGivenBecomesTheRequest(t *testing.T) {
	t.Parallel()
	s, made := newStage(t), 0
	whispers := func() []sim.Message {
		return slices.DeleteFunc(s.general.Messages(), func(m sim.Message) bool { return m.EphemeralTo != s.ann.ID() })
	}
	for _, typed := range adaptertest.Models(t) {
		t.Logf("type %s", typed.Line)
		before := len(whispers())
		switch {
		case len(typed.Files) > 0 && typed.Plain():
			files := make([]sim.FileSpec, 0, len(typed.Files))
			for _, f := range typed.Files {
				files = append(files, file(f.File))
			}
			s.share(s.general, "BOT "+typed.Text, "", files...)
		default:
			s.slash(s.ann, s.general, typed.Linked)
		}
		line, err := command.Parse(typed.Linked)
		if err == nil {
			_, err = rules("").Parse(line.Settings)
		}
		if err == nil {
			made++
			typed.Check(t, rules(""), s.job().Request, simfal.Chosen)
			continue
		}
		if err.Error() != typed.Refusal {
			t.Errorf("%s: the grammar says %v, the golden file %q", typed.Line, err, typed.Refusal)
		}
		s.until("an answer to "+typed.Line, func() bool { return len(whispers()) > before })
		for _, e := range command.ProblemsIn(err) {
			for _, why := range view.FieldErrors(s.cfg.Service.Printer("en"), e) {
				if m := whispers()[before]; !strings.Contains(m.Text, why) {
					t.Errorf("%s: ann does not read %q in\n%s", typed.Line, why, m.Text)
				}
			}
		}
	}
	s.wantJobs(made)
}

package discord_test

import (
	"strings"
	"testing"

	"ltxbot/bot/adapter/adaptertest"
	"ltxbot/bot/command"
	"ltxbot/bot/view"
	"ltxbot/core/ltx"
	sim "ltxbot/sim/discord"
	simfal "ltxbot/sim/fal"
)

// TestWhatIsTypedAndGivenBecomesTheRequest types the lines of the golden file of
// all models, with their files as attachments: each becomes the endpoint and the
// JSON that stand there, or is refused for the same reasons.
func TestWhatIsTypedAndGivenBecomesTheRequest(t *testing.T) {
	t.Parallel()
	s, rules, made := newStage(t), ltx.Rules{Seed: func() int64 { return 7 }}, 0
	plain := strings.NewReplacer("\\", "", "`", "", "*", "")
	for _, typed := range adaptertest.Models(t) {
		args := []sim.Argument{sim.Arg("prompt", typed.Text)}
		for _, f := range typed.Files {
			args = append(args, sim.Arg(f.Key, file(f.File)))
		}
		i := s.slash("ltx", args...)
		line, err := command.Parse(typed.Linked)
		if err == nil {
			_, err = rules.Parse(line.Settings)
		}
		if err == nil {
			made++
			typed.Check(t, rules, s.job(i).Request, simfal.Chosen)
			continue
		}
		if err.Error() != typed.Refusal {
			t.Errorf("%s: the grammar says %v, the golden file %q", typed.Line, err, typed.Refusal)
		}
		m := s.response(i)
		for _, e := range command.ProblemsIn(err) {
			for _, why := range view.FieldErrors(s.cfg.Service.Printer("en"), e) {
				if m.EphemeralTo != s.ada.ID || !strings.Contains(plain.Replace(m.Text()), plain.Replace(why)) {
					t.Errorf("%s: ada does not read %q in\n%s", typed.Line, why, m.Text())
				}
			}
		}
	}
	if n := s.engine.Count(); n != made {
		t.Errorf("%d jobs of %d lines", n, made)
	}
}

package app_test

import (
	"encoding/json"
	"strings"
	"testing"

	"ltxbot/core/generate"
	simdiscord "ltxbot/sim/discord"
)

// Whoever has the token of an interaction, or a response URL, writes as the
// bot: neither outlives its job in the store.
func TestTokensAreKeptNoLongerThanTheirJob(t *testing.T) {
	t.Parallel()
	w := prepare(t, "text")
	slack := w.withSlack(t)
	w.run(t)
	for _, prompt := range []string{"a fox", "an nsfw fox"} {
		i := w.slash(t, simdiscord.Arg("prompt", prompt))
		w.endsWithout(t, "discord:"+i.ID, i.Token())
		r := slack.slash(t, prompt)
		w.endsWithout(t, "slack:"+r.TriggerID, r.ResponseURL)
	}
}

// endsWithout waits until the job of an event is over, and looks for a secret
// in its record, which must have been there before.
func (w *world) endsWithout(t *testing.T, event, secret string) {
	t.Helper()
	has, seen := false, false
	j := w.await(t, generate.NewID(event), func(j generate.Job) bool {
		record, err := json.Marshal(j)
		if err != nil {
			t.Fatal(err)
		}
		has = strings.Contains(string(record), secret)
		seen = seen || has
		return !j.Unfinished()
	})
	if has {
		t.Errorf("the record of job %s, which is %s, holds %q", j.ID, j.State, secret)
	}
	if !seen {
		t.Errorf("the record of job %s never held %q: this test looks for the wrong thing", j.ID, secret)
	}
}

package app_test

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

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
		i, err := w.ada.Slash(t.Context(), w.channel, "ltx", simdiscord.Arg("prompt", prompt))
		if err != nil {
			t.Fatal(err)
		}
		w.endsWithout(t, "discord:"+i.ID, i.Token())
		r, err := slack.ann.Slash(t.Context(), slack.general, "/ltx", prompt)
		if err != nil {
			t.Fatal(err)
		}
		w.endsWithout(t, "slack:"+r.TriggerID, r.ResponseURL)
	}
}

// endsWithout waits until the job of an event is over, and looks for a secret
// in its record, which must have been there before.
func (w *world) endsWithout(t *testing.T, event, secret string) {
	t.Helper()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	seen := false
	for {
		j, err := w.app.Job(t.Context(), generate.NewID(event))
		record, encodeErr := json.Marshal(j)
		if encodeErr != nil {
			t.Fatal(encodeErr)
		}
		has := strings.Contains(string(record), secret)
		seen = seen || has
		if err == nil && !j.Unfinished() {
			if has {
				t.Errorf("the record of job %s, which is %s, holds %q", j.ID, j.State, secret)
			}
			if !seen {
				t.Errorf("the record of job %s never held %q: this test looks for the wrong thing", j.ID, secret)
			}
			return
		}
		select {
		case <-tick.C:
		case <-t.Context().Done():
			t.Fatalf("job of %s is %s: %v", event, j.State, err)
		}
	}
}

package generate_test

import (
	"errors"
	"slices"
	"testing"
	"time"

	"ltxbot/core/generate"
	"ltxbot/core/ltx"
	"ltxbot/core/quota"
)

// TestWhatATierMayNotHaveIsRefusedBeforeAnythingIsHeld: the tiers are known once
// the courier has looked them up. The channel says that everybody is in the tier
// "prepared".
func TestWhatATierMayNotHaveIsRefusedBeforeAnythingIsHeld(t *testing.T) {
	for tier, state := range map[string]generate.State{"prepared": generate.Delivered, "studio": generate.Failed} {
		t.Run(tier, virtual(func(t *testing.T) {
			w := newWorld(t)
			w.refuses = func(_ ltx.Request, tiers []string) ltx.Invalid {
				if slices.Contains(tiers, tier) {
					return nil
				}
				return ltx.Invalid{{Option: "model", Problem: ltx.TierOnly, Value: "quality", Other: tier}}
			}
			p := w.run()
			j, err := p.engine.Record(t.Context(), ask(t, 0))
			if err == nil {
				err = p.acknowledge(t.Context(), j.ID)
			}
			if err == nil {
				_, err = p.engine.Prepare(t.Context(), j)
			}
			if err != nil {
				t.Fatal(err)
			}
			elapse(5 * time.Minute)
			if j = p.readJob(t, j.ID); j.State != state || j.Unfinished() || w.channel.shown(j.ID).State != state {
				t.Errorf("it is %s, unfinished %v, shown as %s; want %s", j.State, j.Unfinished(), w.channel.shown(j.ID).State, state)
			}
			if state == generate.Delivered {
				return
			}
			if j.Failure.Kind != generate.FailModel || len(j.Failure.Invalid) != 1 || w.provider.submitted(j.ID) > 0 {
				t.Errorf("it has failed with %+v after %d submits", j.Failure, w.provider.submitted(j.ID))
			}
			if _, err := p.store.Hold(t.Context(), j.ID); !errors.Is(err, quota.ErrNoHold) {
				t.Errorf("its hold: %v", err)
			}
		}))
	}
}

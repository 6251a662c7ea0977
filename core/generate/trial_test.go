package generate_test

import (
	"errors"
	"fmt"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"ltxbot/core/generate"
	"ltxbot/core/ltx"
	"ltxbot/core/quota"
)

// askTrial is a command that compares the strengths of a LoRA.
func askTrial(t *testing.T, n int) generate.Ask {
	t.Helper()
	a := ask(t, n)
	rules := ltx.Rules{Library: func(name string) (ltx.LoRA, bool) {
		return ltx.LoRA{Name: name, Path: "owner/film", Scale: 0.8}, true
	}}
	r, err := a.Request.With(rules, ltx.Setting{Key: "lora", Value: "film"})
	if err != nil {
		t.Fatal(err)
	}
	a.Request = r.Try("film", ltx.TrialScales()...)
	return a
}

func TestATrialHasOneSeedAndAStrengthForEachTake(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		p := w.run()
		a := askTrial(t, 0)
		p.mustSubmit(t, a)
		elapse(5 * time.Second)
		one := a.Request.One().Estimate(price(a.Request.Endpoint()))
		var scales []float64
		jobs := p.batchOf(t, a.Event, 4)
		for i, j := range jobs {
			scales = append(scales, j.Request.LoRAs()[0].Scale)
			if j.Request.Seed() != 1000 || j.Request.Count() != 1 || j.Batch.Size != 4 || j.Batch.Trial.Label(i) != fmt.Sprintf("film@%v", scales[i]) {
				t.Errorf("take %d: batch %+v of %s", i+1, j.Batch, j.Request.CommandLine())
			}
			if h, err := p.store.Hold(t.Context(), j.ID); err != nil || h.State != quota.Held || h.Estimate != one {
				t.Errorf("take %d: hold %+v, %v; want %d", i+1, h, err, one)
			}
		}
		if want := []float64{0.4, 0.7, 1, 1.3}; !slices.Equal(scales, want) {
			t.Errorf("the strengths are %v, want %v", scales, want)
		}
		if card := w.channel.shown(jobs[0].ID); card.Estimate != 4*one || card.Request.Trial().LoRA != "film" {
			t.Errorf("the card says %d, want %d; it tries %+v", card.Estimate, 4*one, card.Request.Trial())
		}
		elapse(10 * time.Minute)
		for _, videos := range w.channel.messages {
			if len(w.channel.messages) != 1 || len(videos) != 4 {
				t.Errorf("the messages are %v, want one of four videos", w.channel.messages)
			}
		}
	})
}

func TestATrialIsAcceptedAllOrNone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.policy.Member.Windows[0].Videos = 3
		p := w.run()
		a := askTrial(t, 0)
		_, quoted := p.engine.Quote(t.Context(), a)
		_, err := p.submit(t.Context(), a)
		for _, err := range []error{quoted, err} {
			if limit, ok := errors.AsType[*quota.LimitError](err); !ok || limit.Gauge.Used != 0 || limit.Need != 4 {
				t.Errorf("four strengths where three videos are left: %v, want a refusal that says that 4 were needed", err)
			}
		}
		elapse(time.Minute)
		if _, err := p.store.Job(t.Context(), take(t, 2)); !errors.Is(err, generate.ErrNoJob) {
			t.Errorf("the second take: %v", err)
		}
	})
}

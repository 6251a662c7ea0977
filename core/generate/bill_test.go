package generate_test

import (
	"testing"
	"testing/synctest"
	"time"

	"ltxbot/core/generate"
	"ltxbot/core/ltx"
	"ltxbot/core/quota"
	"ltxbot/core/usd"
)

func TestACancelledJobIsBilledIfItHadBegunAndFailuresAre(t *testing.T) {
	for _, tt := range []struct {
		name  string
		bill  bool
		after time.Duration
		hold  quota.HoldState
	}{
		{"it had begun", true, 20 * time.Second, quota.Settled},
		{"it waited in the queue", true, 3 * time.Second, quota.Released},
		{"failures cost nothing", false, 20 * time.Second, quota.Released},
	} {
		t.Run(tt.name, virtual(func(t *testing.T) {
			w := newWorld(t)
			w.billFailures = tt.bill
			p := w.run()
			id := p.accept(t, 1)
			elapse(tt.after)
			p.cancel(t, id)
			elapse(time.Minute)
			j, h := finished(t, p, id), hold(t, p, id)
			if j.State != generate.Cancelled || h.State != tt.hold || h.Charged != j.Charged {
				t.Errorf("job is %s with %d charged, its hold %s with %d; want it %s", j.State, j.Charged, h.State, h.Charged, tt.hold)
			}
		}))
	}
}

func TestABillOutOfProportionIsNotCharged(t *testing.T) {
	for _, tt := range []struct {
		name            string
		units           float64
		charged, billed usd.Micros
	}{
		{"as expected", 72, estimate, 0},
		{"three times as much", 216, 3 * estimate, 0},
		{"more than that", 216.1, 3 * estimate, 390_061},
		{"out of all proportion", 70_000_000, 3 * estimate, 126_350_000_000},
		{"less", 10, 18_050, 0},
		{"nothing is said", 0, estimate, 0},
	} {
		t.Run(tt.name, virtual(func(t *testing.T) {
			w := newWorld(t)
			w.provider.units = tt.units
			p := w.run()
			id := p.accept(t, 1)
			elapse(2 * time.Minute)
			j, h := finished(t, p, id), hold(t, p, id)
			if j.Charged != tt.charged || h.Charged != tt.charged || j.Billed != tt.billed {
				t.Errorf("charged %d (%d in the ledger), billed %d; want %d and %d", j.Charged, h.Charged, j.Billed, tt.charged, tt.billed)
			}
		}))
	}
}

func TestEachEndpointHasItsPrice(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.provider.units = 71.37
		p := w.run()
		a := ask(t, 1)
		plain, err := ltx.Rules{EndpointWithoutLoRA: plainEndpoint}.Parse(a.Request.Settings())
		if err != nil {
			t.Fatal(err)
		}
		a.Request = plain
		accepted := p.mustSubmit(t, a)
		id := accepted.ID
		elapse(2 * time.Minute)
		j := finished(t, p, id)
		if j.Estimate != 115_560 || j.Charged != 114_549 || j.Endpoint != plainEndpoint {
			t.Errorf("estimate %d, charged %d at %s; want 115560 and 114549", j.Estimate, j.Charged, j.Endpoint)
		}
		quote, err := p.engine.Quote(t.Context(), a)
		if err != nil || quote.Estimate != 115_560 {
			t.Errorf("quote = %d, %v", quote.Estimate, err)
		}
	})
}

package team_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"ltxbot/core/quota"
	"ltxbot/core/team"
	"ltxbot/core/usd"
)

// wardenWorld is wardens that share a ledger, as processes do.
type wardenWorld struct {
	*officeWorld

	mu   sync.Mutex
	told []string
	fail error
}

func (w *wardenWorld) warden() *team.Warden {
	return team.NewWarden(team.WardenConfig{
		Store:   w.store,
		Policy:  func() quota.Policy { return w.policy },
		Watched: func() []team.Watched { return []team.Watched{{Team: "acme", Channel: "discord:5"}} },
		WarnAt:  func() []int { return []int{100, 50, 75, 90} },
		Tell: func(_ context.Context, n team.Notice) error {
			w.mu.Lock()
			defer w.mu.Unlock()
			if w.fail != nil {
				return w.fail
			}
			text := fmt.Sprintf("%d%% of %s in the %s", n.Percent, usd.Micros(n.Gauge.Max), n.Gauge.Window)
			if !n.Month.IsZero() {
				text = fmt.Sprintf("%s: %d videos for %s, %d members", n.Month.Format("2006-01"), n.Spent.Videos, n.Spent.Charged, len(n.Members))
			}
			w.told = append(w.told, n.Channel+" "+text)
			return nil
		},
		Now: w.clock.Now,
	})
}

// check lets a warden look, and wants to hear just what it tells.
func (w *wardenWorld) check(want ...string) {
	w.Helper()
	w.told = nil
	if err := w.warden().Check(w.Context()); err != nil {
		w.Fatal(err)
	}
	if diff := cmp.Diff(want, w.told); diff != "" {
		w.Errorf("told (-want +got):\n%s", diff)
	}
}

func TestAdminsAreWarnedOfEachThresholdOnce(t *testing.T) {
	w := &wardenWorld{officeWorld: newOffice(t)}
	w.policy.Member = quota.Limits{}
	spend := func(dollars usd.Micros) {
		t.Helper()
		if !w.reserve(annOnDiscord, dollars*usd.Dollar) {
			t.Fatal("refused")
		}
	}
	w.check()
	spend(99)
	w.check()
	spend(1)
	w.check("discord:5 50% of $200.00 in the month")
	w.check() // a restart, or another process
	spend(85) // over two thresholds at once
	w.check("discord:5 90% of $200.00 in the month")
	w.check()
	spend(15)
	w.check("discord:5 100% of $200.00 in the month")

	w.clock.Set(time.Date(2026, time.April, 1, 0, 30, 0, 0, time.UTC)) // a new window
	for range w.jobs {
		w.settle(usd.Dollar)
		w.jobs--
	}
	w.jobs = 100
	w.check("discord:5 2026-03: 4 videos for $4.00, 1 members")
	spend(150)
	w.check("discord:5 75% of $200.00 in the month")
	w.clock.Advance(48 * time.Hour)
	w.check()
}

func TestANoticeThatCouldNotBePostedIsTriedAgain(t *testing.T) {
	w := &wardenWorld{officeWorld: newOffice(t)}
	w.policy.Member = quota.Limits{}
	w.reserve(annOnDiscord, 120*usd.Dollar)
	w.fail = errors.New("channel is gone")
	if err := w.warden().Check(t.Context()); !errors.Is(err, w.fail) {
		t.Errorf("got error %v", err)
	}
	w.fail = nil
	w.check() // somebody may be posting it this very moment
	w.clock.Advance(3 * time.Minute)
	w.check("discord:5 50% of $200.00 in the month")
	w.check()
}

func TestOfManyProcessesOneWarns(t *testing.T) {
	w := &wardenWorld{officeWorld: newOffice(t)}
	w.policy.Member = quota.Limits{}
	w.reserve(annOnDiscord, 200*usd.Dollar)
	var all sync.WaitGroup
	for range 20 {
		all.Go(func() {
			if err := w.warden().Check(t.Context()); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	if len(w.told) != 1 {
		t.Errorf("told %q, want it once", w.told)
	}
}

func TestALimitOfRollingTimeWarnsOnceInItsLength(t *testing.T) {
	w := &wardenWorld{officeWorld: newOffice(t)}
	w.policy.Member, w.policy.Team = quota.Limits{}, quota.Limits{Windows: []quota.WindowLimit{{Window: "24h0m0s", USD: 10 * usd.Dollar}}}
	w.reserve(annOnDiscord, 5*usd.Dollar)
	w.check("discord:5 50% of $10.00 in the 24h0m0s")
	w.clock.Advance(13 * time.Hour) // over midnight
	w.check()
	w.clock.Advance(12 * time.Hour)
	w.reserve(annOnDiscord, 5*usd.Dollar)
	w.check("discord:5 50% of $10.00 in the 24h0m0s")
}

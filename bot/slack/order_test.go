package slack_test

import (
	"context"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"ltxbot/bot"
	"ltxbot/bot/slack"
	"ltxbot/core/team"
	sim "ltxbot/sim/slack"
)

// fakeOffice notes what it is told to do.
type fakeOffice struct {
	mu     sync.Mutex
	actors []team.Actor
	orders []team.Order
}

func (f *fakeOffice) Do(_ context.Context, a team.Actor, o team.Order) (team.Report, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.actors, f.orders = append(f.actors, a), append(f.orders, o)
	return team.Report{Verb: o.Verb}, nil
}

func TestOrdersAreTypedAfterAdminAndQuota(t *testing.T) {
	t.Parallel()
	office := &fakeOffice{}
	s := newStage(t, func(c *slack.Config) { c.Service = bot.New(bot.Config{Office: office}) })
	boss := s.ws.AddUser(sim.UserSpec{Name: "boss", Admin: true})
	s.general.Add(boss)
	s.slash(boss, s.general, `admin grant @ann videos:5 reason:"a launch"`)
	s.whisper(boss, s.general, "gets extra")
	s.slash(s.ann, s.general, "quota link ABCD")
	s.whisper(s.ann, s.general, "share their limits")
	want := []team.Order{
		{Verb: "grant", Args: map[string]string{"who": "@U0ANN00001", "videos": "5", "reason": "a launch"}},
		{Verb: "link", Args: map[string]string{"code": "ABCD"}},
	}
	if diff := cmp.Diff(want, office.orders); diff != "" {
		t.Errorf("orders (-want +got):\n%s", diff)
	}
	if a := office.actors; !a[0].Admin || a[1].Admin || a[0].From != "slack" {
		t.Errorf("ordered by %+v", a)
	}
}

// Whoever was an admin a moment ago, and is none now, changes nothing.
func TestAnOrderAsksSlackWhoIsAnAdminAtThisMoment(t *testing.T) {
	t.Parallel()
	office := &fakeOffice{}
	s := newStage(t, func(c *slack.Config) { c.Service = bot.New(bot.Config{Office: office}) })
	boss := s.ws.AddUser(sim.UserSpec{Name: "boss", Admin: true})
	s.general.Add(boss)
	s.slash(boss, s.general, "admin pause")
	s.whisper(boss, s.general, "is paused")
	boss.SetAdmin(false)
	s.slash(boss, s.general, "admin resume")
	s.whisper(boss, s.general, "Only admins and owners")
	if len(office.orders) != 1 {
		t.Errorf("orders: %+v", office.orders)
	}
}

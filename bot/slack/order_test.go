package slack_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"ltxbot/bot"
	"ltxbot/bot/adapter/adaptertest"
	"ltxbot/bot/slack"
	"ltxbot/core/team"
	sim "ltxbot/sim/slack"
)

func TestOrdersAreTypedAfterAdminAndQuota(t *testing.T) {
	t.Parallel()
	office := &adaptertest.Office{}
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
	if diff := cmp.Diff(want, office.Orders); diff != "" {
		t.Errorf("orders (-want +got):\n%s", diff)
	}
	if a := office.Actors; !a[0].Admin || a[1].Admin || a[0].From != "slack" {
		t.Errorf("ordered by %+v", a)
	}
}

// Whoever was an admin a moment ago, and is none now, changes nothing.
func TestAnOrderAsksSlackWhoIsAnAdminAtThisMoment(t *testing.T) {
	t.Parallel()
	office := &adaptertest.Office{}
	s := newStage(t, func(c *slack.Config) { c.Service = bot.New(bot.Config{Office: office}) })
	boss := s.ws.AddUser(sim.UserSpec{Name: "boss", Admin: true})
	s.general.Add(boss)
	s.slash(boss, s.general, "admin pause")
	s.whisper(boss, s.general, "is paused")
	boss.SetAdmin(false)
	s.slash(boss, s.general, "admin resume")
	s.whisper(boss, s.general, "Only admins and owners")
	if len(office.Orders) != 1 {
		t.Errorf("orders: %+v", office.Orders)
	}
}

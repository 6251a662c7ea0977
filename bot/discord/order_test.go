package discord_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"ltxbot/bot"
	"ltxbot/bot/adapter/adaptertest"
	"ltxbot/bot/discord"
	"ltxbot/bot/text"
	"ltxbot/bot/view"
	"ltxbot/core/team"
	sim "ltxbot/sim/discord"
)

func TestOrdersAreSubcommandsOfTheTable(t *testing.T) {
	t.Parallel()
	office := &adaptertest.Office{}
	s := newStage(t, func(c *discord.Config) { c.Service = bot.New(bot.Config{Office: office}) })
	boss := s.sim.NewUser("boss")
	s.guild.Join(boss, s.guild.NewRole("boss", sim.ManageGuild))
	i, err := boss.Slash(s.ctx, s.general, "ltx-admin grant",
		sim.Arg("who", "<@"+s.ada.ID+">"), sim.Arg("videos", "5"), sim.Arg("reason", `"a launch"`))
	if err != nil {
		t.Fatal(err)
	}
	if m := s.response(i); m.EphemeralTo != boss.ID || !strings.Contains(m.Text(), "gets extra") {
		t.Errorf("boss reads %q", m.Text())
	}
	i = s.slash("ltx-quota link", sim.Arg("code", "ABCD"))
	if m := s.response(i); m.EphemeralTo != s.ada.ID || !strings.Contains(m.Text(), "share their limits") {
		t.Errorf("ada reads %q", m.Text())
	}
	want := []team.Order{
		{Verb: "grant", Args: map[string]string{"who": "<@" + s.ada.ID + ">", "videos": "5", "reason": "a launch"}},
		{Verb: "link", Args: map[string]string{"code": "ABCD"}},
	}
	if diff := cmp.Diff(want, office.Orders); diff != "" {
		t.Errorf("orders (-want +got):\n%s", diff)
	}
	if a := office.Actors; !a[0].Admin || a[0].Member != "discord:"+boss.ID || a[1].Admin || a[0].From != "discord" {
		t.Errorf("ordered by %+v", a)
	}
}

func TestLimitsAreCompleted(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	boss := s.sim.NewUser("boss")
	s.guild.Join(boss, s.guild.NewRole("boss", sim.ManageGuild))
	choices := s.suggested(boss, "ltx-admin set", "limit", sim.Arg("limit", "usd"))
	if len(choices) != 3 || choices[0].Value != "usd_per_day" {
		t.Errorf("choices are %+v", choices)
	}
}

func TestAnAnnouncementIsPostedOnceForItsNonce(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	a := bot.Announcement{
		Channel: s.general.ID, Nonce: "warn/acme/usd/month/2026-03-01/75",
		Message: view.Message{Blocks: []view.Block{{Kind: view.Text, Spans: []text.Span{{Text: "75 % is used"}}}}, Plain: "75 % is used"},
	}
	for range 2 {
		s.check("announce", s.bot.Announce(s.ctx, a))
	}
	posted := s.general.MessagesFor(s.ada)
	if len(posted) != 1 || !strings.Contains(posted[0].Text(), "75 % is used") {
		t.Errorf("posted %+v", posted)
	}
	a.Channel, a.Nonce = "1", "x"
	if err := s.bot.Announce(s.ctx, a); err == nil {
		t.Error("a channel that does not exist takes announcements")
	}
}

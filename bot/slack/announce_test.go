package slack_test

import (
	"strings"
	"testing"

	"ltxbot/bot"
	"ltxbot/bot/text"
	"ltxbot/bot/view"
	sim "ltxbot/sim/slack"
)

// warning is an announcement in a channel.
func warning(ch *sim.Channel, tenants ...string) bot.Announcement {
	return bot.Announcement{
		Channel: ch.ID(), Tenants: tenants, Locale: "en", Nonce: "warn/acme",
		Message: view.Message{Blocks: []view.Block{{Kind: view.Text, Spans: []text.Span{{Text: "75 % is used"}}}}, Plain: "75 % is used"},
	}
}

// warned checks that a channel was told once.
func warned(t *testing.T, ch *sim.Channel) {
	t.Helper()
	if posted := fromBot(ch); len(posted) != 1 || !strings.Contains(posted[0].Text, "75 % is used") {
		t.Errorf("posted %+v", posted)
	}
}

func TestAnAnnouncementIsPosted(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	a := warning(s.general, "T0ACME0001")
	s.check("announce", s.bot.Announce(t.Context(), a))
	warned(t, s.general)
	a.Channel = "C0NOWHERE1"
	if err := s.bot.Announce(t.Context(), a); err == nil {
		t.Error("a channel that does not exist takes announcements")
	}
}

func TestAnAnnouncementFindsTheWorkspaceThatInstalledTheApp(t *testing.T) {
	s := newShop(t)
	beta, gamma, delta := s.stranger("beta"), s.stranger("gamma"), s.stranger("delta")
	s.mustInstall(beta.ws)
	s.mustInstall(gamma.ws)
	for _, tt := range []struct {
		name    string
		channel *sim.Channel
		tenants []string
	}{
		{"the only workspace of a team", beta.channel, []string{beta.ws.ID()}},
		{"the second of three, the first has not installed it", gamma.channel, []string{delta.ws.ID(), beta.ws.ID(), gamma.ws.ID()}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s.check("announce", s.bot.Announce(t.Context(), warning(tt.channel, tt.tenants...)))
			warned(t, tt.channel)
		})
	}
	err := s.bot.Announce(t.Context(), warning(delta.channel, delta.ws.ID()))
	if err == nil || !strings.Contains(err.Error(), delta.ws.ID()+": the app is not installed") {
		t.Errorf("in a workspace that has not installed the app: %v", err)
	}
}

func TestAnAnnouncementIsPostedByTheInstallationOfAnOrganisation(t *testing.T) {
	t.Parallel()
	s := prepareShop(t)
	org := s.tenant(sim.WorkspaceSpec{ID: "T0GRID0001", Enterprise: "E0GRID0001", OrgInstall: true, NotInstalled: true})
	s.cfg.OAuth.Workspaces = []string{"E0GRID0001"}
	s.bot = s.newBot()
	s.open()
	s.mustInstall(org.ws)
	s.check("announce", s.bot.Announce(t.Context(), warning(org.channel, "T0GRID0001")))
	warned(t, org.channel)
}

// The token of the config serves its own workspace beside the others.
func TestAnAnnouncementIsPostedByTheTokenOfTheConfig(t *testing.T) {
	t.Parallel()
	s := prepareShop(t)
	s.cfg.BotToken = s.ws.BotToken()
	s.bot = s.newBot()
	s.open()
	for _, tenants := range [][]string{{"T0ACME0001"}, nil} {
		s.check("announce", s.bot.Announce(t.Context(), warning(s.general, tenants...)))
	}
	if n := len(fromBot(s.general)); n != 2 {
		t.Errorf("%d messages", n)
	}
}

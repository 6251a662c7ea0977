package app_test

import (
	"context"
	"io"
	"slices"
	"strings"
	"testing"
	"time"

	"ltxbot/app/admin"
	"ltxbot/config"
	"ltxbot/core/team"
	simdiscord "ltxbot/sim/discord"
	simslack "ltxbot/sim/slack"
)

// A speaker types commands on a platform and reads the answers that only it
// sees.
type speaker interface {
	types(t *testing.T, discord, slack string) (answer string)
}

// answerLimit is how long an answer may take on a busy machine.
const answerLimit = 30 * time.Second

// onDiscord is somebody in a channel of a guild.
type onDiscord struct {
	user    *simdiscord.User
	channel *simdiscord.Channel
}

func (s onDiscord) types(t *testing.T, line, _ string) string {
	t.Helper()
	i, err := s.user.Type(t.Context(), s.channel, line)
	if err != nil {
		t.Fatal(err)
	}
	m, err := i.WaitResponse(t.Context(), func(m simdiscord.Message) bool { return m.Text() != "" && !m.Loading })
	if err != nil {
		t.Fatal(err)
	}
	return m.Text()
}

// onSlack is somebody in a channel of a workspace.
type onSlack struct {
	slack   *simslack.Server
	user    *simslack.User
	channel *simslack.Channel
}

func (s onSlack) types(t *testing.T, _, line string) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), answerLimit)
	defer cancel()
	known := s.channel.Seen(s.user)
	if _, err := s.user.Slash(t.Context(), s.channel, "/ltx", line); err != nil {
		t.Fatal(err)
	}
	var m simslack.Message
	err := s.slack.Wait(ctx, func() (ok bool) {
		m, ok = seenBy(s.channel, s.user, known)
		return ok
	})
	if err != nil {
		t.Fatal(err)
	}
	return m.Text
}

// both is a bot on Discord and on Slack, with an admin on each who speaks
// English.
func both(t *testing.T) (s *shop, guild onDiscord, workspace onSlack) {
	t.Helper()
	s = prepareShop(t)
	boss := s.discord.NewUser("boss")
	g := s.world.channel.Guild()
	g.Join(boss, g.NewRole("boss", simdiscord.ManageGuild))
	chief := s.beta.AddUser(simslack.UserSpec{Name: "chief", Locale: "en-US", Admin: true})
	s.channel.Add(chief)
	return s, onDiscord{boss, s.world.channel}, onSlack{s.slack, chief, s.channel}
}

// Whoever adds the bot to a guild or a workspace of their own is its admin,
// and still spends no more than whoever runs the bot allows.
func TestAnAdminOfAStrangeTeamCannotOverrideTheOperator(t *testing.T) {
	t.Parallel()
	s, guild, workspace := both(t)
	s.cfg.Quota.Team = config.Limit{USDPerMonth: 0.2} // one video
	s.run(t)
	s.install(t)
	for name, boss := range map[string]speaker{"discord:" + s.world.channel.Guild().ID: guild, "slack:" + s.beta.ID(): workspace} {
		operator := func(words ...string) {
			t.Helper()
			if _, err := s.orderFor(t, name, admin.Text, words...); err != nil {
				t.Fatalf("the operator's %s: %v", words, err)
			}
		}
		me := "discord:" + guild.user.ID
		if boss == speaker(workspace) {
			me = "slack:" + s.beta.ID() + ":" + workspace.user.ID()
		}
		for _, order := range []struct{ discord, slack, want string }{
			{"/ltx-admin set who:team limit:usd_per_month amount:none", "admin set team usd_per_month none", "Whoever runs this bot has set"},
			{"/ltx-admin set who:team limit:usd_per_month amount:0.21", "admin set team usd_per_month 0.21", "You can set less"},
			{"/ltx-admin grant who:team usd:50", "admin grant team usd:50", "Only whoever runs this bot can give the whole team extra"},
			{"/ltx-admin reset who:team", "admin reset team", "Only whoever runs this bot can give the whole team extra or a fresh start"},
			{"/ltx-admin set who:" + me + " limit:usd_per_month amount:none", "admin set " + me + " usd_per_month none", "from now on"},
		} {
			if got := boss.types(t, order.discord, order.slack); !strings.Contains(got, order.want) {
				t.Errorf("%s: %s reads %q, want %q", name, order.slack, got, order.want)
			}
		}
		grain := team.Order{Verb: "add", Team: name, Args: map[string]string{"name": "grain", "link": "owner/grain"}}
		if err := admin.NewClient("http://"+s.app.Addr(), adminToken).Library(t.Context(), grain, admin.Text, io.Discard); err != nil {
			t.Fatal(err)
		}
		operator("block", me, "crypto ads")
		operator("pause", "over budget")
		for _, order := range []struct{ discord, slack, want string }{
			{"/ltx-admin unblock member:" + me, "admin unblock " + me, "only they can undo it"},
			{"/ltx-admin block member:" + me, "admin block " + me, "This is your own account"},
			{"/ltx-admin unblock member:" + me, "admin unblock " + me, "only they can undo it"},
			{"/ltx-admin resume", "admin resume", "only they can undo it"},
			{"/ltx prompt:a fox", "a fox", "Whoever runs this bot has paused it for this team. The reason: “over budget”. Only they can change that."},
		} {
			if got := boss.types(t, order.discord, order.slack); !strings.Contains(got, order.want) {
				t.Errorf("%s, stopped: %s reads %q, want %q", name, order.slack, got, order.want)
			}
		}
		operator("resume")
		if got := boss.types(t, "/ltx prompt:a fox", "a fox"); !strings.Contains(got, "Whoever runs this bot has stopped you from making videos. The reason: “crypto ads”.") {
			t.Errorf("%s: the blocked admin reads %q", name, got)
		}
		for _, order := range []struct{ discord, slack string }{
			{"/ltx-loras add name:film link:owner/film", "loras add film owner/film"},
			{"/ltx-loras style-add name:noir options:camera:static", "loras style-add noir camera:static"},
			{"/ltx-loras remove name:grain", "loras remove grain"},
			{"/ltx-loras try name:grain prompt:a fox", "loras try grain a fox"},
			{"/ltx-jobs defaults options:camera:static", "defaults camera:static"},
		} {
			if got := boss.types(t, order.discord, order.slack); !strings.Contains(got, "Whoever runs this bot has stopped you from making videos.") {
				t.Errorf("%s: the blocked admin reads %q for %s", name, got, order.slack)
			}
		}
		if got := boss.types(t, "/ltx-loras list", "loras list"); !strings.Contains(got, "grain") {
			t.Errorf("%s: the blocked admin cannot see the list: %q", name, got)
		}
		operator("unblock", me)
		if !strings.Contains(s.log.String(), `msg="a team admin gave an order about quotas"`) ||
			!strings.Contains(s.log.String(), "verb=resume team="+name+" by="+me) {
			t.Errorf("%s: the log does not name the orders", name)
		}
	}
	if n := len(s.fal.Submits()); n != 0 {
		t.Errorf("fal was asked %d times", n)
	}
	if j := s.make(t, "a fox"); j.Charged == 0 {
		t.Errorf("the first video is not charged: %+v", j)
	}
	if got := guild.types(t, "/ltx prompt:a second fox", ""); !strings.Contains(got, "Only whoever runs this bot can raise the limit.") {
		t.Errorf("the second one: %q", got)
	}
	text, err := s.order(t, admin.Text, "teams")
	if err != nil || !strings.Contains(text, "discord:"+s.world.channel.Guild().ID+" · 1 video · $0.13 · $0.13 of $0.20 this month") {
		t.Errorf("bot quota teams: %v\n%s", err, text)
	}
}

func TestATeamThatIsNotListedIsToldSoBeforeAnythingIsSpent(t *testing.T) {
	t.Parallel()
	for name, list := range map[string]func(*config.Config){
		"other teams are listed": func(c *config.Config) {
			c.Teams = []config.Team{{Name: "acme", DiscordGuilds: []string{"1"}, SlackWorkspaces: []string{"T0OTHER001"}}}
		},
		"nobody is": func(c *config.Config) { c.Quota.UnlistedTeams = "refuse" },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s, guild, workspace := both(t)
			list(&s.cfg)
			s.run(t)
			s.install(t)
			for team, boss := range map[string]speaker{"discord:" + s.world.channel.Guild().ID: guild, "slack:" + s.beta.ID(): workspace} {
				got := boss.types(t, "/ltx prompt:a fox", "a fox")
				if !strings.Contains(got, "only for teams that its operator has listed") || !strings.Contains(got, team) || !strings.Contains(got, "Nothing was charged") {
					t.Errorf("%s reads %q", team, got)
				}
			}
			if n := len(s.fal.Submits()); n != 0 {
				t.Errorf("fal was asked %d times", n)
			}
		})
	}
}

// A list that names them lets them in, and so does a config that allows all.
func TestATeamThatIsListedMakesVideos(t *testing.T) {
	t.Parallel()
	for name, list := range map[string]func(*shop, *config.Config){
		"by discord.guilds and slack.workspaces": func(s *shop, c *config.Config) {
			c.Discord.Guilds, c.Slack.Workspaces = []string{s.world.channel.Guild().ID}, []string{s.beta.ID()}
		},
		"by a team": func(s *shop, c *config.Config) {
			c.Teams = []config.Team{{Name: "acme", DiscordGuilds: []string{s.world.channel.Guild().ID}, SlackWorkspaces: []string{s.beta.ID()}}}
		},
		"everybody is": func(_ *shop, c *config.Config) {
			c.Teams, c.Quota.UnlistedTeams = []config.Team{{Name: "acme", DiscordGuilds: []string{"1"}}}, "allow"
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s, _, _ := both(t)
			list(s, &s.cfg)
			s.run(t)
			s.install(t)
			s.makes(t)
			s.make(t, "a fox")
			if n := len(s.fal.Submits()); n != 2 {
				t.Errorf("fal was asked %d times, want once for each platform", n)
			}
		})
	}
}

// Somebody on both platforms finds no way out of a limit by parting the
// accounts, and afterwards has what was made under both names.
func TestUnlinkingAccountsIsNoWayOutAndLosesNothing(t *testing.T) {
	t.Parallel()
	s, guild, workspace := both(t)
	s.guildTeam(func(team *config.Team) { team.SlackWorkspaces = []string{s.beta.ID()} })
	s.run(t)
	s.install(t)
	discordName, slackName := "discord:"+guild.user.ID, "slack:"+s.beta.ID()+":"+workspace.user.ID()
	_, rest, _ := strings.Cut(guild.types(t, "/ltx-quota link", ""), "quota link ")
	code := rest[:min(8, len(rest))]
	if got := workspace.types(t, "", "quota link "+code); !strings.Contains(got, "share their limits now") {
		t.Fatalf("link %s: %q", code, got)
	}
	if _, err := s.order(t, admin.Text, "set", discordName, "videos_per_day", "1"); err != nil {
		t.Fatal(err)
	}
	if _, err := workspace.user.Slash(t.Context(), workspace.channel, "/ltx", "a fox of the night"); err != nil {
		t.Fatal(err)
	}
	if _, err := s.channel.WaitMessage(t.Context(), func(simslack.Message) bool { return videosIn(s.channel) == 1 }); err != nil {
		t.Fatalf("no video: %v", err)
	}
	for _, got := range []string{workspace.types(t, "", "quota unlink"), guild.types(t, "/ltx-quota unlink", "")} {
		if !strings.Contains(got, "An admin has set something for this account") {
			t.Errorf("unlink: %q", got)
		}
	}
	if got := workspace.types(t, "", "a second fox"); !strings.Contains(got, "You have used 1 of your 1 videos today.") {
		t.Errorf("the second video of one: %q", got)
	}

	if _, err := s.order(t, admin.Text, "unset", discordName, "all"); err != nil {
		t.Fatal(err)
	}
	if got := workspace.types(t, "", "quota unlink"); !strings.Contains(got, "no longer share") {
		t.Fatalf("unlink without a limit: %q", got)
	}
	client := admin.NewClient("http://"+s.app.Addr(), adminToken)
	for _, name := range []string{discordName, slackName} {
		data, err := client.Member(t.Context(), "", name)
		if err != nil || len(data.Jobs) != 1 || !strings.Contains(data.Jobs[0].Command, "fox of the night") {
			t.Fatalf("export of %s: %+v, %v", name, data, err)
		}
		s.over(t, data.Jobs[0].ID)
	}
	if got := workspace.types(t, "", "jobs erase yes"); !strings.Contains(got, "1 video") {
		t.Errorf("erase: %q", got)
	}
	data, err := client.Member(t.Context(), "", discordName)
	if err != nil || len(data.Jobs) != 1 || data.Jobs[0].Command != "" {
		t.Errorf("after erasing: %+v, %v", data, err)
	}
}

// seenBy returns the newest message of the bot that one person sees beside
// those it has seen before.
func seenBy(channel *simslack.Channel, user *simslack.User, before []simslack.Message) (simslack.Message, bool) {
	for _, m := range slices.Backward(channel.Seen(user)) {
		known := slices.ContainsFunc(before, func(b simslack.Message) bool { return b.TS == m.TS })
		if m.EphemeralTo == user.ID() && !known {
			return m, true
		}
	}
	return simslack.Message{}, false
}

package config_test

import (
	"strings"
	"testing"
)

func TestTheBotSpendsWhatItsTeamsMayUnlessItIsTold(t *testing.T) {
	for _, test := range []struct {
		name, text string
		want       float64
	}{
		{"no file", "", 200},
		{"teams without budgets of their own", "[[team]]\nname = \"a\"\n[[team]]\nname = \"b\"\nusd_per_day = 999.0", 200},
		{"teams that may spend less", "[[team]]\nname = \"a\"\nusd_per_month = 50.0", 200},
		{"teams that may spend more", "[[team]]\nname = \"a\"\nusd_per_month = 150.0\n[[team]]\nname = \"b\"\nusd_per_month = 100.5", 250.5},
		{"a team without a limit", "[[team]]\nname = \"a\"\nusd_per_month = -1\n[[team]]\nname = \"b\"\nusd_per_month = 300", 300},
		{"the config says less", "[quota.bot]\nusd_per_month = 20.0\n[[team]]\nname = \"a\"\nusd_per_month = 500.0", 20},
		{"the config says the default", "quota.bot.usd_per_month = 200.0\n[[team]]\nname = \"a\"\nusd_per_month = 500.0", 200},
		{"the config says it in one line", "quota = {bot = {usd_per_month = 200.0}}\n[[team]]\nname = \"a\"\nusd_per_month = 500.0", 200},
		{"no limit", "[quota.bot]\nusd_per_month = 0\n[[team]]\nname = \"a\"\nusd_per_month = 500.0", 0},
		{"another limit", "[quota.bot]\nvideos_per_day = 9", 200},
	} {
		t.Run(test.name, func(t *testing.T) {
			c := parse(t, test.text)
			if got := c.BotLimit().USDPerMonth; got != test.want {
				t.Errorf("got $%v a month, want $%v", got, test.want)
			}
		})
	}
}

func TestWhoIsNotNamedIsRefusedOnceSomebodyIs(t *testing.T) {
	const (
		guildTeam     = "[[team]]\nname = \"a\"\ndiscord_guilds = [\"1\"]"
		workspaceTeam = "[[team]]\nname = \"a\"\nslack_workspaces = [\"T1\"]"
		several       = "[slack]\nclient_id = \"1.2\"\n"
	)
	for _, test := range []struct {
		name, text     string
		discord, slack bool // refused
	}{
		{"nothing is named", "", false, false},
		{"guilds", "[discord]\nguilds = [\"1\"]", true, false},
		{"guilds, in an app that anybody can install", "discord.guilds = [\"1\"]\n" + several, true, true},
		{"a team of a guild", guildTeam, true, false},
		{"a team of a workspace", workspaceTeam, true, true},
		{"a team of a guild, in an app that anybody can install", several + guildTeam, true, true},
		{"everybody is allowed", "quota.unlisted_teams = \"allow\"\n" + workspaceTeam, false, false},
		{"everybody is refused", "quota.unlisted_teams = \"refuse\"", true, true},
	} {
		t.Run(test.name, func(t *testing.T) {
			c := parse(t, test.text)
			if d, s := c.RefusesUnlisted("discord"), c.RefusesUnlisted("slack"); d != test.discord || s != test.slack {
				t.Errorf("refused on Discord: %v, on Slack: %v; want %v, %v", d, s, test.discord, test.slack)
			}
		})
	}
	c := parse(t, "quota.unlisted_teams = \"maybe\"")
	if err := c.Validate(); err == nil || !strings.Contains(err.Error(), "quota.unlisted_teams") {
		t.Errorf("a word that is neither: %v", err)
	}
}

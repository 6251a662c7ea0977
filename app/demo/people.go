package demo

import (
	"slices"

	"ltxbot/config"
)

// person is somebody in both channels.
type person struct {
	name    string
	admin   bool
	discord *discordStage
	slack   *slackStage
}

// atTheTerminal is who the person at the terminal is.
const atTheTerminal = "ada"

// everybody is who is there.
func everybody() []*person {
	return []*person{{name: "ben"}, {name: "cleo"}, {name: atTheTerminal, admin: true}}
}

// named is the person with a name, or nil.
func (d *Demo) named(name string) *person {
	n := slices.IndexFunc(d.people, func(p *person) bool { return p.name == name })
	if n < 0 {
		return nil
	}
	return d.people[n]
}

// title is what a person is in the team.
func (p *person) title() string {
	if p.admin {
		return "admin"
	}
	return "member"
}

// pageTeam is the team of both platforms.
const pageTeam = "acme"

// pageVideos is how many videos a member may make in a day: so few that the
// limit is reached in the first minutes.
const pageVideos = 3

// pageBudget is what the team may spend in a month, in US dollars.
const pageBudget = 5

// limit makes both platforms one team with small limits.
func (d *Demo) limit(cfg *config.Config) {
	cfg.Quota.Member.VideosPerDay = pageVideos
	cfg.Quota.Team.USDPerMonth = pageBudget
	cfg.Teams = []config.Team{{Name: pageTeam, DiscordGuilds: []string{d.discord.team}, SlackWorkspaces: []string{d.slack.team}}}
}

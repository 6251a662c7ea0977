package app

import (
	"slices"
	"strings"
	"time"

	"ltxbot/config"
	"ltxbot/core/quota"
	"ltxbot/core/usd"
)

// policyOf is the quota policy that the config describes.
func policyOf(c config.Config) (quota.Policy, error) {
	zone, err := time.LoadLocation(c.Quota.TimeZone)
	if err != nil {
		return quota.Policy{}, err
	}
	onBoth := teamsOf(c).onBoth
	p := quota.Policy{
		Member:  limitsOf(c.Quota.Member),
		Team:    limitsOf(c.Quota.Team),
		Bot:     limitsOf(c.BotLimit()),
		Waiting: c.Quota.Waiting,
		Zone:    zone,
		Teams:   map[string]quota.TeamPolicy{},
		Serves:  servedBy(c),

		Linkable: func(team string) bool { return onBoth[team] },

		AdminsMayRaise: c.Quota.AdminsMayRaise,
	}
	for _, t := range c.Quota.Tiers {
		p.Tiers = append(p.Tiers, quota.Tier{Name: t.Name, Limits: limitsOf(t.Or(c.Quota.Member))})
	}
	for _, t := range c.Teams {
		own := quota.TeamPolicy{}
		if t.TimeZone != "" {
			if own.Zone, err = time.LoadLocation(t.TimeZone); err != nil {
				return quota.Policy{}, err
			}
		}
		limits := limitsOf(t.Or(c.Quota.Team))
		own.Limits = &limits
		p.Teams[t.Name] = own
	}
	return p, nil
}

// servedBy tells which teams may make videos. In a bot for several workspaces,
// those that slack.workspaces does not name have no app: it needs no list here.
func servedBy(c config.Config) func(team string) bool {
	listed := map[string]bool{}
	for _, t := range c.Teams {
		listed[t.Name] = true
	}
	for _, guild := range c.Discord.Guilds {
		listed["discord:"+guild] = true
	}
	for _, workspace := range c.Slack.Workspaces {
		listed["slack:"+workspace] = true
	}
	refuse := map[string]bool{
		"discord": c.RefusesUnlisted("discord"),
		"slack":   c.RefusesUnlisted("slack") && (!c.Slack.Several() || len(c.Slack.Workspaces) == 0),
	}
	return func(team string) bool {
		platform, _, _ := strings.Cut(team, ":")
		return listed[team] || !refuse[platform]
	}
}

// limitsOf turns the limits of the config into those of the ledger. There,
// config.NoLimit is zero as well.
func limitsOf(l config.Limit) quota.Limits {
	out := quota.Limits{JobsAtATime: max(0, l.JobsAtATime)}
	add := func(w quota.Window, videos int, dollars float64) {
		if videos > 0 || dollars > 0 {
			out.Windows = append(out.Windows, quota.WindowLimit{
				Window: w, Videos: int64(max(0, videos)), USD: usd.FromDollars(max(0, dollars)),
			})
		}
	}
	add(quota.Day, l.VideosPerDay, l.USDPerDay)
	add(quota.Week, l.VideosPerWeek, l.USDPerWeek)
	add(quota.Month, l.VideosPerMonth, l.USDPerMonth)
	for _, r := range l.Rolling {
		add(quota.Window(r.Window.Duration.String()), r.Videos, r.USD)
	}
	return out
}

// teams knows which team a guild or a workspace belongs to.
type teams struct {
	byTenant map[string]string // "discord:<guild>", "slack:<workspace>" → name
	onBoth   map[string]bool   // teams that are on Discord and on Slack
}

func teamsOf(c config.Config) teams {
	t := teams{byTenant: map[string]string{}, onBoth: map[string]bool{}}
	for _, team := range c.Teams {
		t.onBoth[team.Name] = len(team.DiscordGuilds) > 0 && len(team.SlackWorkspaces) > 0
		for _, guild := range team.DiscordGuilds {
			t.byTenant["discord:"+guild] = team.Name
		}
		for _, workspace := range team.SlackWorkspaces {
			t.byTenant["slack:"+workspace] = team.Name
		}
	}
	return t
}

// of is the team of a guild or workspace: the one that the config links it
// to, else one of its own.
func (t teams) of(platform, tenant string) string {
	key := platform + ":" + tenant
	if name, ok := t.byTenant[key]; ok {
		return name
	}
	return key
}

// ofWorkspace is the team of a workspace: the one that the config links it, or
// its organisation, to, else one of its own.
func (t teams) ofWorkspace(workspace, enterprise string) string {
	for _, id := range []string{workspace, enterprise} {
		if name, ok := t.byTenant["slack:"+id]; ok && id != "" {
			return name
		}
	}
	return "slack:" + workspace
}

// tiersOf finds the tiers of a member by role, user group or name.
func tiersOf(c config.Config, member string, discordRoles, slackGroups []string) []string {
	var names []string
	for _, t := range c.Quota.Tiers {
		if slices.Contains(t.Members, member) || overlap(t.DiscordRoles, discordRoles) || overlap(t.SlackGroups, slackGroups) {
			names = append(names, t.Name)
		}
	}
	return names
}

func overlap(a, b []string) bool {
	for _, v := range b {
		if slices.Contains(a, v) {
			return true
		}
	}
	return false
}

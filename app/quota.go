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
func policyOf(c config.Config) quota.Policy {
	shared := teamsOf(c).shared
	p := quota.Policy{
		Member:  limitsOf(c.Quota.Member),
		Team:    limitsOf(c.Quota.Team),
		Bot:     limitsOf(c.BotLimit()),
		Waiting: c.Quota.Waiting,
		Zone:    zoneOf(c.Quota.TimeZone),
		Teams:   map[string]quota.TeamPolicy{},
		Serves:  servedBy(c),

		Linkable: func(team string) bool { return shared[team] },

		AdminsMayRaise: c.Quota.AdminsMayRaise,
	}
	for _, t := range c.Quota.Tiers {
		p.Tiers = append(p.Tiers, quota.Tier{Name: t.Name, Limits: limitsOf(t.Or(c.Quota.Member))})
	}
	for _, t := range c.Teams {
		own := quota.TeamPolicy{}
		if t.TimeZone != "" {
			own.Zone = zoneOf(t.TimeZone)
		}
		limits := limitsOf(t.Or(c.Quota.Team))
		own.Limits = &limits
		p.Teams[t.Name] = own
	}
	return p
}

// zoneOf is the time zone with a name. The config's own check refuses a name
// that nobody knows; until it is corrected, days begin in UTC.
func zoneOf(name string) *time.Location {
	zone, err := time.LoadLocation(name)
	if err != nil {
		return time.UTC
	}
	return zone
}

// servedBy tells which teams may make videos. Where the bot can only be in the
// tenants of its platform's section, it needs no list here.
func servedBy(c config.Config) func(team string) bool {
	listed, refuse := map[string]bool{}, map[string]bool{}
	for _, t := range c.Teams {
		listed[t.Name] = true
	}
	for _, p := range c.Platforms() {
		for _, tenant := range p.Tenants {
			listed[p.Name+":"+tenant] = true
		}
		refuse[p.Name] = c.RefusesUnlisted(p.Name) && !p.OnlyTenants
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
	shared   map[string]bool   // teams that are on several platforms
}

func teamsOf(c config.Config) teams {
	t := teams{byTenant: map[string]string{}, shared: map[string]bool{}}
	for _, team := range c.Teams {
		on := 0
		for _, p := range c.Platforms() {
			tenants := team.On(p.Name)
			on += min(len(tenants), 1)
			for _, tenant := range tenants {
				t.byTenant[p.Name+":"+tenant] = team.Name
			}
		}
		t.shared[team.Name] = on > 1
	}
	return t
}

// of is the team of a guild or workspace: the one that the config links it, or
// the organisation that it belongs to, to; else one of its own.
func (t teams) of(platform, tenant string, also ...string) string {
	for _, id := range append([]string{tenant}, also...) {
		if name, ok := t.byTenant[platform+":"+id]; ok {
			return name
		}
	}
	return platform + ":" + tenant
}

// tiersOf finds the tiers of a member by name, or by the roles or user groups
// on a platform.
func tiersOf(c config.Config, member, platform string, groups []string) []string {
	var names []string
	for _, t := range c.Quota.Tiers {
		in := func(group string) bool { return slices.Contains(groups, group) }
		if slices.Contains(t.Members, member) || slices.ContainsFunc(t.On(platform), in) {
			names = append(names, t.Name)
		}
	}
	return names
}

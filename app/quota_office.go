package app

import (
	"context"
	"slices"
	"strings"
	"time"

	"ltxbot/app/admin"
	"ltxbot/config"
	"ltxbot/core/generate"
	"ltxbot/core/quota"
	"ltxbot/core/team"
)

// newOffice makes the place where quotas are looked at and changed.
func (a *App) newOffice() *team.Office {
	return team.NewOffice(team.OfficeConfig{
		Store:       a.store,
		Policy:      a.policy,
		ParseMember: admin.ParseMember,
		Now:         a.now,
		Tiers:       a.lastTiers,
		Linkable:    func(team string) bool { return a.live.Load().teams.onBoth[team] },
		Teams:       a.allTeams,
		Known:       a.knows,
		Reload:      func(context.Context) ([]string, error) { return a.Reread() },
	})
}

// now is the time of the store, by which the windows of limits are counted. While
// it does not answer, it is this process' own.
func (a *App) now() time.Time {
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	now, err := a.store.Now(ctx)
	if err != nil {
		return time.Now()
	}
	return now
}

// policy is the quota policy of this moment.
func (a *App) policy() quota.Policy { return a.live.Load().policy }

// namedTeams are the teams that the config names, in its order.
func namedTeams(c config.Config) []string {
	t := teamsOf(c)
	var names []string
	add := func(name string) {
		if !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	for _, team := range c.Teams {
		add(team.Name)
	}
	for _, guild := range c.Discord.Guilds {
		add(t.of("discord", guild))
	}
	for _, workspace := range c.Slack.Workspaces {
		if strings.HasPrefix(workspace, "T") { // not an organisation of several
			add(t.of("slack", workspace))
		}
	}
	return names
}

// allTeams are the teams that the config names, and those that have asked for
// videos.
func (a *App) allTeams(ctx context.Context) ([]string, error) {
	names := namedTeams(a.live.Load().cfg)
	asked, err := generate.Teams(ctx, a.store)
	for _, name := range asked {
		if !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	return names, err
}

// knows reports whether the config names a team, or it has asked for a video.
func (a *App) knows(ctx context.Context, team string) (bool, error) {
	if slices.Contains(namedTeams(a.live.Load().cfg), team) {
		return true, nil
	}
	jobs, err := a.store.Jobs(ctx, generate.Query{Team: team, Limit: 1})
	return len(jobs) > 0, err
}

// lastTiers are the tiers that a member was in when it last asked for a job.
// Roles and groups are told by the platforms only about who does something.
func (a *App) lastTiers(ctx context.Context, team, member string) []string {
	tiers := tiersOf(a.live.Load().cfg, member, nil, nil)
	jobs, err := a.engine.Jobs(ctx, generate.Query{Team: team, Member: member, Limit: 1})
	if err != nil {
		a.log.WarnContext(ctx, "cannot read in which tiers a member was", "team", team, "member", member, "error", err)
	}
	for _, j := range jobs {
		for _, t := range j.Tiers {
			if !slices.Contains(tiers, t) {
				tiers = append(tiers, t)
			}
		}
	}
	return tiers
}

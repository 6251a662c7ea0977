package app

import (
	"context"
	"slices"

	"ltxbot/core/generate"
	"ltxbot/core/quota"
)

// newOffice makes the place where quotas are looked at and changed.
func (a *App) newOffice() *quota.Office {
	return quota.NewOffice(quota.OfficeConfig{
		Store:    a.store,
		Policy:   a.policy,
		Tiers:    a.lastTiers,
		Linkable: func(team string) bool { return a.live.Load().teams.onBoth[team] },
		Reload:   func(context.Context) ([]string, error) { return a.Reread() },
	})
}

// policy is the quota policy of this moment.
func (a *App) policy() quota.Policy { return a.live.Load().policy }

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

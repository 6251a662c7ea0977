package bot

import (
	"context"

	"ltxbot/bot/view"
	"ltxbot/core/quota"
	"ltxbot/core/team"
)

// Usage shows the limits of the caller and the team.
func (svc *Service) Usage(ctx context.Context, c Caller) view.Message {
	if svc.cfg.Office != nil {
		return svc.Order(ctx, c, team.Order{Verb: "mine"})
	}
	ctx, cancel := context.WithTimeout(ctx, readLimit)
	defer cancel()
	gauges, err := svc.cfg.Usage(ctx, quota.Asker{Team: c.Team, Member: c.Member, Tiers: c.Tiers})
	if err != nil {
		return svc.sorry(ctx, c, "error.unreadable", "read usage", err)
	}
	if c.Outsider {
		gauges = ofMember(gauges)
	}
	return view.Usage(svc.Printer(c.Locale), gauges)
}

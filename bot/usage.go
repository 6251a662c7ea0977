package bot

import (
	"context"

	"ltxbot/bot/view"
	"ltxbot/core/quota"
	"ltxbot/core/team"
)

// Usage shows the limits of the caller and the team.
func (d *Service) Usage(ctx context.Context, c Caller) view.Message {
	if d.cfg.Office != nil {
		return d.Order(ctx, c, team.Order{Verb: "mine"})
	}
	ctx, cancel := context.WithTimeout(ctx, readLimit)
	defer cancel()
	gauges, err := d.cfg.Usage(ctx, quota.Asker{Team: c.Team, Member: c.Member, Tiers: c.Tiers})
	if err != nil {
		return d.sorry(ctx, c, "error.unreadable", "read usage", err)
	}
	if c.Outsider {
		gauges = ofMember(gauges)
	}
	return view.Usage(d.Printer(c.Locale), gauges)
}

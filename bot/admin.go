package bot

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"ltxbot/bot/command"
	"ltxbot/bot/view"
	"ltxbot/core/quota"
	"ltxbot/core/team"
)

// Office is where quotas are looked at and changed. It checks by itself who
// may do what.
type Office interface {
	Do(ctx context.Context, a team.Actor, o team.Order) (team.Report, error)
}

// orderLimit is how long a person waits for an order.
const orderLimit = 5 * time.Second

// Order carries out an order about quotas and says what came of it. It checks
// the caller's rights at this moment, whether the order was typed, pressed or
// came from a form. Only the caller sees the answer.
func (svc *Service) Order(ctx context.Context, c Caller, o team.Order) view.Message {
	ctx, cancel := context.WithTimeout(ctx, orderLimit)
	defer cancel()
	if svc.cfg.Office == nil {
		return view.Answer(svc.Printer(c.Locale), "error.unreadable")
	}
	r, err := svc.cfg.Office.Do(ctx, team.Actor{
		Member: c.Member, Team: c.Team, Tiers: c.Tiers, Admin: c.Admin, From: c.Platform, Event: c.Event,
	}, o)
	svc.noteOrder(ctx, c, o, r, err)
	if err != nil {
		return svc.orderRefusal(ctx, c, err)
	}
	if c.Outsider {
		r.Gauges = ofMember(r.Gauges)
		r.Grants = slices.DeleteFunc(slices.Clone(r.Grants), func(g team.GrantUse) bool { return g.Scope.Kind != quota.Member })
	}
	return view.Report(svc.Printer(c.Locale), r)
}

// ofMember are the limits that are somebody's own.
func ofMember(gauges []quota.Gauge) []quota.Gauge {
	return slices.DeleteFunc(slices.Clone(gauges), func(g quota.Gauge) bool { return g.Scope.Kind != quota.Member })
}

// noteOrder logs an order that an admin of a team gave and that changes
// something, for whoever runs the bot.
func (svc *Service) noteOrder(ctx context.Context, c Caller, o team.Order, r team.Report, err error) {
	verb, ok := team.FindVerb(o.Verb)
	if !ok || !c.Admin || verb.Who != team.Admins || verb.Reads {
		return
	}
	outcome := "done"
	var refused *team.OrderError
	switch {
	case errors.As(err, &refused):
		outcome = string(refused.Problem)
	case err != nil:
		outcome = "failed"
	}
	svc.log.InfoContext(ctx, "a team admin gave an order about quotas",
		"verb", verb.Name, "team", c.Team, "by", c.Member, "member", r.Member, "outcome", outcome)
}

// OrderLine carries out an order as it is typed after "admin" or "quota":
// "grant @ann videos:5". An empty line after "admin" asks for help, after
// "quota" for the caller's own quota.
func (svc *Service) OrderLine(ctx context.Context, c Caller, verb, line string) view.Message {
	words := command.SplitWords(line)
	if len(words) == 0 {
		if verb == command.VerbQuota {
			return svc.Usage(ctx, c)
		}
		return view.OrderHelp(svc.Printer(c.Locale), c.Admin)
	}
	if strings.EqualFold(words[0], command.VerbHelp) {
		return view.OrderHelp(svc.Printer(c.Locale), c.Admin)
	}
	o, err := team.ParseOrder(words)
	if err != nil {
		return svc.orderRefusal(ctx, c, err)
	}
	return svc.Order(ctx, c, o)
}

// Summary is what an admin sees of the team at a glance: its budget, and who
// has spent the most. It is empty for anybody else.
func (svc *Service) Summary(ctx context.Context, c Caller) []view.Message {
	if !c.Admin || svc.cfg.Office == nil {
		return nil
	}
	return []view.Message{
		svc.OrderLine(ctx, c, command.VerbAdmin, "show"),
		svc.OrderLine(ctx, c, command.VerbAdmin, "top"),
	}
}

// orderRefusal says why an order was not carried out.
func (svc *Service) orderRefusal(ctx context.Context, c Caller, err error) view.Message {
	if m := view.RefuseOrder(svc.Printer(c.Locale), err); m != nil {
		return *m
	}
	return svc.sorry(ctx, c, "error.unreadable", "quota order", err)
}

// suggestLimits completes the limit of an order. Limits over rolling
// time, such as videos_per_24h, are in no list: what matches none is offered as typed.
func suggestLimits(typed string) []view.Choice {
	names := append(quota.LimitNames(), team.AllLimits)
	all := make([]view.Choice, 0, len(names))
	for _, name := range names {
		all = append(all, view.Choice{Value: name, Label: name})
	}
	typed = strings.TrimSpace(typed)
	if found := rank(all, typed); len(found) > 0 || typed == "" {
		return found
	}
	return fit([]view.Choice{{Value: typed, Label: typed}})
}

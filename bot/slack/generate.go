package slack

import (
	"context"
	"errors"
	"maps"

	"ltxbot/bot"
	"ltxbot/bot/view"
	"ltxbot/core/generate"
)

// generate makes a video of an ask, and reports whether there is a job. From
// then on the engine shows the card, which tries out whether the bot can post
// there before money is spent.
func (b *Bot) generate(ctx context.Context, o origin, a bot.Ask) bool {
	c, guest, known := b.identifyCached(ctx, o)
	if known && guest && !b.cfg.AllowGuests {
		b.tell(ctx, o, b.sentence(c.Locale, "slack.guest"))
		return false
	}
	toDM := a.Place.Private || o.Channel == ""
	a.Event, a.Caller, a.Place = o.Event, c, o.place(c.Locale)
	a.Place.Private = toDM
	r := &responder{Bot: b, origin: o}
	if !known {
		a.Identify = func(ctx context.Context) bot.Caller {
			ctx, cancel := context.WithTimeout(ctx, replyWithin)
			defer cancel()
			o.acknowledge()
			c, r.guest = b.identify(ctx, o)
			return c
		}
	}
	job, ok := b.cfg.Service.Submit(ctx, a, r)
	if !ok {
		return false
	}
	b.log.InfoContext(ctx, "job accepted", "job", job.ID, "member", job.Member, "team", job.Team, "state", string(job.State))
	var say string
	switch {
	case o.Edited && job.Request.Prompt() != r.prompt:
		say = "slack.edited"
	case job.State == generate.Failed, !job.Place.Private, o.Channel == "", o.ChannelName == directMessage:
		return true
	case toDM:
		say = "slack.to_dm"
	default:
		say = "slack.private"
	}
	ctx, cancel := context.WithTimeout(ctx, replyWithin)
	defer cancel()
	m := b.sentence(b.caller(ctx, o).Locale, say)
	if say == "slack.to_dm" {
		b.replace(ctx, o, m)
		return true
	}
	b.tell(ctx, o, m)
	return true
}

// responder answers the event of an ask. It implements bot.Responder.
type responder struct {
	*Bot

	origin origin
	guest  bool   // who asked is known to be one
	prompt string // of the request
}

// Check implements bot.Responder.
func (r *responder) Check(g *generate.Ask) *view.Message {
	if r.guest && !r.cfg.AllowGuests {
		m := r.sentence(g.Place.Locale, "slack.guest")
		return &m
	}
	r.prompt = g.Request.Prompt()
	own := g.Notes
	g.Notes = notesOf(r.origin, r.cfg.Now())
	maps.Copy(g.Notes, own)
	return nil
}

// Refuse implements bot.Responder.
func (r *responder) Refuse(ctx context.Context, m view.Message) {
	ctx, cancel := context.WithTimeout(ctx, replyWithin)
	defer cancel()
	r.tell(ctx, r.origin, m)
}

// Acknowledge implements bot.Responder. Slack does not say whether it has
// taken it.
func (r *responder) Acknowledge(context.Context, *generate.Job) error {
	r.origin.acknowledge()
	return nil
}

// Acknowledged implements generate.Courier: there is nothing to ask Slack for.
func (b *Bot) Acknowledged(context.Context, generate.Job) (bool, error) {
	return false, generate.ErrCannotTell
}

// Prepare implements generate.Courier: it finds out who asks, in which tiers
// and in which language.
func (b *Bot) Prepare(ctx context.Context, j generate.Job) (generate.Job, error) {
	o := originOf(j)
	if _, err := b.client(ctx, o.installation()); err != nil {
		return j, noClient(err)
	}
	c, guest := b.identify(ctx, o)
	j.Tiers = c.Tiers
	if c.Locale != "" {
		j.Place.Locale = c.Locale
	}
	if guest && !b.cfg.AllowGuests {
		return j, &generate.RefusedError{Failure: generate.Failure{Kind: generate.FailNotAllowed}}
	}
	if b.people.unanswered(o, b.cfg.TierGroups) && !b.cfg.Service.Allows(c, j.Request.Model()) {
		return j, &generate.RetryError{After: personLife, Err: errNoGroups} // a tier may allow it
	}
	return j, nil
}

// errNoGroups says that Slack has not told who is in which user group.
var errNoGroups = errors.New("it is not known in which user groups the requester is")

// originOf is where and by whom a job was asked for, without its event.
func originOf(j generate.Job) origin {
	return origin{
		Workspace: j.Place.Tenant, Enterprise: j.Notes[noteEnterprise], OrgWide: j.Notes[noteInstalled] != "",
		User: j.Place.User, UserTeam: j.Notes[noteUserTeam],
		Channel: j.Place.Channel, ChannelName: j.Notes[noteChannelName], Thread: j.Place.Thread,
	}
}

// directMessage is what Slack calls every conversation between two.
// https://docs.slack.dev/interactivity/implementing-slash-commands
const directMessage = "directmessage"

// place is where it happened.
func (o origin) place(locale string) generate.Place {
	return generate.Place{
		Platform: platform, Tenant: o.Workspace, Channel: o.Channel, Thread: o.Thread, User: o.User, Locale: locale,
	}
}

package slack

import (
	"context"
	"maps"
	"time"

	"ltxbot/bot"
	"ltxbot/core/generate"
)

// acceptWithin bounds the acceptance of a job.
const acceptWithin = 20 * time.Second

// generate makes a video of an ask: it looks whether that may be, and accepts
// the job. From then on the engine shows the card, which tries out whether the
// bot can post there before money is spent.
func (b *Bot) generate(ctx context.Context, o origin, a bot.Ask) {
	ctx, cancel := context.WithTimeout(ctx, acceptWithin)
	defer cancel()
	c, guest := b.vouch(ctx, o)
	if guest && !b.cfg.AllowGuests {
		b.tell(ctx, o, b.sentence(c.Locale, "guest"))
		return
	}
	toDM := a.Place.Private || o.Channel == ""
	a.Event, a.Caller, a.Place = o.Event, c, o.place(c.Locale)
	g, refusal := b.cfg.Desk.Prepare(ctx, a)
	if refusal != nil {
		b.tell(ctx, o, *refusal)
		return
	}
	g.Place.Private = g.Request.Private || toDM
	notes := notesOf(o, b.cfg.Now())
	maps.Copy(notes, g.Notes)
	g.Notes = notes
	job, refusal := b.cfg.Desk.Accept(ctx, g, c.Locale)
	if refusal != nil {
		b.tell(ctx, o, *refusal)
		return
	}
	b.log.InfoContext(ctx, "job accepted", "job", job.ID, "member", job.Member, "team", job.Team)
	switch {
	case o.Edited && job.Request.Prompt() != g.Request.Prompt():
		b.tell(ctx, o, b.sentence(c.Locale, "edited"))
	case !job.Place.Private || o.Channel == "" || o.ChannelName == directMessage:
	case toDM:
		b.replace(ctx, o, b.sentence(c.Locale, "to_dm"))
	default:
		b.tell(ctx, o, b.sentence(c.Locale, "private"))
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

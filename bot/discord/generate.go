package discord

import (
	"cmp"
	"context"
	"maps"
	"net/http"
	"net/url"
	"time"

	"ltxbot/bot"
)

// acceptWithin bounds the acceptance of a job, which follows the
// acknowledgement.
const acceptWithin = 20 * time.Second

// withResponse asks which message an answer makes.
// https://discord.com/developers/docs/interactions/receiving-and-responding#create-interaction-response
func withResponse() url.Values { return url.Values{"with_response": {"true"}} }

// generate makes a video of an ask: it looks whether that may be, answers the
// interaction, and accepts the job. From then on the engine shows the card.
// decorate changes a refusal before it is sent; nil changes nothing.
func (b *Bot) generate(ctx context.Context, i *interaction, a bot.Ask, decorate func(*outgoing)) {
	refuse := func(m *bot.Message) {
		o := newMessage(*m)
		if decorate != nil {
			decorate(&o)
		}
		b.replyWith(ctx, i, o)
	}
	if m := b.refusePlace(i); m != nil {
		refuse(m)
		return
	}
	a.Event, a.Caller, a.Place = cmp.Or(a.Event, i.event()), b.caller(i), i.place(false)
	g, refusal := b.cfg.Desk.Prepare(ctx, a)
	if refusal == nil && !g.Request.Private {
		refusal = b.refusePermissions(i)
	}
	if refusal != nil {
		refuse(refusal)
		return
	}
	g.Place.Private = g.Request.Private
	barred := open
	if !g.Place.Private {
		barred = b.barrier(ctx, i)
	}
	card, ok := b.acknowledge(ctx, i, g.Place.Private)
	if !ok {
		return
	}
	notes := notesOf(i, card)
	maps.Copy(notes, g.Notes)
	g.Notes = notes
	if barred != open {
		g.Notes[noteBarred], g.Until = string(barred), time.Now().Add(tokenPosts)
	}
	accept, cancel := context.WithTimeout(ctx, acceptWithin)
	defer cancel()
	job, refusal := b.cfg.Desk.Accept(accept, g, i.Locale)
	if refusal != nil {
		b.refuseLate(ctx, i, *refusal, g.Place.Private)
		return
	}
	if token := job.Notes[noteToken]; token != "" && token != i.Token {
		b.withdraw(ctx, i) // another process had the other half of a double click
		return
	}
	b.log.InfoContext(ctx, "job accepted", "job", job.ID, "member", job.Member, "team", job.Team, "interaction", i.ID)
}

// deferral is the answer "the bot is thinking". It takes no flag but this
// one; everything else is decided by the first edit.
type deferral struct {
	Flags int `json:"flags,omitempty"`
}

// acknowledge tells Discord that an answer will follow, and learns which
// message it will be in. Of a person who is known not to see that, no job is
// accepted.
func (b *Bot) acknowledge(ctx context.Context, i *interaction, private bool) (card posted, ok bool) {
	var d deferral
	if private {
		d.Flags = flagEphemeral
	}
	var out callbackResult
	err := b.answer(ctx, i, callbackDefer, d, &out)
	if acknowledged(err) && i.second {
		return posted{}, false // it is in better hands
	}
	switch {
	case err == nil, acknowledged(err):
	case lost(err):
		// Perhaps the person sees it. The first edit of the card will tell, and
		// post another one if there is none.
		b.log.WarnContext(ctx, "acknowledgement was not confirmed", "interaction", i.ID, "error", err)
	default:
		b.log.WarnContext(ctx, "cannot acknowledge an interaction", "interaction", i.ID, "error", err)
		return posted{}, false
	}
	card.ID, card.ChannelID = out.Interaction.ResponseMessageID, i.ChannelID
	return card, true
}

// acknowledged reports whether an answer was there before this one. That is
// this very answer whose reply was lost, or that of another process with the
// same token. The same event is the same job for both.
func acknowledged(err error) bool { return hasCode(err, codeAlreadyAcked) }

// withdraw takes the acknowledgement back, without a word.
func (b *Bot) withdraw(ctx context.Context, i *interaction) {
	err := b.rest.do(ctx, call{
		op: "remove deferral", route: routeOriginal(http.MethodDelete, i.ApplicationID, i.Token),
	})
	if err != nil {
		b.log.WarnContext(ctx, "cannot take an acknowledgement back", "interaction", i.ID, "error", err)
	}
}

// refuseLate says no after the acknowledgement. What only concerns the caller
// is not left in the channel, if that can be.
func (b *Bot) refuseLate(ctx context.Context, i *interaction, refusal bot.Message, private bool) {
	o := newMessage(refusal)
	original := routeOriginal(http.MethodPatch, i.ApplicationID, i.Token)
	if !private {
		original.method = http.MethodDelete
		err := b.rest.do(ctx, call{op: "remove deferral", route: original})
		if err == nil {
			err = b.rest.do(ctx, call{
				op: "send refusal", route: routeFollowup(i.ApplicationID, i.Token), body: o.onlyFor(),
			})
			if err != nil {
				b.log.WarnContext(ctx, "cannot send a refusal", "interaction", i.ID, "error", err)
			}
			return
		}
		original.method = http.MethodPatch
	}
	if err := b.rest.do(ctx, call{op: "show refusal", route: original, body: o}); err != nil {
		b.log.WarnContext(ctx, "cannot show a refusal", "interaction", i.ID, "error", err)
	}
}

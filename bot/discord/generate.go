package discord

import (
	"cmp"
	"context"
	"maps"
	"net/http"
	"time"

	"ltxbot/bot"
	"ltxbot/bot/adapter"
	"ltxbot/bot/view"
	"ltxbot/core/generate"
)

// generate makes a video of an ask. decorate changes a refusal before it is
// sent; nil changes nothing.
func (b *Bot) generate(ctx context.Context, i *interaction, a bot.Ask, decorate func(*outgoing)) {
	r := &responder{Bot: b, i: i, decorate: decorate}
	if m := b.refusePlace(i); m != nil {
		r.Refuse(ctx, *m)
		return
	}
	a.Event, a.Caller, a.Place = cmp.Or(a.Event, i.event()), b.caller(i), i.place(false)
	if j, ok := b.cfg.Service.Submit(ctx, a, r); ok {
		b.log.InfoContext(ctx, "job accepted", "job", j.ID, "member", j.Member, "team", j.Team, "state", string(j.State), "interaction", i.ID)
	}
}

// responder answers the interaction of an ask. It implements bot.Responder.
type responder struct {
	*Bot

	i        *interaction
	decorate func(*outgoing)
}

// Check implements bot.Responder. It notes the interaction's token, by which
// Discord is asked whether the interaction was acknowledged.
func (r *responder) Check(g *generate.Ask) *view.Message {
	own := g.Notes
	g.Notes = notesOf(r.i)
	maps.Copy(g.Notes, own)
	if g.Place.Private {
		g.PostBefore = time.Now().Add(tokenPosts) // later it is a direct message, which may be refused
		return nil
	}
	if m := r.refusePermissions(r.i); m != nil {
		return m
	}
	if barred := r.barrier(r.i); barred != open {
		g.Notes[noteBarred], g.Until = string(barred), time.Now().Add(tokenPosts)
		g.PostBefore = g.Until
	}
	return nil
}

// Refuse implements bot.Responder.
func (r *responder) Refuse(ctx context.Context, m view.Message) {
	o := newMessage(m)
	if r.decorate != nil {
		r.decorate(&o)
	}
	r.replyWith(ctx, r.i, o)
}

// deferral is the answer "the bot is thinking". It takes no flag but this
// one; everything else is decided by the first edit.
type deferral struct {
	Flags int `json:"flags,omitempty"`
}

// Acknowledge implements bot.Responder. It learns which message the answer
// will be in. The second half of a double click, which another process may have
// brought, is answered without one.
func (r *responder) Acknowledge(ctx context.Context, j *generate.Job) error {
	i := r.i
	if token := j.Notes[noteToken]; token != "" && token != i.Token || token == "" && j.State != generate.Received {
		if err := r.answer(ctx, i, callbackDeferUpdate, nil, nil); err != nil && !acknowledged(err) {
			r.log.WarnContext(ctx, "cannot answer a press", "interaction", i.ID, "error", err)
		}
		return bot.ErrElsewhere
	}
	var d deferral
	if j.Place.Private {
		d.Flags = flagEphemeral
	}
	var out callbackResult
	err := r.answer(ctx, i, callbackDefer, d, &out)
	switch {
	case acknowledged(err) && i.second:
		return bot.ErrElsewhere // it is in better hands
	case err == nil, acknowledged(err):
	case adapter.Lost(err):
		// Perhaps the person sees it. The first edit of the card will tell, and
		// post another one if there is none.
		return err
	default:
		r.log.WarnContext(ctx, "cannot acknowledge an interaction", "interaction", i.ID, "error", err)
		return bot.ErrUnacknowledged
	}
	if id := out.Interaction.ResponseMessageID; id != "" {
		j.Notes[noteCard], j.Notes[noteCardChannel] = id, i.ChannelID
	}
	if barrier(j.Notes[noteBarred]) == notInside && r.inside(ctx, i) {
		delete(j.Notes, noteBarred)
		j.Until, j.PostBefore = time.Time{}, time.Time{}
	}
	return nil
}

// acknowledged reports whether an answer was there before this one. That is
// this very answer whose reply was lost, or that of another process with the
// same token. The same event is the same job for both.
func acknowledged(err error) bool { return hasCode(err, codeAlreadyAcked) }

// Acknowledged implements generate.Courier: the interaction was acknowledged if
// its answer is there, and nothing but "thinking". Anything else in its place
// is a refusal.
// https://discord.com/developers/docs/interactions/receiving-and-responding#get-original-interaction-response
func (b *Bot) Acknowledged(ctx context.Context, j generate.Job) (bool, error) {
	m := recall(j, nil)
	token := m.token(b.cfg.Now())
	if token == "" {
		return false, generate.ErrCannotTell
	}
	var out posted
	err := b.rest.do(ctx, call{
		op: "look for the acknowledgement", route: routeOriginal(http.MethodGet, m.Get(noteApp), token), out: &out, again: true,
	})
	switch {
	case err == nil:
		return out.Flags&flagLoading != 0, nil
	case hasCode(err, codeUnknownWebhook, codeUnknownMessage):
		return false, nil
	case tokenDead(err):
		return false, generate.ErrCannotTell
	}
	return false, courierError(err)
}

// Prepare implements generate.Courier. An interaction says all there is to
// know of who it comes from.
func (b *Bot) Prepare(_ context.Context, j generate.Job) (generate.Job, error) { return j, nil }

// refuseAside says that a limit had no room, in the place of a card that has
// only been thinking: what concerns the requester alone does not stay in the
// channel. It may be said twice if the process is killed in between.
func (b *Bot) refuseAside(ctx context.Context, j generate.Job, m memory, token string) error {
	err := b.rest.do(ctx, call{op: "remove deferral", route: routeOriginal(http.MethodDelete, m.Get(noteApp), token)})
	if err != nil && !hasCode(err, codeUnknownMessage) {
		b.log.WarnContext(ctx, "cannot remove a deferral", "job", j.ID, "error", err)
		return b.showCard(ctx, j, m)
	}
	err = b.rest.do(ctx, call{
		op: "send refusal", route: routeFollowup(m.Get(noteApp), token), body: newMessage(view.Card(b.printer(j.Place.Locale), j)).onlyFor(),
	})
	if err != nil && !adapter.Lost(err) {
		return err
	}
	return m.Save(ctx, noteCardGone, cardTold)
}

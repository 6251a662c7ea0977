package discord

import (
	"context"
	"net/url"
	"time"

	"ltxbot/bot/adapter"
	"ltxbot/bot/view"
	"ltxbot/internal/retry"
)

// dispatch handles one interaction, from the gateway or from HTTP. It returns
// at once: the work has a life of its own, which is not ctx.
func (b *Bot) dispatch(ctx context.Context, raw []byte) {
	i, err := decodeInteraction(raw, b.cfg.Now())
	if err != nil {
		b.log.ErrorContext(ctx, "cannot read an interaction", "error", err)
		return
	}
	switch {
	case b.work.Work(func(ctx context.Context) { b.handle(ctx, i) }): //nolint:contextcheck // the pool's life: the answer comes after ctx has ended
	case b.work.Say(func(ctx context.Context) { b.busy(ctx, i) }): //nolint:contextcheck // as above
		b.cfg.OnBusy()
	case b.work.Closed():
		b.log.WarnContext(ctx, "interaction dropped: the bot stops", "interaction", i.ID)
	default:
		b.cfg.OnBusy()
		b.log.ErrorContext(ctx, "interaction dropped: too many at a time", "interaction", i.ID)
	}
}

// letFirst is how long a process that doubts whether the gateway is its own
// waits for another one to answer.
const letFirst = 500 * time.Millisecond

// handle answers an interaction.
func (b *Bot) handle(ctx context.Context, i *interaction) {
	defer adapter.Guard(ctx, b.log, func(incident string) { b.apologize(ctx, i, incident) }, "interaction", i.ID)
	if b.cfg.Doubt() {
		i.second = true
		if !retry.Wait(ctx, letFirst) {
			return
		}
	}
	if m := b.refuseGuild(i); m != nil {
		b.turnAway(ctx, i, m)
		return
	}
	switch i.Type {
	case interactionCommand:
		b.command(ctx, i)
	case interactionComponent:
		b.press(ctx, i)
	case interactionAutocomplete:
		b.autocomplete(ctx, i)
	case interactionModal:
		b.submit(ctx, i)
	default:
		b.log.WarnContext(ctx, "interaction of an unknown type", "interaction", i.ID, "type", i.Type)
	}
}

// busy answers when there is no room to work, if Discord still takes that.
func (b *Bot) busy(ctx context.Context, i *interaction) {
	if b.cfg.Now().Sub(i.received) > answerWithin {
		b.log.WarnContext(ctx, "interaction not answered: too many at a time", "interaction", i.ID)
		return
	}
	b.turnAway(ctx, i, b.note(i.Locale, "error.busy"))
}

// turnAway answers an interaction of any type with a message and does nothing
// else for it. Who types an option gets no suggestions.
func (b *Bot) turnAway(ctx context.Context, i *interaction, m *view.Message) {
	if i.Type == interactionAutocomplete {
		b.suggest(ctx, i, nil)
		return
	}
	b.reply(ctx, i, m)
}

// apologize tells the person that something went wrong, whether or not the
// interaction was acknowledged before.
func (b *Bot) apologize(ctx context.Context, i *interaction, incident string) {
	m := b.note(i.Locale, "discord.incident", "id", incident)
	err := b.answer(ctx, i, callbackMessage, newMessage(*m).onlyFor(), nil)
	if hasCode(err, codeAlreadyAcked) {
		err = b.rest.do(ctx, call{
			op: "apologize", route: routeFollowup(i.ApplicationID, i.Token), body: newMessage(*m).onlyFor(),
		})
	}
	if err != nil {
		b.log.WarnContext(ctx, "cannot apologize", "interaction", i.ID, "error", err)
	}
}

// callback is the first answer to an interaction.
type callback struct {
	Type int `json:"type"`
	Data any `json:"data,omitempty"`
}

// callbackResult says which message an answer made.
type callbackResult struct {
	Interaction struct {
		ResponseMessageID string `json:"response_message_id"`
		ChannelID         string `json:"channel_id"`
	} `json:"interaction"`
}

// answer sends the first answer to an interaction. It may be repeated: when
// the first try arrived and its reply was lost, Discord says so.
func (b *Bot) answer(ctx context.Context, i *interaction, kind int, data any, out *callbackResult) error {
	ctx, cancel := context.WithTimeout(ctx, answerWithin)
	defer cancel()
	k := call{
		op: "answer interaction", route: routeCallback(i),
		body: callback{Type: kind, Data: data}, again: true,
	}
	if out != nil {
		// https://discord.com/developers/docs/interactions/receiving-and-responding#create-interaction-response
		k.query, k.out = url.Values{"with_response": {"true"}}, out
	}
	err := b.rest.do(ctx, k)
	if err == nil {
		b.cfg.ObserveAck(b.cfg.Now().Sub(i.received))
	}
	return err
}

// reply answers with a message for the caller only.
func (b *Bot) reply(ctx context.Context, i *interaction, m *view.Message) {
	b.replyWith(ctx, i, newMessage(*m))
}

func (b *Bot) replyWith(ctx context.Context, i *interaction, o outgoing) {
	if err := b.answer(ctx, i, callbackMessage, o.onlyFor(), nil); err != nil && !acknowledged(err) {
		b.log.WarnContext(ctx, "cannot answer an interaction", "interaction", i.ID, "error", err)
	}
}

// note is a message of one of this adapter's sentences.
func (b *Bot) note(locale, key string, args ...any) *view.Message {
	m := view.Answer(b.printer(locale), key, args...)
	return &m
}

// quickWithin bounds what is done before an answer that cannot be deferred:
// it leaves a second for the answer itself.
const quickWithin = answerWithin - time.Second

// quick answers with what find returns, for the caller only.
func (b *Bot) quick(ctx context.Context, i *interaction, find func(context.Context) view.Message) {
	ctx, cancel := context.WithTimeout(ctx, quickWithin)
	defer cancel()
	m := find(ctx)
	b.reply(ctx, i, &m)
}

package slack

import (
	"context"
	"sync"
	"time"

	"ltxbot/bot/adapter"
)

// An acknowledgement is what Slack must have within three seconds. It can be
// given once; what is given after that is dropped.
// https://docs.slack.dev/interactivity/handling-user-interaction#acknowledgment_response
type acknowledgement struct {
	once sync.Once
	send func(payload any) // does not block; nil is an empty acknowledgement
	seen func()
}

func (a *acknowledgement) give(payload any) {
	a.once.Do(func() {
		a.send(payload)
		a.seen()
	})
}

// receive takes one event, from a connection or from HTTP. It returns at
// once; ack is given soon.
func (b *Bot) receive(kind string, payload []byte, send func(any)) {
	received := b.cfg.Now()
	ack := &acknowledgement{send: send, seen: func() { b.cfg.ObserveAck(b.cfg.Now().Sub(received)) }}
	in, err := decode(kind, payload, received)
	if err != nil {
		ack.give(nil)
		b.log.Error("cannot read an event", "kind", kind, "error", err)
		return
	}
	in.ack = ack
	b.atHome(in.interaction)
	if b.work.Work(func(ctx context.Context) { b.handle(ctx, in) }) {
		return
	}
	b.cfg.OnBusy()
	b.turnAway(in)
}

// turnAway says that there is too much work. Events of the Events API are not
// acknowledged: Slack brings them again.
func (b *Bot) turnAway(in inbound) {
	ack := in.ack
	locale := b.people.locale(in.origin())
	busy := b.sentence(locale, "slack.busy")
	switch {
	case in.command != nil:
		ack.give(b.layout(locale).message(busy).response(""))
	case in.event != nil:
		b.log.Warn("event put off: too many at a time", "event", in.event.Event.Type)
	case in.interaction.Type == typeSubmit:
		ack.give(fieldErrors(in.interaction.View, map[string]string{}, busy.Plain))
	case in.interaction.Type == typeSuggest:
		ack.give(choices(nil))
	default:
		ack.give(nil)
		b.work.Say(func(ctx context.Context) { b.tell(ctx, in.origin(), busy) })
	}
}

// handle does what an event asks for.
func (b *Bot) handle(ctx context.Context, in inbound) {
	defer in.ack.give(nil)
	defer adapter.Guard(ctx, b.log, func(incident string) {
		apology, cancel := context.WithTimeout(ctx, replyWithin)
		defer cancel()
		b.tell(apology, in.origin(), b.sentence(b.people.locale(in.origin()), "slack.incident", "id", incident))
	}, "kind", in.kind)
	switch {
	case in.command != nil:
		b.command(ctx, in)
	case in.event != nil:
		b.event(ctx, in)
	default:
		b.interact(ctx, in)
	}
}

// interact handles an interaction, by its type.
func (b *Bot) interact(ctx context.Context, in inbound) {
	switch in.interaction.Type {
	case typePress:
		if !b.missing(ctx, in.origin()) {
			b.press(ctx, in)
		}
	case typeSubmit:
		b.submit(ctx, in)
	case typeSuggest:
		in.ack.give(b.suggest(in)) //nolint:contextcheck // from memory; what is read for next time outlives the event
	case typeShortcut, typeOfMessage:
		in.ack.give(nil)
		if !b.missing(ctx, in.origin()) {
			b.shortcut(ctx, in)
		}
	case typeViewClosed:
	default:
		b.log.WarnContext(ctx, "interaction of an unknown type", "type", in.interaction.Type)
	}
}

// event handles an event of the Events API. Slack repeats those that it
// believes lost.
func (b *Bot) event(ctx context.Context, in inbound) {
	if !b.events.First(in.event.ID) {
		return
	}
	switch e := in.event.Event; e.Type {
	case eventMention, eventMessage:
		b.message(ctx, in)
	case "app_home_opened":
		in.ack.give(nil)
		if e.Tab == "home" {
			b.home(ctx, in)
		}
	case "tokens_revoked", "app_uninstalled":
		in.ack.give(nil)
		b.uninstalled(ctx, in)
	}
}

// confirmFatal ends the bot's presence when its token does not work any more:
// the event may be about another token.
func (b *Bot) confirmFatal(ctx context.Context, o origin, code string) {
	c, err := b.client(ctx, o.installation())
	if err != nil {
		return
	}
	err = c.again(ctx, "try the token", func(ctx context.Context) error {
		_, err := c.api.AuthTestContext(ctx)
		return err
	})
	if fatal(err) != nil {
		b.fail(&FatalError{Code: code, Reason: fatalCodes[code]})
	}
}

// replyWithin bounds an answer to a person.
const replyWithin = 20 * time.Second

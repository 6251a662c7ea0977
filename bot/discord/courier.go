package discord

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"ltxbot/bot/text"
	"ltxbot/bot/view"
	"ltxbot/core/generate"
)

// oldEditPause is how long edits of a card wait after Discord said that there
// were too many edits of old messages in its channel.
const oldEditPause = 30 * time.Second

// Show implements generate.Courier. While the interaction's token lives, the
// card is edited by it; then by the bot's own token. A private card cannot be
// edited without the token: it is continued by direct message, where the
// video will come, too.
func (b *Bot) Show(ctx context.Context, j generate.Job, keep generate.Keep) error {
	m := recall(j, keep)
	if m.Get(noteInCard) != "" {
		return nil
	}
	var err error
	token := m.token(b.cfg.Now())
	switch {
	case m.Get(noteCardGone) != "":
	case j.State == generate.Failed && j.Failure.Kind == generate.FailQuota && !j.Place.Private && token != "":
		err = b.refuseAside(ctx, j, m, token)
	default:
		err = b.showCard(ctx, j, m)
	}
	// The end of a job without a video is told all the same.
	noVideo := j.State == generate.Failed || j.State == generate.Cancelled
	if err == nil && noVideo && m.Get(noteCardGone) == yes {
		err = b.lastWord(ctx, j, m)
	}
	if conversationGone(err) && noVideo && !j.Place.Private {
		err = b.tellByDM(ctx, j, m)
	}
	if err != nil {
		b.shown.Delete(j.ID)
	}
	return courierError(err)
}

// showCard brings the card to the conversation.
func (b *Bot) showCard(ctx context.Context, j generate.Job, m memory) error {
	token := m.token(b.cfg.Now())
	text := view.Card(b.printer(j.Place.Locale), j)
	switch {
	case !j.Place.Private:
	case token == "":
		text.Buttons = directButtons(text.Buttons)
	case !j.State.Terminal():
		text.Blocks = append(text.Blocks, b.smallPrint(j.Place.Locale, "discord.private_later"))
	}
	barred := barrier(m.Get(noteBarred))
	if barred != open && j.State != generate.Delivered {
		text.Blocks = append(text.Blocks, b.barredText(j, barred))
	}
	card := newMessage(text)
	if !b.shown.News(j, card) {
		return nil
	}
	if token == "" {
		return b.showByBot(ctx, j, m, card)
	}
	var out posted
	err := b.rest.do(ctx, call{
		op: "edit card", route: routeOriginal(http.MethodPatch, m.Get(noteApp), token), body: card, out: &out,
	})
	switch {
	case err == nil && m.Get(noteCard) == "":
		return m.Save(ctx, noteCard, out.ID, noteCardChannel, out.ChannelID)
	case hasCode(err, codeUnknownMessage):
		return m.Save(ctx, noteCardGone, yes)
	case tokenDead(err):
	case j.Place.Private || barred != open || !refusedForGood(err):
		return err
	case m.Get(noteCard) == "":
		b.dropDeferral(ctx, j, m, token)
	}
	// For a public card a token that edits nothing is as good as a dead one.
	if err := m.Save(ctx, noteToken, ""); err != nil {
		return err
	}
	b.shown.Delete(j.ID) // it was not shown
	return b.showCard(ctx, j, m)
}

// dropDeferral removes the "thinking" message that cannot be made the card of
// a job, so that it does not stay for ever beside the card that takes its
// place.
func (b *Bot) dropDeferral(ctx context.Context, j generate.Job, m memory, token string) {
	err := b.rest.do(ctx, call{
		op: "remove deferral", route: routeOriginal(http.MethodDelete, m.Get(noteApp), token),
	})
	if err != nil {
		b.log.WarnContext(ctx, "cannot remove a deferral", "job", j.ID, "error", err)
	}
}

// showByBot edits the card with the bot's own token, or posts one where there
// is none that it can edit.
func (b *Bot) showByBot(ctx context.Context, j generate.Job, m memory, card outgoing) error {
	channel := j.Place.Channel
	if j.Place.Private {
		direct, err := b.openDM(ctx, j.Place.User)
		if err != nil {
			return err
		}
		channel = direct
		if m.cardChannel(j) != channel && j.State == generate.Delivered {
			return nil // the video says it all
		}
	}
	if m.Get(noteCard) == "" || m.cardChannel(j) != channel {
		return b.postCard(ctx, j, m, channel, card)
	}
	err := b.rest.do(ctx, call{
		op: "edit card", body: card, route: routeMessage(http.MethodPatch, channel, m.Get(noteCard)),
	})
	switch {
	case hasCode(err, codeUnknownMessage):
		// Whoever deleted the card does not want to see it; the video comes
		// all the same.
		return m.Save(ctx, noteCardGone, yes)
	case hasCode(err, codeThreadArchived):
		return b.postCard(ctx, j, m, channel, card) // which opens the thread again
	}
	return err
}

// postCard posts a card in the place of one that can't be edited.
func (b *Bot) postCard(ctx context.Context, j generate.Job, m memory, channel string, card outgoing) error {
	out, err := b.postOnce(ctx, j, m, purposeCard, channel, card)
	if err != nil {
		return err
	}
	return m.Save(ctx, noteCard, out.ID, noteCardChannel, channel)
}

// lastWord posts how a job ended, since its card was deleted: once, to the
// requester.
func (b *Bot) lastWord(ctx context.Context, j generate.Job, m memory) error {
	if j.Place.Private {
		return b.tellByDM(ctx, j, m)
	}
	o := newMessage(view.LastWord(b.printer(j.Place.Locale), j))
	o.Ping = []string{j.Place.User}
	if _, err := b.postOnce(ctx, j, m, purposeLast, j.Place.Channel, o); err != nil {
		return err
	}
	return m.Save(ctx, noteCardGone, cardTold)
}

// Tell implements generate.Courier.
func (b *Bot) Tell(ctx context.Context, j generate.Job, keep generate.Keep) error {
	m := recall(j, keep)
	if m.Get(noteCardGone) == cardTold {
		return nil
	}
	err := b.lastWord(ctx, j, m)
	if conversationGone(err) && !j.Place.Private {
		err = b.tellByDM(ctx, j, m)
	}
	return courierError(err)
}

// tellByDM sends the last word on a job to its requester, where the
// conversation cannot show it.
func (b *Bot) tellByDM(ctx context.Context, j generate.Job, m memory) error {
	channel, err := b.openDM(ctx, j.Place.User)
	if err != nil {
		return err
	}
	text := view.Card(b.printer(j.Place.Locale), j)
	text.Buttons = directButtons(text.Buttons)
	if _, err := b.postOnce(ctx, j, m, purposeEnd, channel, newMessage(text)); err != nil {
		return err
	}
	return m.Save(ctx, noteCardGone, cardTold)
}

// openDM is the channel of direct messages with a user.
func (b *Bot) openDM(ctx context.Context, user string) (string, error) {
	if id := b.dms.Get(user); id != "" {
		return id, nil
	}
	var out struct {
		ID string `json:"id"`
	}
	err := b.rest.do(ctx, call{
		op: "open direct messages", route: routeOpenDM(), again: true,
		body: map[string]string{"recipient_id": user}, out: &out,
	})
	if err != nil {
		return "", err
	}
	b.dms.Put(user, out.ID)
	return out.ID, nil
}

// courierError says to the engine what an error means for the job.
func courierError(err error) error {
	var limited *limitError
	switch {
	case err == nil:
		return nil
	case errors.As(err, &limited):
		after := limited.after
		if limited.code == codeOldEdits {
			after = max(after, oldEditPause)
		}
		return &generate.RetryError{After: after, Err: err}
	case conversationGone(err), contentRefused(err), hasCode(err, codeCannotDM):
		return fmt.Errorf("%w: %w", generate.ErrUnreachable, err)
	default:
		return err
	}
}

// smallPrint is a block of one of this adapter's sentences.
func (b *Bot) smallPrint(locale, key string) view.Block {
	return view.Block{Kind: view.Note, Spans: []text.Span{{Text: b.text(locale, key)}}}
}

// maxDMChannels is how many channels of direct messages are remembered.
const maxDMChannels = 10_000

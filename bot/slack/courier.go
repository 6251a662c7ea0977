package slack

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"ltxbot/bot/adapter"
	"ltxbot/bot/view"
	"ltxbot/core/generate"
)

// Show implements generate.Courier. The card is a message of its own, posted
// with the first state, and edited then. That it can be posted is the proof
// that the conversation takes the video, before money is spent.
func (b *Bot) Show(ctx context.Context, j generate.Job, keep generate.Keep) error {
	c, err := b.client(ctx, installationOf(j))
	if err != nil {
		return noClient(err)
	}
	s := &showing{Bot: b, memory: recall(j, keep), client: c, job: j}
	err = s.show(ctx)
	if err != nil {
		b.shown.Delete(j.ID)
	}
	return b.courierError(ctx, j, err)
}

// installationOf is what the token is found by that serves a job.
func installationOf(j generate.Job) string { return cmp.Or(j.Notes[noteInstalled], j.Place.Tenant) }

// noClient says to the engine what it means for a job that there is no token.
func noClient(err error) error {
	if errors.Is(err, errNotInstalled) {
		return fmt.Errorf("%w: %w", generate.ErrUnreachable, err)
	}
	return &generate.RetryError{After: longestPause, Err: err}
}

// showing is one call of Show.
type showing struct {
	*Bot
	memory

	client *client
	job    generate.Job
}

// noVideo reports whether the job is over without a video, so that the
// requester must be told here.
func (s *showing) noVideo() bool {
	return s.job.State == generate.Failed || s.job.State == generate.Cancelled
}

func (s *showing) show(ctx context.Context) error {
	switch {
	case s.Get(noteTold) != "" && s.job.State.Terminal():
		return nil
	case s.Get(noteTold) != "":
		return generate.ErrUnreachable // no money for what cannot be posted
	case s.aside():
		return s.tellAside(ctx)
	case s.Get(noteCard) != "":
		return s.edit(ctx)
	case s.Get(noteCardGone) != "":
		return s.lastWord(ctx)
	}
	if err := s.enter(ctx); err != nil {
		return err
	}
	tried := s.Number(notePosting+string(purposeCard)) != 0
	out, err := s.postOnce(ctx, s.client, s.job, s.memory, purposeCard, s.spot(), s.card(s.layout(s.job.Place.Locale).only("")))
	switch {
	case errors.Is(err, errOutcome):
		s.log.WarnContext(ctx, "cannot find out whether the card was posted; the job continues without a card", "job", s.job.ID)
		if err := s.Save(ctx, noteCardGone, "yes"); err != nil {
			return err
		}
		return s.lastWord(ctx)
	case err != nil && hasCode(err, goneCodes...):
		return s.cannotPost(ctx, err)
	case err != nil:
		return err
	}
	if err := s.Save(ctx, noteCard, out.ts, noteCardChannel, out.channel, notePosting+string(purposeCard), ""); err != nil {
		return err
	}
	if tried {
		return s.edit(ctx) // it may say something older
	}
	return nil
}

// enter makes sure that the bot is a member of a public channel if it may post
// there without: files are for members only.
func (s *showing) enter(ctx context.Context) error {
	channel := s.spot().channel
	if !s.client.may("chat:write.public") || !strings.HasPrefix(channel, "C") {
		return nil
	}
	err := s.join(ctx, s.client, channel)
	switch {
	case hasCode(err, "not_in_channel"):
		return s.cannotPost(ctx, err)
	case hasCode(err, "is_archived", "channel_not_found", "method_not_supported_for_channel_type"):
		return nil // archived, or private: the card finds out what that means
	}
	return err
}

// spot is where the job's messages go.
func (s *showing) spot() spot { return spotOf(s.job) }

func spotOf(j generate.Job) spot {
	if j.Place.Private || j.Place.Channel == "" {
		return spot{channel: j.Place.User}
	}
	return spot{channel: j.Place.Channel, thread: j.Place.Thread}
}

// card is what the card says. When the text with the buttons may be missing,
// the card stands in for it.
func (s *showing) card(l layout) outgoing {
	if s.job.State == generate.Delivered && s.Get(noteResultLost) != "" {
		return s.result(l, s.job, s.memory)
	}
	return l.message(view.Card(s.printer(s.job.Place.Locale), s.job))
}

// edit makes the card say what the job is now.
func (s *showing) edit(ctx context.Context) error {
	if s.Get(noteCardGone) != "" {
		return s.lastWord(ctx)
	}
	o := s.card(s.layout(s.job.Place.Locale))
	if !s.shown.News(s.job, o.content()) {
		return nil
	}
	workspace := s.job.Place.Tenant
	if wait := s.edits.take(ctx, workspace, s.job.ID, s.job.State.Terminal()); wait > 0 {
		return &limitError{op: "edit card", after: wait}
	}
	err := s.client.again(ctx, "edit card", func(ctx context.Context) error {
		_, _, _, err := s.client.api.UpdateMessageContext(ctx, s.Get(noteCardChannel), s.Get(noteCard), o.edit()...)
		s.edits.refused(ctx, workspace, err)
		return err
	})
	dead := hasCode(err, "message_not_found", "cant_update_message", "edit_window_closed")
	if !dead && (!s.noVideo() || !hasCode(err, goneCodes...)) {
		return err
	}
	// Somebody deleted the card, or the workspace allows no edits of old
	// messages. The video comes all the same.
	if err := s.Save(ctx, noteCardGone, "yes"); err != nil {
		return err
	}
	return s.lastWord(ctx)
}

// lastWord says how a job ended where the card can't: as a new message, if
// there is no video to say it.
func (s *showing) lastWord(ctx context.Context) error {
	if !s.noVideo() {
		return nil
	}
	o := s.layout(s.job.Place.Locale).only(s.job.Place.User).message(view.LastWord(s.printer(s.job.Place.Locale), s.job))
	var err error
	if s.Get(notePosting+string(purposeEndDM)) == "" {
		_, err = s.postOnce(ctx, s.client, s.job, s.memory, purposeEnd, s.spot(), o)
	}
	if s.Get(notePosting+string(purposeEndDM)) != "" || hasCode(err, goneCodes...) {
		_, err = s.postOnce(ctx, s.client, s.job, s.memory, purposeEndDM, spot{channel: s.job.Place.User}, o)
	}
	if err != nil && !errors.Is(err, errOutcome) {
		return err
	}
	return s.Save(ctx, noteTold, "yes")
}

// Tell implements generate.Courier.
func (b *Bot) Tell(ctx context.Context, j generate.Job, keep generate.Keep) error {
	c, err := b.client(ctx, installationOf(j))
	if err != nil {
		return noClient(err)
	}
	s := &showing{Bot: b, memory: recall(j, keep), client: c, job: j}
	if s.Get(noteTold) == "" {
		err = s.lastWord(ctx)
	}
	return b.courierError(ctx, j, err)
}

// cannotPost tells the requester that the conversation does not take the
// card, and what to do about it: where it was asked for, as long as Slack lets
// the bot answer there, else by direct message. err is what Slack said.
func (s *showing) cannotPost(ctx context.Context, err error) error {
	o := s.reason(ctx, err)
	address, saveErr := s.responseURL(ctx, s.cfg.Now())
	if saveErr != nil {
		return saveErr
	}
	if address != "" {
		told := s.respond(ctx, address, o.response(s.job.Place.Thread))
		if told == nil || adapter.Lost(told) {
			return s.told(ctx, err)
		}
		s.log.WarnContext(ctx, "cannot answer by response URL", "job", s.job.ID, "error", told)
	}
	if s.job.Place.Private {
		return err // there is no other place
	}
	_, told := s.postOnce(ctx, s.client, s.job, s.memory, purposeEndDM, spot{channel: s.job.Place.User}, o)
	if told != nil && !errors.Is(told, errOutcome) {
		if hasCode(told, goneCodes...) {
			return err
		}
		return told
	}
	return s.told(ctx, err)
}

// told notes that the requester knows that there is no video.
func (s *showing) told(ctx context.Context, err error) error {
	if saveErr := s.Save(ctx, noteTold, "yes"); saveErr != nil {
		return saveErr
	}
	return fmt.Errorf("%w: %w", generate.ErrUnreachable, err)
}

// reasons are the sentences for why a conversation does not take messages.
var reasons = map[string]string{
	"channel_not_found":                        "slack.place.private",
	"method_not_supported_for_channel_type":    "slack.place.private",
	"not_in_channel":                           "slack.place.join",
	"is_archived":                              "slack.place.archived",
	"restricted_action":                        "slack.place.read_only",
	"restricted_action_read_only_channel":      "slack.place.read_only",
	"restricted_action_thread_only_channel":    "slack.place.read_only",
	"restricted_action_non_threadable_channel": "slack.place.read_only",
	"restricted_action_thread_locked":          "slack.place.read_only",
}

// reason is what the requester reads when the conversation does not take the
// card.
func (s *showing) reason(ctx context.Context, err error) outgoing {
	locale := s.job.Place.Locale
	key := "slack.place.gone"
	var refusal *APIError
	if errors.As(err, &refusal) && reasons[refusal.Code] != "" {
		key = reasons[refusal.Code]
	}
	if key == "slack.place.private" && s.Get(noteChannelName) == directMessage {
		key = "slack.place.dm"
	}
	name := "the bot"
	if me, err := s.client.identity(ctx); err == nil && me.Name != "" {
		name = me.Name
	}
	o := s.layout(locale).message(s.sentence(locale, key, "name", name))
	if !s.job.Place.Private {
		o.blocks = append(o.blocks, s.directButton(s.job))
	}
	return o
}

// result is the text that follows the video.
func (b *Bot) result(l layout, j generate.Job, m memory) outgoing {
	facts := map[string]view.ResultFacts{}
	for _, t := range j.Posted() {
		i := max(0, slices.Index(j.Batch.Posting, t.ID))
		f := view.ResultFacts{Fit: generate.Fit(m.of(noteFit, i))}
		if f.Fit == generate.FitLink {
			f.URL, f.Why = t.Output.URL, view.LinkReason(m.of(noteWhy, i))
		}
		facts[t.ID] = f
	}
	l.value = func(button view.Button) string {
		if button.Action == view.ActDelete && m.Get(noteFile) != "" {
			return m.Get(noteFile) // what is to be deleted
		}
		return j.ID
	}
	return l.message(view.Results(b.printer(j.Place.Locale), j, facts, b.cfg.Service.Frames()))
}

package discord

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"ltxbot/bot"
	"ltxbot/bot/adapter"
	"ltxbot/bot/view"
	"ltxbot/core/generate"
)

// remove deletes the message whose button was pressed.
func (b *Bot) remove(ctx context.Context, i *interaction, job string) {
	if !b.defers(ctx, i) {
		return
	}
	j, keep, err := b.cfg.Service.Delete(ctx, job, func(ctx context.Context) error {
		err := b.rest.do(ctx, call{
			op: "delete message", route: routeOriginal(http.MethodDelete, i.ApplicationID, i.Token),
		})
		return removal(err)
	})
	if err != nil {
		b.cannotDelete(ctx, i, "discord.cannot_delete", err)
		return
	}
	adapter.ShowDeleted(ctx, b.log, b, j, keep)
}

// removal is the outcome of a call that takes something away. What somebody has
// deleted already is gone, and what Discord refuses or puts off stays.
func removal(err error) error {
	switch {
	case hasCode(err, codeUnknownMessage):
		return nil
	case refusedForGood(err), errors.Is(err, adapter.ErrNotDone):
		return fmt.Errorf("%w: %w", bot.ErrStays, err)
	}
	return err
}

// removeTake takes one video out of the message of its batch. The button is in a
// message that only its reader sees, which says then that it was done.
func (b *Bot) removeTake(ctx context.Context, i *interaction, job string) {
	if !b.defers(ctx, i) {
		return
	}
	j, keep, err := b.cfg.Service.DeleteTake(ctx, job, b.leaveOut)
	if err != nil {
		b.cannotDelete(ctx, i, "discord.cannot_remove", err)
		return
	}
	err = b.rest.do(ctx, call{
		op: "say that a video was deleted", route: routeOriginal(http.MethodPatch, i.ApplicationID, i.Token),
		body: newMessage(view.Answer(b.printer(i.Locale), "job.take_deleted")),
	})
	if err != nil {
		b.log.WarnContext(ctx, "cannot say that a video was deleted", "interaction", i.ID, "error", err)
	}
	adapter.ShowDeleted(ctx, b.log, b, j, keep)
}

// defers answers a press, whose outcome comes later, and reports whether Discord
// has taken that.
func (b *Bot) defers(ctx context.Context, i *interaction) bool {
	err := b.answer(ctx, i, callbackDeferUpdate, nil, nil)
	if err != nil {
		b.log.WarnContext(ctx, "cannot answer a press", "interaction", i.ID, "error", err)
	}
	return err == nil
}

// cannotDelete says that a video could not be deleted.
func (b *Bot) cannotDelete(ctx context.Context, i *interaction, key string, err error) {
	b.log.WarnContext(ctx, "cannot delete a video", "interaction", i.ID, "error", err)
	err = b.rest.do(ctx, call{
		op: "say that a video stays", route: routeFollowup(i.ApplicationID, i.Token),
		body: newMessage(*b.note(i.Locale, key)).onlyFor(),
	})
	if err != nil {
		b.log.WarnContext(ctx, "cannot say that a video stays", "interaction", i.ID, "error", err)
	}
}

// errOnlyToken says that a message can be changed by the token of an interaction
// only, which is dead or another message's.
var errOnlyToken = errors.New("the message is not one that the bot can edit")

// leaveOut makes the message of a batch hold only the videos that were not
// deleted, or removes it with the last one.
func (b *Bot) leaveOut(ctx context.Context, whole generate.Job) error {
	m := recall(whole, nil)
	channel, id := m.Get(noteVideoChannel), m.Get(noteVideo)
	direct := channel != whole.Place.Channel
	if id == "" || whole.Place.Private && !direct {
		return fmt.Errorf("%w: %w", bot.ErrStays, errOnlyToken)
	}
	left := view.Left(whole)
	if len(left) == 0 {
		return removal(b.rest.do(ctx, call{op: "delete message", route: routeMessage(http.MethodDelete, channel, id)}))
	}
	var now posted
	err := b.rest.do(ctx, call{op: "read message", route: routeMessage(http.MethodGet, channel, id), out: &now})
	switch {
	case hasCode(err, codeUnknownMessage):
		return nil // somebody has deleted all of it
	case err != nil:
		return fmt.Errorf("%w: %w", bot.ErrStays, err)
	}
	return removal(b.rest.do(ctx, call{
		op: "take a video out", route: routeMessage(http.MethodPatch, channel, id), body: b.without(whole, left, m, now, direct),
	}))
}

// without is the message of a batch as it is now, with what is left of it.
func (b *Bot) without(whole generate.Job, left []generate.Job, m memory, now posted, direct bool) outgoing {
	printer := b.printer(whole.Place.Locale)
	facts := map[string]view.ResultFacts{}
	var files []upload
	kept := []attachmentPart{}
	for _, t := range left {
		i := slices.Index(whole.Batch.Posting, t.ID)
		f := view.ResultFacts{Fit: generate.Fit(m.Get(nth(noteFit, i)))}
		if f.Fit == generate.FitLink {
			f.URL, f.Why = t.Output.URL, view.LinkReason(m.Get(nth(noteWhy, i)))
		}
		facts[t.ID] = f
		for _, a := range now.Attachments {
			if strings.HasPrefix(a.Filename, generate.FileStem(t.ID)+".") {
				alt := view.AltText(printer, t)
				files = append(files, upload{file: generate.File{Name: a.Filename}, alt: alt})
				kept = append(kept, attachmentPart{ID: a.ID, Filename: a.Filename, Description: alt})
			}
		}
	}
	text := view.Results(printer, whole, facts, b.cfg.Service.Frames())
	if direct {
		text.Buttons, text.Menu = directButtons(text.Buttons), nil
	}
	o := newVideo(text, files)
	o.Files, o.Kept = nil, kept
	return o
}

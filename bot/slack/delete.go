package slack

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"ltxbot/bot"
	"ltxbot/bot/adapter"
	"ltxbot/bot/view"
	"ltxbot/core/generate"
)

// remove deletes a video: the file, which vanishes wherever it was shared, and
// the message with the button. Both may be gone already.
func (b *Bot) remove(ctx context.Context, o origin, i *interaction, a action, job string) {
	o.acknowledge()
	j, keep, err := b.cfg.Service.Delete(ctx, job, func(ctx context.Context) error {
		c, err := b.client(ctx, o.installation())
		if err != nil {
			return fmt.Errorf("%w: %w", bot.ErrStays, err)
		}
		files := slices.DeleteFunc(unlist(a.Value), func(v string) bool { return !strings.HasPrefix(v, "F") })
		first := true
		for _, file := range files {
			deleted, err := c.deleteFile(ctx, file)
			if err != nil {
				return removal(err, first)
			}
			first = first && !deleted
		}
		return removal(c.deleteMessage(ctx, o.Channel, i.Container.Message), first)
	})
	if err != nil {
		b.cannotDelete(ctx, o, err)
		return
	}
	adapter.ShowDeleted(ctx, b.log, b, j, keep)
}

// removal is the outcome of a call that takes something away. first says that
// nothing was taken away before: then what Slack refuses or puts off stays as it is.
func removal(err error, first bool) error {
	_, answered := errors.AsType[*APIError](err)
	if first && (answered && !hasCode(err, unsureCodes...) || errors.Is(err, adapter.ErrNotDone)) {
		return fmt.Errorf("%w: %w", bot.ErrStays, err)
	}
	return err
}

// removeTake deletes the file of one video of a batch, and takes the video out of
// the text below. The button is in a message that only its reader sees, which says
// then that it was done.
func (b *Bot) removeTake(ctx context.Context, o origin, job string) {
	o.acknowledge()
	j, keep, err := b.cfg.Service.DeleteTake(ctx, job, b.leaveOut)
	if err != nil {
		b.cannotDelete(ctx, o, err)
		return
	}
	b.replace(ctx, o, view.Answer(b.printer(b.people.locale(o)), "job.take_deleted"))
	adapter.ShowDeleted(ctx, b.log, b, j, keep)
}

func (b *Bot) cannotDelete(ctx context.Context, o origin, err error) {
	b.log.WarnContext(ctx, "cannot delete a video", "error", err)
	b.tell(ctx, o, b.sentence(b.people.locale(o), "slack.cannot_delete"))
}

// leaveOut makes the messages of a batch hold only the videos that were not
// deleted, or removes the text with the last one. The message with the files
// follows by itself.
func (b *Bot) leaveOut(ctx context.Context, whole generate.Job) error {
	c, err := b.client(ctx, installationOf(whole))
	if err != nil {
		return fmt.Errorf("%w: %w", bot.ErrStays, err)
	}
	m := recall(whole, nil)
	left := view.Left(whole)
	files := filesOf(whole, m)
	first := true
	for _, t := range whole.Posted() {
		if files[t.ID] == "" || !view.IsDeleted(t) {
			continue
		}
		deleted, err := c.deleteFile(ctx, files[t.ID])
		if err != nil {
			return removal(err, first)
		}
		first = first && !deleted
	}
	channel, ts := m.Get(noteChannel), m.Get(noteResult)
	switch {
	case ts == "": // the card has the text
		return nil
	case len(left) == 0:
		return removal(c.deleteMessage(ctx, channel, ts), first)
	}
	o := b.result(b.layout(whole.Place.Locale), whole, m)
	err = c.again(ctx, "edit the text of videos", func(ctx context.Context) error {
		_, _, _, err := c.api.UpdateMessageContext(ctx, channel, ts, o.edit()...)
		return err
	})
	if err != nil { // the video is gone: that is what was asked for
		b.log.WarnContext(ctx, "cannot edit the text of videos of which one was deleted", "job", whole.ID, "error", err)
	}
	return nil
}

// filesOf are the files of the videos in the message of a batch, by job.
func filesOf(whole generate.Job, m memory) map[string]string {
	of := map[string]string{}
	files := unlist(m.Get(noteFile))
	for i, id := range whole.Batch.Posting {
		if generate.Fit(m.of(noteFit, i)) == generate.FitLink || len(files) == 0 {
			continue
		}
		of[id], files = files[0], files[1:]
	}
	return of
}

// deleteFile deletes a file, and reports whether it was still there.
// https://docs.slack.dev/reference/methods/files.delete
func (c *client) deleteFile(ctx context.Context, file string) (deleted bool, _ error) {
	err := c.again(ctx, "delete file", func(ctx context.Context) error { return c.api.DeleteFileContext(ctx, file) })
	if hasCode(err, "file_not_found", "file_deleted") {
		return false, nil
	}
	return err == nil, err
}

// deleteMessage deletes a message, which may be gone already.
func (c *client) deleteMessage(ctx context.Context, channel, ts string) error {
	err := c.again(ctx, "delete message", func(ctx context.Context) error {
		_, _, err := c.api.DeleteMessageContext(ctx, channel, ts)
		return err
	})
	if hasCode(err, "message_not_found") {
		return nil
	}
	return err
}

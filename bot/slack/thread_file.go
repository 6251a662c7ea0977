package slack

import (
	"context"
	"slices"
	"strings"

	"github.com/slack-go/slack"

	"ltxbot/bot"
	"ltxbot/bot/view"
	"ltxbot/core/generate"
	"ltxbot/core/ltx"
)

// maxAbove is how many pages of a thread are read for a file.
const maxAbove = 5

// fromAbove are the settings of a message with the files that came with it. Where
// "this" stands for a file, it is the last one of its kind above the message, in
// its thread or in the direct messages: who writes there sees it. A place that a
// file of the message takes is taken. Elsewhere "this" stays, and is refused with
// the other mistakes. The refusal says why there is no file.
func (b *Bot) fromAbove(ctx context.Context, o origin, settings, inputs []ltx.Setting) ([]ltx.Setting, *view.Message) {
	settings = slices.DeleteFunc(slices.Clone(settings), func(s ltx.Setting) bool {
		return s.IsThis() && slices.ContainsFunc(inputs, func(in ltx.Setting) bool { return sameOption(in.Key, s.Key) })
	})
	settings = append(settings, inputs...)
	first := slices.IndexFunc(settings, ltx.Setting.IsThis)
	if first < 0 || o.Message == "" || o.Thread == "" && o.ChannelName != directMessage {
		return settings, nil
	}
	ctx, cancel := context.WithTimeout(ctx, pressWithin)
	defer cancel()
	refuse := func(key string, args ...any) ([]ltx.Setting, *view.Message) {
		m := b.sentence(b.people.locale(o), key, append(args, "option", settings[first].Key)...)
		return nil, &m
	}
	c, err := b.client(ctx, o.installation())
	var me identity
	var files []slack.File
	if err == nil {
		me, err = c.identity(ctx)
	}
	if err == nil {
		files, err = c.filesAbove(ctx, o)
	}
	if hasCode(err, noHistoryCodes...) {
		b.log.WarnContext(ctx, "cannot look for a file above a message", "workspace", o.Workspace, "error", err)
		return refuse("slack.above.no_right")
	}
	if err != nil {
		b.log.WarnContext(ctx, "cannot look for a file above a message", "workspace", o.Workspace, "error", err)
		return refuse("slack.above.trouble")
	}
	for n, s := range settings {
		if !s.IsThis() {
			continue
		}
		first = n
		var found bool
		if settings[n].File, found = b.lastOf(ctx, o, me, files, bot.KindFor(s.Key)); !found {
			return refuse("slack.above.nothing")
		}
	}
	return settings, nil
}

// sameOption tells whether two keys name the same option.
func sameOption(a, b string) bool {
	p, _ := ltx.Lookup(a)
	q, ok := ltx.Lookup(b)
	return ok && p.Key() == q.Key()
}

// lastOf is the last of files that is of a kind. A video that the bot has posted
// is that of its job.
func (b *Bot) lastOf(ctx context.Context, o origin, me identity, files []slack.File, kind string) (ltx.Media, bool) {
	for _, f := range files {
		given, _ := b.given(ctx, o, []sharedFile{{ID: f.ID, Name: f.Name, Mimetype: f.Mimetype, Mode: f.Mode}})
		if len(given) == 0 || given[0].Kind() != kind {
			continue
		}
		name, _, _ := strings.Cut(f.Name, ".")
		if job, ok := strings.CutPrefix(name, generate.FileStem("")); ok && f.User == me.User {
			return ltx.MediaOfJob(job), true
		}
		return given[0].Media, true
	}
	return ltx.Media{}, false
}

// filesAbove are the files of the messages above one, the last first.
func (c *client) filesAbove(ctx context.Context, o origin) ([]slack.File, error) {
	at := spot{channel: o.Channel, thread: o.Thread}
	var all []slack.Message
	for oldest, pages := "", 1; ; pages++ {
		page, more, err := c.history(ctx, at, oldest, o.Message)
		if err != nil {
			return nil, err
		}
		all = append(all, page...)
		if !more || at.thread == "" || len(page) == 0 {
			break // of direct messages the newest page is enough
		}
		if pages == maxAbove {
			return nil, &APIError{Op: "read history", Code: "thread_too_long"}
		}
		oldest = page[len(page)-1].Timestamp
	}
	slices.SortStableFunc(all, func(a, b slack.Message) int { return strings.Compare(b.Timestamp, a.Timestamp) })
	var files []slack.File
	for _, m := range all {
		if m.Timestamp < o.Message { // a thread's first message is on each page
			files = append(files, m.Files...)
		}
	}
	return files, nil
}

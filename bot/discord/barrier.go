package discord

import (
	"context"
	"slices"
	"time"

	"ltxbot/bot/command"
	"ltxbot/bot/text"
	"ltxbot/bot/view"
	"ltxbot/core/generate"
)

// A barrier is why the bot's own token does not post in a channel where its
// commands work. Only the interaction's token does, while it lives.
type barrier string

// The barriers; each has a text "discord.barred.…" that says what to do.
const (
	open       barrier = ""
	notInside  barrier = "thread" // a private thread that the bot is not in
	noConnect  barrier = "voice"  // the chat of a voice channel that the bot may not join
	threadShut barrier = "locked" // a locked thread
)

// tokenPosts is how long after a command its token is relied on to post the
// video. The rest of the token's life is left to the last word on a job that
// did not get that far.
const tokenPosts = tokenLife - time.Minute

// lookInside bounds the look whether the bot is in a private thread.
const lookInside = time.Second

// barrier is what keeps the bot from posting where the interaction happened,
// as far as the interaction tells. Whether the bot is in a private thread it
// doesn't: that is looked up later.
func (b *Bot) barrier(i *interaction) barrier {
	have := permissions(i.AppPermissions)
	switch {
	case have&permAdministrator != 0:
		return open
	case slices.Contains(voiceTypes, i.Channel.Type):
		if have&permConnect == 0 {
			return noConnect
		}
		return open
	case have&permManageThreads != 0:
		return open
	case i.Channel.Thread.Locked:
		return threadShut
	case i.Channel.Type == typePrivateThread:
		return notInside
	}
	return open
}

// inside reports whether the bot is in the private thread where an interaction
// happened. Without an answer the token is the safe way: it works in both cases.
func (b *Bot) inside(ctx context.Context, i *interaction) bool {
	ctx, cancel := context.WithTimeout(ctx, lookInside)
	defer cancel()
	_, err := b.readChannel(ctx, i.ChannelID)
	return err == nil
}

// barredText says why only the token posts there, how the video comes if it
// takes longer, and where it is linked in any case.
func (b *Bot) barredText(j generate.Job, why barrier) view.Block {
	words := b.text(j.Place.Locale, "discord.barred."+string(why)) + " "
	if j.State == generate.Failed || j.State == generate.Cancelled {
		return view.Block{Kind: view.Note, Spans: []text.Span{{Text: words + b.text(j.Place.Locale, "discord.barred_late")}}}
	}
	return view.Block{Kind: view.Note, Spans: []text.Span{
		{Text: words + b.text(j.Place.Locale, "discord.barred_later") + " "}, {Style: text.CommandOf, Command: &text.Command{Verb: command.VerbShow, Args: []string{j.ID}}},
	}}
}

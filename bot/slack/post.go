package slack

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/slack-go/slack"

	"ltxbot/bot/adapter"
	"ltxbot/bot/lookback"
	"ltxbot/core/generate"
)

// A purpose is what a message of a job is for; each is posted once.
type purpose string

const (
	purposeCard   purpose = "card"
	purposeResult purpose = "result" // the text with the video
	purposeEnd    purpose = "end"    // how a job ended, where the card can't show it
	purposeEndDM  purpose = "end_dm" // the same, by direct message
	purposeMoved  purpose = "moved"  // why the video comes by direct message
)

// A spot is where a message of a job is posted: a channel, a thread in it, or
// a user's direct messages.
type spot struct {
	channel string // C…, D…, or U… for direct messages
	thread  string
}

// direct reports whether the spot is a user whose direct messages are not
// known yet.
func (s spot) direct() bool {
	return strings.HasPrefix(s.channel, "U") || strings.HasPrefix(s.channel, "W")
}

// message is one message of a job in its channel.
type message struct {
	channel, ts string
}

// errOutcome says that nobody will ever know whether a message was posted:
// the reply was lost, and the bot may not look.
var errOutcome = errors.New("outcome of a post is not known")

// How the bot finds its own messages again.
// https://docs.slack.dev/messaging/message-metadata
const metadataType = "ltx_job"

// postOnce posts a message of a job, however often it is called. Slack takes
// no key against posting twice, so the intention is kept before the post. When
// a try has no outcome, after a lost reply or a crash, the message is looked
// for in the conversation by its metadata. Where the bot may not read that,
// the error is errOutcome, and the message must not be posted again. For a job
// of which the store may lack an intention, it is looked for as well.
func (b *Bot) postOnce(ctx context.Context, c *client, j generate.Job, m memory, p purpose, at spot, o outgoing) (message, error) {
	note := notePosting + string(p)
	now := b.cfg.Now()
	switch first := m.Number(note); {
	case first == 0 && j.Doubted:
		found, err := b.findPosted(ctx, c, j, p, at, j.Created)
		if err != nil && !hasCode(err, noHistoryCodes...) && !hasCode(err, "not_in_channel", "channel_not_found") || found.ts != "" {
			return found, err
		}
	case first != 0:
		found, err := b.findPosted(ctx, c, j, p, at, time.Unix(first, 0))
		switch {
		case hasCode(err, noHistoryCodes...):
			return message{}, errOutcome
		case hasCode(err, "not_in_channel", "channel_not_found"):
			// Somebody who is no member has not posted.
		case err != nil || found.ts != "":
			return found, err
		case now.Sub(time.Unix(first, 0)) < b.cfg.Timing.Settle:
			return message{}, &limitError{op: "look for " + string(p), after: b.cfg.Timing.Settle}
		}
	}
	if err := m.Save(ctx, note, adapter.Unix(now)); err != nil {
		return message{}, err
	}
	out, err := b.postJoining(ctx, c, j, p, at, o)
	if err == nil || adapter.Lost(err) {
		return out, err
	}
	// Refused: it is known that nothing was posted.
	if err := m.Save(ctx, note, ""); err != nil {
		return message{}, err
	}
	return message{}, err
}

// postJoining posts a message and joins the channel for it, if need be. A
// public channel may take messages of somebody who is no member, but no files.
func (b *Bot) postJoining(ctx context.Context, c *client, j generate.Job, p purpose, at spot, o outgoing) (message, error) {
	out, err := b.post(ctx, c, j, p, at, o)
	if !hasCode(err, "not_in_channel") {
		return out, err
	}
	if err := b.join(ctx, c, at.channel); err != nil {
		return message{}, err
	}
	return b.post(ctx, c, j, p, at, o)
}

func (b *Bot) post(ctx context.Context, c *client, j generate.Job, p purpose, at spot, o outgoing) (message, error) {
	options := o.options(slack.MsgOptionMetadata(slack.SlackMetadata{
		EventType: metadataType, EventPayload: map[string]any{"job": j.ID, "purpose": string(p)},
	}))
	if at.thread != "" {
		options = append(options, slack.MsgOptionTS(at.thread))
	}
	var out message
	err := c.once(ctx, "post "+string(p), func(ctx context.Context) error {
		var err error
		out.channel, out.ts, err = c.api.PostMessageContext(ctx, at.channel, options...)
		if err == nil && out.ts == "" {
			err = errEmpty
		}
		return err
	})
	return out, err
}

// errEmpty says that an answer has not what it must have.
var errEmpty = errors.New("the answer is empty")

// join makes the bot a member of a public channel. When it may not be, the
// error has the code not_in_channel.
func (b *Bot) join(ctx context.Context, c *client, channel string) error {
	err := c.again(ctx, "join channel", func(ctx context.Context) error {
		_, _, _, err := c.api.JoinConversationContext(ctx, channel)
		return err
	})
	if hasCode(err, "missing_scope", "restricted_action", "no_permission") {
		return &APIError{Op: "join channel", Code: "not_in_channel"}
	}
	return err
}

// How far back and how much is looked through for a message.
const (
	searchBefore = 2 * time.Minute // for clocks that differ from Slack's
	searchPage   = 200
	// searchOverlap allows for messages that become visible in another order
	// than that of their times.
	searchOverlap = 5 * time.Second
)

// noHistoryCodes are refusals of somebody who may not read a conversation.
var noHistoryCodes = []string{"missing_scope", "no_permission", "method_not_supported_for_channel_type"}

// ownPost is what is remembered of a message of a job's: what it is for, or
// the file that it shares.
type ownPost struct {
	ts      string
	purpose purpose
	file    string
}

// findPosted looks for a message of a job that was posted after a time. It
// returns one without ts when there is none.
func (b *Bot) findPosted(ctx context.Context, c *client, j generate.Job, p purpose, at spot, since time.Time) (message, error) {
	if at.direct() {
		channel, err := b.directMessages(ctx, c, at.channel)
		if err != nil {
			return message{}, err
		}
		at.channel = channel
	}
	found, err := b.findOwn(ctx, c, j, at, since, func(o ownPost) bool { return o.purpose == p })
	return message{channel: at.channel, ts: found.ts}, err
}

// findVideo looks for the shared file of a job's video, and returns its id;
// "" when there is none.
func (b *Bot) findVideo(ctx context.Context, c *client, j generate.Job, at spot) (string, error) {
	found, err := b.findOwn(ctx, c, j, at, j.Created, func(o ownPost) bool { return o.file != "" })
	return found.file, err
}

// findOwn looks through a conversation for the message of a job that is the
// one. A look that is refused goes on where it was when it is called again.
func (b *Bot) findOwn(ctx context.Context, c *client, j generate.Job, at spot, since time.Time, is func(ownPost) bool) (ownPost, error) {
	me, err := c.identity(ctx)
	if err != nil {
		return ownPost{}, err
	}
	found, _, err := b.posts.Find(ctx, lookback.Look[ownPost]{
		In:    strings.Join([]string{installationOf(j), at.channel, at.thread}, " "),
		Since: stampAt(since.Add(-searchBefore)), Job: j.ID, Is: is,
		Read: func(ctx context.Context, want lookback.Part) (lookback.Page[ownPost], error) {
			return c.readPage(ctx, me, at, want)
		},
	})
	return found, err
}

// Slack names messages by their time: as a number, in microseconds.

// stampAt is the number of a time.
func stampAt(t time.Time) uint64 { return uint64(max(0, t.UnixMicro())) }

// stampOf is the number of a message.
func stampOf(ts string) (uint64, error) {
	return strconv.ParseUint(strings.Replace(ts, ".", "", 1), 10, 64)
}

// stamp is a number as Slack writes it; 0 is none.
func stamp(n uint64) string {
	if n == 0 {
		return ""
	}
	return fmt.Sprintf("%d.%06d", n/1e6, n%1e6)
}

// readPage reads a page of a part of a conversation: the newest messages, and
// of a thread the oldest ones.
// https://docs.slack.dev/reference/methods/conversations.history
// https://docs.slack.dev/reference/methods/conversations.replies
func (c *client) readPage(ctx context.Context, me identity, at spot, want lookback.Part) (out lookback.Page[ownPost], err error) {
	page, more, err := c.history(ctx, at, stamp(want.After), stamp(want.Before))
	if err != nil {
		return out, err
	}
	out.More, out.Ascending = more, at.thread != ""
	for _, m := range page {
		n, err := stampOf(m.Timestamp)
		if err != nil {
			return out, fmt.Errorf("read history: %w", err)
		}
		if m.User == me.User || me.Bot != "" && m.BotID == me.Bot {
			out.Own = append(out.Own, ownPosts(m, n)...)
		}
		if n <= want.After || want.Before != 0 && n >= want.Before {
			continue // a thread's first message is on each of its pages
		}
		out.Newest = max(out.Newest, n)
		if out.Oldest == 0 || n < out.Oldest {
			out.Oldest = n
		}
	}
	return out, nil
}

// ownPosts is what is remembered of a message of the bot's.
func ownPosts(m slack.Message, id uint64) (all []lookback.Own[ownPost]) {
	if m.Metadata.EventType == metadataType {
		job, _ := m.Metadata.EventPayload["job"].(string)
		p, _ := m.Metadata.EventPayload["purpose"].(string)
		all = append(all, lookback.Own[ownPost]{Job: job, ID: id, Post: ownPost{ts: m.Timestamp, purpose: purpose(p)}})
	}
	for _, f := range m.Files {
		name, _, _ := strings.Cut(f.Name, ".")
		if job, ok := strings.CutPrefix(name, generate.FileStem("")); ok {
			all = append(all, lookback.Own[ownPost]{Job: job, ID: id, Post: ownPost{ts: m.Timestamp, file: f.ID}})
		}
	}
	return all
}

// history reads one page of a conversation, or of a thread in it: messages
// between two others, none of which is on it.
func (c *client) history(ctx context.Context, at spot, oldest, latest string) (page []slack.Message, more bool, err error) {
	err = c.again(ctx, "read history", func(ctx context.Context) error {
		if at.thread != "" {
			var err error
			page, more, _, err = c.api.GetConversationRepliesContext(ctx, &slack.GetConversationRepliesParameters{
				ChannelID: at.channel, Timestamp: at.thread, Oldest: oldest, Latest: latest, Limit: searchPage, IncludeAllMetadata: true,
			})
			return err
		}
		h, err := c.api.GetConversationHistoryContext(ctx, &slack.GetConversationHistoryParameters{
			ChannelID: at.channel, Oldest: oldest, Latest: latest, Limit: searchPage, IncludeAllMetadata: true,
		})
		if err == nil {
			page, more = h.Messages, h.HasMore
		}
		return err
	})
	return page, more, err
}

// directMessages is the channel of direct messages with a user. It needs the
// scope im:write; a message to the user tells the channel without.
func (b *Bot) directMessages(ctx context.Context, c *client, user string) (channel string, err error) {
	err = c.again(ctx, "open direct messages", func(ctx context.Context) error {
		ch, _, _, err := c.api.OpenConversationContext(ctx, &slack.OpenConversationParameters{Users: []string{user}})
		if err == nil {
			channel = ch.ID
		}
		return err
	})
	return channel, err
}

package slack

import (
	"context"
	"errors"
	"strconv"
	"strings"
	"time"

	"github.com/slack-go/slack"

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
func (b *Bot) postOnce(ctx context.Context, c *client, j generate.Job, m *memory, p purpose, at spot, o outgoing) (message, error) {
	note := notePosting + string(p)
	now := b.cfg.Now()
	switch first := m.number(note); {
	case first == 0 && j.Doubted:
		found, err := b.findPosted(ctx, c, j, p, at, j.Created, now)
		if err != nil && !hasCode(err, noHistoryCodes...) && !hasCode(err, "not_in_channel", "channel_not_found") || found.ts != "" {
			return found, err
		}
	case first != 0:
		found, err := b.findPosted(ctx, c, j, p, at, time.Unix(first, 0), time.Unix(first, 0).Add(searchAfter))
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
	if err := m.save(ctx, note, unix(now)); err != nil {
		return message{}, err
	}
	out, err := b.postJoining(ctx, c, j, p, at, o)
	if err == nil || lost(err) {
		return out, err
	}
	// Refused: it is known that nothing was posted.
	if err := m.save(ctx, note, ""); err != nil {
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
	searchAfter  = 5 * time.Minute // and for a try that was held up
	searchPages  = 10
	searchPage   = 100
)

// noHistoryCodes are refusals of somebody who may not read a conversation.
var noHistoryCodes = []string{"missing_scope", "no_permission", "method_not_supported_for_channel_type"}

// findPosted looks for a message of a job that was posted between two times.
// It returns one without ts when there is none.
func (b *Bot) findPosted(ctx context.Context, c *client, j generate.Job, p purpose, at spot, since, until time.Time) (message, error) {
	if at.direct() {
		channel, err := b.directMessages(ctx, c, at.channel)
		if err != nil {
			return message{}, err
		}
		at.channel = channel
	}
	found, ok, err := b.findOwn(ctx, c, at, since, until, func(m slack.Message) bool {
		meta := m.Metadata
		return meta.EventType == metadataType && meta.EventPayload["job"] == j.ID && meta.EventPayload["purpose"] == string(p)
	})
	if !ok {
		return message{}, err
	}
	return message{channel: at.channel, ts: found.Timestamp}, nil
}

// findVideo looks for the shared file of a job's video, and returns its id;
// "" when there is none.
func (b *Bot) findVideo(ctx context.Context, c *client, j generate.Job, at spot) (string, error) {
	id := ""
	_, _, err := b.findOwn(ctx, c, at, j.Created, b.cfg.Now(), func(m slack.Message) bool {
		for _, f := range m.Files {
			if strings.HasPrefix(f.Name, generate.FileStem(j.ID)+".") {
				id = f.ID
			}
		}
		return id != ""
	})
	return id, err
}

// findOwn looks through a conversation for a message of the bot's own that is
// the one.
func (b *Bot) findOwn(ctx context.Context, c *client, at spot, since, until time.Time, is func(slack.Message) bool) (slack.Message, bool, error) {
	me, err := c.identity(ctx)
	if err != nil {
		return slack.Message{}, false, err
	}
	oldest, latest := stamp(since.Add(-searchBefore)), stamp(until.Add(searchBefore))
	cursor := ""
	for range searchPages {
		page, next, err := c.history(ctx, at, oldest, latest, cursor)
		if err != nil {
			return slack.Message{}, false, err
		}
		for _, m := range page {
			if (m.BotID == me.Bot || m.User == me.User) && is(m) {
				return m, true, nil
			}
		}
		if cursor = next; cursor == "" {
			break
		}
	}
	return slack.Message{}, false, nil
}

// stamp is a time as Slack names messages by it.
func stamp(t time.Time) string { return strconv.FormatInt(t.Unix(), 10) + ".000000" }

// history reads one page of a conversation, or of a thread in it.
func (c *client) history(ctx context.Context, at spot, oldest, latest, cursor string) (page []slack.Message, next string, err error) {
	err = c.again(ctx, "read history", func(ctx context.Context) error {
		if at.thread != "" {
			var err error
			page, _, next, err = c.api.GetConversationRepliesContext(ctx, &slack.GetConversationRepliesParameters{
				ChannelID: at.channel, Timestamp: at.thread, Oldest: oldest, Latest: latest, Limit: searchPage, Cursor: cursor, IncludeAllMetadata: true,
			})
			return err
		}
		h, err := c.api.GetConversationHistoryContext(ctx, &slack.GetConversationHistoryParameters{
			ChannelID: at.channel, Oldest: oldest, Latest: latest, Limit: searchPage, Cursor: cursor, IncludeAllMetadata: true,
		})
		if err == nil {
			page, next = h.Messages, h.ResponseMetaData.NextCursor
		}
		return err
	})
	return page, next, err
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

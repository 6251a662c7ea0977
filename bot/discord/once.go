package discord

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"ltxbot/bot"
	"ltxbot/core/generate"
)

// A purpose is what a message of a job is for; each is posted once.
type purpose string

const (
	purposeVideo   purpose = "video"
	purposeVideoDM purpose = "dm"   // the video as a direct message
	purposeCard    purpose = "card" // a new card, when the first can't be reached
	purposeLast    purpose = "last" // how a job ended, when its card is gone
	purposeEnd     purpose = "end"  // how a job ended, as a direct message
)

// How the same message is kept from being posted twice.
const (
	// nonceWindow is how long a nonce is relied on. Discord says "a few
	// minutes".
	// https://discord.com/developers/docs/resources/message#create-message
	nonceWindow = 90 * time.Second
	// searchBefore allows for clocks that differ from Discord's.
	searchBefore = 5 * time.Minute
	searchPages  = 10
	searchPage   = 100
)

// postOnce posts a message of a job to a channel, however often it is called.
// Within minutes the nonce makes Discord return the message that is already
// there. Later tries look through the channel first: that there was a try is
// noted before it is made. Where the bot may not read the channel's history,
// a post whose reply was lost minutes ago can't be found. For a job of which
// the store may lack that note, the channel is looked through as well.
func (b *Bot) postOnce(ctx context.Context, j generate.Job, m *memory, p purpose, channel string, o outgoing) (posted, error) {
	note := notePosting + string(p)
	now := b.cfg.Now()
	first := m.number(note)
	if first == 0 {
		if err := m.save(ctx, note, unix(now)); err != nil {
			return posted{}, err
		}
	}
	since := time.Unix(first, 0)
	if first == 0 {
		since = j.Created
	}
	if first == 0 && j.Doubted || first != 0 && now.Sub(since) > nonceWindow {
		found, err := b.findPosted(ctx, j, p, channel, since)
		if err != nil || found.ID != "" {
			return found, err
		}
	}
	o.Nonce = nonce(j.ID, p)
	var out posted
	post := call{
		op: "post " + string(p), route: routeMessages(http.MethodPost, channel),
		body: o, file: o.File, out: &out, again: true,
	}
	err := b.rest.do(ctx, post)
	if hasCode(err, codeReplyHistory) {
		// Answering a message needs to read the channel's history: post
		// without.
		o.ReplyTo = ""
		post.body = o
		err = b.rest.do(ctx, post)
	}
	return out, err
}

// nonce names a message of a job in at most 25 characters.
func nonce(job string, p purpose) string { return job + "-" + string(p) }

// findPosted looks for a message of a job that was posted after a time. It
// returns one without id when there is none.
func (b *Bot) findPosted(ctx context.Context, j generate.Job, p purpose, channel string, since time.Time) (posted, error) {
	after := snowflakeAt(since.Add(-searchBefore))
	for range searchPages {
		var page []posted
		err := b.rest.do(ctx, call{
			op: "look for " + string(p), route: routeMessages(http.MethodGet, channel), out: &page,
			query: url.Values{"after": {after}, "limit": {strconv.Itoa(searchPage)}},
		})
		if err != nil {
			return posted{}, err
		}
		for _, msg := range page {
			if msg.is(j, p) {
				return msg, nil
			}
			if newer(msg.ID, after) {
				after = msg.ID
			}
		}
		if len(page) < searchPage {
			break
		}
	}
	return posted{}, nil
}

// is reports whether the message is the job's for that purpose. Discord does
// not promise to remember nonces, so the buttons tell, too, and the id in the
// small print: only a message with the video can be deleted by a button.
func (p posted) is(j generate.Job, want purpose) bool {
	if fmt.Sprint(p.Nonce) == nonce(j.ID, want) {
		return true
	}
	hasVideo := p.hasButton(bot.ButtonID(bot.ActDelete, j.ID))
	if want == purposeVideo || want == purposeVideoDM {
		return hasVideo
	}
	return !hasVideo && (p.job() == j.ID || strings.Contains(string(p.Components), "`"+j.ID+"`"))
}

// discordEpoch is where the time in ids begins, in Unix milliseconds.
// https://discord.com/developers/docs/reference#snowflakes
const discordEpoch = 1420070400000

// snowflakeTime is how many bits of an id are below its time.
const snowflakeTime = 22

// snowflakeAt is the smallest id of a time.
func snowflakeAt(t time.Time) string {
	return strconv.FormatInt(max(0, t.UnixMilli()-discordEpoch)<<snowflakeTime, 10)
}

// newer reports whether id a was made after id b.
func newer(a, b string) bool {
	return len(a) > len(b) || len(a) == len(b) && a > b
}

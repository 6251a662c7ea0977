package discord

import (
	"cmp"
	"context"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"time"

	"ltxbot/bot/adapter"
	"ltxbot/bot/lookback"
	"ltxbot/bot/view"
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
	searchPage   = 100
	// searchOverlap allows for messages that become visible in another order
	// than that of their ids, and for those that Discord has made to
	// acknowledge a command and that are not a card yet.
	searchOverlap = 5 * time.Second
)

// postOnce posts a message of a job to a channel, however often it is called.
// Within minutes the nonce makes Discord return the message that is already
// there. Later tries look through the channel first: that there was a try is
// noted before it is made. Where the bot may not read the channel's history,
// a post whose reply was lost minutes ago can't be found. For a job of which
// the store may lack that note, the channel is looked through as well.
func (b *Bot) postOnce(ctx context.Context, j generate.Job, m memory, p purpose, channel string, o outgoing) (posted, error) {
	note := notePosting + string(p)
	now := b.cfg.Now()
	first := m.Number(note)
	if first == 0 {
		if err := m.Save(ctx, note, adapter.Unix(now)); err != nil {
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
		body: o, files: o.Files, out: &out, again: true,
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

// ownPost is what is remembered of a message of a job's.
type ownPost struct {
	id    string
	nonce string
	video bool // the job's
}

// findPosted looks for a message of a job that was posted after a time. It
// returns one without id when there is none. A look that is refused goes on
// where it was when it is called again.
func (b *Bot) findPosted(ctx context.Context, j generate.Job, p purpose, channel string, since time.Time) (posted, error) {
	found, _, err := b.posts.Find(ctx, lookback.Look[ownPost]{
		In: channel, Since: snowflakeAt(since.Add(-searchBefore)), Job: j.ID,
		Is: func(o ownPost) bool { return o.nonce == nonce(j.ID, p) || o.nonce == "" && o.video == p.video() },
		Read: func(ctx context.Context, want lookback.Part) (lookback.Page[ownPost], error) {
			return b.readPage(ctx, "look for "+string(p), channel, want)
		},
	})
	return posted{ID: found.id, ChannelID: channel}, err
}

// video reports whether messages for that purpose have the video.
func (p purpose) video() bool { return p == purposeVideo || p == purposeVideoDM }

// readPage reads the newest messages of a part of a channel.
// https://discord.com/developers/docs/resources/message#get-channel-messages
func (b *Bot) readPage(ctx context.Context, op, channel string, want lookback.Part) (out lookback.Page[ownPost], err error) {
	query := url.Values{"limit": {strconv.Itoa(searchPage)}}
	if want.Before != 0 {
		query.Set("before", strconv.FormatUint(want.Before, 10))
	}
	var page []posted
	err = b.rest.do(ctx, call{op: op, route: routeMessages(http.MethodGet, channel), out: &page, query: query})
	if err != nil {
		return out, err
	}
	out.More = len(page) == searchPage
	for _, msg := range page {
		id, err := strconv.ParseUint(msg.ID, 10, 64)
		if err != nil {
			return out, fmt.Errorf("%s: %w", op, err)
		}
		if id <= want.After {
			out.More = false
			continue
		}
		out.Newest = max(out.Newest, id)
		if out.Oldest == 0 || id < out.Oldest {
			out.Oldest = id
		}
		out.Own = append(out.Own, msg.own(id)...)
	}
	return out, nil
}

// codeWord is a word in the small print, which has the job's id.
var codeWord = regexp.MustCompile("`([0-9a-z]+)`")

// own is what is remembered of the message, for each job that it may be of.
// Discord does not promise to remember nonces, so the buttons tell, too, and
// the id in the small print: only a message with the video can be deleted by a
// button.
func (p posted) own(id uint64) []lookback.Own[ownPost] {
	jobs := map[string]ownPost{}
	add := func(job, nonce string, video bool) {
		o := jobs[job]
		jobs[job] = ownPost{p.ID, cmp.Or(nonce, o.nonce), o.video || video}
	}
	text, _ := p.Nonce.(string)
	if job, _, ok := strings.Cut(text, "-"); ok {
		add(job, text, false)
	}
	if job := p.job(); job != "" {
		add(job, "", false)
	}
	p.walk(func(c nested) {
		if action, job, ok := view.ParseButtonID(c.CustomID); ok && action == view.ActDelete {
			add(job, "", true)
		}
		for _, word := range codeWord.FindAllStringSubmatch(c.Content, -1) {
			add(word[1], "", false)
		}
	})
	all := make([]lookback.Own[ownPost], 0, len(jobs))
	for job, o := range jobs {
		all = append(all, lookback.Own[ownPost]{Job: job, ID: id, Post: o})
	}
	return all
}

// discordEpoch is where the time in ids begins, in Unix milliseconds.
// https://discord.com/developers/docs/reference#snowflakes
const discordEpoch = 1420070400000

// snowflakeTime is how many bits of an id are below its time.
const snowflakeTime = 22

// snowflakeAt is the smallest id of a time.
func snowflakeAt(t time.Time) uint64 {
	return uint64(max(0, t.UnixMilli()-discordEpoch)) << snowflakeTime
}

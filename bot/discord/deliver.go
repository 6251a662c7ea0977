package discord

import (
	"cmp"
	"context"
	"errors"
	"net/http"
	"slices"
	"time"

	"ltxbot/bot/view"
	"ltxbot/core/generate"
)

// Upload limits, in bytes.
// https://support.discord.com/hc/en-us/articles/25444343291031
const (
	defaultUpload = 10 << 20
	tier2Upload   = 50 << 20
	tier3Upload   = 100 << 20
	// trustedUpload is how far attachment_size_limit is believed: Discord
	// names larger ones and refuses uploads of that size.
	// https://github.com/discord/discord-api-docs/issues/7603
	trustedUpload = 100 << 20
)

// Deliver implements generate.Courier. The videos are a new message, since
// edits notify nobody.
func (b *Bot) Deliver(ctx context.Context, j generate.Job, videos []generate.Video, keep generate.Keep) ([]generate.Receipt, error) {
	m := recall(j, keep)
	d := &delivery{Bot: b, job: j, videos: videos, memory: m}
	if m.Get(noteVideo) == "" {
		if err := d.run(ctx); err != nil {
			return nil, courierError(err)
		}
	}
	receipts := make([]generate.Receipt, len(videos))
	for i := range videos {
		receipts[i] = generate.Receipt{
			Message: m.Get(noteVideo), Link: messageLink(j, m.Get(noteVideoChannel), m.Get(noteVideo)),
			Fit: generate.Fit(m.Get(nth(noteFit, i))), Mark: generate.Marking(m.Get(nth(noteMark, i))), SHA256: m.Get(nth(noteSum, i)),
		}
	}
	receipts[0].Notes = m.Unsaved()
	return receipts, nil
}

// messageLink is where a message is found.
func messageLink(j generate.Job, channel, message string) string {
	guild := j.Place.Tenant
	if channel != j.Place.Channel || guild == "" {
		guild = "@me"
	}
	return "https://discord.com/channels/" + guild + "/" + channel + "/" + message
}

// delivery is one try to deliver the videos of a message.
type delivery struct {
	*Bot
	memory

	job    generate.Job
	videos []generate.Video
	direct bool // to the requester's direct messages
}

// run delivers to the conversation with the bot's own token, and in other
// ways where that does not post: the video was paid for.
func (d *delivery) run(ctx context.Context) error {
	token := d.token(d.cfg.Now())
	begun := d.Get(noteFollowup) != ""
	if d.job.Place.Private || token != "" && (begun || d.Get(noteBarred) != "") {
		return d.otherwise(ctx, token)
	}
	err := d.send(ctx, d.uploadLimit(ctx, d.job.Place.Tenant), true, d.poster(purposeVideo, d.job.Place.Channel))
	if conversationGone(err) {
		return d.otherwise(ctx, token)
	}
	return err
}

// otherwise delivers by the interaction's token while that lives, then by
// direct message, and at last into the card.
func (d *delivery) otherwise(ctx context.Context, token string) error {
	if token != "" {
		err := d.byToken(ctx, token)
		if !refusedForGood(err) {
			return err
		}
		if tokenDead(err) {
			if err := d.Save(ctx, noteToken, ""); err != nil {
				return err
			}
		}
	}
	err := d.byDM(ctx)
	if !refusedForGood(err) {
		return err
	}
	if last := d.intoCard(ctx); !refusedForGood(last) {
		return last
	}
	return err
}

// byDM delivers to the requester's direct messages.
func (d *delivery) byDM(ctx context.Context) error {
	d.direct = true
	defer func() { d.direct = false }()
	channel, err := d.openDM(ctx, d.job.Place.User)
	if err != nil {
		return err
	}
	return d.send(ctx, defaultUpload, false, d.poster(purposeVideoDM, channel))
}

// poster posts to a channel with the bot's own token, once, as an answer to
// the card if that is there.
func (d *delivery) poster(p purpose, channel string) func(context.Context, outgoing) (posted, error) {
	return func(ctx context.Context, o outgoing) (posted, error) {
		if d.Get(noteCardGone) == "" && d.cardChannel(d.job) == channel {
			o.ReplyTo = d.Get(noteCard)
		}
		return d.postOnce(ctx, d.job, d.memory, p, channel, o)
	}
}

// send posts the videos, made to fit into limit bytes together. When Discord
// finds them too large all the same, they are made smaller once; then, or when
// one cannot be made to fit, its place is taken by a link. The text is never lost.
func (d *delivery) send(ctx context.Context, limit int64, ping bool, post func(context.Context, outgoing) (posted, error)) error {
	return d.sendOr(ctx, limit, view.LinkTooLarge, ping, post)
}

// sendOr is send, with the reason for a link that a limit of 0 asks for.
func (d *delivery) sendOr(ctx context.Context, limit int64, why view.LinkReason, ping bool, post func(context.Context, outgoing) (posted, error)) error {
	for try := 1; ; try++ {
		o, files, facts, err := d.compose(ctx, limit, why)
		if err != nil {
			return err
		}
		if ping {
			o.Ping = []string{d.job.Place.User}
		}
		out, err := post(ctx, o)
		switch {
		case err == nil:
			// They are stored with the receipt. Until then, to post again is to
			// find what was posted.
			d.Set(noteVideo, out.ID, noteVideoChannel, out.ChannelID, noteFollowup, "")
			for i, f := range files {
				d.Set(nth(noteFit, i), string(f.Fit), nth(noteMark, i), string(f.Mark), nth(noteSum, i), f.SHA256, nth(noteWhy, i), string(facts[d.videos[i].Job.ID].Why))
			}
			return nil
		case len(o.Files) > 0 && contentRefused(err):
			limit, why = 0, whyRefused(err)
		case len(o.Files) == 0 || !tooLarge(err):
			return err
		case try == 1 && limit > defaultUpload:
			limit = defaultUpload
		case try == 1:
			limit = sizeOf(o.Files) / 2
		default:
			limit = 0 // a link
		}
	}
}

// whyRefused is why a link takes the place of a file that is refused for good.
func whyRefused(err error) view.LinkReason {
	refused, _ := errors.AsType[*APIError](err)
	switch {
	case tooLarge(err):
		return view.LinkTooLarge
	case contentRefused(err):
		return refusalReasons[refused.Code]
	case refused != nil && refused.Status == http.StatusForbidden:
		return view.LinkNoRight
	}
	return view.LinkFailing
}

// compose makes the message with the videos in it, or with links to those that
// do not fit into limit bytes together; with a limit of 0 all are links, for the
// reason why. It returns the files that are in it, by video, and what it says of
// them.
func (d *delivery) compose(ctx context.Context, limit int64, why view.LinkReason) (outgoing, []generate.File, map[string]view.ResultFacts, error) {
	files := make([]generate.File, len(d.videos))
	facts := map[string]view.ResultFacts{}
	link := func(i int, why view.LinkReason) {
		v := d.videos[i]
		files[i] = generate.File{Fit: generate.FitLink}
		facts[v.Job.ID] = view.ResultFacts{Fit: generate.FitLink, Why: why, URL: v.Output.URL}
	}
	fetched := make([]fetched, len(d.videos))
	if limit > 0 {
		var err error
		if fetched, err = d.fetch(ctx, limit); err != nil {
			return outgoing{}, nil, nil, err
		}
	}
	var uploads []upload
	for i, v := range d.videos {
		switch f := fetched[i]; {
		case limit == 0:
			link(i, why)
		case f.link != nil:
			link(i, view.WhyLink(f.link))
		default:
			files[i] = f.file
			facts[v.Job.ID] = view.ResultFacts{Fit: f.file.Fit}
			uploads = append(uploads, upload{f.file, view.AltText(d.printer(d.job.Place.Locale), v.Job)})
		}
	}
	return newVideo(d.text(facts), uploads), files, facts, nil
}

// fetched is a video on disk, or why a link takes its place.
type fetched struct {
	file generate.File
	link *generate.LinkError
}

// fetch brings the videos to disk so that they have at most limit bytes
// together. Those that are small stay as they are; the others share what room is
// left.
func (d *delivery) fetch(ctx context.Context, limit int64) ([]fetched, error) {
	out := make([]fetched, len(d.videos))
	get := func(i int, limit int64) error {
		file, err := d.videos[i].Fetch(ctx, limit)
		link, ok := errors.AsType[*generate.LinkError](err)
		out[i] = fetched{file, link}
		if ok {
			return nil
		}
		return err
	}
	for i := range d.videos {
		if err := get(i, limit); err != nil {
			return nil, err
		}
	}
	order := make([]int, len(out))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(out[a].file.Size, out[b].file.Size) })
	for n, i := range order {
		share := limit / int64(len(order)-n)
		if out[i].link == nil && out[i].file.Size > share {
			if err := get(i, share); err != nil {
				return nil, err
			}
		}
		limit -= out[i].file.Size
	}
	return out, nil
}

// text is what the message with the videos says, by what is known of each.
func (d *delivery) text(facts map[string]view.ResultFacts) view.Message {
	text := view.Results(d.printer(d.job.Place.Locale), d.job, facts, d.cfg.Service.Frames())
	if d.direct {
		text.Buttons, text.Menu = directButtons(text.Buttons), nil
	}
	return text
}

// directButtons are the buttons that work in direct messages, where no video
// can be made: there is no team to pay for it.
func directButtons(all []view.Button) []view.Button {
	return slices.DeleteFunc(slices.Clone(all), func(b view.Button) bool {
		return b.Action != view.ActCancel && b.Action != view.ActDetails && b.Action != view.ActDelete
	})
}

// tierLife is how long a guild's boost tier is believed.
const tierLife = 15 * time.Minute

// maxGuilds is how many guilds' limits are remembered.
const maxGuilds = 10_000

// guildLimit is how much the bot may upload to a guild.
type guildLimit struct {
	bytes int64
	until time.Time
}

// uploadLimit is how many bytes the bot may upload to a guild with its own
// token. The limit of an interaction does not hold there: it may be that of
// the member's Nitro.
func (b *Bot) uploadLimit(ctx context.Context, guild string) int64 {
	known := b.tiers.Get(guild)
	if b.cfg.Now().Before(known.until) {
		return known.bytes
	}
	var g struct {
		Tier int `json:"premium_tier"`
	}
	if err := b.rest.do(ctx, call{op: "read guild", route: routeGuild(guild), out: &g}); err != nil {
		b.log.WarnContext(ctx, "cannot read the boost tier of a guild", "guild", guild, "error", err)
		return max(known.bytes, defaultUpload)
	}
	limit := int64(defaultUpload)
	switch g.Tier {
	case 2:
		limit = tier2Upload
	case 3:
		limit = tier3Upload
	}
	b.tiers.Put(guild, guildLimit{bytes: limit, until: b.cfg.Now().Add(tierLife)})
	return limit
}

package discord

import (
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

// Deliver implements generate.Courier. The video is a new message, since
// edits notify nobody.
func (b *Bot) Deliver(ctx context.Context, j generate.Job, v generate.Video, keep generate.Keep) (generate.Receipt, error) {
	m := recall(j, keep)
	d := &delivery{Bot: b, job: j, video: v, memory: m}
	if m.Get(noteVideo) == "" {
		if err := d.run(ctx); err != nil {
			return generate.Receipt{}, courierError(err)
		}
	}
	return generate.Receipt{
		Message: m.Get(noteVideo), Fit: generate.Fit(m.Get(noteFit)), Mark: generate.Marking(m.Get(noteMark)), SHA256: m.Get(noteSum),
		Link: messageLink(j, m.Get(noteVideoChannel), m.Get(noteVideo)),
	}, nil
}

// messageLink is where a message is found.
func messageLink(j generate.Job, channel, message string) string {
	guild := j.Place.Tenant
	if channel != j.Place.Channel || guild == "" {
		guild = "@me"
	}
	return "https://discord.com/channels/" + guild + "/" + channel + "/" + message
}

// delivery is one try to deliver one video.
type delivery struct {
	*Bot
	memory

	job    generate.Job
	video  generate.Video
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

// send posts the video, made to fit into limit bytes. When Discord finds it
// too large all the same, it is made smaller once; then, or when it cannot be
// made to fit, its place is taken by a link. The text is never lost.
func (d *delivery) send(ctx context.Context, limit int64, ping bool, post func(context.Context, outgoing) (posted, error)) error {
	return d.sendOr(ctx, limit, view.LinkTooLarge, ping, post)
}

// sendOr is send, with the reason for a link that a limit of 0 asks for.
func (d *delivery) sendOr(ctx context.Context, limit int64, why view.LinkReason, ping bool, post func(context.Context, outgoing) (posted, error)) error {
	for try := 1; ; try++ {
		o, file, err := d.compose(ctx, limit, why)
		if err != nil {
			return err
		}
		if ping {
			o.Ping = []string{d.job.Place.User}
		}
		out, err := post(ctx, o)
		switch {
		case err == nil:
			return d.Save(ctx, noteVideo, out.ID, noteVideoChannel, out.ChannelID,
				noteFit, string(file.Fit), noteMark, string(file.Mark), noteSum, file.SHA256, noteFollowup, "")
		case o.File != nil && contentRefused(err):
			limit, why = 0, whyRefused(err)
		case o.File == nil || !tooLarge(err):
			return err
		case try == 1 && limit > defaultUpload:
			limit = defaultUpload
		case try == 1:
			limit = o.File.size / 2
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

// compose makes the message with the video in it, or with a link when it does
// not fit into limit bytes; with a limit of 0 it is a link, for the reason why.
// It returns the file that is in it.
func (d *delivery) compose(ctx context.Context, limit int64, why view.LinkReason) (outgoing, generate.File, error) {
	var file generate.File
	var err error
	if limit > 0 {
		file, err = d.video.Fetch(ctx, limit)
	}
	link, ok := errors.AsType[*generate.LinkError](err)
	if ok {
		why = view.WhyLink(link)
	}
	switch {
	case ok, limit == 0:
		return newMessage(d.text(view.ResultFacts{Fit: generate.FitLink, Why: why, URL: d.video.Output.URL})), generate.File{Fit: generate.FitLink}, nil
	case err != nil:
		return outgoing{}, generate.File{}, err
	}
	u := &upload{path: file.Path, name: file.Name, size: file.Size, contentType: file.ContentType}
	return newVideo(d.text(view.ResultFacts{Fit: file.Fit}), u, view.AltText(d.print(d.job.Place.Locale), d.job)), file, nil
}

// text is what the message with the video says.
func (d *delivery) text(f view.ResultFacts) view.Message {
	f.Frames = d.cfg.Service.Frames()
	text := view.Result(d.print(d.job.Place.Locale), d.job, f)
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

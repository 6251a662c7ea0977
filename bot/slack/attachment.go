package slack

import (
	"context"
	"fmt"
	"mime"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/slack-go/slack"

	"ltxbot/bot"
	"ltxbot/bot/adapter"
	"ltxbot/bot/view"
	"ltxbot/core/generate"
	"ltxbot/core/library"
	"ltxbot/core/ltx"
)

// sharedFile is a file that a person gave: in a message or in a form.
// https://docs.slack.dev/reference/objects/file-object
type sharedFile struct {
	ID       string `json:"id"`
	Name     string `json:"name,omitempty"`
	Mimetype string `json:"mimetype,omitempty"`
	Mode     string `json:"mode,omitempty"`
}

// The modes of files that the bot can't read.
const (
	modeDeleted   = "tombstone"
	modeElsewhere = "external"    // Slack has only a link to it
	modeForeign   = "file_access" // of another organisation: Slack has to be asked for what it is
)

// fileTypes are the files that a field takes, by the end of their name.
// https://docs.slack.dev/reference/block-kit/block-elements/file-input-element
var fileTypes = []string{
	"png", "jpg", "jpeg", "webp", "gif", "heic", "avif", "mp3", "wav", "m4a", "aac", "ogg", "flac", "mp4", "mov", "webm",
}

// refPrefix begins the reference of a file on Slack; its id follows.
const refPrefix = platform + ":"

func (f sharedFile) given() bot.GivenFile {
	return bot.GivenFile{Media: ltx.Media{Ref: refPrefix + f.ID, Name: f.Name}, Type: f.Mimetype}
}

// sharedAs is what given was made of.
func sharedAs(f bot.GivenFile) sharedFile {
	return sharedFile{ID: strings.TrimPrefix(f.Media.Ref, refPrefix), Name: f.Media.Name, Mimetype: f.Type}
}

// given are the files of a message, and the names of those that the bot can't
// use: they are not on Slack, or something else than a picture, a sound or a
// video. Files that were deleted count for nothing.
func (b *Bot) given(ctx context.Context, o origin, list []sharedFile) (files []bot.GivenFile, left []string) {
	for _, f := range list {
		if f.Mode == modeForeign {
			f = b.lookUp(ctx, o, f)
		}
		switch g := f.given(); {
		case f.Mode == modeDeleted:
		case f.Mode == modeElsewhere, g.Kind() == "":
			left = append(left, g.Media.Shown())
		default:
			files = append(files, g)
		}
	}
	return files, left
}

// lookUp asks Slack what a file is.
func (b *Bot) lookUp(ctx context.Context, o origin, f sharedFile) sharedFile {
	ctx, cancel := context.WithTimeout(ctx, namesWithin)
	defer cancel()
	c, err := b.client(ctx, o.installation())
	if err != nil {
		return f
	}
	info, err := c.fileInfo(ctx, f.ID)
	if err != nil {
		b.log.WarnContext(ctx, "cannot ask what a file is", "error", err)
		return f
	}
	return sharedFile{ID: f.ID, Name: info.Name, Mimetype: info.Mimetype, Mode: info.Mode}
}

func (c *client) fileInfo(ctx context.Context, file string) (info *slack.File, err error) {
	err = c.again(ctx, "look for a file", func(ctx context.Context) error {
		var err error
		info, _, _, err = c.api.GetFileInfoContext(ctx, file, 0, 0)
		return err
	})
	return info, err
}

// hiddenCodes are the answers about a file that is not there any more, or that
// the bot can't see.
// https://docs.slack.dev/reference/methods/files.info#errors
var hiddenCodes = []string{
	"file_not_found", "file_deleted", "access_denied", "no_permission", "missing_scope", "team_not_found", "not_visible",
	"slack_connect_canvas_sharing_blocked", "enterprise_is_restricted",
}

// OpenInput implements generate.Courier: it opens a file with the token of the
// installation that serves the job.
func (b *Bot) OpenInput(ctx context.Context, j generate.Job, m ltx.Media) (generate.Media, error) {
	file, ours := strings.CutPrefix(m.Ref, refPrefix)
	if !ours {
		return generate.Media{}, fmt.Errorf("%w: it is not on Slack", generate.ErrGone)
	}
	installation := originOf(j).installation()
	c, err := b.client(ctx, installation)
	if err != nil {
		return generate.Media{}, noClient(err)
	}
	info, err := c.fileInfo(ctx, file)
	switch {
	case hasCode(err, hiddenCodes...):
		b.log.WarnContext(ctx, "cannot see a file", "job", j.ID, "error", err)
		return generate.Media{}, fmt.Errorf("%w: %w", generate.ErrGone, err)
	case err != nil:
		return generate.Media{}, b.courierError(ctx, j, err)
	case info.IsExternal, info.Mode == modeDeleted:
		return generate.Media{}, fmt.Errorf("%w: its mode is %s", generate.ErrGone, info.Mode)
	}
	u, err := url.Parse(info.URLPrivateDownload)
	if err != nil || !b.isSlack(u) {
		return generate.Media{}, fmt.Errorf("%w: its address is not Slack's", generate.ErrGone)
	}
	token, err := b.tokens.Token(ctx, installation)
	if err != nil {
		return generate.Media{}, noClient(err)
	}
	media, err := b.download(ctx, u, token)
	if err != nil {
		b.log.WarnContext(ctx, "cannot open a file", "job", j.ID, "error", err)
	}
	return media, err
}

// verifyWithin bounds the check of a file, with its download.
const verifyWithin = 2 * time.Minute

// verify tells where a video comes from that somebody has sent.
func (b *Bot) verify(ctx context.Context, o origin, f bot.GivenFile) {
	b.withFile(ctx, o, verifyWithin, f.Media, b.cfg.Service.VerifyGiven)
}

// loraIn finds the first file that is one of weights.
func (b *Bot) loraIn(ctx context.Context, o origin, list []sharedFile) (bot.GivenFile, bool) {
	for _, f := range list {
		if f.Mode == modeForeign {
			f = b.lookUp(ctx, o, f)
		}
		if g := f.given(); f.Mode != modeDeleted && f.Mode != modeElsewhere && g.IsLoRA() {
			return g, true
		}
	}
	return bot.GivenFile{}, false
}

// addLoRA takes a LoRA that came with a message into the team's library, and
// reports whether it did: args are not an order to add one, or no file is one.
func (b *Bot) addLoRA(ctx context.Context, o origin, args []string, list []sharedFile) bool {
	if len(args) == 0 || !strings.EqualFold(args[0], library.VerbAdd) {
		return false
	}
	f, ok := b.loraIn(ctx, o, list)
	if ok {
		b.withFile(ctx, o, bot.UploadWithin, f.Media, func(ctx context.Context, c bot.Caller, open opener) view.Message {
			return b.cfg.Service.UploadLine(ctx, c, strings.Join(args, " "), open)
		})
	}
	return ok
}

// An opener opens a file that a person has given.
type opener = func(context.Context) (generate.Media, error)

// withFile acknowledges an event and says what came of the file that it brings.
func (b *Bot) withFile(ctx context.Context, o origin, within time.Duration, m ltx.Media, do func(context.Context, bot.Caller, opener) view.Message) {
	o.acknowledge()
	ctx, cancel := context.WithTimeout(ctx, within)
	defer cancel()
	c := b.caller(ctx, o)
	asked := generate.Job{Place: o.place(c.Locale), Notes: notesOf(o, b.cfg.Now())}
	b.tell(ctx, o, do(ctx, c, func(ctx context.Context) (generate.Media, error) { return b.OpenInput(ctx, asked, m) }))
}

// slackDomains are Slack's own.
// https://docs.slack.dev/governments
var slackDomains = []string{"slack.com", "slack-gov.com"}

// isSlack reports whether the bot's token may be sent to an address: it is
// Slack's own, by TLS. Where the API is not Slack's but a simulator's, that host
// has the files, too.
func (b *Bot) isSlack(u *url.URL) bool {
	ofSlack := func(host string) bool {
		return slices.ContainsFunc(slackDomains, func(d string) bool { return host == d || strings.HasSuffix(host, "."+d) })
	}
	if u.Scheme == "https" && ofSlack(u.Host) {
		return true
	}
	api, err := url.Parse(b.cfg.APIURL)
	return err == nil && !ofSlack(api.Host) && u.Scheme == api.Scheme && u.Host == api.Host
}

// download opens the file at an address. To a token that may not read it, Slack
// answers with a page to sign in, and no error.
// https://github.com/slack-go/slack/issues/1284
func (b *Bot) download(ctx context.Context, u *url.URL, token string) (generate.Media, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, u.String(), http.NoBody)
	if err != nil {
		return generate.Media{}, adapter.Scrub(err)
	}
	req.Header.Set("Authorization", "Bearer "+token)
	return adapter.OpenFile(b.uploads, req, func(contentType string) bool {
		kind, _, _ := mime.ParseMediaType(contentType)
		return kind != "text/html"
	})
}

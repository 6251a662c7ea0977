package discord

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"ltxbot/bot"
	"ltxbot/bot/adapter"
	"ltxbot/core/generate"
	"ltxbot/core/ltx"
)

// attachment is a file that a person gave: with a command, in a form, or in a
// message.
// https://discord.com/developers/docs/resources/message#attachment-object
type attachment struct {
	ID          string `json:"id"`
	Filename    string `json:"filename"`
	ContentType string `json:"content_type"` // as the name tells
	URL         string `json:"url"`          // signed: who has it reads the file
}

// refPrefix begins the reference of a file on Discord; its address follows.
const refPrefix = platform + ":"

func (a attachment) given() bot.GivenFile {
	return bot.GivenFile{Media: ltx.Media{Ref: refPrefix + a.URL, Name: a.Filename}, Type: a.ContentType}
}

// given are the files of a message.
func given(list []attachment) []bot.GivenFile {
	files := make([]bot.GivenFile, 0, len(list))
	for _, a := range list {
		files = append(files, a.given())
	}
	return files
}

// cdnHosts are Discord's hosts of files.
// https://discord.com/developers/docs/reference#image-formatting
var cdnHosts = []string{"cdn.discordapp.com", "media.discordapp.net"}

// isCDN reports whether an address is one of Discord's own. Where the API is
// not Discord's but a simulator's, that host has the files, too.
func (b *Bot) isCDN(u *url.URL) bool {
	if u.Scheme == "https" && slices.Contains(cdnHosts, u.Host) {
		return true
	}
	api, err := url.Parse(b.cfg.APIURL)
	return err == nil && api.Host != "discord.com" && u.Scheme == api.Scheme && u.Host == api.Host
}

// expiryMargin is how long before its end an address is not used any more.
const expiryMargin = time.Minute

// expired reports whether a signed address does not work any more.
// https://discord.com/developers/docs/reference#signed-attachment-cdn-urls
func (b *Bot) expired(u *url.URL) bool {
	ends, err := strconv.ParseInt(u.Query().Get("ex"), 16, 64)
	return err == nil && b.cfg.Now().Add(expiryMargin).Unix() >= ends
}

// OpenInput implements generate.Courier: it opens a file on Discord's own
// hosts, which need no token. An address that has expired is renewed. That is
// possible for files of messages; what came with a command is kept for about a
// day.
func (b *Bot) OpenInput(ctx context.Context, j generate.Job, m ltx.Media) (generate.Media, error) {
	address, ours := strings.CutPrefix(m.Ref, refPrefix)
	u, err := url.Parse(address)
	if !ours || err != nil || !b.isCDN(u) {
		return generate.Media{}, fmt.Errorf("%w: it is not on Discord", generate.ErrGone)
	}
	renewed := b.expired(u)
	if renewed {
		if u, err = b.renew(ctx, u); err != nil {
			return generate.Media{}, err
		}
	}
	file, err := b.download(ctx, u)
	if errors.Is(err, generate.ErrGone) && !renewed { // its clock may not be ours
		if u, err = b.renew(ctx, u); err == nil {
			file, err = b.download(ctx, u)
		}
	}
	if err != nil {
		b.log.WarnContext(ctx, "cannot open a file", "job", j.ID, "error", err)
	}
	return file, err
}

// download opens the file at an address. Its errors do not name the address.
func (b *Bot) download(ctx context.Context, u *url.URL) (generate.Media, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, u.String(), http.NoBody)
	if err != nil {
		return generate.Media{}, adapter.Scrub(err)
	}
	req.Header.Set("User-Agent", b.rest.userAgent)
	return adapter.OpenFile(b.rest.uploads, req, func(string) bool { return true })
}

// renew signs the address of a file anew. It returns ErrGone when Discord
// does not do so.
func (b *Bot) renew(ctx context.Context, u *url.URL) (*url.URL, error) {
	var out struct {
		Refreshed []struct {
			Refreshed string `json:"refreshed"`
		} `json:"refreshed_urls"`
	}
	err := b.rest.do(ctx, call{
		op: "renew the address of a file", route: routeRefresh(), again: true, out: &out,
		body: map[string][]string{"attachment_urls": {u.String()}},
	})
	if refused, ok := errors.AsType[*APIError](err); ok && refused.Status < http.StatusInternalServerError {
		return nil, fmt.Errorf("%w: %w", generate.ErrGone, err)
	}
	if err != nil {
		return nil, courierError(err)
	}
	if len(out.Refreshed) == 0 {
		return nil, fmt.Errorf("%w: its address is not renewed", generate.ErrGone)
	}
	fresh, err := url.Parse(out.Refreshed[0].Refreshed)
	if err != nil || !b.isCDN(fresh) || b.expired(fresh) {
		return nil, fmt.Errorf("%w: its address is not renewed", generate.ErrGone)
	}
	return fresh, nil
}

package discord

import (
	"context"
	"net/http"

	"ltxbot/bot/adapter"
	"ltxbot/bot/view"
	"ltxbot/core/generate"
)

// byToken delivers by the interaction's token: a private video so that only
// the requester sees it, and a public one where the bot itself may not post.
//
// A follow-up has no nonce, cannot be listed, and its id is in the reply
// alone. So it is sent with the text only, and the video is put into it
// afterwards, an edit that may be repeated. When the reply with the id was
// lost, or a crash came between, the video is put into the card instead: what
// is then there twice is a text, never a video. Only if the token expires
// before that can be done the video goes another way, at the risk of being
// there twice rather than not at all.
func (d *delivery) byToken(ctx context.Context, token string) error {
	var err error
	if d.Get(noteFollowup) == "" {
		err = d.followup(ctx, token)
	}
	if id := d.Get(noteFollowup); err == nil && id != followupSent {
		err = d.send(ctx, d.tokenLimit(), false, d.putter(routeOwn(http.MethodPatch, d.Get(noteApp), token, id)))
		if hasCode(err, codeUnknownMessage) {
			err = d.Save(ctx, noteFollowup, followupSent)
		}
	}
	if err == nil && d.Get(noteFollowup) == followupSent {
		err = d.send(ctx, d.tokenLimit(), false, d.cardPutter(routeOriginal(http.MethodPatch, d.Get(noteApp), token)))
	}
	return err
}

// tokenLimit is how many bytes the interaction's token may upload.
func (d *delivery) tokenLimit() int64 {
	return min(max(d.Number(noteLimit), defaultUpload), trustedUpload)
}

// followup sends a message by the interaction's token, once, into which the
// video will be put. It has no buttons yet: they are about the video. After it
// noteFollowup is known, unless there is an error.
func (d *delivery) followup(ctx context.Context, token string) error {
	if err := d.Save(ctx, noteFollowup, followupSent); err != nil {
		return err
	}
	facts := map[string]view.ResultFacts{}
	for _, v := range d.videos {
		facts[v.Job.ID] = view.ResultFacts{Fit: generate.FitOriginal}
	}
	text := d.text(facts)
	text.Buttons, text.Menu = nil, nil
	o := newMessage(text)
	if d.job.Place.Private {
		o = o.onlyFor()
	}
	o.Ping = []string{d.job.Place.User}
	var out posted
	err := d.rest.do(ctx, call{
		op: "announce video", route: routeFollowup(d.Get(noteApp), token), body: o, out: &out,
	})
	switch {
	case adapter.Lost(err), err == nil && (out.ID == "" || out.ID == d.Get(noteCard)):
		return nil // the card it is
	case err == nil:
		return d.Save(ctx, noteFollowup, out.ID)
	}
	// Refused: it is known that nothing was posted.
	if err := d.Save(ctx, noteFollowup, ""); err != nil {
		return err
	}
	return err
}

// intoCard puts the video into the card, or a link where no file is taken. It
// is the last way: nobody is notified.
func (d *delivery) intoCard(ctx context.Context) error {
	if d.Get(noteCardGone) != "" {
		return errNoCard
	}
	limit := int64(defaultUpload)
	var put func(context.Context, outgoing) (posted, error)
	switch token := d.token(d.cfg.Now()); {
	case token != "":
		limit, put = d.tokenLimit(), d.cardPutter(routeOriginal(http.MethodPatch, d.Get(noteApp), token))
	case d.job.Place.Private || d.Get(noteCard) == "":
		return errNoCard
	default:
		put = d.cardPutter(routeMessage(http.MethodPatch, d.cardChannel(d.job), d.Get(noteCard)))
	}
	err := d.send(ctx, limit, false, put)
	if refusedForGood(err) {
		err = d.sendOr(ctx, 0, whyRefused(err), false, put)
	}
	return err
}

// errNoCard says that there is no card to put a video into. Asking again does
// not help.
var errNoCard = &APIError{Op: "put video into card", Status: http.StatusNotFound, Code: codeUnknownMessage}

// putter puts the video into a message that is there already.
func (d *delivery) putter(into route) func(context.Context, outgoing) (posted, error) {
	return func(ctx context.Context, o outgoing) (posted, error) {
		var out posted
		err := d.rest.do(ctx, call{op: "put video", route: into, body: o, files: o.Files, out: &out})
		return out, err
	}
}

// cardPutter is putter for the card, which shows nothing else from then on.
func (d *delivery) cardPutter(into route) func(context.Context, outgoing) (posted, error) {
	put := d.putter(into)
	return func(ctx context.Context, o outgoing) (posted, error) {
		out, err := put(ctx, o)
		if err != nil {
			return posted{}, err
		}
		return out, d.Save(ctx, noteInCard, yes)
	}
}

package discord

import (
	"context"
	"net/http"
	"time"

	"ltxbot/core/generate"
)

// fileOption is the option with a file to verify.
const fileOption = "file"

// verifyWithin bounds the check of a file, with its download.
const verifyWithin = 2 * time.Minute

// runVerify tells where a video comes from: a file that was given, or what was
// posted for a job or in a message.
func (b *Bot) runVerify(ctx context.Context, i *interaction) {
	c := b.caller(i)
	a, ok := i.Data.Resolved.Attachments[i.value(fileOption)]
	if !ok {
		ctx, cancel := context.WithTimeout(ctx, quickWithin)
		defer cancel()
		m := b.cfg.Service.Verify(ctx, c, i.value("job"))
		b.reply(ctx, i, &m)
		return
	}
	// Somebody's file takes longer than an answer may.
	if err := b.answer(ctx, i, callbackDefer, deferral{Flags: flagEphemeral}, nil); err != nil {
		if !acknowledged(err) {
			b.log.WarnContext(ctx, "cannot answer an interaction", "interaction", i.ID, "error", err)
		}
		return
	}
	look, cancel := context.WithTimeout(ctx, verifyWithin)
	defer cancel()
	m := b.cfg.Service.VerifyGiven(look, c, func(ctx context.Context) (generate.Media, error) {
		return b.OpenInput(ctx, generate.Job{}, a.given().Media)
	})
	err := b.rest.do(ctx, call{op: "answer about a file", route: routeOriginal(http.MethodPatch, i.ApplicationID, i.Token), body: newMessage(m), again: true})
	if err != nil {
		b.log.WarnContext(ctx, "cannot answer about a file", "interaction", i.ID, "error", err)
	}
}

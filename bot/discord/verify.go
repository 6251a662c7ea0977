package discord

import (
	"context"
	"net/http"
	"time"

	"ltxbot/bot/view"
	"ltxbot/core/generate"
)

// fileOption is the option with a file to verify.
const fileOption = "file"

// verifyWithin bounds the check of a file, with its download.
const verifyWithin = 2 * time.Minute

// lookWithin bounds an order that looks at a LoRA's file.
const lookWithin = 30 * time.Second

// runVerify tells where a video comes from: a file that was given, or what was
// posted for a job or in a message.
func (b *Bot) runVerify(ctx context.Context, i *interaction) {
	c := b.caller(i)
	a, ok := i.Data.Resolved.Attachments[i.value(fileOption)]
	if !ok {
		b.quick(ctx, i, func(ctx context.Context) view.Message { return b.cfg.Service.Verify(ctx, c, i.value("job")) })
		return
	}
	b.later(ctx, i, verifyWithin, func(ctx context.Context) view.Message {
		return b.cfg.Service.VerifyGiven(ctx, c, func(ctx context.Context) (generate.Media, error) {
			return b.OpenInput(ctx, generate.Job{}, a.given().Media)
		})
	})
}

// look answers an order that looks at a LoRA's file.
func (b *Bot) look(ctx context.Context, i *interaction, find func(context.Context) view.Message) {
	b.later(ctx, i, lookWithin, find)
}

// later answers a command with what takes longer to find out than an answer may.
// Only the person sees it.
func (b *Bot) later(ctx context.Context, i *interaction, within time.Duration, find func(context.Context) view.Message) {
	if err := b.answer(ctx, i, callbackDefer, deferral{Flags: flagEphemeral}, nil); err != nil {
		if !acknowledged(err) {
			b.log.WarnContext(ctx, "cannot answer an interaction", "interaction", i.ID, "error", err)
		}
		return
	}
	look, cancel := context.WithTimeout(ctx, within)
	defer cancel()
	m := find(look)
	err := b.rest.do(ctx, call{op: "answer a command later", route: routeOriginal(http.MethodPatch, i.ApplicationID, i.Token), body: newMessage(m), again: true})
	if err != nil {
		b.log.WarnContext(ctx, "cannot answer a command later", "interaction", i.ID, "error", err)
	}
}

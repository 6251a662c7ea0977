package app

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"time"

	"ltxbot/bot/discord"
	"ltxbot/bot/slack"
	"ltxbot/internal/retry"
)

// How patient a start is with a platform that does not answer. Jobs go on
// meanwhile, and the other platform takes commands.
const (
	platformPatience = 10 * time.Second // until the bot counts as started without it
	platformPause    = 2 * time.Second  // between tries, growing
	platformMost     = time.Minute
)

// startPlatforms begins with all platforms at once. It returns when each is
// connected, or after a while when some are not: those are tried until they
// are. Its error is of a platform that refuses the bot for good.
func (a *App) startPlatforms(ctx context.Context) error {
	life, end := context.WithCancel(context.WithoutCancel(ctx))
	a.parts.started("start of platforms", func(context.Context) error {
		end()
		return nil
	})
	outcomes := make(chan error, len(a.platforms))
	for _, p := range a.platforms {
		done := make(chan struct{})
		go func() {
			defer close(done)
			outcomes <- a.bring(life, p)
			select {
			case err := <-p.Fatal():
				a.fail(err)
			case <-life.Done():
			}
		}()
		a.parts.started("platform", func(ctx context.Context) error {
			end()
			err := p.Stop(ctx)
			<-done
			return err
		})
	}
	patience := time.NewTimer(platformPatience)
	defer patience.Stop()
	for range a.platforms {
		select {
		case err := <-outcomes:
			if err != nil {
				return err
			}
		case <-patience.C:
			a.log.WarnContext(ctx, "a platform does not answer; it is tried again")
			go a.awaitPlatforms(life, outcomes)
			return nil
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return nil
}

// awaitPlatforms passes on what ends a platform that was slow to start.
func (a *App) awaitPlatforms(ctx context.Context, outcomes <-chan error) {
	for {
		select {
		case err := <-outcomes:
			if err != nil {
				a.fail(err)
			}
		case <-ctx.Done():
			return
		}
	}
}

// bring starts a platform, and tries again while the reason may pass.
func (a *App) bring(ctx context.Context, p platform) error {
	pauses := retry.Backoff{First: platformPause, Most: platformMost}
	for n := 1; ; n++ {
		err := p.Start(ctx)
		switch {
		case err == nil, ctx.Err() != nil:
			return nil //nolint:nilerr // a start that was called off has no outcome
		case forGood(err):
			return err
		}
		a.log.WarnContext(ctx, "cannot start a platform; it is tried again", "pause", pauses.After(n).String(), "error", err)
		if !retry.Wait(ctx, pauses.After(n)) {
			return nil
		}
	}
}

// discordPlatform registers the commands before it takes any.
type discordPlatform struct {
	*discord.Bot
	log *slog.Logger
}

// Start implements platform. Commands that Discord does not take are no reason
// to leave those that are registered without an answer.
func (p discordPlatform) Start(ctx context.Context) error {
	_, err := p.Sync(ctx)
	e, refused := errors.AsType[*discord.APIError](err)
	switch {
	case refused && e.Status >= 400 && e.Status < 500 && e.Status != http.StatusUnauthorized && e.Status != http.StatusTooManyRequests:
		p.log.ErrorContext(ctx, "discord does not take the commands; bot doctor tells more", "error", err)
	case err != nil:
		return fmt.Errorf("register commands on Discord: %w", err)
	}
	return p.Bot.Start(ctx)
}

// forGood reports whether a platform refuses the bot whatever it does.
func forGood(err error) bool {
	if e, ok := errors.AsType[*discord.APIError](err); ok && e.Status == http.StatusUnauthorized {
		return true
	}
	_, onDiscord := errors.AsType[*discord.FatalError](err)
	_, onSlack := errors.AsType[*slack.FatalError](err)
	return onDiscord || onSlack
}

package app

import (
	"context"
	"log/slog"
	"time"

	"ltxbot/bot"
	"ltxbot/bot/discord"
	"ltxbot/bot/slack"
	"ltxbot/config"
	"ltxbot/store"
)

// Check finds what New would refuse in a config that is valid by itself: a
// parameter that the model does not have, or a value that it does not take.
func Check(cfg config.Config) error {
	_, err := rulesOf(cfg)
	return err
}

// openLimit is how long whoever merely looks waits for a store.
const openLimit = 5 * time.Second

// OpenRecords opens the store of a config, to look at it while no bot runs or
// beside one that runs where the store allows that; else the error is
// bolt.ErrInUse. It makes no store where there is none, and does not wait long
// for a server.
func OpenRecords(ctx context.Context, cfg config.Config, log *slog.Logger) (*store.Store, error) {
	s, err := openExisting(ctx, cfg.Store, log)
	if err != nil {
		return nil, err
	}
	return s.Store, nil
}

// Discord builds the bot's side of Discord without a store or an engine: it
// can compare and register commands, and look for what is wrong.
func Discord(cfg config.Config, opts Options) (*discord.Bot, error) {
	b, err := newBase(cfg, opts)
	if err != nil {
		return nil, err
	}
	return discord.New(discordConfig(b, bot.New(bot.Config{Rules: b.now.rulesWithout})))
}

// Slack builds the bot's side of Slack without a store or an engine, to look
// for what is wrong.
func Slack(cfg config.Config, opts Options) (*slack.Bot, error) {
	b, err := newBase(cfg, opts)
	if err != nil {
		return nil, err
	}
	c, err := slackConfig(b, bot.New(bot.Config{Rules: b.now.rulesWithout, Command: cfg.Slack.Command}), slack.Installations(nil))
	if err != nil {
		return nil, err
	}
	return slack.New(c)
}

func newBase(cfg config.Config, opts Options) (base, error) {
	opts.setDefaults()
	now, err := newCurrent(cfg, opts.Load, opts.Logger)
	return base{cfg: cfg, now: now, version: opts.Version, log: opts.Logger}, err
}

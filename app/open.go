package app

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"time"

	"ltxbot/bot"
	"ltxbot/bot/discord"
	"ltxbot/bot/slack"
	"ltxbot/config"
	"ltxbot/core/generate"
)

// Check finds what New would refuse in a config that is valid by itself: a
// parameter that the model does not have, or a value that it does not take.
func Check(cfg config.Config) error {
	_, policy := policyOf(cfg)
	_, rules := rulesOf(cfg)
	return errors.Join(policy, rules)
}

// Records is a store as it is opened without a bot around it. It may also have
// a Backup and an Audit.
type Records interface {
	Job(ctx context.Context, id string) (generate.Job, error)
	Jobs(ctx context.Context, q generate.Query) ([]generate.Job, error)
	io.Closer
}

// openLimit is how long whoever merely looks waits for a store.
const openLimit = 5 * time.Second

// OpenRecords opens the store of a config, to look at it while no bot runs or
// beside one that runs where the store allows that; else the error is
// bolt.ErrInUse. It makes no store where there is none, and does not wait long
// for a server.
func OpenRecords(ctx context.Context, cfg config.Config, log *slog.Logger) (Records, error) {
	if path := cfg.Store.Path(); path != "" {
		switch _, err := os.Stat(path); {
		case errors.Is(err, fs.ErrNotExist):
			return nil, fmt.Errorf("no store at %s: name the config of your bot with --config, or start it once with bot run: %w", path, fs.ErrNotExist)
		case err != nil:
			return nil, fmt.Errorf("open store: %w", err)
		}
	}
	ctx, cancel := context.WithTimeout(ctx, openLimit)
	defer cancel()
	return openStore(ctx, cfg.Store, log)
}

// Discord builds the bot's side of Discord without a store or an engine: it
// can compare and register commands, and look for what is wrong.
func Discord(cfg config.Config, opts Options) (*discord.Bot, error) {
	a, err := newDetached(cfg, opts)
	if err != nil {
		return nil, err
	}
	return a.newDiscord()
}

// Slack builds the bot's side of Slack without a store or an engine, to look
// for what is wrong.
func Slack(cfg config.Config, opts Options) (*slack.Bot, error) {
	a, err := newDetached(cfg, opts)
	if err != nil {
		return nil, err
	}
	return a.newSlack()
}

// newDetached makes an App that is never started: it has no store, no provider
// and no engine.
func newDetached(cfg config.Config, opts Options) (*App, error) {
	if opts.Logger == nil {
		opts.Logger = slog.New(slog.DiscardHandler)
	}
	now, err := newLive(cfg)
	if err != nil {
		return nil, err
	}
	a := &App{cfg: cfg, opts: opts, log: opts.Logger, ops: newOps(opts.Version), desks: map[string]*bot.Desk{}}
	a.live.Store(now)
	return a, nil
}

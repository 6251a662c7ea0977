// Package discord brings the bot to Discord: commands, buttons and forms in,
// cards and videos out.
//
// Interactions come in by the gateway or by HTTP and go through one
// dispatcher, which acknowledges first and works then. A Bot is also the
// generate.Courier of Discord's jobs: it keeps their cards current and posts
// their videos, each once. What it must know across a restart is kept in the
// notes of the job.
//
// It speaks the gateway's protocol and calls the REST API by itself: see
// gateway.go and rest.go.
package discord

import (
	"cmp"
	"context"
	"crypto/ed25519"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"ltxbot/bot"
	"ltxbot/bot/adapter"
	"ltxbot/bot/lookback"
	"ltxbot/core/generate"
	"ltxbot/internal/ingress"
)

// platform is the name of Discord in jobs and members.
const platform = "discord"

// Mode is how events come in.
type Mode string

// The modes. An application uses one of them.
// https://discord.com/developers/docs/interactions/overview#preparing-for-interactions
const (
	Gateway Mode = "gateway" // the bot connects to Discord
	HTTP    Mode = "http"    // Discord calls Bot.Handler
)

// Config is what a Bot is made of.
type Config struct {
	adapter.Config

	Token         string // of the bot, without "Bot "
	PublicKey     string // in hex, for HTTP
	ApplicationID string // empty = asked of Discord
	Mode          Mode   // empty = Gateway
	APIURL        string // empty = https://discord.com/api

	Guilds            []string // commands are registered there, and nothing is done elsewhere; empty = everywhere
	AdminRoles        []string // roles that may manage the team, besides those with Manage Server
	Channels          []string // where videos may be made, with their threads; empty = everywhere
	AgeRestrictedOnly bool     // videos only in age-restricted channels
	Announcements     []string // channels that Announce is for; Check looks at them

	// Team names the budget of a guild; nil or "" = "discord:<guild id>".
	Team func(guild string) string

	Service *bot.Service
	// Timing of connections; zero fields are the defaults.
	Timing Timing
	// Turn lets one of several processes hold the gateway; nil = there are no
	// others.
	Turn Turn
	// Doubt reports whether another process may hold the gateway as well. Then
	// the other one goes first; nil = never.
	Doubt func() bool
}

// A Turn calls hold while this process is the one that holds the gateway,
// with a context that ends when it no longer is, and standby when another one
// is. connected tells whether who holds it has a connection. It returns when
// ctx ends, or when hold returned before its context did: then there is nothing
// to hold any more.
type Turn func(ctx context.Context, hold func(context.Context), standby func(), connected func() bool)

// always is the Turn of a process without others.
func always(ctx context.Context, hold func(context.Context), _ func(), _ func() bool) { hold(ctx) }

// Bot is the program's presence on Discord.
type Bot struct {
	cfg    Config
	log    *slog.Logger
	rest   *client
	key    ed25519.PublicKey
	work   *adapter.Pool
	drafts *adapter.Cache[draft] // by id
	shown  adapter.ShownCards
	tiers  *adapter.Cache[guildLimit] // by guild
	dms    *adapter.Cache[string]     // channels of direct messages, by user
	posts  *lookback.Posts[ownPost]
	clicks *ingress.Seen // presses, so that a double click counts once
	seen   *ingress.Seen // ids of interactions that came by HTTP

	fatal     chan error
	connected atomic.Bool
	standby   atomic.Bool

	mu    sync.Mutex
	app   string             // application id, once known
	stop  context.CancelFunc // of the supervisor; nil before Start
	group sync.WaitGroup
}

// New makes a bot. It talks to nobody until Start, Diff, Sync or Check.
func New(cfg Config) (*Bot, error) {
	if cfg.Token == "" {
		return nil, errors.New("discord: the bot token is missing")
	}
	if cfg.Service == nil {
		return nil, errors.New("discord: the service is missing")
	}
	cfg.setDefaults()
	b := &Bot{
		cfg: cfg, log: cfg.Logger, app: cfg.ApplicationID,
		rest: newClient(cfg.APIURL, cfg.Token, cfg.Version, cfg.Meter),
		work: adapter.NewPool(platform), drafts: adapter.NewCache[draft](maxDrafts), shown: adapter.NewShownCards(),
		tiers: adapter.NewCache[guildLimit](maxGuilds), dms: adapter.NewCache[string](maxDMChannels),
		posts:  lookback.New[ownPost](uint64(searchOverlap/time.Millisecond) << snowflakeTime),
		clicks: ingress.NewSeen(cfg.Now, adapter.DoubleClick), seen: ingress.NewSeen(cfg.Now, 2*maxSkew),
		fatal: make(chan error, 1),
	}
	switch cfg.Mode {
	case Gateway:
	case HTTP:
		key, err := hex.DecodeString(cfg.PublicKey)
		if err != nil || len(key) != ed25519.PublicKeySize {
			return nil, errors.New("discord: the public key must be 64 hexadecimal digits")
		}
		b.key = key
	default:
		return nil, fmt.Errorf("discord: there is no mode %q", cfg.Mode)
	}
	return b, nil
}

func (c *Config) setDefaults() {
	c.Mode = cmp.Or(c.Mode, Gateway)
	c.APIURL = cmp.Or(c.APIURL, "https://discord.com/api")
	if c.Team == nil {
		c.Team = func(string) string { return "" }
	}
	if c.Turn == nil {
		c.Turn = always
	}
	if c.Doubt == nil {
		c.Doubt = func() bool { return false }
	}
	c.SetDefaults()
	c.Timing.setDefaults()
}

// Start returns when interactions come in: in the gateway mode with the first
// connection, or when another process holds the gateway; in the HTTP mode at once.
// Connections that end later are replaced until Stop. An error that no new
// connection can mend, such as a wrong token, is a *FatalError, from Start or later
// from Fatal.
func (b *Bot) Start(ctx context.Context) error {
	if _, err := b.application(ctx); err != nil {
		return b.startFailed(err)
	}
	life, stop := context.WithCancel(context.WithoutCancel(ctx))
	b.mu.Lock()
	if b.stop != nil {
		b.mu.Unlock()
		stop()
		return errors.New("discord: already started")
	}
	b.stop = stop
	b.mu.Unlock()
	b.work.Open(context.WithoutCancel(ctx))
	if b.cfg.Mode == HTTP {
		b.connected.Store(true)
		return nil
	}
	ready, refusal := make(chan struct{}), make(chan error, 1)
	started := sync.OnceFunc(func() { close(ready) })
	refused := func(err error) {
		select {
		case <-ready:
			b.fatal <- err
		default:
			refusal <- err
			started()
		}
	}
	b.group.Go(func() {
		defer started()
		b.cfg.Turn(life, func(ctx context.Context) {
			b.standby.Store(false)
			b.supervise(ctx, started, refused)
		}, func() {
			b.standby.Store(true)
			started()
		}, b.Connected)
	})
	select {
	case <-ready:
		select {
		case err := <-refusal:
			return err
		default:
		}
		if life.Err() != nil {
			return fmt.Errorf("connect to discord: %w", context.Cause(life))
		}
		return nil
	case <-ctx.Done():
		return fmt.Errorf("connect to discord: %w", context.Cause(ctx))
	}
}

func (b *Bot) startFailed(err error) error {
	if e, ok := errors.AsType[*APIError](err); ok && e.Status == http.StatusUnauthorized {
		return &FatalError{Reason: "Discord does not know the bot token; take a new one from https://discord.com/developers/applications"}
	}
	return fmt.Errorf("start discord: %w", err)
}

// Stop ends the connection, lets handlers under way finish until ctx is done,
// and returns when none is left. It may be called twice. The courier works
// on: the engine may still have a card to show.
func (b *Bot) Stop(ctx context.Context) error {
	b.mu.Lock()
	stop := b.stop
	b.mu.Unlock()
	if stop == nil {
		return nil
	}
	stop()
	b.group.Wait()
	b.connected.Store(false)
	err := b.work.Close(ctx)
	b.rest.close()
	return err
}

// Connected reports whether events come in.
func (b *Bot) Connected() bool { return b.connected.Load() }

// Standby reports whether another process holds the gateway, from which this
// one takes it over.
func (b *Bot) Standby() bool { return b.standby.Load() }

// Fatal yields the *FatalError that ended the bot's presence for good.
func (b *Bot) Fatal() <-chan error { return b.fatal }

// Courier is the bot as the engine sees it.
func (b *Bot) Courier() generate.Courier { return b }

// application is the id of the bot's application.
func (b *Bot) application(ctx context.Context) (string, error) {
	b.mu.Lock()
	id := b.app
	b.mu.Unlock()
	if id != "" {
		return id, nil
	}
	var out struct {
		ID string `json:"id"`
	}
	if err := b.rest.do(ctx, call{op: "read application", route: routeApplication(), out: &out}); err != nil {
		return "", err
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.app = out.ID
	return out.ID, nil
}

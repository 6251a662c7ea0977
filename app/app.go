// Package app wires the config into the parts of the bot and runs them: store,
// provider, engine, chat platforms, web server. New builds, Start returns when
// the bot serves, Stop undoes it in reverse order.
package app

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"sync/atomic"
	"time"

	"ltxbot/bot"
	"ltxbot/config"
	"ltxbot/core/generate"
	"ltxbot/core/team"
	"ltxbot/internal/ingress"
	"ltxbot/media"
	"ltxbot/provider/fal"
)

// Options are what is not in the config.
type Options struct {
	Version string
	Logger  *slog.Logger
	// Load reads the config again, for a reload; nil = that can't be done.
	Load func() (config.Config, error)
}

// App is one running bot.
type App struct {
	cfg   config.Config
	opts  Options
	log   *slog.Logger
	live  atomic.Pointer[live]
	hooks hooks
	ops   *ops
	guard *ingress.Guard

	store      *storage
	provider   *fal.Client
	engine     *generate.Engine
	tool       *media.FFmpeg // nil when there is none
	office     *team.Office
	desks      map[string]*bot.Desk // by platform
	announcers map[string]bot.Announcer
	platforms  []platform
	servers    []*webServer // that of http.listen, then that of http.ops_listen

	// limitsChanged has a value after a reload.
	limitsChanged chan struct{}

	parts lifecycle
	fatal chan error
}

// platform is a chat platform that is switched on.
type platform interface {
	Start(ctx context.Context) error
	Stop(ctx context.Context) error
	// Fatal receives the error that ends the platform for good.
	Fatal() <-chan error
}

// New builds the bot that cfg describes. Nothing runs until Start, but the
// store is open: call Stop if Start is not called. It waits until ctx is done
// for a store that is not there yet.
func New(ctx context.Context, cfg config.Config, opts Options) (*App, error) {
	if opts.Logger == nil {
		opts.Logger = slog.New(slog.DiscardHandler)
	}
	a := &App{cfg: cfg, opts: opts, log: opts.Logger, fatal: make(chan error, 1), limitsChanged: make(chan struct{}, 1), ops: newOps(opts.Version)}
	a.desks, a.announcers = map[string]*bot.Desk{}, map[string]bot.Announcer{}
	a.guard = ingress.New(a.log, a.ops.metrics.Refused)
	a.parts.started("guard", func(context.Context) error { a.guard.Close(); return nil })
	a.hooks = newHooks(cfg.Fal.WebhookURL, cfg.Fal.Key.Reveal())
	if err := a.build(ctx); err != nil {
		return nil, errors.Join(err, a.parts.stop(context.WithoutCancel(ctx)))
	}
	return a, nil
}

func (a *App) build(ctx context.Context) error {
	now, err := newLive(a.cfg)
	if err != nil {
		return err
	}
	a.live.Store(now)
	if a.store, err = openStore(ctx, a.cfg.Store, a.policy, a.log); err != nil {
		return err
	}
	a.parts.started("store", func(context.Context) error { return a.store.Close() })
	if a.provider, err = a.newProvider(); err != nil {
		return err
	}
	a.parts.started("provider", func(context.Context) error { a.provider.Close(); return nil })

	couriers := map[string]generate.Courier{}
	a.engine = a.newEngine(couriers)
	a.office = a.newOffice()
	mux, ops := a.addServers()
	a.serveOps(ops)
	mux.Handle("POST "+webhookPath, a.ops.metrics.Webhooks(http.HandlerFunc(a.serveWebhook)))
	if err := a.addPlatforms(couriers, mux); err != nil {
		return err
	}
	return nil
}

func (a *App) newProvider() (*fal.Client, error) {
	c := a.cfg.Fal
	return fal.New(fal.Config{
		Key:        fal.Key(c.Key.Reveal()),
		QueueURL:   c.QueueURL,
		RESTURL:    c.RestURL,
		APIURL:     c.APIURL,
		MediaHosts: c.MediaHosts,
		WebhookURL: a.hooks.url,
		UserAgent:  "ltxbot/" + a.opts.Version,
		Observe:    a.ops.called,
		Logger:     a.log,
	})
}

func (a *App) newEngine(couriers map[string]generate.Courier) *generate.Engine {
	return generate.New(generate.Config{
		Store:               a.store,
		Ledger:              a.store,
		Provider:            a.provider,
		Couriers:            couriers,
		Media:               a.newMedia(),
		Policy:              a.policy,
		Endpoint:            a.cfg.Fal.Model,
		EndpointWithoutLoRA: a.cfg.Fal.ModelWithoutLoRA,
		Price:               a.cfg.PriceOf,
		BillFailures:        a.cfg.Quota.BillFailures,
		Deadline:            a.cfg.Fal.Deadline.Duration,
		Grace:               a.cfg.Fal.Grace.Duration,
		GiveUp:              a.cfg.Fal.GiveUp.Duration,
		Webhooks:            a.cfg.Fal.WebhookURL != "",
		Owner:               owner(),
		OnChange:            a.ops.metrics.Job,
		Logger:              a.log,
	})
}

// Start serves. It returns when the bot takes commands, or with the reason
// why it can't; then everything is stopped again.
func (a *App) Start(ctx context.Context) (err error) {
	defer func() {
		if err != nil {
			stop, cancel := context.WithTimeout(context.WithoutCancel(ctx), stopLimit)
			defer cancel()
			err = errors.Join(err, a.parts.stop(stop))
		}
	}()
	if err := a.startServers(ctx); err != nil {
		return err
	}
	if err := a.engine.Start(ctx); err != nil {
		return fmt.Errorf("start engine: %w", err)
	}
	a.parts.started("engine", a.engine.Stop)
	if err := a.startPlatforms(ctx); err != nil {
		return err
	}
	a.startSweep(ctx)
	a.startForgetting(ctx)
	a.startWatch(ctx)
	a.startTrial(ctx)
	a.serving()
	a.log.InfoContext(ctx, "bot is running", "version", a.opts.Version, "http", a.Addr(), "ops", a.OpsAddr())
	return nil
}

// stopLimit is how long a stop may take before what is under way is given up.
const stopLimit = 10 * time.Second

// Stop takes no more commands, lets steps under way save what they have until
// ctx is done, and closes the store. It may be called twice.
func (a *App) Stop(ctx context.Context) error { return a.parts.stop(ctx) }

// Fatal receives the error that the bot can't go on after: a token that was
// revoked, a web server that broke.
func (a *App) Fatal() <-chan error { return a.fatal }

func (a *App) fail(err error) {
	select {
	case a.fatal <- err:
	default:
	}
}

// Job reads a job, or returns generate.ErrNoJob.
func (a *App) Job(ctx context.Context, id string) (generate.Job, error) {
	return a.engine.Job(ctx, id)
}

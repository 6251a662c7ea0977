// Package app wires the config into the parts of the bot and runs them: store,
// provider, engine, chat platforms, web server. New builds, Start returns when
// the bot serves, Stop undoes it in reverse order.
package app

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"ltxbot/app/admin"
	"ltxbot/config"
	"ltxbot/core/generate"
	"ltxbot/core/library"
	"ltxbot/core/ltx"
	"ltxbot/internal/ingress"
	"ltxbot/provider/fal"
	"ltxbot/web"
)

// Options are what is not in the config.
type Options struct {
	Version string
	Logger  *slog.Logger
	// Load reads the config again, for a reload; nil = that can't be done.
	Load func() (config.Config, error)
	// Examine runs the doctor, for the console; nil = it finds nothing.
	Examine func(ctx context.Context) []web.Finding
	// Links fetches what people's links lead to; nil = from public addresses.
	Links generate.Links
	// LoRAs looks at files of LoRAs; nil = on public addresses.
	LoRAs library.Checker
	// CardPace is the least time between two edits of a card; 0 =
	// generate.CardPace.
	CardPace time.Duration
}

func (o *Options) setDefaults() {
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if o.Examine == nil {
		o.Examine = func(context.Context) []web.Finding { return nil }
	}
	if o.Load == nil {
		o.Load = func() (config.Config, error) { return config.Config{}, errNoFile }
	}
}

// App is one running bot.
type App struct {
	*current

	version   string
	log       *slog.Logger
	store     *storage
	engine    *generate.Engine
	ops       *ops
	platforms platforms
	servers   servers
	tasks     tasks
	parts     *lifecycle
	fatal     fatal
}

// tasks are what runs beside the jobs while the bot serves.
type tasks struct {
	sweeper sweeper
	keeper  keeper
	watch   watch
	trial   func(ctx context.Context) // of ffmpeg
}

// New builds the bot that cfg describes. Nothing runs until Start, but the
// store is open: call Stop if Start is not called. It waits until ctx is done
// for a store that is not there yet.
func New(ctx context.Context, cfg config.Config, opts Options) (_ *App, err error) {
	opts.setDefaults()
	log, parts, watched := opts.Logger, &lifecycle{}, newOps(opts.Version)
	defer func() {
		if err != nil {
			err = errors.Join(err, parts.stop(context.WithoutCancel(ctx)))
		}
	}()
	guard := ingress.New(log, watched.metrics.Refused)
	parts.started("guard", func(context.Context) error { guard.Close(); return nil })
	now, err := newCurrent(cfg, opts.Load, log)
	if err != nil {
		return nil, err
	}
	store, err := openStore(ctx, cfg.Store, now.policy, log)
	if err != nil {
		return nil, err
	}
	parts.started("store", func(context.Context) error { return store.Close() })
	hooks := newHooks(cfg.Fal.WebhookURL, cfg.Fal.Key.Reveal())
	provider, err := newProvider(cfg.Fal, hooks, opts.Version, watched, log)
	if err != nil {
		return nil, err
	}
	parts.started("provider", func(context.Context) error { provider.Close(); return nil })

	files, trial := newMedia(cfg.Media, log)
	couriers := map[string]generate.Courier{} // the engine asks for them once it runs
	inputs, err := newInputs(cfg.Inputs, now, files, opts)
	if err != nil {
		return nil, err
	}
	kept, err := OpenArchive(cfg.Archive)
	if err != nil {
		return nil, err
	}
	copies := newCopies(kept, store, watched.metrics)
	engine := newEngine(cfg, now, store, provider, couriers, files, copies, inputs, opts.CardPace, watched, log)
	weights, err := newLoRAs(now, opts)
	if err != nil {
		return nil, err
	}
	people := records{now: now, store: store, engine: engine, log: log}
	office := newOffice(people)
	shelves := newLibraries(now, store, office, weights, log)
	chats, err := newPlatforms(platformParts{
		base:  base{cfg: cfg, now: now, version: opts.Version, log: log},
		store: store, purges: provider.Purges(), engine: engine, office: office, library: shelves, loras: weights, uploads: provider, guard: guard, metrics: watched.metrics,
		frames: files.Fitter != nil,
	}, parts)
	if err != nil {
		return nil, err
	}
	servers := newServers(cfg.HTTP, log)
	for _, p := range chats {
		couriers[p.name] = p
		p.Routes(servers.public())
	}
	watched.serve(servers.ops(), store, parts, chats, log)
	api := admin.New(cfg.HTTP.AdminToken.Reveal(), guard, log)
	api.KnowTeams(people.allTeams)
	api.ServeJobs(engine)
	serveQuota(api, now, office)
	serveLibrary(api, now, shelves)
	api.ServeMembers(store, provider.Purges(), chats.erased)
	if store.shared == nil {
		api.ServeBackup(store.Backup)
	}
	servers.ops().Handle(admin.Path, api)
	console, err := newConsole(consoleParts{
		base: base{cfg: cfg, now: now, version: opts.Version, log: log}, people: people, office: office, library: shelves, chats: chats,
		archive: kept, purges: provider.Purges(), health: watched.health, guard: guard, examine: opts.Examine,
	})
	if err != nil {
		return nil, err
	}
	servers[0].http.RegisterOnShutdown(console.Close)
	servers.public().Handle(web.Path, console)
	servers.public().Handle(web.Path+"/", console)
	servers.public().Handle("POST "+webhookPath, watched.metrics.Webhooks(webhooks{hooks, provider, engine, guard, log}))
	return &App{
		current: now, version: opts.Version, log: log, store: store, engine: engine, ops: watched,
		platforms: chats, servers: servers, parts: parts, fatal: make(fatal, 1),
		tasks: tasks{
			sweeper: sweeper{store, log}, keeper: keeper{cfg.Retention, store, engine, log},
			watch: newWatch(people, chats), trial: trial,
		},
	}, nil
}

func newProvider(c config.Fal, h hooks, version string, o *ops, log *slog.Logger) (*fal.Client, error) {
	return fal.New(fal.Config{
		Key:        fal.Key(c.Key.Reveal()),
		QueueURL:   c.QueueURL,
		RESTURL:    c.RestURL,
		APIURL:     c.APIURL,
		MediaHosts: c.MediaHosts,
		WebhookURL: h.url,
		UserAgent:  "ltxbot/" + version,
		KeepMedia:  c.KeepMedia.Duration,
		AdminKey:   fal.Key(c.AdminKey.Reveal()),
		Observe:    o.called,
		Logger:     log,
	})
}

func newEngine(
	cfg config.Config, now *current, store *storage, provider *fal.Client, couriers map[string]generate.Courier,
	files generate.MediaConfig, copies generate.CopyConfig, inputs generate.InputConfig, pace time.Duration, o *ops, log *slog.Logger,
) *generate.Engine {
	var purger generate.Purger
	if provider.Purges() {
		purger = provider
	}
	return generate.New(generate.Config{
		Store:    store,
		Ledger:   store,
		Provider: provider,
		Purger:   purger,
		Couriers: couriers,
		Media:    files,
		Copies:   copies,
		Inputs:   inputs,
		Policy:   now.policy,
		Price:    cfg.PriceOf,
		Refuses: func(r ltx.Request, tiers []string) ltx.Invalid {
			rules := now.rules()
			rules.Tiers = tiers
			return rules.Refuses(r)
		},
		BillFailures: cfg.Quota.BillFailures,
		Deadline:     cfg.Fal.Deadline.Duration,
		Grace:        cfg.Fal.Grace.Duration,
		GiveUp:       cfg.Fal.GiveUp.Duration,
		Webhooks:     cfg.Fal.WebhookURL != "",
		CardPace:     pace,
		Owner:        owner(),
		OnChange:     o.metrics.Job,
		Logger:       log,
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
	letGarbagePile()
	if err := a.servers.start(ctx, a.parts, a.fatal); err != nil {
		return err
	}
	if err := a.engine.Start(ctx); err != nil {
		return fmt.Errorf("start engine: %w", err)
	}
	a.parts.started("engine", a.engine.Stop)
	if err := a.platforms.start(ctx, a.parts, a.fatal, a.log); err != nil {
		return err
	}
	a.parts.every(ctx, "sweep", sweepEvery, a.changed, a.tasks.sweeper.sweep)
	a.parts.every(ctx, "retention", retentionEvery, nil, a.tasks.keeper.tidy)
	a.parts.every(ctx, "budget watch", watchEvery, nil, a.tasks.watch.look)
	a.parts.run(ctx, "ffmpeg trial", a.tasks.trial)
	a.ops.serving(a.parts)
	a.log.InfoContext(ctx, "bot is running", "version", a.version, "http", a.Addr(), "ops", a.OpsAddr())
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

// fatal holds the first error that the bot can't go on after.
type fatal chan error

func (f fatal) report(err error) {
	select {
	case f <- err:
	default:
	}
}

// Job reads a job, or returns generate.ErrNoJob.
func (a *App) Job(ctx context.Context, id string) (generate.Job, error) {
	return a.engine.Job(ctx, id)
}

// Addr is where the web server listens: "127.0.0.1:8080".
func (a *App) Addr() string { return a.servers[0].addr() }

// OpsAddr is where the operator's paths are: that of the web server, or an
// address of their own.
func (a *App) OpsAddr() string { return a.servers[len(a.servers)-1].addr() }

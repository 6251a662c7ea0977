package app

import (
	"context"
	"net/http"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"ltxbot/app/admin"
	"ltxbot/app/health"
	"ltxbot/app/metrics"
	"ltxbot/core/generate"
)

// ops is how an operator looks into the bot.
type ops struct {
	registry *prometheus.Registry
	metrics  *metrics.Metrics
	health   *health.Monitor
	key      health.Key
}

func newOps(version string) *ops {
	registry := prometheus.NewRegistry()
	return &ops{registry: registry, metrics: metrics.New(registry, version), health: health.New(version)}
}

// called takes in a finished operation at the provider.
func (o *ops) called(op, outcome string, d time.Duration) {
	o.metrics.Call(op, outcome, d)
	o.key.Call(op, outcome)
}

// serveOps adds what the bot tells whoever watches over it: /healthz, /readyz,
// /metrics and the API for its operator.
func (a *App) serveOps(mux *http.ServeMux) {
	a.ops.health.Add(health.Probe{Name: "store", Need: health.Always, Look: a.lookAtStore})
	a.ops.health.Add(health.Probe{Name: "engine", Need: health.Always, Look: func(context.Context) (health.State, string) {
		return a.while("engine"), ""
	}})
	a.ops.health.Add(health.Probe{Name: "fal", Need: health.Told, Look: a.ops.key.Look})
	a.ops.metrics.Store(a.store, a.log)
	mux.HandleFunc("GET /healthz", a.ops.health.Live)
	mux.HandleFunc("GET /readyz", a.ops.health.Ready)
	mux.Handle("GET /metrics", metrics.Handler(a.ops.registry))

	api := admin.New(a.cfg.HTTP.AdminToken.Reveal(), a.guard, a.log)
	api.ServeJobs(a.engine)
	a.serveQuota(api)
	api.ServeMembers(a.store, a.erased)
	if a.store.shared == nil {
		api.ServeBackup(a.store.Backup)
	}
	mux.Handle(admin.Path, api)
}

// connected is a platform that knows whether commands can come in.
type connected interface{ Connected() bool }

// standby is a platform that may be left to another process, from which this
// one takes it over.
type standby interface{ Standby() bool }

// watchPlatform makes a platform that is switched on a part of the health. Of
// one that does not know whether it is connected it is known that it was
// started.
func (a *App) watchPlatform(name string, p platform) {
	look := func() (health.State, string) {
		if state := a.while("platform"); state != health.OK {
			return state, ""
		}
		if s, ok := p.(standby); ok && s.Standby() {
			return health.Standby, "another process has the connection; this one takes over"
		}
		if c, ok := p.(connected); ok && !c.Connected() {
			return health.Down, "not connected; it is tried again"
		}
		return health.OK, ""
	}
	a.ops.health.Add(health.Probe{Name: name, Need: health.OneOf, Look: func(context.Context) (health.State, string) { return look() }})
	a.ops.metrics.Platform(name, func() bool {
		state, _ := look()
		return state == health.OK
	})
}

// lookAtStore reads one record.
func (a *App) lookAtStore(ctx context.Context) (health.State, string) {
	if _, err := a.store.Jobs(ctx, generate.Query{Limit: 1}); err != nil {
		a.log.WarnContext(ctx, "store does not answer", "error", err)
		return health.Down, "does not answer; the log says why"
	}
	return health.OK, ""
}

// while is the state of a part that runs from its start to its stop.
func (a *App) while(part string) health.State {
	if a.parts.running(part) {
		return health.OK
	}
	return health.Down
}

// serving makes the bot ready, until it stops: whoever sends work to it must
// know before it takes none.
func (a *App) serving() {
	a.ops.health.Enter(health.OK)
	a.parts.started("readiness", func(context.Context) error {
		a.ops.health.Enter(health.Stopping)
		return nil
	})
}

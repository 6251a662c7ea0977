package app

import (
	"context"
	"log/slog"
	"net/http"
	"time"

	"github.com/prometheus/client_golang/prometheus"

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

// serve adds what the bot tells whoever watches over it: /healthz, /readyz and
// /metrics.
func (o *ops) serve(mux *http.ServeMux, store *storage, parts *lifecycle, chats platforms, log *slog.Logger) {
	o.health.Add(health.Probe{Name: "store", Need: health.Always, Look: lookAt(store, log)})
	o.health.Add(health.Probe{Name: "engine", Need: health.Always, Look: func(context.Context) (health.State, string) {
		return parts.while("engine"), ""
	}})
	o.health.Add(health.Probe{Name: "fal", Need: health.Told, Look: o.key.Look})
	for _, p := range chats {
		o.watch(p, parts)
	}
	o.metrics.Store(store, log)
	mux.HandleFunc("GET /healthz", o.health.Live)
	mux.HandleFunc("GET /readyz", o.health.Ready)
	mux.Handle("GET /metrics", metrics.Handler(o.registry))
}

// standby is a platform that may be left to another process, from which this
// one takes it over.
type standby interface{ Standby() bool }

// watch makes a platform that is switched on a part of the health.
func (o *ops) watch(p platform, parts *lifecycle) {
	look := func() (health.State, string) {
		if state := parts.while("platform"); state != health.OK {
			return state, ""
		}
		if s, ok := p.chatAdapter.(standby); ok && s.Standby() {
			return health.Standby, "another process has the connection; this one takes over"
		}
		if !p.Connected() {
			return health.Down, "not connected; it is tried again"
		}
		return health.OK, ""
	}
	o.health.Add(health.Probe{Name: p.name, Need: health.OneOf, Look: func(context.Context) (health.State, string) { return look() }})
	o.metrics.Platform(p.name, func() bool {
		state, _ := look()
		return state == health.OK
	})
}

// lookAt reads one record.
func lookAt(store *storage, log *slog.Logger) func(context.Context) (health.State, string) {
	return func(ctx context.Context) (health.State, string) {
		if _, err := store.Jobs(ctx, generate.Query{Limit: 1}); err != nil {
			log.WarnContext(ctx, "store does not answer", "error", err)
			return health.Down, "does not answer; the log says why"
		}
		return health.OK, ""
	}
}

// while is the state of a part that runs from its start to its stop.
func (l *lifecycle) while(part string) health.State {
	if l.running(part) {
		return health.OK
	}
	return health.Down
}

// serving makes the bot ready, until it stops: whoever sends work to it must
// know before it takes none.
func (o *ops) serving(parts *lifecycle) {
	o.health.Enter(health.OK)
	parts.started("readiness", func(context.Context) error {
		o.health.Enter(health.Stopping)
		return nil
	})
}

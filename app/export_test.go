package app

import (
	"context"
	"errors"
	"log/slog"
	"time"
)

// Leases is a store that processes share.
type Leases = leases

// Gateway is how a process takes turns at Discord's gateway.
type Gateway struct {
	g         *gateway
	connected func() bool
}

// NewGateway is that of the process that leases.
func NewGateway(shared Leases, connected func() bool) Gateway {
	return Gateway{&gateway{shared: shared, log: slog.New(slog.DiscardHandler)}, connected}
}

// Turn is a discord.Turn.
func (g Gateway) Turn(ctx context.Context, hold func(context.Context), standby func()) {
	g.g.turn(ctx, hold, standby, g.connected)
}

// GatewayTimeout is how long a holder may be without a connection.
const GatewayTimeout = gatewayTimeout

// Timeouts of the web server, and of whoever asks the store about a request.
const (
	BodyTimeout   = bodyTimeout
	HeaderTimeout = headerTimeout
	OnceLimit     = onceLimit
)

// GatewayTTL is how long a lease lasts.
const GatewayTTL time.Duration = gatewayTTL

// Catalog is the texts as a config has them.
var Catalog = catalog

// silent is the adapter of a platform that does not answer.
type silent struct{ chatAdapter }

func (silent) Start(ctx context.Context) error { <-ctx.Done(); return ctx.Err() }
func (silent) Stop(context.Context) error      { return nil }
func (silent) Fatal() <-chan error             { return nil }

// StartSilent starts platforms of which none answers, and stops them.
func StartSilent(ctx context.Context, log *slog.Logger, names ...string) error {
	var ps platforms
	for _, name := range names {
		ps = append(ps, platform{chatAdapter: silent{}, name: name})
	}
	var parts lifecycle
	err := ps.start(ctx, &parts, make(fatal, 1), log)
	return errors.Join(err, parts.stop(ctx))
}

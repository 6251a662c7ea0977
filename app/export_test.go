package app

import (
	"context"
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

// GatewayPatience is how long a holder may be without a connection.
const GatewayPatience = gatewayPatience

// How patient the web server is, and whoever asks the store about a request.
const (
	BodyPatience   = bodyPatience
	HeaderPatience = headerPatience
	OnceLimit      = onceLimit
)

// GatewayTTL is how long a lease lasts.
const GatewayTTL time.Duration = gatewayTTL

// Catalog is the texts as a config has them.
var Catalog = catalog

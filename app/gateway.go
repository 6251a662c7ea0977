package app

import (
	"context"
	"log/slog"
	"sync/atomic"
	"time"
)

// leases is a store that several processes share, of which one at a time holds
// what there is once only.
type leases interface {
	// Lease gets or renews a lease for ttl and reports whether this process
	// holds it.
	Lease(ctx context.Context, name string, ttl time.Duration) (held bool, err error)
	EndLease(ctx context.Context, name string) error
}

// Who holds the gateway says so every gatewayRenew. Who has not for gatewayTTL
// has lost it, as soon as another process asks: within gatewayTTL and
// gatewayRenew.
const (
	gatewayLease = "discord gateway"
	gatewayTTL   = 6 * time.Second
	gatewayRenew = 2 * time.Second
)

// A holder that has had no connection for gatewayTimeout lets another process
// try: it may be this machine that can't reach Discord. It does not ask for
// the lease again for gatewayRest, so that whoever waits is first.
const (
	gatewayTimeout = time.Minute
	gatewayRest    = 2 * gatewayRenew
)

// gateway is how processes that share a store take turns at Discord's gateway,
// which gives each interaction to every connection.
//
// A process that can't reach the store keeps the connection: most likely
// nobody can, and people must hear that the bot can't work. If it alone is cut
// off, another process connects as well. That one holds the lease and answers
// first, because this one may have lost the lease.
type gateway struct {
	shared leases
	log    *slog.Logger
	until  atomic.Int64 // when the lease runs out, in nanoseconds since 1970
}

// doubt reports whether another process may hold the gateway by now. The clock
// is that of the wall: it goes on while a process is stopped.
func (g *gateway) doubt() bool { return time.Now().UnixNano() > g.until.Load() }

// turn is a discord.Turn.
func (g *gateway) turn(ctx context.Context, hold func(context.Context), standby func(), connected func() bool) {
	tick := time.NewTicker(gatewayRenew)
	defer tick.Stop()
	for said := false; ctx.Err() == nil; {
		switch held, err := g.acquire(ctx); {
		case held:
			switch g.hold(ctx, tick.C, hold, connected) {
			case over:
				return
			case lost:
			case givenUp:
				g.rest(ctx)
			}
			said = false
			continue
		case ctx.Err() != nil:
			return
		case said:
		case err != nil:
			g.log.WarnContext(ctx, "cannot ask which process holds discord's gateway", "error", err)
			said = true
		default:
			g.log.InfoContext(ctx, "discord's gateway is held by another process; this one waits to take over")
			said = true
		}
		standby()
		select {
		case <-tick.C:
		case <-ctx.Done():
		}
	}
}

// acquire gets or renews the lease.
func (g *gateway) acquire(ctx context.Context) (bool, error) {
	ctx, cancel := context.WithTimeout(ctx, gatewayRenew)
	defer cancel()
	until := time.Now().Add(gatewayTTL)
	held, err := g.shared.Lease(ctx, gatewayLease, gatewayTTL)
	if held {
		g.until.Store(until.UnixNano())
	}
	return held, err
}

// ending is why this process no longer holds the gateway.
type ending int

const (
	lost    ending = iota // another process has it, or this one stops
	givenUp               // this one could not connect
	over                  // there is nothing to hold any more
)

// hold calls do and renews the lease with each tick, until another process has
// it or should have it.
func (g *gateway) hold(ctx context.Context, tick <-chan time.Time, do func(context.Context), connected func() bool) ending {
	g.log.InfoContext(ctx, "this process holds discord's gateway")
	turn, end := context.WithCancel(ctx)
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		do(turn)
	}()
	defer g.release(context.WithoutCancel(ctx))
	defer func() {
		end()
		<-ended
	}()
	for last := time.Now(); ; { // of a connection
		select {
		case <-tick:
			held, err := g.acquire(ctx)
			if err == nil && !held {
				g.log.WarnContext(ctx, "another process has taken discord's gateway over")
				return lost
			}
			if connected() {
				last = time.Now()
			}
			if time.Since(last) > gatewayTimeout {
				g.log.WarnContext(ctx, "no connection to discord's gateway for long; another process may try", "seconds", gatewayTimeout.Seconds())
				return givenUp
			}
		case <-ended:
			if ctx.Err() == nil {
				return over
			}
			return lost
		case <-ctx.Done():
			return lost
		}
	}
}

// rest lets others go first.
func (g *gateway) rest(ctx context.Context) {
	pause := time.NewTimer(gatewayRest)
	defer pause.Stop()
	select {
	case <-pause.C:
	case <-ctx.Done():
	}
}

// release lets the next process have the gateway at once.
func (g *gateway) release(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, gatewayRenew)
	defer cancel()
	if err := g.shared.EndLease(ctx, gatewayLease); err != nil {
		g.log.WarnContext(ctx, "discord's gateway goes to another process only when the lease has run out", "error", err)
	}
}

package adapter

import (
	"context"
	"log/slog"
	"time"

	"ltxbot/internal/ingress"
)

// Config is the part of an adapter's config that does not depend on its
// platform.
type Config struct {
	Version string // of the program; empty = "0"
	Logger  *slog.Logger
	// Tiers names the quota tiers of a member with these roles, or in these
	// user groups; nil = none.
	Tiers func(member string, groups []string) []string
	// ObserveAck is called with the time from the arrival of an event to its
	// acknowledgement; nil = it is not measured.
	ObserveAck func(time.Duration)
	// OnBusy is called for each event that was turned away because too many were
	// under way; nil = they are not counted.
	OnBusy func()
	// Guard limits and counts requests that come by HTTP; nil = a new one.
	Guard *ingress.Guard
	// Once reports whether a request is new to all processes, and remembers it
	// for keep; nil = there are no other processes.
	Once func(ctx context.Context, request string, keep time.Duration) bool
	// Meter is the rate limit that all processes share; nil = there are no other
	// processes.
	Meter Meter
	// Now is the time; nil = time.Now. Tests set it to the simulator's.
	Now func() time.Time
}

// SetDefaults fills in what is not set.
func (c *Config) SetDefaults() {
	if c.Version == "" {
		c.Version = "0"
	}
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	if c.Tiers == nil {
		c.Tiers = func(string, []string) []string { return nil }
	}
	if c.ObserveAck == nil {
		c.ObserveAck = func(time.Duration) {}
	}
	if c.OnBusy == nil {
		c.OnBusy = func() {}
	}
	if c.Guard == nil {
		c.Guard = ingress.New(c.Logger, nil)
	}
	if c.Once == nil {
		c.Once = func(context.Context, string, time.Duration) bool { return true }
	}
	if c.Now == nil {
		c.Now = time.Now
	}
}

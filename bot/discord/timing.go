package discord

import (
	"cmp"
	"time"
)

// Timing is how long the bot waits for the gateway, and pauses. Zero fields are the
// defaults.
type Timing struct {
	// Handshake is how long a connection may take until it is ready, from the
	// dial to READY. The real gateway needs about a second.
	Handshake time.Duration // 10s
	// Identify is the least time between two new sessions.
	// https://discord.com/developers/docs/topics/gateway#rate-limiting
	Identify time.Duration // 5s
	// BackoffLeast and BackoffMost are the pauses after failed connections.
	BackoffLeast time.Duration // 1s
	BackoffMost  time.Duration // 2m
	// Stable is how long a connection must have been good for the pauses to
	// begin anew.
	Stable time.Duration // 5m
}

func (t *Timing) setDefaults() {
	t.Handshake = cmp.Or(t.Handshake, 10*time.Second)
	t.Identify = cmp.Or(t.Identify, 5*time.Second)
	t.BackoffLeast = cmp.Or(t.BackoffLeast, time.Second)
	t.BackoffMost = cmp.Or(t.BackoffMost, 2*time.Minute)
	t.Stable = cmp.Or(t.Stable, 5*time.Minute)
}

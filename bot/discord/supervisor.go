package discord

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"time"
)

// identifyReserve is how many identifies of a day are kept back: Discord
// resets the token of a bot that uses more than it has.
// https://discord.com/developers/docs/topics/gateway#session-start-limit-object
const identifyReserve = 10

// gatewayInfo is what Discord says of its gateway.
// https://discord.com/developers/docs/topics/gateway#get-gateway-bot
type gatewayInfo struct {
	URL   string `json:"url"`
	Start struct {
		Remaining  int   `json:"remaining"`
		ResetAfter int64 `json:"reset_after"` // milliseconds
	} `json:"session_start_limit"`
}

// supervise keeps one connection to the gateway until ctx is done, or until
// an error that no new connection can mend, which refused is given. started is
// called with each connection. Sessions are not resumed: an
// interaction that was missed is older than the three seconds in which it
// could be answered.
func (b *Bot) supervise(ctx context.Context, started func(), refused func(error)) {
	var (
		failures int
		last     time.Time // when the last connection was tried
	)
	for ctx.Err() == nil {
		if b.pause(ctx, failures, last) != nil {
			break
		}
		last = time.Now()
		c, err := b.connect(ctx)
		var fatal *FatalError
		switch {
		case errors.As(err, &fatal):
			b.log.ErrorContext(ctx, "discord refuses the bot", "error", err)
			refused(err)
			return
		case err != nil && ctx.Err() != nil:
		case err != nil:
			failures++
			b.log.WarnContext(ctx, "cannot connect to discord", "failures", failures, "error", err)
		default:
			b.log.InfoContext(ctx, "connected to discord")
			b.connected.Store(true)
			started()
			if b.hold(ctx, c) {
				failures = 0
			}
			b.connected.Store(false)
			failures++
		}
	}
}

// hold keeps a connection until it or ctx ends, and reports whether it was
// good for long.
func (b *Bot) hold(ctx context.Context, c *connection) (stable bool) {
	since := time.Now()
	select {
	case <-c.lost:
		b.log.WarnContext(ctx, "connection to discord lost", "after_seconds", time.Since(since).Seconds())
	case <-ctx.Done():
		c.close()
	}
	return time.Since(since) >= b.cfg.Timing.Stable
}

// pause waits before a connection: longer with each failure, and never less
// than Discord asks for between two.
func (b *Bot) pause(ctx context.Context, failures int, last time.Time) error {
	t := b.cfg.Timing
	var wait time.Duration
	if failures > 0 {
		wait = t.BackoffMost
		if shift := failures - 1; shift < 16 {
			wait = min(t.BackoffLeast<<shift, t.BackoffMost)
		}
		wait = wait/2 + rand.N(wait/2+1) //nolint:gosec // jitter needs no secrecy
	}
	if !last.IsZero() {
		wait = max(wait, time.Until(last.Add(t.Identify)))
	}
	return sleep(ctx, wait)
}

// connect makes a connection, if the day's identifies allow it.
func (b *Bot) connect(ctx context.Context) (*connection, error) {
	var info gatewayInfo
	find, cancel := context.WithTimeout(ctx, b.cfg.Timing.Handshake)
	err := b.rest.do(find, call{op: "find gateway", route: routeGatewayBot(), out: &info})
	cancel()
	var refused *APIError
	switch {
	case errors.As(err, &refused) && refused.Status == http.StatusUnauthorized:
		return nil, &FatalError{Reason: closeCodes[4004]}
	case err != nil:
		return nil, err
	}
	if info.Start.Remaining <= identifyReserve && info.Start.ResetAfter > 0 {
		wait := time.Duration(info.Start.ResetAfter) * time.Millisecond
		b.log.ErrorContext(ctx, "too many connections to discord today", "remaining", info.Start.Remaining, "wait_seconds", wait.Seconds())
		if err := sleep(ctx, wait); err != nil {
			return nil, err
		}
	}
	c, err := openConnection(ctx, info.URL, b.cfg.Token, b.rest.userAgent, b.cfg.Timing, func(raw []byte) { b.dispatch(ctx, raw) })
	if err != nil {
		return nil, fmt.Errorf("connect to discord: %w", err)
	}
	return c, nil
}

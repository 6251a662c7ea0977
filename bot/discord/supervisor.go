package discord

import (
	"context"
	"errors"
	"net/http"
	"time"

	"ltxbot/internal/retry"
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
// called with each connection.
func (b *Bot) supervise(ctx context.Context, started func(), refused func(error)) {
	t := b.cfg.Timing
	pauses := retry.Backoff{First: t.BackoffLeast, Most: t.BackoffMost, Spread: 1}
	var (
		s        session
		last     time.Time // when a session was asked for
		failures int
	)
	for ctx.Err() == nil {
		if failures > 0 && !retry.Wait(ctx, pauses.After(failures)) {
			return
		}
		url, err := s.url, error(nil)
		if s.id == "" {
			url, err = b.mayIdentify(ctx, last)
			last = time.Now()
		}
		began := time.Now()
		if err == nil {
			resumes := s.id != ""
			err = b.converse(ctx, url, &s, func() {
				began = time.Now()
				b.log.InfoContext(ctx, "connected to discord", "resumed", resumes)
				b.connected.Store(true)
				started()
			}, func(raw []byte) { b.dispatch(ctx, raw) })
		}
		wasReady := b.connected.Swap(false)
		if wasReady && time.Since(began) >= t.Stable {
			failures = 0
		}
		failures++
		var fatal *FatalError
		switch {
		case errors.As(err, &fatal):
			b.log.ErrorContext(ctx, "discord refuses the bot", "error", err)
			refused(err)
			return
		case ctx.Err() != nil:
		case wasReady:
			b.log.WarnContext(ctx, "connection to discord lost", "after_seconds", time.Since(began).Seconds(), "error", err)
		default:
			s.reset() // one try: what it missed is too old to be answered
			b.log.WarnContext(ctx, "cannot connect to discord", "failures", failures, "error", err)
		}
	}
}

// mayIdentify returns the address of the gateway when a new session may be
// asked for: not sooner after the last one than Discord wants, and not with the
// last identifies of the day.
func (b *Bot) mayIdentify(ctx context.Context, last time.Time) (url string, err error) {
	if !retry.Wait(ctx, time.Until(last.Add(b.cfg.Timing.Identify))) {
		return "", ctx.Err()
	}
	var info gatewayInfo
	find, cancel := context.WithTimeout(ctx, b.cfg.Timing.Handshake)
	err = b.rest.do(find, call{op: "find gateway", route: routeGatewayBot(), out: &info})
	cancel()
	var refused *APIError
	switch {
	case errors.As(err, &refused) && refused.Status == http.StatusUnauthorized:
		return "", &FatalError{Reason: closeCodes[4004]}
	case err != nil:
		return "", err
	}
	if info.Start.Remaining <= identifyReserve && info.Start.ResetAfter > 0 {
		wait := time.Duration(info.Start.ResetAfter) * time.Millisecond
		b.log.ErrorContext(ctx, "too many connections to discord today", "remaining", info.Start.Remaining, "wait_seconds", wait.Seconds())
		if !retry.Wait(ctx, wait) {
			return "", ctx.Err()
		}
	}
	return info.URL, nil
}

package discord

import (
	"context"
	"encoding/json"
	"net/http"
	"strconv"
	"sync"
	"time"

	"golang.org/x/time/rate"

	"ltxbot/bot/adapter"
	"ltxbot/internal/retry"
)

// globalRate is how many requests a second the bot sends with its own token;
// Discord allows 50. Requests with an interaction's token do not count.
// https://discord.com/developers/docs/topics/rate-limits#global-rate-limit
const globalRate = 45

// What several processes send together: never more than 50 in any second.
const (
	sharedEvery = time.Second / 40
	sharedBurst = 10
)

// maxBuckets is how many buckets are remembered before those that have
// refilled are forgotten. Each interaction's token is a bucket of its own.
const maxBuckets = 4096

// limiter holds requests back that Discord would refuse, as far as its
// headers tell.
type limiter struct {
	bot    *rate.Limiter    // of this process
	shared *adapter.Limiter // of all that use the token; nil = there are no others

	mu      sync.Mutex
	hashes  map[string]string  // X-RateLimit-Bucket by kind of route
	buckets map[string]*bucket // by hash and major parameter
	blocked time.Time          // everything waits until then
}

// bucket is the state of one rate limit.
type bucket struct {
	remaining int
	reset     time.Time
}

func newLimiter(m adapter.Meter) *limiter {
	l := &limiter{
		bot:     rate.NewLimiter(globalRate, globalRate),
		hashes:  map[string]string{},
		buckets: map[string]*bucket{},
	}
	if m != nil {
		l.shared = adapter.NewLimiter(adapter.LimiterConfig{Name: "discord requests", Every: sharedEvery, Burst: sharedBurst, Meter: m})
	}
	return l
}

// take waits for a place in the route's bucket. A wait that is longer than
// most, or than ctx allows, is a *limitError at once. A free route waits for
// nothing.
func (l *limiter) take(ctx context.Context, r route, most time.Duration) error {
	if r.free {
		return nil
	}
	if !r.open {
		if err := l.whole(ctx, most); err != nil {
			return err
		}
	}
	for {
		pause, scope := l.reserve(r)
		if pause <= 0 {
			return nil
		}
		if deadline, ok := ctx.Deadline(); pause > most || ok && time.Until(deadline) < pause {
			return &limitError{after: pause, scope: scope}
		}
		if !retry.Wait(ctx, pause) {
			return ctx.Err()
		}
	}
}

// whole waits for a place among all that is sent with the bot's token.
func (l *limiter) whole(ctx context.Context, most time.Duration) error {
	for {
		if err := l.bot.Wait(ctx); err != nil {
			return &limitError{after: time.Second, scope: "global"}
		}
		if l.shared == nil {
			return nil
		}
		pause, _ := l.shared.Spend(ctx, 0)
		if pause <= 0 {
			return nil
		}
		if deadline, ok := ctx.Deadline(); pause > most || ok && time.Until(deadline) < pause {
			return &limitError{after: pause, scope: "global"}
		}
		if !retry.Wait(ctx, pause) {
			return ctx.Err()
		}
	}
}

// tell lets the other processes know of a refusal that is meant for them too.
// A ban by Cloudflare is of a machine.
func (l *limiter) tell(ctx context.Context, e *limitError) {
	if l.shared != nil && e.scope == "global" {
		l.shared.HoldBack(ctx, e.after)
	}
}

// reserve takes a place, or says how long there will be none.
func (l *limiter) reserve(r route) (pause time.Duration, scope string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	now := time.Now()
	if now.Before(l.blocked) {
		return l.blocked.Sub(now), "global"
	}
	b := l.buckets[l.key(r)]
	if b == nil || !now.Before(b.reset) {
		return 0, ""
	}
	if b.remaining <= 0 {
		return b.reset.Sub(now), "user"
	}
	b.remaining--
	return 0, ""
}

// key names the bucket of a route: all routes with the same hash share one
// for the same channel, guild or token.
// https://discord.com/developers/docs/topics/rate-limits#header-format
func (l *limiter) key(r route) string {
	kind := r.kind
	if hash, ok := l.hashes[kind]; ok {
		kind = hash
	}
	return kind + " " + r.major
}

// learn takes in what an answer says of its bucket. A free route has none,
// whatever the headers say.
func (l *limiter) learn(r route, h http.Header) {
	hash := h.Get("X-RateLimit-Bucket")
	remaining, errRemaining := strconv.Atoi(h.Get("X-RateLimit-Remaining"))
	after, errAfter := seconds(h.Get("X-RateLimit-Reset-After"))
	if r.free || hash == "" || errRemaining != nil || errAfter != nil {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.hashes[r.kind] = hash
	l.evict()
	key, reset := l.key(r), time.Now().Add(after)
	b := l.buckets[key]
	if b == nil || !time.Now().Before(b.reset) {
		l.buckets[key] = &bucket{remaining: remaining, reset: reset}
		return
	}
	// Answers of parallel requests arrive in any order: the least counts.
	b.remaining = min(b.remaining, remaining)
	b.reset = reset
}

// evict drops buckets that have refilled, once there are many.
func (l *limiter) evict() {
	if len(l.buckets) < maxBuckets {
		return
	}
	now := time.Now()
	for key, b := range l.buckets {
		if !now.Before(b.reset) {
			delete(l.buckets, key)
		}
	}
}

// refused takes in a 429, of any of its kinds: of a bucket, of a shared
// resource, of the whole bot with nothing but Retry-After, or of Cloudflare
// with a page of HTML.
func (l *limiter) refused(r route, h http.Header, body []byte) *limitError {
	var wire struct {
		RetryAfter float64 `json:"retry_after"`
		Global     bool    `json:"global"`
		Code       int     `json:"code"`
	}
	e := &limitError{scope: h.Get("X-RateLimit-Scope")}
	if json.Unmarshal(body, &wire) != nil {
		e.scope = "cloudflare"
	}
	e.code = wire.Code
	e.after = time.Duration(wire.RetryAfter * float64(time.Second))
	if e.after <= 0 {
		if after, err := seconds(h.Get("Retry-After")); err == nil {
			e.after = after
		} else {
			e.after = time.Second
		}
	}
	if wire.Global {
		e.scope = "global"
	}
	if e.scope == "" {
		e.scope = "user"
	}
	until := time.Now().Add(e.after)
	l.mu.Lock()
	defer l.mu.Unlock()
	switch e.scope {
	case "global", "cloudflare":
		if until.After(l.blocked) {
			l.blocked = until
		}
	default:
		if r.free {
			break // it holds for this one call
		}
		l.evict()
		l.buckets[l.key(r)] = &bucket{reset: until}
	}
	return e
}

func seconds(text string) (time.Duration, error) {
	f, err := strconv.ParseFloat(text, 64)
	return time.Duration(f * float64(time.Second)), err
}

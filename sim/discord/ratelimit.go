package discord

import (
	"crypto/sha256"
	"encoding/hex"
	"math"
	"strconv"
	"time"
)

// RateLimits says which request limits hold. The numbers are those that the
// real service sends or that have been observed; it promises none of them.
// https://discord.com/developers/docs/topics/rate-limits
type RateLimits struct {
	// Off sends the headers but never refuses. A bot that keeps to the headers
	// waits all the same.
	Off bool
	// History refuses lists of messages as the real service does, even if Off.
	History bool
	// Speed divides every window: 10 makes 5 per 2 s into 5 per 200 ms.
	// Zero means 1.
	Speed float64
	// Invalid is how many 401, 403 and 429 in ten minutes get the client
	// banned by Cloudflare for an hour. Zero means 10,000.
	Invalid int
}

func (r *RateLimits) setDefaults() {
	if r.Speed <= 0 {
		r.Speed = 1
	}
	if r.Invalid == 0 {
		r.Invalid = 10000
	}
}

type limitClass int

const (
	limitDefault limitClass = iota
	limitChannel            // by channel and route
	limitWebhook            // by webhook token, all its routes together
	limitNone
)

// A rule allows count requests in every window.
type rule struct {
	count  int
	window time.Duration
}

var limitRules = map[limitClass]rule{
	limitDefault: {count: 50, window: time.Second},
	limitChannel: {count: 5, window: 5 * time.Second},
	limitWebhook: {count: 5, window: 2 * time.Second},
}

var (
	globalRule      = rule{count: 50, window: time.Second}
	invalidWindow   = 10 * time.Minute
	cloudflareBan   = time.Hour
	oldEditRule     = rule{count: 3, window: oldEditWindow}
	maxIdleBuckets  = 10000
	oldMessageAfter = time.Hour
)

const oldEditWindow = 6 * time.Second

// A window counts requests from the first one until it ends.
type window struct {
	start time.Time
	used  int
}

// take counts one request. It returns what is left and when the window ends;
// remaining is negative when there was nothing left.
func (w *window) take(r rule, now time.Time) (remaining int, reset time.Time) {
	if now.Sub(w.start) >= r.window || now.Before(w.start) {
		w.start, w.used = now, 0
	}
	w.used++
	return r.count - w.used, w.start.Add(r.window)
}

// limiter is the state of all request limits.
type limiter struct {
	buckets     map[string]*window
	global      window
	bad         window
	bannedUntil time.Time
	badTotal    int
}

func newLimiter() limiter { return limiter{buckets: map[string]*window{}} }

// InvalidRequests returns how many requests were answered 401, 403 or 429,
// shared limits excepted.
func (s *Server) InvalidRequests() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.limits.badTotal
}

// take counts the call in its bucket and the global one and sets the headers.
// It reports whether the call was refused.
func (l *limiter) take(c *call, reply *response) bool {
	cfg := c.s.opts.RateLimits
	now := c.s.now()
	if now.Before(l.bannedUntil) {
		cloudflare(reply, l.bannedUntil.Sub(now))
		return true
	}
	r, limited := limitRules[c.route.limit]
	if !limited {
		return false
	}
	r.window = time.Duration(float64(r.window) / cfg.Speed)
	remaining, reset := l.bucket(c.bucket(), now).take(r, now)
	after := reset.Sub(now)
	reply.set("X-RateLimit-Limit", strconv.Itoa(r.count))
	reply.set("X-RateLimit-Remaining", strconv.Itoa(max(remaining, 0)))
	reply.set("X-RateLimit-Reset", strconv.FormatFloat(float64(reset.UnixMilli())/1000, 'f', 3, 64))
	reply.set("X-RateLimit-Reset-After", strconv.FormatFloat(after.Seconds(), 'f', 3, 64))
	reply.set("X-RateLimit-Bucket", c.bucketHash())
	if cfg.Off && (!cfg.History || c.route.pattern != RouteListMessages) {
		return false
	}
	if remaining < 0 {
		limitedReply(reply, scopeUser, after)
		return true
	}
	if c.route.auth == authNone {
		return false // interaction endpoints are exempt from the global limit
	}
	g := globalRule
	g.window = time.Duration(float64(g.window) / cfg.Speed)
	if remaining, reset := l.global.take(g, now); remaining < 0 {
		limitedReply(reply, scopeGlobal, reset.Sub(now))
		return true
	}
	return false
}

// bucket returns the window of a bucket. Ones that have ended long ago are
// forgotten, so that a simulator can run for days.
func (l *limiter) bucket(key string, now time.Time) *window {
	w := l.buckets[key]
	if w == nil {
		if len(l.buckets) >= maxIdleBuckets {
			for k, old := range l.buckets {
				if now.Sub(old.start) > time.Minute {
					delete(l.buckets, k)
				}
			}
		}
		w = &window{}
		l.buckets[key] = w
	}
	return w
}

// bucket names the window that the call counts in.
func (c *call) bucket() string {
	switch c.route.limit {
	case limitWebhook:
		return "webhook/" + c.param("application") + "/" + c.param("token")
	case limitChannel:
		return c.route.pattern + "/" + c.param("channel")
	case limitDefault, limitNone:
	}
	return c.route.pattern + "/" + c.param("guild")
}

// bucketHash is the same for all calls of a route, as on the real service.
func (c *call) bucketHash() string {
	name := c.route.pattern
	if c.route.limit == limitWebhook {
		name = "webhook"
	}
	sum := sha256.Sum256([]byte(name))
	return hex.EncodeToString(sum[:16])
}

// invalid counts a refused request and bans the client for too many.
func (l *limiter) invalid(s *Server, reply *response) {
	if reply.shared || (reply.status != 401 && reply.status != 403 && reply.status != 429) {
		return
	}
	l.badTotal++
	now := s.now()
	remaining, _ := l.bad.take(rule{count: s.opts.RateLimits.Invalid, window: invalidWindow}, now)
	if remaining < 0 && !s.opts.RateLimits.Off {
		l.bannedUntil = now.Add(cloudflareBan)
	}
}

const (
	scopeUser   = "user"
	scopeGlobal = "global"
	scopeShared = "shared"
)

// limitedReply makes the reply a 429 of the API.
func limitedReply(p *response, scope string, after time.Duration) {
	p.status = 429
	p.shared = scope == scopeShared
	p.body = object{
		"message": "You are being rate limited.", "retry_after": math.Ceil(after.Seconds()*1000) / 1000, "global": scope == scopeGlobal,
	}
	p.set("X-RateLimit-Scope", scope)
	if scope == scopeGlobal {
		// A global 429 says nothing of the bucket: Retry-After is all there is.
		p.header.Del("X-RateLimit-Limit")
		p.header.Del("X-RateLimit-Remaining")
		p.header.Del("X-RateLimit-Reset")
		p.header.Del("X-RateLimit-Reset-After")
		p.header.Del("X-RateLimit-Bucket")
		p.set("X-RateLimit-Global", "true")
	}
	p.set("Via", "1.1 google")
	p.set("Retry-After", strconv.Itoa(int(math.Ceil(after.Seconds()))))
}

func (p *response) retryAfter(d time.Duration) {
	p.set("Retry-After", strconv.Itoa(int(math.Ceil(d.Seconds()))))
	p.set("X-RateLimit-Scope", scopeShared)
	p.shared = true
	if body, ok := p.body.(map[string]any); ok {
		body["retry_after"], body["global"] = d.Seconds(), false
	}
}

// cloudflare makes the reply a 429 of the edge: HTML, and only Retry-After.
func cloudflare(p *response, after time.Duration) {
	p.status, p.body, p.header = 429, nil, nil
	p.html = "<!DOCTYPE html><html><head><title>Access denied | discord.com used Cloudflare to restrict access</title></head>" +
		"<body><h1>Error 1015</h1><h2>You are being rate limited</h2></body></html>"
	p.set("Retry-After", strconv.Itoa(int(math.Ceil(after.Seconds()))))
}

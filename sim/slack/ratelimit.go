package slack

import (
	"math"
	"slices"
	"strings"
	"time"
)

// window is the calls of one method for one workspace in the last minute.
type window struct{ calls []time.Time }

// The rate of posts to one channel: one per second, with bursts.
// https://docs.slack.dev/apis/web-api/rate-limits
const (
	channelPosts = 60
	channelBurst = 10
)

// limit counts a call against its method's rate for the workspace, and a post
// also against the channel's.
func (s *Server) limit(c *call, perMinute int) error {
	n, chosen := s.opts.Rates[c.name]
	if chosen {
		perMinute = n
	}
	if s.opts.NoRateLimits && !chosen {
		return nil
	}
	who := ""
	if c.token != nil && c.token.ws != nil {
		who = c.token.ws.spec.ID
	}
	if err := s.count(c.name+" "+who, perMinute, time.Minute); err != nil {
		return err
	}
	if c.name != "chat.postMessage" {
		return nil
	}
	room := strings.Join([]string{"post", who, c.str("channel")}, " ")
	if err := s.count(room+" burst", channelBurst, channelBurst*time.Second/2); err != nil {
		return err
	}
	return s.count(room, channelPosts, time.Minute)
}

// count adds a call to a window of at most most calls in each span, or refuses
// it with the time until the next one may come.
func (s *Server) count(key string, most int, span time.Duration) error {
	w := s.rates[key]
	if w == nil {
		w = &window{}
		s.rates[key] = w
	}
	now := s.clock.Now()
	w.calls = slices.DeleteFunc(w.calls, func(t time.Time) bool { return now.Sub(t) >= span })
	allowed := max(1, int(math.Round(float64(most)*s.opts.RateScale)))
	if len(w.calls) >= allowed {
		wait := w.calls[len(w.calls)-allowed].Add(span).Sub(now)
		return &apiError{code: "ratelimited", retryAfter: max(1, int(math.Ceil(wait.Seconds())))}
	}
	w.calls = append(w.calls, now)
	return nil
}

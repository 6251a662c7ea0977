package ingress

import (
	"net/netip"
	"sync"
	"time"

	"golang.org/x/time/rate"
)

// A Rate is how often something may happen: so many times at once, and one more
// after each pause.
type Rate struct {
	Burst int
	Pause time.Duration
}

func (r Rate) limiter() *rate.Limiter { return rate.NewLimiter(rate.Every(r.Pause), r.Burst) }

// A Limiter bounds what callers cause, each address for itself and all together. Its
// methods may be called from many goroutines.
type Limiter struct {
	each Rate

	mu   sync.Mutex
	all  *rate.Limiter
	seen map[netip.Prefix]*seenAddress
}

type seenAddress struct {
	rate *rate.Limiter
	last time.Time
}

// NewLimiter has seen nobody.
func NewLimiter(each, all Rate) *Limiter {
	return &Limiter{each: each, all: all.limiter(), seen: map[netip.Prefix]*seenAddress{}}
}

// Allow reports whether who calls from a remote address, "192.0.2.1:4711" or
// "192.0.2.1", may do it at this time. What an address may not do takes nothing from
// the others.
func (l *Limiter) Allow(remote string, now time.Time) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	key := addressOf(remote)
	a := l.seen[key]
	if a == nil {
		l.evict(now)
		a = &seenAddress{rate: l.each.limiter()}
		l.seen[key] = a
	}
	a.last = now
	return a.rate.AllowN(now, 1) && l.all.AllowN(now, 1)
}

// evict makes room for another address: it drops those that may do all again, and
// of too many the one that was there longest ago.
func (l *Limiter) evict(now time.Time) {
	if len(l.seen) < maxAddresses {
		return
	}
	var oldest netip.Prefix
	var of *seenAddress
	for key, a := range l.seen {
		if a.rate.TokensAt(now) >= float64(l.each.Burst) {
			delete(l.seen, key)
		} else if of == nil || a.last.Before(of.last) {
			oldest, of = key, a
		}
	}
	if len(l.seen) >= maxAddresses {
		delete(l.seen, oldest)
	}
}

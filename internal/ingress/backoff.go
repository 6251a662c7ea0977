package ingress

import (
	"maps"
	"net"
	"net/netip"
	"sync"
	"time"
)

// How somebody is slowed down who sends wrong tokens: a few are a mistake;
// after each further one, nothing is taken from that address for a pause that
// doubles. It is forgotten when no wrong one came for a while.
const (
	wrongFree    = 5
	pauseFirst   = time.Second
	pauseMost    = time.Minute
	wrongForgot  = 10 * time.Minute
	maxAddresses = 1000 // that are remembered
)

// Backoff remembers the wrong tokens of addresses. Its methods may be called from
// many goroutines.
type Backoff struct {
	mu    sync.Mutex
	wrong map[netip.Prefix]*wrongs
}

type wrongs struct {
	count int
	last  time.Time
	until time.Time // nothing is taken before
}

// NewBackoff has seen nobody.
func NewBackoff() *Backoff { return &Backoff{wrong: map[netip.Prefix]*wrongs{}} }

// Pause is how long who calls from a remote address, "192.0.2.1:4711" or
// "192.0.2.1", has to wait.
func (b *Backoff) Pause(remote string) time.Duration {
	b.mu.Lock()
	defer b.mu.Unlock()
	w := b.wrong[addressOf(remote)]
	if w == nil {
		return 0
	}
	return max(0, time.Until(w.until))
}

// Failed notes a wrong token.
func (b *Backoff) Failed(remote string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	maps.DeleteFunc(b.wrong, func(_ netip.Prefix, w *wrongs) bool { return time.Since(w.last) > wrongForgot })
	key := addressOf(remote)
	w := b.wrong[key]
	if w == nil {
		b.evict()
		w = &wrongs{}
		b.wrong[key] = w
	}
	w.count++
	w.last = time.Now()
	if over := w.count - wrongFree; over >= 0 {
		w.until = w.last.Add(min(pauseMost, pauseFirst<<min(over, 10)))
	}
}

// Passed forgets the wrong tokens of whoever has the right one.
func (b *Backoff) Passed(remote string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	delete(b.wrong, addressOf(remote))
}

// addressOf is what a caller is known by: the address, of IPv6 the network that
// one customer has.
func addressOf(remote string) netip.Prefix {
	host, _, err := net.SplitHostPort(remote)
	if err != nil {
		host = remote
	}
	address, err := netip.ParseAddr(host)
	if err != nil {
		return netip.Prefix{}
	}
	address = address.Unmap().WithZone("")
	bits := address.BitLen()
	if address.Is6() {
		bits = 64
	}
	key, _ := address.Prefix(bits)
	return key
}

// evict makes room for another address: of too many, the one with the fewest wrong
// tokens is dropped, the oldest of several.
func (b *Backoff) evict() {
	if len(b.wrong) < maxAddresses {
		return
	}
	var least netip.Prefix
	var of *wrongs
	for key, w := range b.wrong {
		if of == nil || w.count < of.count || w.count == of.count && w.last.Before(of.last) {
			least, of = key, w
		}
	}
	delete(b.wrong, least)
}

package ingress

import (
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
	maxAddresses = 1000 // that are remembered; all others count as one
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
	w := b.wrong[b.key(remote)]
	if w == nil {
		return 0
	}
	return max(0, time.Until(w.until))
}

// Failed notes a wrong token.
func (b *Backoff) Failed(remote string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.evict()
	key := b.key(remote)
	w := b.wrong[key]
	if w == nil {
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
	delete(b.wrong, b.key(remote))
}

// key is what the caller is known by: the address, of IPv6 the network that
// one customer has. When too many are known, those that are not count as one.
func (b *Backoff) key(remote string) netip.Prefix {
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
	if _, known := b.wrong[key]; !known && len(b.wrong) >= maxAddresses {
		return netip.Prefix{}
	}
	return key
}

// evict drops what is long ago.
func (b *Backoff) evict() {
	for key, w := range b.wrong {
		if time.Since(w.last) > wrongForgot {
			delete(b.wrong, key)
		}
	}
}

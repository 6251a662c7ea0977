package ingress

import (
	"sync"
	"time"
)

// maxSeen bounds how much is remembered; the oldest is forgotten first. It is
// ten minutes of 160 requests a second.
const maxSeen = 100_000

// Seen remembers what happened within the last while, so that what comes twice
// counts once. It is of one process.
type Seen struct {
	now  func() time.Time
	keep time.Duration

	mu    sync.Mutex
	at    map[string]time.Time
	order []string // as it happened
}

// NewSeen makes a Seen that remembers for keep.
func NewSeen(now func() time.Time, keep time.Duration) *Seen {
	return &Seen{now: now, keep: keep, at: map[string]time.Time{}}
}

// First reports whether key has not happened within the while, and notes that
// it has now.
func (s *Seen) First(key string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.now()
	for len(s.order) > 0 && (len(s.order) >= maxSeen || now.Sub(s.at[s.order[0]]) > s.keep) {
		delete(s.at, s.order[0])
		s.order = s.order[1:]
	}
	if _, known := s.at[key]; known {
		return false
	}
	s.at[key] = now
	s.order = append(s.order, key)
	return true
}

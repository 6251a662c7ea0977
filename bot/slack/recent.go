package slack

import (
	"sync"
	"time"
)

// maxRecent bounds how much is remembered; the oldest is forgotten first.
const maxRecent = 20000

// recent remembers what happened within the last while.
type recent struct {
	now  func() time.Time
	keep time.Duration

	mu    sync.Mutex
	at    map[string]time.Time
	order []string // as it happened
}

func newRecent(now func() time.Time, keep time.Duration) *recent {
	return &recent{now: now, keep: keep, at: map[string]time.Time{}}
}

// first reports whether key has not happened within the while, and notes that
// it has now.
func (r *recent) first(key string) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	now := r.now()
	for len(r.order) > 0 && (len(r.order) >= maxRecent || now.Sub(r.at[r.order[0]]) > r.keep) {
		delete(r.at, r.order[0])
		r.order = r.order[1:]
	}
	if _, known := r.at[key]; known {
		return false
	}
	r.at[key] = now
	r.order = append(r.order, key)
	return true
}

package bot

import (
	"maps"
	"sync"
	"time"
)

// pace is when members last did something that may be done now and then.
type pace struct {
	mu   sync.Mutex
	last map[string]time.Time
}

// start reports whether the member may do it now, and else when again.
func (p *pace) start(member string, every time.Duration) (again time.Time, ok bool) {
	now := time.Now()
	p.mu.Lock()
	defer p.mu.Unlock()
	if again = p.last[member].Add(every); now.Before(again) {
		return again, false
	}
	maps.DeleteFunc(p.last, func(_ string, at time.Time) bool { return !now.Before(at.Add(every)) })
	if p.last == nil {
		p.last = map[string]time.Time{}
	}
	p.last[member] = now
	return time.Time{}, true
}

// undo lets the member do it again at once.
func (p *pace) undo(member string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.last, member)
}

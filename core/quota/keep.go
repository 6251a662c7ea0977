package quota

import "time"

// Counted reports whether a counter that is kept at a time has a share of h:
// then the books need it. A counter is kept until it expires; that of a grant
// without an end for ever.
func (h Hold) Counted(at time.Time) bool {
	for i, share := range h.Shares() {
		if e := h.Entries[i]; share != 0 && (e.Expires.IsZero() || at.Before(e.Expires)) {
			return true
		}
	}
	return false
}

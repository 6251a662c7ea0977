package hub

import (
	"crypto/sha256"
	"sync"
	"time"

	"ltxbot/core/library"
)

// How long findings are kept in memory.
const (
	freshFor    = 10 * time.Minute // without asking the host again, of what can be used
	knownFor    = 24 * time.Hour   // for a note on a card
	maxFindings = 1000
)

// A memory holds findings by the hash of their link, which may hold a secret.
type memory struct {
	mu       sync.Mutex
	findings map[[sha256.Size]byte]library.Finding
}

// get returns what is known of a link, and whether it is fresh. What can't be used
// never is: who was told why may have put it right.
func (m *memory) get(link string) (_ library.Finding, fresh bool) {
	f, ok := m.known(link)
	return f, ok && f.Usable() && time.Since(f.At) < freshFor
}

// known returns the last finding of a link.
func (m *memory) known(link string) (library.Finding, bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	f, ok := m.findings[sha256.Sum256([]byte(link))]
	return f, ok && time.Since(f.At) < knownFor
}

// put keeps a finding. When there are too many, the oldest one goes.
func (m *memory) put(link string, f library.Finding) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.findings == nil {
		m.findings = map[[sha256.Size]byte]library.Finding{}
	}
	m.findings[sha256.Sum256([]byte(link))] = f
	for len(m.findings) > maxFindings {
		var oldest [sha256.Size]byte
		at := f.At
		for key, f := range m.findings {
			if !f.At.After(at) {
				oldest, at = key, f.At
			}
		}
		delete(m.findings, oldest)
	}
}

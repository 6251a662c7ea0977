package redis

import (
	"maps"
	"strings"
	"sync"
	"time"
)

// remembered is how long this process can put back what it wrote: longer than
// a replica or a disk may lag behind without being noticed.
const remembered = time.Minute

// memory is what this process last saw kept of the jobs that it works on or has
// written.
type memory struct {
	mu   sync.Mutex
	jobs map[string]memo
}

// A memo is a job and its hold as they are kept. The hold is empty when this
// process has not seen it.
type memo struct {
	partition int
	job, hold string
	at        time.Time
}

func newMemory() *memory { return &memory{jobs: map[string]memo{}} }

// note remembers a job. An empty hold is the one that is known already.
func (m *memory) note(id string, partition int, job, hold string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	old := m.jobs[id]
	if keptVersion(job) < keptVersion(old.job) {
		return
	}
	if hold == "" {
		hold = old.hold
	}
	m.jobs[id] = memo{partition: partition, job: job, hold: hold, at: time.Now()}
}

// keptVersion is the version of a job as it is kept; 0 when there is none.
func keptVersion(value string) int64 {
	version, _, _ := strings.Cut(value, " ")
	return parseInt(version)
}

// forget removes a job.
func (m *memory) forget(id string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	delete(m.jobs, id)
}

// of returns the jobs of a partition.
func (m *memory) of(partition int) map[string]memo {
	m.mu.Lock()
	defer m.mu.Unlock()
	out := maps.Clone(m.jobs)
	maps.DeleteFunc(out, func(_ string, k memo) bool { return k.partition != partition })
	return out
}

// prune forgets the jobs that were last written before a time, except those
// that are still worked on.
func (m *memory) prune(before time.Time, works func(id string) bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	maps.DeleteFunc(m.jobs, func(id string, k memo) bool { return k.at.Before(before) && !works(id) })
}

package metrics

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"ltxbot/core/generate"
)

// Jobs is the part of a store that is looked at.
type Jobs interface {
	Jobs(ctx context.Context, q generate.Query) ([]generate.Job, error)
}

// How the store is looked at: not more often than each sampleAge, whoever
// asks, since ten thousand jobs are some work to read.
const (
	sampleAge   = 15 * time.Second
	sampleLimit = 5 * time.Second
	sampleJobs  = 100_000
)

// Store shows what is under way in the store. All processes that share a store
// show the same: take the maximum over them, not the sum.
func (m *Metrics) Store(jobs Jobs, log *slog.Logger) {
	m.reg.MustRegister(&stored{jobs: jobs, log: log, now: time.Now})
}

// stored is a collector of what the store holds.
type stored struct {
	jobs Jobs
	log  *slog.Logger
	now  func() time.Time

	mu   sync.Mutex
	last sample
}

// sample is what the store held at a time.
type sample struct {
	at      time.Time
	up      bool
	states  map[generate.State]int
	oldest  time.Time // creation of the oldest job whose hold is open; zero = none
	purge   time.Time // since when the provider has not deleted a copy; zero = it has
	waiting int       // made and paid, and not in the channel yet
}

var (
	storeUp     = desc("store_up", "1 if the store answered when it was last looked at.")
	jobsByState = desc("jobs", "Unfinished jobs in the store, by state; one in a terminal state has not been shown how it ended, or its copy at fal is to be deleted.", "state")
	undelivered = desc("jobs_undelivered", "Jobs whose video is made and paid, and not in the channel yet.")
	oldestHold  = desc("oldest_hold_age_seconds", "Age of the oldest job whose quota is held; 0 if there is none.")
	oldestPurge = desc("oldest_deletion_age_seconds", "How long fal has not confirmed that it has deleted a video that was deleted here; 0 if there is none.")
)

func desc(name, help string, labels ...string) *prometheus.Desc {
	return prometheus.NewDesc(prometheus.BuildFQName(namespace, "", name), help, labels, nil)
}

// Describe implements prometheus.Collector.
func (s *stored) Describe(out chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{storeUp, jobsByState, undelivered, oldestHold, oldestPurge} {
		out <- d
	}
}

// Collect implements prometheus.Collector. While the store does not answer,
// only that is told.
func (s *stored) Collect(out chan<- prometheus.Metric) {
	seen := s.look()
	gauge := func(d *prometheus.Desc, v float64, labels ...string) {
		out <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, v, labels...)
	}
	if !seen.up {
		gauge(storeUp, 0)
		return
	}
	gauge(storeUp, 1)
	for _, state := range generate.States {
		gauge(jobsByState, float64(seen.states[state]), string(state))
	}
	gauge(undelivered, float64(seen.waiting))
	gauge(oldestHold, s.age(seen.oldest))
	gauge(oldestPurge, s.age(seen.purge))
}

// age is how long ago something was, in seconds; 0 if it never was.
func (s *stored) age(at time.Time) float64 {
	if at.IsZero() {
		return 0
	}
	return max(0, s.now().Sub(at).Seconds())
}

// look returns the last sample, or a new one if that is too old.
func (s *stored) look() sample {
	s.mu.Lock()
	defer s.mu.Unlock()
	if now := s.now(); s.last.at.IsZero() || now.Sub(s.last.at) >= sampleAge {
		s.last = s.read()
		s.last.at = now
	}
	return s.last
}

func (s *stored) read() sample {
	ctx, cancel := context.WithTimeout(context.Background(), sampleLimit)
	defer cancel()
	jobs, err := s.jobs.Jobs(ctx, generate.Query{Unfinished: true, Limit: sampleJobs})
	if err != nil {
		s.log.Warn("cannot read the store for its metrics", "error", err)
		return sample{}
	}
	seen := sample{up: true, states: map[generate.State]int{}}
	for _, j := range jobs {
		seen.states[j.State]++
		if !j.Purge.IsZero() && (seen.purge.IsZero() || j.Purge.Before(seen.purge)) {
			seen.purge = j.Purge
		}
		switch {
		case j.State == generate.Fetched, j.State == generate.Delivering:
			seen.waiting++
		case j.State.Terminal():
		case seen.oldest.IsZero() || j.Created.Before(seen.oldest):
			seen.oldest = j.Created
		}
	}
	return seen
}

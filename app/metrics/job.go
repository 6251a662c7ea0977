package metrics

import (
	"time"

	"ltxbot/core/generate"
)

// noKind is the kind of a job that did not fail.
const noKind = "none"

// phases is what a delivered job's life is made of. A phase that a job did
// not go through, or of which a time is not known, is not counted.
var phases = []struct {
	name     string
	from, to func(generate.Job) time.Time
}{
	{"line", created, submitted}, // in the bot's own waiting line
	{"queue", submitted, started},
	{"model", started, fetched},
	{"delivery", fetched, finished},
	{"total", created, finished},
}

func created(j generate.Job) time.Time   { return j.Created }
func submitted(j generate.Job) time.Time { return j.Submitted }
func started(j generate.Job) time.Time   { return j.Started }
func fetched(j generate.Job) time.Time   { return j.Fetched }
func finished(j generate.Job) time.Time  { return j.Finished }

// Job takes in a job that was saved in another state; from is empty for a new
// one. It is a generate.Config's OnChange.
func (m *Metrics) Job(from generate.State, j generate.Job) {
	switch {
	case j.State == generate.Accepted && from != generate.Submitting: // from there it is put back
		m.accepted.WithLabelValues(j.Place.Platform).Inc()
	case j.State == generate.Fetched:
		m.price(j)
	case j.State == generate.Delivered:
		m.finished.WithLabelValues(string(j.State), noKind).Inc()
		m.delivered.WithLabelValues(j.Place.Platform, string(j.Receipt.Fit)).Inc()
		if j.Receipt.Mark != "" { // a link has none
			m.marked.WithLabelValues(string(j.Receipt.Mark)).Inc()
		}
		for _, p := range phases {
			if a, b := p.from(j), p.to(j); !a.IsZero() && !b.Before(a) {
				m.phases.WithLabelValues(p.name).Observe(b.Sub(a).Seconds())
			}
		}
	case j.State == generate.Cancelled:
		m.finished.WithLabelValues(string(j.State), noKind).Inc()
	case j.State == generate.Failed:
		m.finished.WithLabelValues(string(j.State), string(j.Failure.Kind)).Inc()
	}
}

// price compares what a video did cost with what was expected.
func (m *Metrics) price(j generate.Job) {
	m.estimated.WithLabelValues(j.Request.Model()).Add(j.Estimate.Dollars())
	m.charged.WithLabelValues(j.Request.Model()).Add(j.Charged.Dollars())
	if j.Billed > j.Charged {
		m.excess.Add((j.Billed - j.Charged).Dollars())
	}
	if j.Estimate > 0 {
		m.drift.Observe(float64(j.Charged) / float64(j.Estimate))
	}
}

// Package metrics is what a monitoring system reads from the bot at /metrics.
//
// Labels have closed sets of values, each of which is there from the start, so
// that a graph shows zero and not a gap. No label names a member, a team, a
// channel or a job.
package metrics

import (
	"net/http"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"ltxbot/config"
	"ltxbot/core/generate"
	"ltxbot/core/ltx"
	"ltxbot/internal/ingress"
	"ltxbot/provider/fal"
)

// namespace begins the name of every metric of the bot's own.
const namespace = "ltxbot"

// Platforms are the chat platforms, as labels.
var Platforms = config.PlatformNames()

// Metrics counts what happens in this process. Its methods may be called from
// many goroutines; none of them blocks.
type Metrics struct {
	reg prometheus.Registerer

	accepted  *prometheus.CounterVec
	finished  *prometheus.CounterVec
	phases    *prometheus.HistogramVec
	delivered *prometheus.CounterVec
	marked    *prometheus.CounterVec
	archived  *prometheus.CounterVec

	estimated *prometheus.CounterVec
	charged   *prometheus.CounterVec
	excess    prometheus.Counter
	drift     prometheus.Histogram

	acks  *prometheus.HistogramVec
	busy  *prometheus.CounterVec
	calls *prometheus.CounterVec
	took  *prometheus.HistogramVec
	hooks *prometheus.CounterVec

	refused *prometheus.CounterVec
}

// New registers the metrics of a process with reg, along with those of the Go
// runtime and of the operating system. version is that of the program.
func New(reg prometheus.Registerer, version string) *Metrics {
	m := &Metrics{
		reg:       reg,
		accepted:  counter("jobs_accepted_total", "Jobs accepted by this process.", "platform"),
		finished:  counter("jobs_finished_total", "Jobs that ended in this process, by how; kind says why one failed.", "outcome", "kind"),
		phases:    histogram("job_phase_duration_seconds", "Time that delivered jobs spent in each phase of their life.", phaseBuckets, "phase"),
		delivered: counter("videos_delivered_total", "Videos posted, by how they were made to fit.", "platform", "fit"),
		marked:    counter("videos_marked_total", "Video files posted, by what became of the mark in them that says that they were made by AI.", "mark"),
		archived:  counter("archive_total", "Copies of videos in the archive, by what came of a try to write or remove one.", "outcome"),
		estimated: counter("estimated_usd_total", "What finished videos were expected to cost, in US dollars.", "model"),
		charged:   counter("charged_usd_total", "What finished videos did cost, in US dollars, by the units that fal billed.", "model"),
		excess:    prometheus.NewCounter(opts("unexpected_bill_usd_total", "What fal billed beyond three times the estimate of a video, in US dollars; it was charged to nobody.")),
		drift: prometheus.NewHistogram(prometheus.HistogramOpts{
			Namespace: namespace, Name: "charged_to_estimated_ratio", Buckets: driftBuckets,
			Help: "What a finished video did cost, divided by what it was expected to cost; 1 is right.",
		}),
		acks:    histogram("ack_duration_seconds", "Time from the arrival of a command or a press to its acknowledgement.", ackBuckets, "platform"),
		busy:    counter("busy_answers_total", "Commands and presses that were turned away because too many were under way.", "platform"),
		calls:   counter("provider_calls_total", "Operations at fal, by how they ended.", "op", "outcome"),
		took:    histogram("provider_call_duration_seconds", "Duration of operations at fal, with their retries.", callBuckets, "op"),
		hooks:   counter("webhooks_total", "Calls of fal's webhooks, by what became of them.", "result"),
		refused: counter("http_refused_total", "Requests to public endpoints and the admin API that were refused, by why.", "endpoint", "reason"),
	}
	m.zero()
	build := prometheus.NewGaugeVec(prometheus.GaugeOpts{
		Namespace: namespace, Name: "build_info", Help: "The running program; always 1.",
	}, []string{"version"})
	build.WithLabelValues(version).Set(1)
	reg.MustRegister(
		m.accepted, m.finished, m.phases, m.delivered, m.marked, m.archived, m.estimated, m.charged, m.excess, m.drift,
		m.acks, m.busy, m.calls, m.took, m.hooks, m.refused, build,
		collectors.NewGoCollector(),
		collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}),
	)
	return m
}

// The buckets of the histograms, in seconds but for the ratio.
var (
	ackBuckets   = []float64{.001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2, 3}
	callBuckets  = []float64{.05, .1, .25, .5, 1, 2.5, 5, 10, 30, 60, 300, 1200}
	phaseBuckets = []float64{.1, .25, .5, 1, 2.5, 5, 10, 20, 40, 60, 120, 300, 600, 1200}
	driftBuckets = []float64{.5, .8, .9, .95, .99, 1.01, 1.05, 1.1, 1.25, 1.5, 2}
)

func opts(name, help string) prometheus.CounterOpts {
	return prometheus.CounterOpts{Namespace: namespace, Name: name, Help: help}
}

func counter(name, help string, labels ...string) *prometheus.CounterVec {
	return prometheus.NewCounterVec(opts(name, help), labels)
}

func histogram(name, help string, buckets []float64, labels ...string) *prometheus.HistogramVec {
	return prometheus.NewHistogramVec(prometheus.HistogramOpts{
		Namespace: namespace, Name: name, Help: help, Buckets: buckets,
	}, labels)
}

// zero makes every combination of labels that can come.
func (m *Metrics) zero() {
	for _, p := range Platforms {
		m.accepted.WithLabelValues(p)
		m.busy.WithLabelValues(p)
		m.acks.WithLabelValues(p)
		for _, fit := range fits {
			m.delivered.WithLabelValues(p, string(fit))
		}
	}
	for _, mark := range marks {
		m.marked.WithLabelValues(string(mark))
	}
	for _, outcome := range generate.CopyOutcomes {
		m.archived.WithLabelValues(string(outcome))
	}
	m.finished.WithLabelValues(string(generate.Delivered), noKind)
	m.finished.WithLabelValues(string(generate.Cancelled), noKind)
	for _, kind := range generate.FailureKinds {
		m.finished.WithLabelValues(string(generate.Failed), string(kind))
	}
	for _, model := range ltx.Models() {
		m.estimated.WithLabelValues(model)
		m.charged.WithLabelValues(model)
	}
	for _, p := range phases {
		m.phases.WithLabelValues(p.name)
	}
	for _, op := range fal.Ops() {
		m.took.WithLabelValues(op)
		for _, outcome := range fal.Outcomes() {
			m.calls.WithLabelValues(op, outcome)
		}
	}
	for _, result := range hookResults {
		m.hooks.WithLabelValues(result)
	}
	m.hooks.WithLabelValues(hookError)
	for _, at := range ingress.Endpoints {
		for _, why := range ingress.Reasons() {
			m.refused.WithLabelValues(string(at), string(why))
		}
	}
}

// fits are the ways of delivering a video.
var fits = []generate.Fit{generate.FitOriginal, generate.FitReencoded, generate.FitLink}

// marks are what may become of the mark in a file.
var marks = []generate.Marking{generate.MarkWritten, generate.MarkFound, generate.MarkMissing}

// Archived counts a try to bring the copy of a video in the archive up to date. It
// is a generate.CopyConfig's Observe.
func (m *Metrics) Archived(o generate.CopyOutcome) {
	m.archived.WithLabelValues(string(o)).Inc()
}

// Ack returns the observer of a platform's acknowledgements.
func (m *Metrics) Ack(platform string) func(time.Duration) {
	h := m.acks.WithLabelValues(platform)
	return func(d time.Duration) { h.Observe(d.Seconds()) }
}

// Busy returns what counts the events that a platform's adapter turned away.
func (m *Metrics) Busy(platform string) func() { return m.busy.WithLabelValues(platform).Inc }

// Refused counts a request that was refused.
func (m *Metrics) Refused(at ingress.Endpoint, why ingress.Reason) {
	m.refused.WithLabelValues(string(at), string(why)).Inc()
}

// Call takes in a finished operation at fal: one of fal.Ops, one of
// fal.Outcomes, and how long it took.
func (m *Metrics) Call(op, outcome string, d time.Duration) {
	m.calls.WithLabelValues(op, outcome).Inc()
	m.took.WithLabelValues(op).Observe(d.Seconds())
}

// Platform shows whether a platform that is switched on is connected.
func (m *Metrics) Platform(name string, connected func() bool) {
	m.reg.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{
		Namespace: namespace, Name: "platform_connected",
		Help:        "1 while commands of the platform can come in. A platform that is switched off has no such metric.",
		ConstLabels: prometheus.Labels{"platform": name},
	}, func() float64 {
		if connected() {
			return 1
		}
		return 0
	}))
}

// Handler serves what was gathered.
func Handler(from prometheus.Gatherer) http.Handler {
	return promhttp.HandlerFor(from, promhttp.HandlerOpts{ErrorHandling: promhttp.ContinueOnError})
}

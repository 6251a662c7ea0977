package metrics_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"

	"ltxbot/app/metrics"
	"ltxbot/core/generate"
	"ltxbot/core/ltx"
	"ltxbot/core/usd"
	"ltxbot/provider/fal"
)

// table is a store with these jobs.
type table struct {
	jobs  []generate.Job
	err   error
	reads int
}

func (s *table) Jobs(_ context.Context, q generate.Query) ([]generate.Job, error) {
	s.reads++
	if !q.Unfinished {
		return nil, errors.New("finished jobs are asked for")
	}
	return s.jobs, s.err
}

// everything is a registry with all metrics that there are.
func everything(s *table) (*prometheus.Registry, *metrics.Metrics) {
	reg := prometheus.NewRegistry()
	m := metrics.New(reg, "1.2.3")
	m.Store(s, slog.New(slog.DiscardHandler))
	for _, p := range metrics.Platforms {
		m.Platform(p, func() bool { return p == "discord" })
	}
	return reg, m
}

func TestNamesAreAsPrometheusWantsThem(t *testing.T) {
	reg, _ := everything(&table{})
	problems, err := testutil.GatherAndLint(reg)
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range problems {
		if strings.HasPrefix(p.Metric, "ltxbot_") {
			t.Errorf("%s: %s", p.Metric, p.Text)
		}
	}
}

// TestEveryLabelIsThereFromTheStart also keeps labels closed: a value that is
// not there at the start would be a series more after it came.
func TestEveryLabelIsThereFromTheStart(t *testing.T) {
	reg, m := everything(&table{})
	before, err := testutil.GatherAndCount(reg)
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range metrics.Platforms {
		m.Job("", job(p, generate.Accepted))
		m.Ack(p)(time.Millisecond)
		m.Busy(p)()
		for _, fit := range []generate.Fit{generate.FitOriginal, generate.FitReencoded, generate.FitLink} {
			j := job(p, generate.Delivered)
			j.Receipt.Fit = fit
			m.Job(generate.Delivering, j)
		}
		for _, mark := range []generate.Marking{generate.MarkWritten, generate.MarkFound, generate.MarkMissing, ""} {
			j := job(p, generate.Delivered)
			j.Receipt.Fit, j.Receipt.Mark = generate.FitOriginal, mark
			m.Job(generate.Delivering, j)
		}
	}
	for _, kind := range generate.FailureKinds {
		j := job("slack", generate.Failed)
		j.Failure.Kind = kind
		m.Job(generate.Running, j)
	}
	for _, s := range generate.States {
		if s != generate.Failed && s != generate.Delivered {
			m.Job(generate.Accepted, job("discord", s))
		}
	}
	for _, op := range fal.Ops() {
		for _, outcome := range fal.Outcomes() {
			m.Call(op, outcome, time.Second)
		}
	}
	for status := 200; status < 600; status++ {
		h := m.Webhooks(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(status) }))
		h.ServeHTTP(httptest.NewRecorder(), httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/", nil))
	}
	after, err := testutil.GatherAndCount(reg)
	if err != nil {
		t.Fatal(err)
	}
	if after != before {
		t.Errorf("there are %d series after everything has happened, and %d before", after, before)
	}
}

func job(platform string, s generate.State) generate.Job {
	r, err := ltx.Rules{}.Parse([]ltx.Setting{{Key: "prompt", Value: "a fox"}})
	if err != nil {
		panic(err)
	}
	return generate.Job{State: s, Place: generate.Place{Platform: platform}, Request: r}
}

// byModel are the series of a counter that is that of the default model, and 0
// for all others.
func byModel(name, value string) string {
	var b strings.Builder
	for _, model := range slices.Sorted(slices.Values(ltx.Models())) {
		of := "0"
		if model == "ltx-2.3" {
			of = value
		}
		fmt.Fprintf(&b, "%s{model=%q} %s\n", name, model, of)
	}
	return b.String()
}

func TestAJobIsCountedOnItsWay(t *testing.T) {
	reg, m := everything(&table{})
	at := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	j := job("discord", generate.Accepted)
	j.Created, j.Estimate = at, usd.FromDollars(0.10)
	m.Job("", j)
	j.State, j.Submitted = generate.Submitting, at.Add(time.Second)
	m.Job(generate.Accepted, j)
	j.State, j.Started = generate.Running, at.Add(3*time.Second)
	m.Job(generate.Queued, j)
	j.State, j.Fetched, j.Charged = generate.Fetched, at.Add(33*time.Second), usd.FromDollars(0.12)
	m.Job(generate.Running, j)
	j.State, j.Finished, j.Receipt.Fit = generate.Delivered, at.Add(34*time.Second), generate.FitOriginal
	m.Job(generate.Delivering, j)
	want := `
# HELP ltxbot_charged_usd_total What finished videos did cost, in US dollars, by the units that fal billed.
# TYPE ltxbot_charged_usd_total counter
` + byModel("ltxbot_charged_usd_total", "0.12") + `# HELP ltxbot_estimated_usd_total What finished videos were expected to cost, in US dollars.
# TYPE ltxbot_estimated_usd_total counter
` + byModel("ltxbot_estimated_usd_total", "0.1") + `# HELP ltxbot_jobs_accepted_total Jobs accepted by this process.
# TYPE ltxbot_jobs_accepted_total counter
ltxbot_jobs_accepted_total{platform="discord"} 1
ltxbot_jobs_accepted_total{platform="slack"} 0
`
	if err := testutil.GatherAndCompare(reg, strings.NewReader(want),
		"ltxbot_charged_usd_total", "ltxbot_estimated_usd_total", "ltxbot_jobs_accepted_total"); err != nil {
		t.Error(err)
	}
	text := scrape(t, reg)
	for _, line := range []string{
		`ltxbot_jobs_finished_total{kind="none",outcome="delivered"} 1`,
		`ltxbot_jobs_finished_total{kind="lost",outcome="failed"} 0`,
		`ltxbot_videos_delivered_total{fit="original",platform="discord"} 1`,
		`ltxbot_charged_to_estimated_ratio_bucket{le="1.1"} 0`,
		`ltxbot_charged_to_estimated_ratio_bucket{le="1.25"} 1`,
		`ltxbot_job_phase_duration_seconds_sum{phase="line"} 1`,
		`ltxbot_job_phase_duration_seconds_sum{phase="queue"} 2`,
		`ltxbot_job_phase_duration_seconds_sum{phase="model"} 30`,
		`ltxbot_job_phase_duration_seconds_sum{phase="delivery"} 1`,
		`ltxbot_job_phase_duration_seconds_sum{phase="total"} 34`,
		`ltxbot_platform_connected{platform="discord"} 1`,
		`ltxbot_platform_connected{platform="slack"} 0`,
		`ltxbot_build_info{version="1.2.3"} 1`,
	} {
		if !strings.Contains(text, line+"\n") {
			t.Errorf("there is no line %s", line)
		}
	}
}

func TestTheStoreIsShownAsItIs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		old := job("discord", generate.Running)
		old.Created = time.Now().Add(-time.Hour)
		paid := job("slack", generate.Delivering)
		paid.Created = time.Now().Add(-3 * time.Hour)
		young := job("discord", generate.Accepted)
		young.Created = time.Now()
		deleted, later := job("slack", generate.Failed), job("slack", generate.Delivered)
		deleted.Purge, later.Purge = time.Now().Add(-2*time.Hour), time.Now().Add(time.Minute)
		s := &table{jobs: []generate.Job{young, old, paid, later, deleted}}
		reg, _ := everything(s)
		text := scrape(t, reg)
		for _, line := range []string{
			`ltxbot_store_up 1`,
			`ltxbot_jobs{state="accepted"} 1`,
			`ltxbot_jobs{state="running"} 1`,
			`ltxbot_jobs{state="failed"} 1`,
			`ltxbot_jobs{state="queued"} 0`,
			`ltxbot_jobs_undelivered 1`,
			`ltxbot_oldest_hold_age_seconds 3600`,
			`ltxbot_oldest_deletion_age_seconds 7200`,
		} {
			if !strings.Contains(text, line+"\n") {
				t.Errorf("there is no line %s", line)
			}
		}
		scrape(t, reg)
		if s.reads != 1 {
			t.Errorf("two scrapes at once read the store %d times, want once", s.reads)
		}
		<-time.After(time.Minute)
		s.err = errors.New("disk is on fire")
		if text := scrape(t, reg); !strings.Contains(text, "ltxbot_store_up 0\n") || strings.Contains(text, "ltxbot_jobs{") {
			t.Error("a store that does not answer is shown as one that does")
		}
	})
}

func TestWebhooksAreCountedByWhatBecameOfThem(t *testing.T) {
	reg, m := everything(&table{})
	answer := http.StatusOK
	h := m.Webhooks(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		if answer != http.StatusOK {
			http.Error(w, "no", answer)
		}
	}))
	for _, answer = range []int{200, 200, 401, 404, 413, 503, 500} {
		h.ServeHTTP(httptest.NewRecorder(), httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/", nil))
	}
	text := scrape(t, reg)
	for result, n := range map[string]string{
		"taken": "2", "bad_signature": "1", "unknown_job": "1", "too_large": "1", "later": "1", "error": "1",
	} {
		if line := `ltxbot_webhooks_total{result="` + result + `"} ` + n; !strings.Contains(text, line+"\n") {
			t.Errorf("there is no line %s", line)
		}
	}
}

// scrape is what a monitoring system reads.
func scrape(t *testing.T, reg *prometheus.Registry) string {
	t.Helper()
	w := httptest.NewRecorder()
	metrics.Handler(reg).ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/metrics", nil))
	if w.Code != http.StatusOK {
		t.Fatalf("status %d: %s", w.Code, w.Body)
	}
	return w.Body.String()
}

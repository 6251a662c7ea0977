package metrics_test

import (
	"encoding/json"
	"regexp"
	"slices"
	"strings"
	"testing"

	"ltxbot/internal/testfile"

	dto "github.com/prometheus/client_model/go"
)

// dashboard is the Grafana dashboard, as far as it is looked at.
type dashboard struct {
	Panels []struct {
		ID      int    `json:"id"`
		Title   string `json:"title"`
		GridPos struct{ H, W, X, Y int }
		Targets []struct {
			Expr string `json:"expr"`
		} `json:"targets"`
	} `json:"panels"`
}

var (
	metricName = regexp.MustCompile(`\b(ltxbot|go|process)_[a-z_]+`)
	labelName  = regexp.MustCompile(`(?:by|without) \(([^)]*)\)|([a-z_]+)(?:=~|!~|!=|=)"`)
)

// scraped are labels that the monitoring system adds.
var scraped = []string{"job", "instance"}

// TestTheDashboardShowsWhatThereIs also looks the other way round: each metric
// of the bot's own is on the dashboard.
func TestTheDashboardShowsWhatThereIs(t *testing.T) {
	data := testfile.Read(t, "../../deploy/grafana/ltxbot.json")
	var d dashboard
	if err := json.Unmarshal(data, &d); err != nil {
		t.Fatal(err)
	}
	reg, _ := everything(&table{})
	families, err := reg.Gather()
	if err != nil {
		t.Fatal(err)
	}
	labels := map[string][]string{} // by the names of series
	for _, f := range families {
		for _, name := range seriesOf(f) {
			for _, l := range f.GetMetric()[0].GetLabel() {
				labels[name] = append(labels[name], l.GetName())
			}
			labels[name] = append(labels[name], "le")
			labels[name] = append(labels[name], scraped...)
		}
	}
	shown := map[string]bool{}
	ids := map[int]bool{}
	for _, p := range d.Panels {
		if ids[p.ID] {
			t.Errorf("two panels have the id %d", p.ID)
		}
		ids[p.ID] = true
		if p.GridPos.X+p.GridPos.W > 24 {
			t.Errorf("%s: is wider than the page", p.Title)
		}
		for _, target := range p.Targets {
			names := metricName.FindAllString(target.Expr, -1)
			if len(names) == 0 {
				t.Errorf("%s: no metric in %s", p.Title, target.Expr)
			}
			for _, name := range names {
				if labels[name] == nil {
					t.Errorf("%s: there is no metric %s", p.Title, name)
					continue
				}
				shown[name] = true
				for _, l := range labelsOf(target.Expr) {
					if !slices.Contains(labels[name], l) {
						t.Errorf("%s: %s has no label %s", p.Title, name, l)
					}
				}
			}
		}
	}
	for _, f := range families {
		if strings.HasPrefix(f.GetName(), "ltxbot_") && f.GetName() != "ltxbot_build_info" &&
			!slices.ContainsFunc(seriesOf(f), func(s string) bool { return shown[s] }) {
			t.Errorf("%s is on no panel", f.GetName())
		}
	}
}

// seriesOf are the names under which a family is queried.
func seriesOf(f *dto.MetricFamily) []string {
	name := f.GetName()
	switch f.GetType() {
	case dto.MetricType_HISTOGRAM, dto.MetricType_GAUGE_HISTOGRAM:
		return []string{name + "_bucket", name + "_sum", name + "_count"}
	case dto.MetricType_SUMMARY:
		return []string{name, name + "_sum", name + "_count"}
	case dto.MetricType_COUNTER, dto.MetricType_GAUGE, dto.MetricType_UNTYPED:
	}
	return []string{name}
}

// labelsOf are the labels that a query names.
func labelsOf(expr string) []string {
	var out []string
	for _, m := range labelName.FindAllStringSubmatch(expr, -1) {
		for l := range strings.SplitSeq(m[1]+m[2], ",") {
			out = append(out, strings.TrimSpace(l))
		}
	}
	return out
}

// TestTheManualNamesEachMetric keeps the table in docs/operations.md complete.
func TestTheManualNamesEachMetric(t *testing.T) {
	manual := testfile.Read(t, "../../docs/operations.md")
	reg, _ := everything(&table{})
	families, err := reg.Gather()
	if err != nil {
		t.Fatal(err)
	}
	known := map[string]bool{}
	for _, f := range families {
		for _, name := range append(seriesOf(f), f.GetName()) {
			known[name] = true
		}
		if name := f.GetName(); strings.HasPrefix(name, "ltxbot_") && !strings.Contains(string(manual), "`"+name+"`") {
			t.Errorf("docs/operations.md does not name %s", name)
		}
	}
	for _, name := range metricName.FindAllString(string(manual), -1) {
		if strings.HasPrefix(name, "ltxbot_") && !known[name] {
			t.Errorf("docs/operations.md names %s, which there is not", name)
		}
	}
}

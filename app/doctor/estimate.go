package doctor

import (
	"bufio"
	"context"
	"io"
	"math"
	"net/http"
	"strconv"
	"strings"
	"time"

	"ltxbot/app/admin"
	"ltxbot/core/generate"
)

const areaEstimate = "estimates"

// What is compared of estimates and bills: the latest videos, when there are
// enough of them, and by how much their sums may differ without a word. A
// single video differs by the rounding of its megapixels.
const (
	estimateLeast     = 10
	estimateMost      = 200
	estimateRead      = 1000
	estimateAge       = 7 * 24 * time.Hour
	estimateTolerance = 0.05
)

const adviceEstimate = "compare the bot's charges with the usage at https://fal.ai/dashboard; fal may count megapixels of this model in another way than width × height × frames, or the model may have another unit"

// billed is what videos were expected to cost and what they were charged, in
// US dollars.
type billed struct {
	videos             int
	estimated, charged float64
}

// billedOf adds up the latest of jobs, which come newest first.
func billedOf(jobs []generate.Job, now time.Time) billed {
	var b billed
	for _, j := range jobs {
		if j.Fetched.IsZero() || j.Estimate == 0 || j.Charged == 0 || now.Sub(j.Fetched) > estimateAge {
			continue
		}
		b.videos++
		b.estimated += j.Estimate.Dollars()
		b.charged += j.Charged.Dollars()
		if b.videos == estimateMost {
			break
		}
	}
	return b
}

// finding judges the difference of the sums.
func (b billed) finding() Finding {
	if b.videos < estimateLeast || b.estimated == 0 {
		return ok(areaEstimate, "%s, too few to compare with what fal billed", number(b.videos, "video"))
	}
	drift := b.charged/b.estimated - 1
	percent := math.Abs(drift) * 100
	switch {
	case drift > estimateTolerance:
		return warning(areaEstimate, adviceEstimate,
			"fal billed %.0f %% more than was estimated for %s: jobs that run at the same time can exceed limits in dollars by that",
			percent, number(b.videos, "video"))
	case drift < -estimateTolerance:
		return warning(areaEstimate, adviceEstimate,
			"fal billed %.0f %% less than was estimated for %s: too much is held until a job ends", percent, number(b.videos, "video"))
	default:
		return ok(areaEstimate, "agree with what fal billed for %s", number(b.videos, "video"))
	}
}

// told reads the sums from the metrics of a bot that runs and has its store
// for itself, and how long fal has not deleted a video. The sums are of its
// videos since its start.
func (p patient) told(ctx context.Context) (_ billed, undeleted time.Duration, _ bool) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, admin.BaseURL(p.cfg.HTTP.Ops())+"/metrics", http.NoBody)
	if err != nil {
		return billed{}, 0, false
	}
	resp, err := p.opts.HTTP.Do(req)
	if err != nil {
		return billed{}, 0, false
	}
	defer func() { _ = resp.Body.Close() }()
	values := map[string]float64{
		"ltxbot_charged_to_estimated_ratio_count": 0, "ltxbot_estimated_usd_total": 0, "ltxbot_charged_usd_total": 0,
		"ltxbot_oldest_deletion_age_seconds": 0,
	}
	found := map[string]bool{}
	lines := bufio.NewScanner(io.LimitReader(resp.Body, maxMetrics))
	for lines.Scan() {
		series, value, _ := strings.Cut(lines.Text(), " ")
		name, _, _ := strings.Cut(series, "{") // one for each model
		if _, wanted := values[name]; !wanted {
			continue
		}
		if n, err := strconv.ParseFloat(value, 64); err == nil {
			values[name] += n
			found[name] = true
		}
	}
	return billed{
		videos:    int(values["ltxbot_charged_to_estimated_ratio_count"]),
		estimated: values["ltxbot_estimated_usd_total"],
		charged:   values["ltxbot_charged_usd_total"],
	}, time.Duration(values["ltxbot_oldest_deletion_age_seconds"] * float64(time.Second)), len(found) == len(values)
}

// maxMetrics is more than a bot's metrics take, in bytes.
const maxMetrics = 4 << 20

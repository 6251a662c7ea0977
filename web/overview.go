package web

import (
	"cmp"
	"context"
	"net/http"
	"slices"
	"time"

	"ltxbot/core/generate"
	"ltxbot/core/quota"
	"ltxbot/core/usd"
)

// overview is how a team is doing, or all of them.
type overview struct {
	Running, Waiting int
	More             bool // there are more under way than were counted
	MoreOver         bool // more were over in the last day than were counted
	Done, Failed     int  // of the newest jobs, in the last day
	Half, Most       time.Duration
	Timed            int // how many videos Half and Most are of
	Spend            []spend
	Recent           []jobRow
	Days             []Day
	Chart            *chart
	CSV              string
}

// spend is what was spent in a window, against its limit.
type spend struct {
	What     string // "Today"
	Used     usd.Micros
	Max      usd.Micros // 0 = no limit
	Percent  int
	Forecast usd.Micros // for the whole window; 0 = not told
}

// How many jobs the overview looks at, and how many of them it shows.
const (
	newestJobs = 100
	recentJobs = 8
	chartDays  = 30
)

func (s *Server) overview(q *request) error {
	if q.role == Member { // a member's own jobs are their overview
		http.Redirect(q.w, q.Request, link(Path+"/jobs", filter{Team: q.team}.values(q.role)), http.StatusSeeOther)
		return nil
	}
	o := overview{CSV: link(Path+"/csv/days", filter{Team: q.team}.values(q.role))}
	open, err := s.cfg.Jobs.Jobs(q.Context(), generate.Query{Team: q.team, Unfinished: true, Limit: newestJobs})
	if err != nil {
		return err
	}
	o.More = len(open) == newestJobs
	for _, j := range open {
		switch {
		case j.State.Terminal():
		case j.HoldsSlot(), j.State == generate.Fetched, j.State == generate.Delivering:
			o.Running++
		default:
			o.Waiting++
		}
	}
	newest, err := s.cfg.Jobs.Jobs(q.Context(), generate.Query{Team: q.team, Limit: newestJobs})
	if err != nil {
		return err
	}
	o.look(newest, s.cfg.Now())
	o.MoreOver = len(newest) == newestJobs && s.cfg.Now().Sub(newest[len(newest)-1].Created) < 24*time.Hour
	for _, j := range newest[:min(len(newest), recentJobs)] {
		o.Recent = append(o.Recent, q.row(j))
	}
	if o.Days, err = s.days(q); err != nil {
		return err
	}
	o.Chart = dayChart(o.Days)
	if o.Spend, err = s.spend(q.Context(), q.team, o.Days); err != nil {
		return err
	}
	s.render(q, http.StatusOK, "overview", "Overview", o)
	return nil
}

// look counts what has become of the newest jobs in the last day, and how long
// videos took.
func (o *overview) look(newest []generate.Job, now time.Time) {
	var took []time.Duration
	for _, j := range newest {
		if j.State == generate.Delivered {
			took = append(took, j.Finished.Sub(j.Created))
		}
		if now.Sub(j.Created) > 24*time.Hour {
			continue
		}
		switch j.State { //nolint:exhaustive // of the others nothing has become yet
		case generate.Delivered:
			o.Done++
		case generate.Failed:
			o.Failed++
		}
	}
	if o.Timed = len(took); o.Timed > 0 {
		slices.Sort(took)
		o.Half, o.Most = took[(len(took)-1)/2], took[(len(took)-1)*9/10]
	}
}

// days are the last days with what was spent on each, oldest first, without a gap.
func (s *Server) days(q *request) ([]Day, error) {
	today := s.cfg.Now().UTC().Truncate(24 * time.Hour)
	from := today.AddDate(0, 0, 1-chartDays)
	found, err := s.cfg.Days(q.Context(), q.team, from, today.AddDate(0, 0, 1))
	if err != nil {
		return nil, err
	}
	days := make([]Day, chartDays)
	for i := range days {
		days[i].Day = from.AddDate(0, 0, i).Format(time.DateOnly)
	}
	for _, d := range found {
		i, ok := slices.BinarySearchFunc(days, d.Day, func(a Day, day string) int { return cmp.Compare(a.Day, day) })
		if !ok {
			continue
		}
		days[i].Videos += d.Videos
		days[i].UnderWay += d.UnderWay
		days[i].Held += d.Held
		days[i].Estimate += d.Estimate
		days[i].Charged += d.Charged
	}
	return days, nil
}

// forecastDays is of how many days the rate of spending is taken.
const forecastDays = 7

// spend is what was spent today and this month: of a team by its own limits, of
// all teams by those of the bot.
func (s *Server) spend(ctx context.Context, team string, days []Day) ([]spend, error) {
	gauges, err := s.cfg.Usage(ctx, quota.Asker{Team: team})
	if err != nil {
		return nil, err
	}
	kind := quota.Team
	if team == "" {
		kind = quota.Bot
	}
	var all []spend
	for _, w := range []struct {
		window quota.Window
		what   string
	}{{quota.Day, "Today"}, {quota.Month, "This month"}} {
		x := spend{What: w.what}
		var resets time.Time
		for _, g := range gauges {
			if g.Scope.Kind == kind && g.Unit == quota.Dollars && g.Window == w.window {
				x.Used, x.Max, resets = usd.Micros(g.Used), usd.Micros(g.Max), g.Resets
			}
		}
		if x.Max > 0 {
			x.Percent = int(min(100, 100*x.Used/x.Max))
		}
		if w.window == quota.Month && !resets.IsZero() {
			var week usd.Micros
			for _, d := range days[len(days)-1-forecastDays : len(days)-1] {
				week += d.Charged + d.Held
			}
			left := max(0, resets.Sub(s.cfg.Now()).Hours()/24)
			x.Forecast = x.Used + (week / forecastDays).Times(left)
		}
		all = append(all, x)
	}
	return all, nil
}

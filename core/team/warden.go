package team

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"ltxbot/core/quota"
)

// WardenConfig is what a Warden is made of.
type WardenConfig struct {
	Store  Store
	Policy func() quota.Policy
	// Watched are the teams whose admins are told. A reload may change them,
	// and WarnAt: the percentages of a team's budget at which they are.
	Watched func() []Watched
	WarnAt  func() []int
	// Tell posts a notice. It may be told the same notice again after a
	// crash, with the same Nonce.
	Tell func(ctx context.Context, n Notice) error
	Now  func() time.Time // nil = time.Now
}

// Watched is a team with the channel where its admins read.
type Watched struct {
	Team    string
	Channel string // "discord:<channel id>", "slack:<channel id>"
}

// Notice is what the admins of a team are told: that a part of the budget is
// used, or what a month has brought.
type Notice struct {
	Watched

	Nonce   string // the same for the same notice
	Percent int    // of Gauge; 0 for a month
	Gauge   quota.Gauge
	Month   time.Time // its first instant, in the team's time zone
	Spent   Spending  // in the month
	Members []MemberSpending
}

// A Warden tells the admins of teams what they should know about money: each
// threshold once for each window, each month once, however many processes
// look and whenever they are killed.
type Warden struct{ cfg WardenConfig }

// NewWarden makes a warden.
func NewWarden(cfg WardenConfig) *Warden {
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	return &Warden{cfg: cfg}
}

// How long a notice is being told before another process may try, and how
// long after the end of a month it is still worth telling about.
const (
	tellLease  = 2 * time.Minute
	monthFresh = 7 * 24 * time.Hour
	monthKept  = 62 * 24 * time.Hour
)

// Check looks at all teams once. A team that can't be told is tried again by
// a later Check; it does not keep the others from being told.
func (w *Warden) Check(ctx context.Context) error {
	var errs []error
	for _, team := range w.cfg.Watched() {
		if err := w.checkBudget(ctx, team); err != nil {
			errs = append(errs, fmt.Errorf("warn team %s: %w", team.Team, err))
		}
		if err := w.checkMonth(ctx, team); err != nil {
			errs = append(errs, fmt.Errorf("tell team %s of its month: %w", team.Team, err))
		}
	}
	return errors.Join(errs...)
}

// checkBudget tells of the highest threshold that each of the team's limits
// has reached, if that is new. Lower thresholds count as told then.
func (w *Warden) checkBudget(ctx context.Context, team Watched) error {
	state, err := w.cfg.Store.AdminState(ctx, team.Team, "")
	if err != nil {
		return err
	}
	var counts []quota.Count
	for _, c := range w.cfg.Policy().Counts(quota.Asker{Team: team.Team}, state, w.cfg.Now()) {
		if c.Scope.Kind == quota.Team && c.Max > 0 {
			counts = append(counts, c)
		}
	}
	used, err := w.cfg.Store.Used(ctx, team.Team, counts)
	if err != nil {
		return err
	}
	thresholds := slices.Sorted(slices.Values(w.cfg.WarnAt()))
	var errs []error
	for i, c := range counts {
		reached := slices.DeleteFunc(slices.Clone(thresholds), func(p int) bool { return used[i]*100 < int64(p)*c.Max })
		if len(reached) == 0 {
			continue
		}
		top := len(reached) - 1
		window, until := warnWindow(c, w.cfg.Now())
		key := func(percent int) string { return fmt.Sprintf("warn/%s/%s/%d", team.Team, window, percent) }
		n := Notice{Watched: team, Percent: reached[top], Gauge: c.Gauge(used[i])}
		told, err := w.tell(ctx, key(reached[top]), until, n)
		if err != nil {
			errs = append(errs, err)
			continue
		}
		for _, lower := range reached[:top] {
			if !told {
				break
			}
			errs = append(errs, w.cfg.Store.PutMark(ctx, key(lower), "passed", until))
		}
	}
	return errors.Join(errs...)
}

// warnWindow names the window that a count is in, and until when it is told
// of. A rolling window is never over: it is told of again after its length.
func warnWindow(c quota.Count, now time.Time) (name string, until time.Time) {
	if length := c.Window.Rolling(); length > 0 {
		return fmt.Sprintf("%s/%s", c.Unit, c.Window), now.Add(length)
	}
	return c.Counter, c.Expires
}

// checkMonth tells what the month before this one has brought.
func (w *Warden) checkMonth(ctx context.Context, team Watched) error {
	now, zone := w.cfg.Now(), w.cfg.Policy().ZoneOf(team.Team)
	start, _ := quota.Month.Span(now, zone)
	if now.Sub(start) > monthFresh {
		return nil
	}
	first, _ := quota.Month.Span(start.Add(-time.Hour), zone)
	key := fmt.Sprintf("month/%s/%s", team.Team, first.Format("2006-01"))
	return w.once(ctx, key, start.Add(monthKept), func() error {
		members, err := w.cfg.Store.Spent(ctx, team.Team, first, start)
		if err != nil {
			return err
		}
		spent := total(members)
		if spent.Videos == 0 {
			return nil
		}
		return w.cfg.Tell(ctx, Notice{Watched: team, Nonce: key, Month: first, Spent: spent, Members: ranked(members)})
	})
}

// tell tells n once under key, and reports whether it was told now.
func (w *Warden) tell(ctx context.Context, key string, expires time.Time, n Notice) (told bool, err error) {
	n.Nonce = key
	err = w.once(ctx, key, expires, func() error {
		told = true
		return w.cfg.Tell(ctx, n)
	})
	return told && err == nil, err
}

// once does something once under key: it is claimed for as long as doing it
// may take, then marked as done. What did not succeed is done again when the
// claim has expired.
func (w *Warden) once(ctx context.Context, key string, expires time.Time, do func() error) error {
	lease := w.cfg.Now().Add(tellLease)
	if lease.After(expires) {
		return nil
	}
	claimed, err := w.cfg.Store.ClaimMark(ctx, key, "telling", lease)
	if err != nil || !claimed {
		return err
	}
	if err := do(); err != nil {
		return err
	}
	return w.cfg.Store.PutMark(ctx, key, "told", expires)
}

package store

import (
	"context"
	"time"

	"ltxbot/core/quota"
	"ltxbot/core/team"
	"ltxbot/core/usd"
)

// spentRecord is what a team has spent on one day.
type spentRecord struct {
	stamp

	Holds team.Spending `json:"holds"` // sum of the holds that are kept
	Past  team.Spending `json:"past"`  // of those that are not any more
}

// spend changes what a team has spent on a day.
func (t *txn) spend(key string, change func(*spentRecord)) error {
	var r spentRecord
	if _, err := load(t, key, &r); err != nil {
		return err
	}
	r.stamp = v1
	change(&r)
	if r.Holds == (team.Spending{}) && r.Past == (team.Spending{}) {
		t.Delete(key)
		return nil
	}
	return save(t, key, &r)
}

// spendingOf is what one hold is in a sum.
func spendingOf(h quota.Hold) team.Spending {
	s, _ := team.SumUp([]quota.Hold{h})
	return s
}

// spentOn is the key of what h's team has spent on the day on which it was
// reserved.
func spentOn(h quota.Hold) string {
	return join(spentKey, h.At.UTC().Format(time.DateOnly), h.Team)
}

// DaySpending is what a team has spent on one day, in UTC, by when it was
// asked for.
type DaySpending struct {
	Day  string `json:"day"` // "2026-03-11"
	Team string `json:"team"`

	team.Spending
}

// Spending lists what a team has spent on each day, from the day of from up to but
// without the day of to. With an empty team it lists all teams.
func (s *Store) Spending(ctx context.Context, team string, from, to time.Time) ([]DaySpending, error) {
	var days []DaySpending
	err := s.view(ctx, func(t *txn) error {
		days = nil
		end := spentKey + to.UTC().Format(time.DateOnly)
		for k, data := range t.Scan(spentKey, spentKey+from.UTC().Format(time.DateOnly)) {
			if k >= end {
				break
			}
			names := split(spentKey, k)
			if team != "" && names[1] != team {
				continue
			}
			var r spentRecord
			if err := decode(k, data, &r); err != nil {
				return err
			}
			days = append(days, DaySpending{Day: names[0], Team: names[1], Spending: plus(r.Holds, r.Past, 1)})
		}
		return nil
	})
	if err != nil {
		return nil, outcome("list spending", err)
	}
	return days, nil
}

// plus is a and, as often as sign says, b.
func plus(a, b team.Spending, sign int64) team.Spending {
	amount := usd.Micros(sign)
	a.Videos += sign * b.Videos
	a.UnderWay += sign * b.UnderWay
	a.Held += amount * b.Held
	a.Estimate += amount * b.Estimate
	a.Charged += amount * b.Charged
	return a
}

package store

import (
	"context"
	"maps"
	"slices"
	"time"

	"ltxbot/core/quota"
	"ltxbot/core/team"
)

// spentRecord is what a member has spent on one day.
type spentRecord struct {
	stamp

	Holds team.Spending `json:"holds"`         // sum of the holds that are kept
	Past  team.Spending `json:"past,omitzero"` // of those that are not any more
	// Parts are what Past was in each part of the day, by its number: the days
	// of a team do not begin when those in UTC do.
	Parts map[int]team.Spending `json:"parts,omitempty"`
}

// partOfDay is what days may differ by: all time zones are whole quarters of
// an hour apart.
const partOfDay = 15 * time.Minute

// total is what was spent on the day.
func (r *spentRecord) total() team.Spending { return r.Holds.Plus(r.Past, 1) }

// drop makes a hold one that is not kept any more.
func (r *spentRecord) drop(h quota.Hold) {
	spent := spendingOf(h)
	if spent == (team.Spending{}) {
		return
	}
	r.Past = r.Past.Plus(spent, 1)
	if r.Parts == nil {
		r.Parts = map[int]team.Spending{}
	}
	part := int(h.At.Sub(midnight(h.At)) / partOfDay)
	r.Parts[part] = r.Parts[part].Plus(spent, 1)
}

// daySum is what all members of a team have spent on one day: the sum of their
// totals.
type daySum struct {
	stamp

	team.Spending
}

// spend changes what a member has spent on a day, and what the team has.
func (t *txn) spend(key string, change func(*spentRecord)) error {
	var r spentRecord
	if _, err := load(t, key, &r); err != nil {
		return err
	}
	r.stamp = v1
	before := r.total()
	change(&r)
	if err := t.spendOfTeam(key, r.total().Plus(before, -1)); err != nil {
		return err
	}
	if r.Holds == (team.Spending{}) && r.Past == (team.Spending{}) {
		t.Delete(key)
		return nil
	}
	return save(t, key, &r)
}

// spendOfTeam adds to what a team has spent on a day, by the key of a member.
func (t *txn) spendOfTeam(member string, more team.Spending) error {
	if more == (team.Spending{}) {
		return nil
	}
	names := split(spentKey, member)
	key := join(daySumKey, names[0], names[1])
	var r daySum
	if _, err := load(t, key, &r); err != nil {
		return err
	}
	if r.Spending = r.Plus(more, 1); r.Spending == (team.Spending{}) {
		t.Delete(key)
		return nil
	}
	r.stamp = v1
	return save(t, key, &r)
}

// spendingOf is what one hold is in a sum.
func spendingOf(h quota.Hold) team.Spending {
	s, _ := team.SumUp([]quota.Hold{h})
	return s
}

// spentOn is the key of what h's member has spent on the day on which it was
// reserved.
func spentOn(h quota.Hold) string {
	return join(spentKey, h.At.UTC().Format(time.DateOnly), h.Team, h.Member)
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
		first, end := midnight(from), midnight(to)
		if team == "" {
			for k, data := range t.Scan(daySumKey, join(daySumKey, first.Format(time.DateOnly))) {
				if k >= join(daySumKey, end.Format(time.DateOnly)) {
					break
				}
				var r daySum
				if err := decode(k, data, &r); err != nil {
					return err
				}
				names := split(daySumKey, k)
				days = append(days, DaySpending{Day: names[0], Team: names[1], Spending: r.Spending})
			}
			return nil
		}
		var keys []string
		for day := first; day.Before(end); day = day.AddDate(0, 0, 1) {
			keys = append(keys, join(daySumKey, day.Format(time.DateOnly), team))
		}
		t.Fetch(keys)
		for _, key := range keys {
			var r daySum
			known, err := load(t, key, &r)
			if err != nil {
				return err
			}
			if known {
				days = append(days, DaySpending{Day: split(daySumKey, key)[0], Team: team, Spending: r.Spending})
			}
		}
		return nil
	})
	if err != nil {
		return nil, outcome("list spending", err)
	}
	return days, nil
}

// wholeDays are the days in UTC that are in a span as a whole, and what is before
// and after them.
func wholeDays(from, to time.Time) (days []time.Time, edges [][2]time.Time) {
	first, end := midnight(from), midnight(to)
	if first.Before(from) {
		first = first.AddDate(0, 0, 1)
	}
	if end.Before(first) {
		return nil, [][2]time.Time{{from, to}}
	}
	for day := first; day.Before(end); day = day.AddDate(0, 0, 1) {
		days = append(days, day)
	}
	return days, [][2]time.Time{{from, first}, {end, to}}
}

// Spent is what each member of a team has spent: whole days in UTC from their
// sums, what is before and after them from the holds themselves, and from the
// sums of those that are not kept any more.
func (s *Store) Spent(ctx context.Context, name string, from, to time.Time) ([]team.MemberSpending, error) {
	days, edges := wholeDays(from, to)
	var spent map[string]team.Spending
	err := s.view(ctx, func(t *txn) error {
		spent = map[string]team.Spending{}
		add := func(member string, s team.Spending) { spent[member] = spent[member].Plus(s, 1) }
		for _, edge := range edges {
			if err := t.spentWithin(ctx, name, edge[0], edge[1], add); err != nil {
				return err
			}
		}
		for _, day := range days {
			err := t.spentOf(day, name, func(member string, on spentRecord) { add(member, on.total()) })
			if err != nil {
				return err
			}
		}
		return ctx.Err()
	})
	if err != nil {
		return nil, outcome("list spending of "+name, err)
	}
	members := make([]team.MemberSpending, 0, len(spent))
	for _, member := range slices.Sorted(maps.Keys(spent)) {
		members = append(members, team.MemberSpending{Member: member, Spending: spent[member]})
	}
	return members, nil
}

// SpentBy is what one member of a team has spent, or with an empty member all
// together, from one sum for each whole day.
func (s *Store) SpentBy(ctx context.Context, name, member string, from, to time.Time) (team.Spending, error) {
	days, edges := wholeDays(from, to)
	keys := make([]string, 0, len(days))
	for _, day := range days {
		if on := day.Format(time.DateOnly); member == "" {
			keys = append(keys, join(daySumKey, on, name))
		} else {
			keys = append(keys, join(spentKey, on, name, member))
		}
	}
	var all team.Spending
	err := s.view(ctx, func(t *txn) error {
		all = team.Spending{}
		for _, edge := range edges {
			err := t.spentWithin(ctx, name, edge[0], edge[1], func(by string, s team.Spending) {
				if member == "" || by == member {
					all = all.Plus(s, 1)
				}
			})
			if err != nil {
				return err
			}
		}
		t.Fetch(keys)
		for _, key := range keys {
			var sum daySum
			var own spentRecord
			into := versioned(&sum)
			if member != "" {
				into = &own
			}
			if _, err := load(t, key, into); err != nil {
				return err
			}
			all = all.Plus(sum.Spending, 1).Plus(own.total(), 1)
		}
		return nil
	})
	if err != nil {
		return team.Spending{}, outcome("sum up spending of "+name, err)
	}
	return all, nil
}

// spentWithin tells what members of a team have spent from from up to to, where
// that is no whole day.
func (t *txn) spentWithin(ctx context.Context, name string, from, to time.Time, tell func(member string, s team.Spending)) error {
	for _, h := range t.holds(ctx, name, from, to) {
		tell(h.Member, spendingOf(h))
	}
	for day := midnight(from); day.Before(to); day = day.AddDate(0, 0, 1) {
		err := t.spentOf(day, name, func(member string, on spentRecord) {
			for part, spent := range on.Parts {
				if at := day.Add(time.Duration(part) * partOfDay); !at.Before(from) && at.Before(to) {
					tell(member, spent)
				}
			}
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// spentOf tells what each member of a team has spent on a day.
func (t *txn) spentOf(day time.Time, team string, tell func(member string, r spentRecord)) error {
	for k, data := range t.Scan(join(spentKey, day.Format(time.DateOnly), team)+"/", "") {
		var r spentRecord
		if err := decode(k, data, &r); err != nil {
			return err
		}
		tell(last(k), r)
	}
	return nil
}

// midnight is when the day of t begins, in UTC.
func midnight(t time.Time) time.Time { return t.UTC().Truncate(24 * time.Hour) }

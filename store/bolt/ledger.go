package bolt

import (
	"context"
	"errors"
	"fmt"
	"time"

	"ltxbot/core/quota"
)

// Reserve makes a hold by plan, or nothing.
func (s *Store) Reserve(ctx context.Context, key quota.Key, plan quota.Plan) (quota.Hold, error) {
	if err := checkNames(key.Job, key.Team, key.Member); err != nil {
		return quota.Hold{}, fmt.Errorf("reserve: %w", err)
	}
	var h quota.Hold
	err := s.write(ctx, func(t *txn) error {
		var err error
		if h, err = t.hold(key.Job); !errors.Is(err, quota.ErrNoHold) {
			return err
		}
		r, err := t.plan(key, plan)
		if err != nil {
			return err
		}
		if h, err = t.decide(r); err != nil {
			return err
		}
		return t.reserve(h)
	})
	if err != nil {
		return quota.Hold{}, outcome("reserve for", key.Job, err)
	}
	return h, nil
}

// plan says what key needs, given what admins decided by now.
func (t *txn) plan(key quota.Key, plan quota.Plan) (quota.Reservation, error) {
	standing, err := t.standing(key.Team, key.Member)
	if err != nil {
		return quota.Reservation{}, err
	}
	r, err := plan(standing)
	r.Job, r.Team, r.Member = key.Job, key.Team, key.Member
	return r, err
}

// decide makes a hold of r if all its counts have room. It writes nothing.
func (t *txn) decide(r quota.Reservation) (quota.Hold, error) {
	entries, err := quota.Decide(r, func(s quota.Scope, name string) int64 {
		sum, _ := t.counter(counterKey(r.Team, s, name))
		return sum
	})
	if err != nil {
		return quota.Hold{}, err
	}
	return quota.NewHold(r, entries), nil
}

// reserve records a new hold and adds it to its counters.
func (t *txn) reserve(h quota.Hold) error {
	totals, err := t.totals()
	if err != nil {
		return err
	}
	if old, err := t.hold(h.Job); err == nil { // released, and replaced now
		totals.Remove(old)
		if err := t.remove(holdsByTeam, timeKey(old.Team, old.At, old.Job)); err != nil {
			return err
		}
	}
	totals.Add(h)
	if err := t.put(holdsByTeam, timeKey(h.Team, h.At, h.Job), nil); err != nil {
		return err
	}
	for _, e := range h.Entries {
		key := counterKey(h.Team, e.Scope, e.Counter)
		sum, _ := t.counter(key)
		if err := t.putCounter(key, sum+e.Add, e.Expires); err != nil {
			return err
		}
	}
	if at := lastExpiry(h); !at.IsZero() {
		if err := t.put(holdsByExpiry, timeKey("", at, h.Job), nil); err != nil {
			return err
		}
	}
	return errors.Join(t.putHold(h), t.putTotals(totals))
}

// Bill settles or releases the hold of a job.
func (s *Store) Bill(ctx context.Context, job string, b quota.Billing, at time.Time) (quota.Hold, error) {
	var h quota.Hold
	err := s.write(ctx, func(t *txn) error {
		var err error
		h, err = t.bill(job, b, at)
		return err
	})
	return h, outcome("bill", job, err)
}

func (t *txn) bill(job string, b quota.Billing, at time.Time) (quota.Hold, error) {
	old, err := t.hold(job)
	if err != nil {
		return quota.Hold{}, err
	}
	h, deltas := quota.Apply(old, b, at)
	if h.State == old.State {
		return h, nil
	}
	totals, err := t.totals()
	if err != nil {
		return quota.Hold{}, err
	}
	totals.Remove(old)
	totals.Add(h)
	for i, e := range h.Entries {
		key := counterKey(h.Team, e.Scope, e.Counter)
		sum, ok := t.counter(key)
		if !ok || deltas[i] == 0 {
			continue // expired and pruned: no window includes it any more
		}
		if err := t.putCounter(key, sum+deltas[i], e.Expires); err != nil {
			return quota.Hold{}, err
		}
	}
	return h, errors.Join(t.putHold(h), t.putTotals(totals))
}

// putHold writes h with the index of those still held.
func (t *txn) putHold(h quota.Hold) error {
	if err := t.putRecord(holdsBucket, h.Job, h); err != nil {
		return err
	}
	if h.State == quota.Held {
		return t.put(holdsHeld, h.Job, nil)
	}
	return t.remove(holdsHeld, h.Job)
}

// totalsKey is where the running totals are kept.
const totalsKey = "totals"

func (v view) totals() (quota.Totals, error) {
	var sums quota.Totals
	_, err := v.record(metaBucket, totalsKey, &sums)
	return sums, err
}

func (t *txn) putTotals(sums quota.Totals) error { return t.putRecord(metaBucket, totalsKey, sums) }

// Hold returns the hold of a job.
func (s *Store) Hold(ctx context.Context, job string) (quota.Hold, error) {
	var h quota.Hold
	err := s.view(ctx, func(v view) error {
		var err error
		h, err = v.hold(job)
		return err
	})
	return h, outcome("read hold of", job, err)
}

// Used reads the counters of counts.
func (s *Store) Used(ctx context.Context, team string, counts []quota.Count) ([]int64, error) {
	used := make([]int64, len(counts))
	err := s.view(ctx, func(v view) error {
		for i, c := range counts {
			used[i], _ = v.counter(counterKey(team, c.Scope, c.Counter))
			for _, other := range c.Also {
				sum, _ := v.counter(counterKey(team, c.Scope, other))
				used[i] += sum
			}
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("read counters: %w", err)
	}
	return used, nil
}

// Standing returns what admins decided about a member and its team.
func (s *Store) Standing(ctx context.Context, team, member string) (quota.Standing, error) {
	var st quota.Standing
	err := s.view(ctx, func(v view) error {
		var err error
		st, err = v.standing(team, member)
		return err
	})
	if err != nil {
		return quota.Standing{}, fmt.Errorf("read standing of %s in %s: %w", member, team, err)
	}
	return st, nil
}

func (v view) standing(team, member string) (quota.Standing, error) {
	var st quota.Standing
	_, memberErr := v.record(membersBucket, memberKey(team, member), &st.Member)
	_, teamErr := v.record(teamsBucket, team, &st.Team)
	return st, errors.Join(memberErr, teamErr)
}

// PutMemberStanding replaces what admins decided about a member.
func (s *Store) PutMemberStanding(ctx context.Context, team, member string, st quota.MemberStanding) error {
	err := checkNames(team, member)
	if err == nil {
		err = s.write(ctx, func(t *txn) error { return t.putRecord(membersBucket, memberKey(team, member), st) })
	}
	if err != nil {
		return fmt.Errorf("write standing of %s in %s: %w", member, team, err)
	}
	return nil
}

// PutTeamStanding replaces what admins decided about a team.
func (s *Store) PutTeamStanding(ctx context.Context, team string, st quota.TeamStanding) error {
	err := checkNames(team)
	if err == nil {
		err = s.write(ctx, func(t *txn) error { return t.putRecord(teamsBucket, team, st) })
	}
	if err != nil {
		return fmt.Errorf("write standing of %s: %w", team, err)
	}
	return nil
}

// counterKey is where a counter is kept. Those of members belong to one team;
// those of the bot to none.
func counterKey(team string, s quota.Scope, name string) string {
	if s.Kind == quota.Bot {
		team = ""
	}
	return team + sep + s.String() + sep + name
}

// counter reads a sum and reports whether it is kept.
func (v view) counter(key string) (sum int64, ok bool) {
	value := v.get(countersBucket, key)
	return number(value), value != nil
}

// putCounter keeps a sum until expires; for ever when that is zero.
func (t *txn) putCounter(key string, sum int64, expires time.Time) error {
	value := numberBytes(sum)
	if !expires.IsZero() {
		value = append(value, timeBytes(expires)...)
	}
	return t.put(countersBucket, key, value)
}

// counterExpired reports whether a counter as it is in the file has expired.
func counterExpired(value []byte, now time.Time) bool {
	return len(value) > timeLength && string(value[timeLength:]) <= timeBytes(now)
}

// lastExpiry is when the last counter of h expires that ever does.
func lastExpiry(h quota.Hold) time.Time {
	var last time.Time
	for _, e := range h.Entries {
		if e.Expires.After(last) {
			last = e.Expires
		}
	}
	return last
}

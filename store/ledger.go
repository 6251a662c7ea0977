package store

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"time"

	"ltxbot/core/quota"
	"ltxbot/core/team"
	"ltxbot/store/kv"
)

type holdRecord struct {
	stamp
	quota.Hold
}

// usageRecord is all counters of one scope: what was used is read and written
// at once, however many windows there are.
type usageRecord struct {
	stamp

	Counters map[string]counter `json:"counters"`
}

// counter is a sum until it expires, in nanoseconds since 1970; 0 = never.
type counter struct {
	Sum     int64 `json:"sum"`
	Expires int64 `json:"expires,omitempty"`
}

func expiry(at time.Time) int64 {
	if at.IsZero() {
		return 0
	}
	return at.UnixNano()
}

func (c counter) expired(now time.Time) bool { return c.Expires != 0 && c.Expires <= now.UnixNano() }

type totalsRecord struct {
	stamp
	quota.Totals
}

// hold reads the hold of a job, or returns ErrNoHold.
func hold(tx kv.Tx, job string) (quota.Hold, error) {
	var r holdRecord
	ok, err := load(tx, join(holdKey, job), &r)
	if err == nil && !ok {
		err = quota.ErrNoHold
	}
	return r.Hold, err
}

// usageOf is the key of a scope's counters. Those of members belong to one
// team; those of the bot to none.
func usageOf(team string, s quota.Scope) string {
	if s.Kind == quota.Bot {
		team = ""
	}
	return join(usageKey, team, string(s.Kind), s.ID)
}

// usage is counters that were read, by key.
type usage map[string]*usageRecord

func (u usage) read(tx kv.Tx, key string) (*usageRecord, error) {
	if r := u[key]; r != nil {
		return r, nil
	}
	r := &usageRecord{}
	if _, err := load(tx, key, r); err != nil {
		return nil, err
	}
	if r.Counters == nil {
		r.Counters = map[string]counter{}
	}
	r.stamp = v1
	u[key] = r
	return r, nil
}

func (u usage) write(tx kv.Tx) error {
	for key, r := range u {
		if err := save(tx, key, r); err != nil {
			return err
		}
	}
	return nil
}

// sums is what quota.Decide asks for; the first error is left in err.
func (u usage) sums(tx kv.Tx, team string, err *error) func(quota.Scope, string) int64 {
	return func(s quota.Scope, name string) int64 {
		r, readErr := u.read(tx, usageOf(team, s))
		if readErr != nil {
			*err = errors.Join(*err, readErr)
			return 0
		}
		return r.Counters[name].Sum
	}
}

// Reserve makes a hold by plan, or nothing.
func (s *Store) Reserve(ctx context.Context, key quota.Key, plan quota.Plan) (quota.Hold, error) {
	if err := checkNames(key.Job, key.Team, key.Member); err != nil {
		return quota.Hold{}, outcome("reserve", err)
	}
	var h quota.Hold
	err := s.update(ctx, func(t *txn) error {
		var err error
		if h, err = hold(t, key.Job); !errors.Is(err, quota.ErrNoHold) {
			return err
		}
		r, err := t.plan(key, plan)
		if err != nil {
			return err
		}
		h, err = t.reserve(r)
		return err
	})
	if err != nil {
		return quota.Hold{}, outcome("reserve for job "+key.Job, err)
	}
	return h, nil
}

// plan says what key needs, given what admins decided by now.
func (t *txn) plan(key quota.Key, plan quota.Plan) (quota.Reservation, error) {
	st, err := adminState(t, key.Team, key.Member)
	if err != nil {
		return quota.Reservation{}, err
	}
	r, err := plan(st)
	r.Job, r.Team, r.Member = key.Job, key.Team, key.Member
	return r, err
}

// reserve makes a hold of r if all its counts have room, in place of a
// released one.
func (t *txn) reserve(r quota.Reservation) (quota.Hold, error) {
	counted := usage{}
	var failed error
	entries, err := quota.Decide(r, counted.sums(t, r.Team, &failed))
	if failed != nil {
		return quota.Hold{}, failed
	}
	if err != nil {
		return quota.Hold{}, err
	}
	old, err := hold(t, r.Job)
	var replaced []quota.Hold
	switch {
	case err == nil:
		replaced = []quota.Hold{old}
		t.Delete(join(holdsByTeam, old.Team, stamped(old.At), old.Job))
		t.Delete(join(holdsByExpiry, stamped(lastExpiry(old)), old.Job))
	case !errors.Is(err, quota.ErrNoHold):
		return quota.Hold{}, err
	}
	h := quota.NewHold(r, entries)
	changed := usage{}
	for _, e := range h.Entries {
		u, err := counted.read(t, usageOf(h.Team, e.Scope))
		if err != nil {
			return quota.Hold{}, err
		}
		u.Counters[e.Counter] = counter{u.Counters[e.Counter].Sum + e.Add, expiry(e.Expires)}
		changed[usageOf(h.Team, e.Scope)] = u
	}
	mark(t, join(holdsByTeam, h.Team, stamped(h.At), h.Job))
	if at := lastExpiry(h); !at.IsZero() {
		mark(t, join(holdsByExpiry, stamped(at), h.Job))
	}
	return h, errors.Join(changed.write(t), t.putHold(h), t.sum(replaced, []quota.Hold{h}))
}

// Bill settles or releases the hold of a job.
func (s *Store) Bill(ctx context.Context, job string, b quota.Billing, at time.Time) (quota.Hold, error) {
	var h quota.Hold
	err := s.update(ctx, func(t *txn) error {
		var err error
		h, err = t.bill(job, b, at)
		return err
	})
	return h, outcome("bill job "+job, err)
}

func (t *txn) bill(job string, b quota.Billing, at time.Time) (quota.Hold, error) {
	old, err := hold(t, job)
	if err != nil {
		return quota.Hold{}, err
	}
	h, deltas := quota.Apply(old, b, at)
	if h.State == old.State {
		return h, nil
	}
	counted, changed := usage{}, usage{}
	for i, e := range h.Entries {
		key := usageOf(h.Team, e.Scope)
		u, err := counted.read(t, key)
		if err != nil {
			return quota.Hold{}, err
		}
		c, kept := u.Counters[e.Counter]
		if !kept || deltas[i] == 0 {
			continue // forgotten: no window includes it any more
		}
		u.Counters[e.Counter] = counter{c.Sum + deltas[i], expiry(e.Expires)}
		changed[key] = u
	}
	return h, errors.Join(changed.write(t), t.putHold(h), t.sum([]quota.Hold{old}, []quota.Hold{h}))
}

// putHold writes h with the index of those still held.
func (t *txn) putHold(h quota.Hold) error {
	if h.State == quota.Held {
		mark(t, join(heldHolds, h.Job))
	} else {
		t.Delete(join(heldHolds, h.Job))
	}
	return save(t, join(holdKey, h.Job), &holdRecord{v1, h})
}

// sum takes holds as they were out of the totals and the day's spending, and
// counts them in as they are.
func (t *txn) sum(before, after []quota.Hold) error {
	totals := totalsRecord{}
	if _, err := load(t, totalsKey, &totals); err != nil {
		return err
	}
	totals.stamp = v1
	for _, h := range before {
		totals.Remove(h)
	}
	for _, h := range after {
		totals.Add(h)
	}
	if err := save(t, totalsKey, &totals); err != nil {
		return err
	}
	days := map[string]team.Spending{}
	for _, h := range before {
		days[spentOn(h)] = days[spentOn(h)].Plus(spendingOf(h), -1)
	}
	for _, h := range after {
		days[spentOn(h)] = days[spentOn(h)].Plus(spendingOf(h), 1)
	}
	for key, change := range days {
		if err := t.spend(key, func(r *spentRecord) { r.Holds = r.Holds.Plus(change, 1) }); err != nil {
			return err
		}
	}
	return nil
}

// dropHold removes a closed hold whose job is gone, unless a counter that is
// still kept has a share of it. What was spent stays known by day.
func (t *txn) dropHold(h quota.Hold) error {
	if h.State == quota.Held || h.Counted(t.now) || t.Get(join(jobKey, h.Job)) != nil {
		return nil
	}
	if at := lastExpiry(h); !at.IsZero() {
		t.Delete(join(holdsByExpiry, stamped(at), h.Job))
	}
	t.Delete(join(holdKey, h.Job))
	t.Delete(join(heldHolds, h.Job))
	t.Delete(join(holdsByTeam, h.Team, stamped(h.At), h.Job))
	return errors.Join(
		t.sum([]quota.Hold{h}, nil),
		t.spend(spentOn(h), func(r *spentRecord) { r.drop(h) }),
	)
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

// Hold returns the hold of a job.
func (s *Store) Hold(ctx context.Context, job string) (quota.Hold, error) {
	var h quota.Hold
	err := s.view(ctx, func(t *txn) error {
		var err error
		h, err = hold(t, job)
		return err
	})
	return h, outcome("read hold of job "+job, err)
}

// Holds lists the holds of a team by the time of their reservation, oldest
// first. One that can't be read is left out.
func (s *Store) Holds(ctx context.Context, team string, from, to time.Time) ([]quota.Hold, error) {
	var holds []quota.Hold
	err := s.view(ctx, func(t *txn) error {
		holds = t.holds(ctx, team, from, to)
		return ctx.Err()
	})
	if err != nil {
		return nil, outcome("list holds of "+team, err)
	}
	return holds, nil
}

func (t *txn) holds(ctx context.Context, team string, from, to time.Time) (holds []quota.Hold) {
	prefix := join(holdsByTeam, team) + "/"
	for k := range t.Scan(prefix, prefix+stamped(from)) {
		if k >= prefix+stamped(to) {
			break
		}
		h, err := hold(t, last(k))
		if err != nil {
			t.s.log.WarnContext(ctx, "store: hold left out of a list", slog.String("job", last(k)), slog.Any("error", err))
			continue
		}
		h.Entries = nil
		holds = append(holds, h)
	}
	return holds
}

// Used reads the counters of counts.
func (s *Store) Used(ctx context.Context, team string, counts []quota.Count) ([]int64, error) {
	used := make([]int64, len(counts))
	err := s.view(ctx, func(t *txn) error {
		var failed error
		sum := usage{}.sums(t, team, &failed)
		for i, c := range counts {
			used[i] = sum(c.Scope, c.Counter)
			for _, other := range c.Also {
				used[i] += sum(c.Scope, other)
			}
		}
		return failed
	})
	if err != nil {
		return nil, outcome("read counters", err)
	}
	return used, nil
}

// trim forgets what a closed hold has added to counters that have expired.
func (t *txn) trim(h quota.Hold) error {
	t.Delete(join(holdsByExpiry, stamped(lastExpiry(h)), h.Job))
	h.Entries = slices.DeleteFunc(h.Entries, func(e quota.Entry) bool {
		return !e.Expires.IsZero() && !t.now.Before(e.Expires)
	})
	return errors.Join(t.putHold(h), t.dropHold(h))
}

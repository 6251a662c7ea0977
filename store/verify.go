package store

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"strings"

	"ltxbot/core/quota"
	"ltxbot/core/team"
)

// VerifyLedger adds up all holds and unfinished jobs and compares the sums with those
// that are kept: counters, totals, spending, slots. It reads one state, and
// the whole ledger.
func (s *Store) VerifyLedger(ctx context.Context) (quota.LedgerReport, error) {
	now, err := s.db.Now(ctx)
	if err != nil {
		return quota.LedgerReport{}, closed(err)
	}
	var a quota.LedgerReport
	err = s.view(ctx, func(t *txn) error {
		a = quota.LedgerReport{}
		t.now = now
		var totals totalsRecord
		if _, err := load(t, totalsKey, &totals); err != nil {
			return err
		}
		a.Totals = totals.Totals
		want, err := t.addUp(ctx)
		if err != nil {
			return err
		}
		stored, err := t.sums(totals.Totals)
		if err != nil {
			return err
		}
		for what := range maps.Keys(stored) {
			if _, ok := want[what]; !ok {
				want[what] = sum{}
			}
		}
		for what, w := range want {
			got := stored[what]
			if got.value != w.value && !w.expired && !got.expired {
				a.Wrong = append(a.Wrong, quota.Difference{What: what, Stored: got.value, Want: w.value})
			}
		}
		return nil
	})
	if err != nil {
		return quota.LedgerReport{}, outcome("verify the ledger", err)
	}
	slices.SortFunc(a.Wrong, func(x, y quota.Difference) int { return cmp.Compare(x.What, y.What) })
	return a, nil
}

// sum is one sum of an audit. One that has expired may be forgotten.
type sum struct {
	value   int64
	expired bool
}

type sums map[string]sum

func (s sums) add(what string, n int64) { s[what] = sum{s[what].value + n, s[what].expired} }

func (s sums) addTotals(t quota.Totals) {
	s.add("total of holds", t.Holds)
	s.add("total reserved", int64(t.Reserved))
	s.add("total held", int64(t.Held))
	s.add("total settled", int64(t.Settled))
	s.add("total released", int64(t.Released))
	s.add("total charged", int64(t.Charged))
}

func (s sums) addSpending(what string, p team.Spending) {
	s.add(what+" videos", p.Videos)
	s.add(what+" under way", p.UnderWay)
	s.add(what+" held", int64(p.Held))
	s.add(what+" estimated", int64(p.Estimate))
	s.add(what+" charged", int64(p.Charged))
}

// daySumName writes the key of a team's day for people: "spent in all 2026-03-11 acme".
func daySumName(key string) string { return "spent in all " + strings.Join(split(daySumKey, key), " ") }

// counterName writes a counter for people: "acme member discord:1 usd/day/2026-03-31".
func counterName(usage, counter string) string {
	return strings.TrimSpace(strings.Join(split(usageKey, usage), " ") + " " + counter)
}

// addUp adds up the holds and the unfinished jobs.
func (t *txn) addUp(ctx context.Context) (sums, error) {
	want := sums{}
	for k, data := range t.Scan(holdKey, "") {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		var h holdRecord
		if err := decode(k, data, &h); err != nil {
			return nil, err
		}
		var totals quota.Totals
		totals.Add(h.Hold)
		want.addTotals(totals)
		spent, _ := team.SumUp([]quota.Hold{h.Hold})
		want.addSpending("spent "+strings.Join(split(spentKey, spentOn(h.Hold)), " "), spent)
		for i, share := range h.Shares() {
			e := h.Entries[i]
			name := counterName(usageOf(h.Team, e.Scope), e.Counter)
			want.add(name, share)
			if !e.Expires.IsZero() && !t.now.Before(e.Expires) {
				want[name] = sum{want[name].value, true}
			}
		}
	}
	for k, data := range t.Scan(spentKey, "") {
		var r spentRecord
		if err := decode(k, data, &r); err != nil {
			return nil, err
		}
		names := split(spentKey, k)
		want.addSpending(daySumName(join(daySumKey, names[0], names[1])), r.total())
	}
	for k := range t.Scan(openJobs, "") {
		h, err := head(t, last(k))
		if err != nil {
			return nil, err
		}
		if h.job().HoldsSlot() {
			want.add("slots", 1)
			want.add("slots of "+h.Team, 1)
			want.add("slots of "+h.Team+" "+h.Member, 1)
		}
		if h.job().Waiting() {
			want.add("waiting of "+h.Team+" "+h.Member, 1)
		}
	}
	return want, nil
}

// sums are the sums that are kept.
func (t *txn) sums(totals quota.Totals) (sums, error) {
	kept := sums{}
	kept.addTotals(totals)
	for k, data := range t.Scan(usageKey, "") {
		var r usageRecord
		if err := decode(k, data, &r); err != nil {
			return nil, err
		}
		for name, c := range r.Counters {
			kept[counterName(k, name)] = sum{c.Sum, c.expired(t.now)}
		}
	}
	for k, data := range t.Scan(spentKey, "") {
		var r spentRecord
		if err := decode(k, data, &r); err != nil {
			return nil, err
		}
		kept.addSpending("spent "+strings.Join(split(spentKey, k), " "), r.Holds)
	}
	for k, data := range t.Scan(daySumKey, "") {
		var r daySum
		if err := decode(k, data, &r); err != nil {
			return nil, err
		}
		kept.addSpending(daySumName(k), r.Spending)
	}
	var bot lineBot
	if _, err := load(t, lineBotKey, &bot); err != nil {
		return nil, err
	}
	kept.add("slots", int64(bot.Slots))
	for k, data := range t.Scan(lineTeamKey, "") {
		var r lineTeam
		if err := decode(k, data, &r); err != nil {
			return nil, err
		}
		kept.add("slots of "+last(k), int64(r.Slots))
	}
	for k, data := range t.Scan(lineMemberKey, "") {
		var r lineMember
		if err := decode(k, data, &r); err != nil {
			return nil, err
		}
		who := strings.Join(split(lineMemberKey, k), " ")
		kept.add("slots of "+who, int64(r.Slots))
		for _, n := range r.Waiting {
			kept.add("waiting of "+who, int64(n))
		}
	}
	return kept, nil
}

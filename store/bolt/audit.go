package bolt

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"ltxbot/core/quota"
)

// Audit adds up all holds and compares the sums with the counters and totals
// that the ledger keeps. It reads one commit, and the whole ledger.
func (s *Store) Audit(ctx context.Context) (quota.Audit, error) {
	var a quota.Audit
	err := s.view(ctx, func(v view) error {
		a = quota.Audit{}
		var err error
		if a.Totals, err = v.totals(); err != nil {
			return err
		}
		sums, counters, err := v.addUpHolds(ctx)
		if err != nil {
			return err
		}
		a.Wrong = compareTotals(a.Totals, sums)
		now := s.now()
		c := v.cursor(countersBucket)
		for k, value := c.First(); k != nil; k, value = c.Next() {
			// Holds forget entries that have expired.
			if want := counters[string(k)]; want.sum != number(value) && !counterExpired(value, now) {
				a.Wrong = append(a.Wrong, quota.Difference{What: counterName(string(k)), Stored: number(value), Want: want.sum})
			}
			delete(counters, string(k))
		}
		for k, want := range counters {
			if want.sum != 0 && (want.expires == "" || want.expires > timeBytes(now)) {
				a.Wrong = append(a.Wrong, quota.Difference{What: counterName(k), Want: want.sum})
			}
		}
		return nil
	})
	if err != nil {
		return quota.Audit{}, fmt.Errorf("audit: %w", err)
	}
	slices.SortFunc(a.Wrong, func(x, y quota.Difference) int { return cmp.Compare(x.What, y.What) })
	return a, nil
}

// shareSum is what all holds have added to one counter.
type shareSum struct {
	sum     int64
	expires string // as timeBytes; empty for never
}

func (v view) addUpHolds(ctx context.Context) (quota.Totals, map[string]shareSum, error) {
	var sums quota.Totals
	counters := map[string]shareSum{}
	c := v.cursor(holdsBucket)
	for k, data := c.First(); k != nil; k, data = c.Next() {
		if err := ctx.Err(); err != nil {
			return sums, nil, err
		}
		var h quota.Hold
		if err := json.Unmarshal(data, &h); err != nil {
			return sums, nil, &damagedError{bucket: holdsBucket, key: string(k), err: err}
		}
		sums.Add(h)
		for i, share := range h.Shares() {
			e := h.Entries[i]
			key := counterKey(h.Team, e.Scope, e.Counter)
			total := counters[key]
			total.sum += share
			if !e.Expires.IsZero() {
				total.expires = timeBytes(e.Expires)
			}
			counters[key] = total
		}
	}
	return sums, counters, nil
}

// compareTotals lists where the totals that are kept are not the sums.
func compareTotals(stored, want quota.Totals) []quota.Difference {
	var wrong []quota.Difference
	for _, row := range []struct {
		what         string
		stored, want int64
	}{
		{"total of holds", stored.Holds, want.Holds},
		{"total reserved", int64(stored.Reserved), int64(want.Reserved)},
		{"total held", int64(stored.Held), int64(want.Held)},
		{"total settled", int64(stored.Settled), int64(want.Settled)},
		{"total released", int64(stored.Released), int64(want.Released)},
		{"total charged", int64(stored.Charged), int64(want.Charged)},
	} {
		if row.stored != row.want {
			wrong = append(wrong, quota.Difference{What: row.what, Stored: row.stored, Want: row.want})
		}
	}
	return wrong
}

// counterName writes a counter's key for people: "acme member/discord:1 usd/day/2026-03-31".
func counterName(key string) string {
	return strings.TrimSpace(strings.ReplaceAll(key, sep, " "))
}

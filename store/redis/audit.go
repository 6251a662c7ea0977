package redis

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	goredis "github.com/redis/go-redis/v9"

	"ltxbot/core/quota"
	"ltxbot/core/usd"
)

// Audit adds up all holds and compares the sums with the counters and totals
// that the ledger keeps. Each partition is read at one instant, with all its
// holds: it is for an operator, not for a page that refreshes.
func (s *Store) Audit(ctx context.Context) (quota.Audit, error) {
	var a quota.Audit
	now := s.now()
	for _, p := range s.parts {
		b, err := s.books(ctx, p)
		if err == nil {
			err = b.audit(&a, now)
		}
		if err != nil {
			return quota.Audit{}, fmt.Errorf("audit: %w", err)
		}
	}
	slices.SortFunc(a.Wrong, func(x, y quota.Difference) int { return cmp.Compare(x.What, y.What) })
	return a, nil
}

// books is the ledger of a partition at one instant.
type books struct {
	sums     map[string]string // counters and totals
	expiries []goredis.Z
	holds    map[string]string
}

func (s *Store) books(ctx context.Context, p partition) (books, error) {
	var sums, holds *goredis.MapStringStringCmd
	var expiries *goredis.ZSliceCmd
	err := s.try(ctx, func(ctx context.Context) error {
		_, err := s.client.TxPipelined(ctx, func(pipe goredis.Pipeliner) error {
			sums = pipe.HGetAll(ctx, p.keys[useKey])
			expiries = pipe.ZRangeWithScores(ctx, p.keys[useUntilKey], 0, -1)
			holds = pipe.HGetAll(ctx, p.keys[holdsKey])
			return nil
		})
		return err
	})
	if err != nil {
		return books{}, err
	}
	return books{sums.Val(), expiries.Val(), holds.Val()}, nil
}

// shareSum is what all holds have added to one counter.
type shareSum struct {
	sum     int64
	expires time.Time // zero for never
}

// audit adds the totals of b to a, and where b contradicts itself.
func (b books) audit(a *quota.Audit, now time.Time) error {
	var sums quota.Totals
	want := map[string]shareSum{}
	for job, value := range b.holds {
		h, err := decodeHold(job, value)
		if err != nil {
			return fmt.Errorf("hold of %s: %w", job, err)
		}
		sums.Add(h)
		for i, share := range h.Shares() {
			e := h.Entries[i]
			field := counterField(h.Team, e.Scope, e.Counter)
			total := want[field]
			total.sum += share
			if e.Expires.After(total.expires) {
				total.expires = e.Expires
			}
			want[field] = total
		}
	}
	a.Wrong = append(a.Wrong, b.compareTotals(a, sums)...)

	// Holds forget entries that have expired, as counters may.
	expired := map[string]bool{}
	for _, z := range b.expiries {
		field, _ := z.Member.(string)
		expired[field] = int64(z.Score) <= now.Unix()
	}
	for field, text := range b.sums {
		if !strings.Contains(field, sep) {
			continue // a total
		}
		if stored := parseInt(text); stored != want[field].sum && !expired[field] {
			a.Wrong = append(a.Wrong, quota.Difference{What: counterName(field), Stored: stored, Want: want[field].sum})
		}
		delete(want, field)
	}
	for field, w := range want {
		if w.sum != 0 && (w.expires.IsZero() || now.Before(w.expires)) {
			a.Wrong = append(a.Wrong, quota.Difference{What: counterName(field), Want: w.sum})
		}
	}
	return nil
}

// compareTotals adds the totals that are kept to a and lists where they are
// not the sums of the holds.
func (b books) compareTotals(a *quota.Audit, sums quota.Totals) []quota.Difference {
	var wrong []quota.Difference
	a.Totals.Holds += parseInt(b.sums["holds"])
	if stored := parseInt(b.sums["holds"]); stored != sums.Holds {
		wrong = append(wrong, quota.Difference{What: "total of holds", Stored: stored, Want: sums.Holds})
	}
	for _, row := range []struct {
		name string
		into *usd.Micros
		want usd.Micros
	}{
		{"reserved", &a.Totals.Reserved, sums.Reserved},
		{"held", &a.Totals.Held, sums.Held},
		{"settled", &a.Totals.Settled, sums.Settled},
		{"released", &a.Totals.Released, sums.Released},
		{"charged", &a.Totals.Charged, sums.Charged},
	} {
		stored, err := strconv.ParseInt(cmp.Or(b.sums[row.name], "0"), 10, 64)
		*row.into += usd.Micros(stored)
		if err != nil || stored != int64(row.want) {
			wrong = append(wrong, quota.Difference{What: "total " + row.name, Stored: stored, Want: int64(row.want)})
		}
	}
	return wrong
}

// counterName writes a counter's field for people: "acme member/discord:1 usd/day/2026-03-31".
func counterName(field string) string {
	return strings.TrimSpace(strings.ReplaceAll(field, sep, " "))
}

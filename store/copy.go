package store

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"

	"ltxbot/core/quota"
	"ltxbot/store/kv"
)

// CopyReport is what was copied, and what both stores add up to.
type CopyReport struct {
	Jobs        int          `json:"jobs"`
	Unfinished  int          `json:"unfinished"` // of the jobs
	AdminStates int          `json:"admin_states"`
	Records     int          `json:"records"` // of the audit log
	Marks       int          `json:"marks"`   // TTL keys
	Settings    int          `json:"settings"`
	From        quota.Totals `json:"from"`
	To          quota.Totals `json:"to"`
}

// The errors of Copy that callers act on.
var (
	ErrNotEmpty = errors.New("the store holds something already")
	ErrWorkedOn = errors.New("a process works on the store")
)

// Export lists all keys with their values, in order. It is one state only
// while nobody writes.
func (s *Store) Export(ctx context.Context, emit func(key string, value []byte) error) error {
	return outcome("export", s.pages(ctx, "", "", func(keys []string, values [][]byte) error {
		for i, k := range keys {
			if err := emit(k, values[i]); err != nil {
				return err
			}
		}
		return nil
	}))
}

// Copy copies everything from one store to another, which must be empty, and
// compares both. No other process may work on the source: else the error is
// ErrWorkedOn. After an error the copy is not to be used.
func Copy(ctx context.Context, from, to *Store) (CopyReport, error) {
	r, err := copyStore(ctx, from, to)
	return r, outcome("copy store", err)
}

func copyStore(ctx context.Context, from, to *Store) (CopyReport, error) {
	var r CopyReport
	if err := to.Export(ctx, func(string, []byte) error { return ErrNotEmpty }); err != nil {
		return r, err
	}
	if n, err := from.db.Processes(ctx); err != nil || n > 1 {
		return r, errors.Join(err, ErrWorkedOn)
	}
	if err := from.copyKeys(ctx, to, &r); err != nil {
		return r, err
	}
	before, err := to.digest(ctx)
	if err != nil {
		return r, err
	}
	after, err := from.digest(ctx)
	if err != nil {
		return r, err
	}
	if before != after {
		return r, fmt.Errorf("%w: it was changed while it was being copied", ErrWorkedOn)
	}
	if _, err := to.handOut(ctx); err != nil {
		return r, fmt.Errorf("hand out unfinished jobs: %w", err)
	}
	return r, compare(ctx, from, to, &r)
}

// copyKeys copies all keys, and counts them by what they are.
func (s *Store) copyKeys(ctx context.Context, to *Store, r *CopyReport) error {
	return s.pages(ctx, "", "", func(keys []string, values [][]byte) error {
		for _, k := range keys {
			r.count(k)
		}
		return to.db.Update(ctx, func(tx kv.Tx) error {
			for i, k := range keys {
				tx.Put(k, values[i])
			}
			return nil
		})
	})
}

func (r *CopyReport) count(key string) {
	for prefix, n := range map[string]*int{
		jobKey: &r.Jobs, openJobs: &r.Unfinished, memberKey: &r.AdminStates, teamKey: &r.AdminStates,
		auditKey: &r.Records, ttlKey: &r.Marks, settingKey: &r.Settings,
	} {
		if strings.HasPrefix(key, prefix) {
			*n++
		}
	}
}

// digest is a checksum of all keys and values.
func (s *Store) digest(ctx context.Context) (string, error) {
	h := sha256.New()
	err := s.Export(ctx, func(key string, value []byte) error {
		_, err := fmt.Fprintf(h, "%d %s %d ", len(key), key, len(value))
		if err == nil {
			_, err = h.Write(value)
		}
		return err
	})
	return hex.EncodeToString(h.Sum(nil)), err
}

// compare adds both stores up.
func compare(ctx context.Context, from, to *Store, r *CopyReport) error {
	for _, side := range []struct {
		name  string
		store *Store
		into  *quota.Totals
	}{{"source", from, &r.From}, {"copy", to, &r.To}} {
		a, err := side.store.VerifyLedger(ctx)
		if err != nil {
			return fmt.Errorf("add up the %s: %w", side.name, err)
		}
		if len(a.Wrong) > 0 {
			w := a.Wrong[0]
			return fmt.Errorf("the %s does not add up in %d places; the first: %s is %d and should be %d",
				side.name, len(a.Wrong), w.What, w.Stored, w.Want)
		}
		*side.into = a.Totals
	}
	return nil
}

package bolt

import (
	"context"
	"errors"
	"fmt"
	"time"

	"ltxbot/core/quota"
)

var _ quota.Marks = (*Store)(nil)

// mark is a value that expires.
type mark struct {
	Value   string    `json:"value"`
	Expires time.Time `json:"expires"`
}

// mark reads the mark under key and reports whether there is one that has not
// expired.
func (v view) mark(key string, now time.Time) (mark, bool, error) {
	var m mark
	ok, err := v.record(marksBucket, key, &m)
	return m, ok && now.Before(m.Expires), err
}

// ClaimMark writes a mark if there is none.
func (s *Store) ClaimMark(ctx context.Context, key, value string, expires time.Time) (bool, error) {
	var claimed bool
	err := checkNames(key)
	if err == nil {
		err = s.write(ctx, func(t *txn) error {
			_, taken, err := t.mark(key, s.now())
			if claimed = err == nil && !taken; !claimed {
				return err
			}
			return t.putRecord(marksBucket, key, mark{value, expires})
		})
	}
	if err != nil {
		return false, fmt.Errorf("claim mark %s: %w", key, err)
	}
	return claimed, nil
}

// PutMark writes a mark whatever is under its key.
func (s *Store) PutMark(ctx context.Context, key, value string, expires time.Time) error {
	err := checkNames(key)
	if err == nil {
		err = s.write(ctx, func(t *txn) error { return t.putRecord(marksBucket, key, mark{value, expires}) })
	}
	if err != nil {
		return fmt.Errorf("put mark %s: %w", key, err)
	}
	return nil
}

// TakeMark removes a mark and returns its value.
func (s *Store) TakeMark(ctx context.Context, key string) (string, error) {
	var value string
	err := s.write(ctx, func(t *txn) error {
		m, ok, err := t.mark(key, s.now())
		if err != nil {
			return err
		}
		if !ok {
			return quota.ErrNoMark
		}
		value = m.Value
		return t.remove(marksBucket, key)
	})
	if err != nil && !errors.Is(err, quota.ErrNoMark) {
		return "", fmt.Errorf("take mark: %w", err)
	}
	return value, err
}

// expiredMarks are the keys of marks that have expired.
func (v view) expiredMarks(now time.Time) ([]string, error) {
	var keys []string
	c := v.cursor(marksBucket)
	for k, _ := c.First(); k != nil; k, _ = c.Next() {
		_, ok, err := v.mark(string(k), now)
		if err != nil {
			return nil, err
		}
		if !ok {
			keys = append(keys, string(k))
		}
	}
	return keys, nil
}

// forgetMark removes a mark that is still expired.
func (t *txn) forgetMark(key string, now time.Time) (bool, error) {
	if _, ok, err := t.mark(key, now); ok || err != nil {
		return false, err
	}
	return true, t.remove(marksBucket, key)
}

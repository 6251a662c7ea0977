package store

import (
	"context"
	"time"

	"ltxbot/core/team"
)

// ttlRecord is a value that expires.
type ttlRecord struct {
	stamp

	Value   string    `json:"value"`
	Expires time.Time `json:"expires"`
}

// ttl reads the value under a TTL key and reports whether there is one that
// has not expired.
func (t *txn) ttl(key string) (ttlRecord, bool, error) {
	var r ttlRecord
	ok, err := load(t, join(ttlKey, key), &r)
	return r, ok && t.now.Before(r.Expires), err
}

// ClaimMark writes a TTL key if there is none.
func (s *Store) ClaimMark(ctx context.Context, key, value string, expires time.Time) (bool, error) {
	var claimed bool
	err := s.mark(ctx, key, func(t *txn) error {
		_, taken, err := t.ttl(key)
		if claimed = err == nil && !taken; !claimed {
			return err
		}
		return save(t, join(ttlKey, key), &ttlRecord{v1, value, expires})
	})
	return claimed && err == nil, outcome("claim mark", err)
}

// PutMark writes a TTL key whatever is under it.
func (s *Store) PutMark(ctx context.Context, key, value string, expires time.Time) error {
	return outcome("put mark", s.mark(ctx, key, func(t *txn) error {
		return save(t, join(ttlKey, key), &ttlRecord{v1, value, expires})
	}))
}

// TakeMark removes a TTL key and returns its value.
func (s *Store) TakeMark(ctx context.Context, key string) (string, error) {
	var r ttlRecord
	err := s.mark(ctx, key, func(t *txn) error {
		var ok bool
		var err error
		if r, ok, err = t.ttl(key); err == nil && !ok {
			err = team.ErrNoMark
		}
		t.Delete(join(ttlKey, key))
		return err
	})
	if err != nil {
		return "", outcome("take mark", err)
	}
	return r.Value, nil
}

func (s *Store) mark(ctx context.Context, key string, fn func(*txn) error) error {
	if err := checkNames(key); err != nil {
		return err
	}
	return s.update(ctx, fn)
}

// settingRecord is a small value that another part of the bot keeps.
type settingRecord struct {
	stamp

	Value []byte `json:"value"` // in base64
}

// Setting reads a small value that another part of the bot keeps under name.
// It is nil when there is none.
func (s *Store) Setting(ctx context.Context, name string) ([]byte, error) {
	var value []byte
	err := s.view(ctx, func(t *txn) error {
		var r settingRecord
		ok, err := load(t, join(settingKey, name), &r)
		if value = nil; ok {
			value = append([]byte{}, r.Value...)
		}
		return err
	})
	if err != nil {
		return nil, outcome("read setting "+name, err)
	}
	return value, nil
}

// PutSetting keeps value under name; nil removes it.
func (s *Store) PutSetting(ctx context.Context, name string, value []byte) error {
	return outcome("write setting "+name, s.mark(ctx, name, func(t *txn) error {
		if value == nil {
			t.Delete(join(settingKey, name))
			return nil
		}
		return save(t, join(settingKey, name), &settingRecord{v1, value})
	}))
}

package store

import (
	"cmp"
	"context"
	"slices"
	"time"
)

// sessionRecord is somebody who has signed in.
type sessionRecord struct {
	stamp

	Value   []byte    `json:"value"` // in base64
	Created time.Time `json:"created"`
	Expires time.Time `json:"expires"`
}

// PutSession keeps a session of an owner under id until it expires. Of more than
// most sessions of the owner, the oldest end. Every process that shares the store
// sees it when PutSession returns.
func (s *Store) PutSession(ctx context.Context, owner, id string, value []byte, expires time.Time, most int) error {
	if err := checkNames(owner, id); err != nil {
		return outcome("keep session", err)
	}
	type held struct {
		key     string
		created time.Time
	}
	return outcome("keep session", s.update(ctx, func(t *txn) error {
		var others []held
		for k, data := range t.Scan(join(sessionKey, owner)+"/", "") {
			var r sessionRecord
			if err := decode(k, data, &r); err != nil || !t.now.Before(r.Expires) {
				t.Delete(k) // whoever it was signs in again
				continue
			}
			others = append(others, held{k, r.Created})
		}
		slices.SortFunc(others, func(a, b held) int { return cmp.Or(b.created.Compare(a.created), cmp.Compare(a.key, b.key)) })
		for i, o := range others {
			if i >= most-1 {
				t.Delete(o.key)
			}
		}
		return save(t, join(sessionKey, owner, id), &sessionRecord{v1, value, t.now, expires})
	}))
}

// Session reads the value of a session; nil when there is none, or it is over.
func (s *Store) Session(ctx context.Context, owner, id string) ([]byte, error) {
	now, err := s.Now(ctx)
	if err != nil {
		return nil, outcome("read session", err)
	}
	var r sessionRecord
	var ok bool
	err = s.view(ctx, func(t *txn) error {
		var err error
		r = sessionRecord{}
		ok, err = load(t, join(sessionKey, owner, id), &r)
		return err
	})
	if err != nil || !ok || !now.Before(r.Expires) {
		return nil, outcome("read session", err)
	}
	return r.Value, nil
}

// EndSession ends a session of an owner; an empty id ends all of them.
func (s *Store) EndSession(ctx context.Context, owner, id string) error {
	return outcome("end session", s.update(ctx, func(t *txn) error {
		if id != "" {
			t.Delete(join(sessionKey, owner, id))
			return nil
		}
		for k := range t.Scan(join(sessionKey, owner)+"/", "") {
			t.Delete(k)
		}
		return nil
	}))
}

// sweepSessions removes the sessions that are over.
func (s *Store) sweepSessions(ctx context.Context) error {
	return s.sweepStale(ctx, sessionKey, func(key string, value []byte, now time.Time) (bool, error) {
		var r sessionRecord
		return decode(key, value, &r) != nil || !now.Before(r.Expires), nil //nolint:nilerr // a damaged one is over, too
	}, func(t *txn, key string) (bool, error) {
		t.Delete(key) // an id is never used again
		return true, nil
	})
}

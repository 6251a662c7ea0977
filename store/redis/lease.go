package redis

import (
	"context"
	"fmt"
	"time"
)

// leaseKey is where a lease is kept.
func (s *Store) leaseKey(name string) string { return s.botKey("lease:" + name) }

// Acquire gets the lease called name for owner, or renews it, and reports
// whether owner has it now. It ends after ttl unless it is renewed; what it
// allows must be over by then.
func (s *Store) Acquire(ctx context.Context, name, owner string, ttl time.Duration) (held bool, err error) {
	err = checkNames(name, owner)
	if err != nil {
		return false, fmt.Errorf("acquire lease: %w", err)
	}
	reply, err := s.eval(ctx, acquireScript, []string{s.leaseKey(name)}, owner, max(1, ttl.Milliseconds()))
	if err != nil {
		return false, fmt.Errorf("acquire lease %s: %w", name, err)
	}
	got, _ := reply.([]any)
	return list(got).number(0) == 1, nil
}

// Release ends the lease called name, if it is still owner's.
func (s *Store) Release(ctx context.Context, name, owner string) error {
	if _, err := s.eval(ctx, releaseScript, []string{s.leaseKey(name)}, owner); err != nil {
		return fmt.Errorf("release lease %s: %w", name, err)
	}
	return nil
}

// Package storetest opens stores for tests, as the bot does.
package storetest

import (
	"log/slog"
	"testing"
	"time"

	"ltxbot/core/quota"
	"ltxbot/store"
	"ltxbot/store/bolt"
	"ltxbot/store/redis"
)

// Options are what a store on a file needs. The zero value works, without
// limits on jobs at a time.
type Options struct {
	Logger   *slog.Logger     // nothing is logged when nil
	Now      func() time.Time // time.Now when nil
	MaxBytes int64            // size of file at which writes are refused; 0 = no limit
	Limits   store.Limits
}

// OpenFile opens the store in the file at path. Writes are not flushed to the
// disk: no test takes the power away, and most of their time would be that.
func OpenFile(path string, o Options) (*store.Store, error) {
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	e, err := bolt.Open(path, bolt.Options{Logger: o.Logger, Now: o.Now, MaxBytes: o.MaxBytes, NoSync: true})
	if err != nil {
		return nil, err
	}
	return store.New(e, store.Options{Logger: o.Logger, Limits: o.Limits}), nil
}

// File is OpenFile of what must be a store.
func File(t testing.TB, path string, o Options) *store.Store {
	t.Helper()
	s, err := OpenFile(path, o)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// Redis opens the store on a server, as one more process, until the test ends.
func Redis(t testing.TB, url string) *store.Store {
	t.Helper()
	quiet := slog.New(slog.DiscardHandler)
	e, err := redis.Open(t.Context(), url, redis.Options{Logger: quiet})
	if err != nil {
		t.Fatal(err)
	}
	s := store.New(e, store.Options{Logger: quiet})
	t.Cleanup(func() { _ = s.Close() })
	return s
}

// Limits are the limits on jobs at a time of a policy.
func Limits(policy func() quota.Policy) store.Limits {
	return func(team, member string, tiers []string, s quota.AdminState) quota.Line {
		return policy().Line(quota.Asker{Team: team, Member: member, Tiers: tiers}, s)
	}
}

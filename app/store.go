package app

import (
	"context"
	"crypto/rand"
	"fmt"
	"io"
	"log/slog"
	"strings"

	"ltxbot/config"
	"ltxbot/core/generate"
	"ltxbot/core/quota"
	"ltxbot/store/bolt"
	"ltxbot/store/redis"
)

// storage is a store that keeps jobs, the ledger, and what goes with it.
type storage interface {
	generate.Store
	quota.Store
	io.Closer
}

// openStore opens the store that the URL names. It waits for a Redis that does
// not answer, and says so, until ctx is done.
func openStore(ctx context.Context, c config.Store, log *slog.Logger) (storage, error) {
	if c.Scheme() == "bolt" {
		return bolt.Open(c.Path(), bolt.Options{Logger: log})
	}
	s, err := redis.Open(ctx, c.URL.Reveal(), redis.Options{Logger: log})
	if err != nil {
		return nil, fmt.Errorf("store.url: %w", err)
	}
	return s, nil
}

// owner is a new name for this process among those that share a store.
func owner() string { return strings.ToLower(rand.Text()[:12]) }

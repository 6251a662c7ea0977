package app

import (
	"context"
	"crypto/rand"
	"fmt"
	"log/slog"
	"strings"

	"ltxbot/config"
	"ltxbot/core/quota"
	"ltxbot/store"
	"ltxbot/store/bolt"
	"ltxbot/store/redis"
)

// storage is the store of a bot.
type storage struct {
	*store.Store

	// shared is the engine if several processes may use it, else nil.
	shared *redis.Engine
}

// openStore opens the store that the URL names. It waits for a Redis that does
// not answer, and says so, until ctx is done.
func openStore(ctx context.Context, c config.Store, policy func() quota.Policy, log *slog.Logger) (*storage, error) {
	opts := store.Options{Logger: log, Limits: func(team, member string, tiers []string, s quota.AdminState) quota.Line {
		return policy().Line(quota.Asker{Team: team, Member: member, Tiers: tiers}, s)
	}}
	if c.Scheme() == "bolt" {
		e, err := bolt.Open(c.Path(), bolt.Options{Logger: log})
		if err != nil {
			return nil, err
		}
		return &storage{Store: store.New(e, opts)}, nil
	}
	e, err := redis.Open(ctx, c.URL.Reveal(), redis.Options{Logger: log})
	if err != nil {
		return nil, fmt.Errorf("store.url: %w", err)
	}
	return &storage{Store: store.New(e, opts), shared: e}, nil
}

// owner is a new name for this process among those that share a store.
func owner() string { return strings.ToLower(rand.Text()[:12]) }

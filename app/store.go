package app

import (
	"crypto/rand"
	"fmt"
	"io"
	"log/slog"
	"strings"

	"ltxbot/config"
	"ltxbot/core/generate"
	"ltxbot/core/quota"
	"ltxbot/store/bolt"
)

// storage is a store that keeps both jobs and the ledger.
type storage interface {
	generate.Store
	quota.Ledger
	io.Closer
}

// openStore opens the store that the URL names.
func openStore(c config.Store, log *slog.Logger) (storage, error) {
	if c.Scheme() == "bolt" {
		return bolt.Open(c.Path(), bolt.Options{Logger: log})
	}
	return nil, fmt.Errorf("store.url: stores of kind %q are not supported", c.Scheme())
}

// owner is a new name for this process among those that share a store.
func owner() string { return strings.ToLower(rand.Text()[:12]) }

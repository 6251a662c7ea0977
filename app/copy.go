package app

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"

	"ltxbot/config"
	"ltxbot/core/quota"
	"ltxbot/store"
)

// CopyStore copies everything from one store to another, which must hold
// nothing: else the error is store.ErrNotEmpty. It adds both up at the end. If
// a bot works on the first one, the error is bolt.ErrInUse or
// store.ErrWorkedOn.
func CopyStore(ctx context.Context, from, to config.Store, log *slog.Logger) (report store.CopyReport, err error) {
	source, err := openExisting(ctx, from, log)
	if err != nil {
		return report, fmt.Errorf("store to copy from: %w", err)
	}
	defer func() { err = errors.Join(err, source.Close()) }()
	soon, cancel := context.WithTimeout(ctx, openLimit)
	defer cancel()
	target, err := openStore(soon, to, noPolicy, log)
	if err != nil {
		return report, fmt.Errorf("store to copy to: %w", err)
	}
	defer func() { err = errors.Join(err, target.Close()) }()
	return store.Copy(ctx, source.Store, target.Store)
}

// noPolicy is for who only looks at a store or copies it: then nobody is
// admitted.
func noPolicy() quota.Policy { return quota.Policy{} }

// openExisting opens a store that is there. It does not wait long for a server.
func openExisting(ctx context.Context, c config.Store, log *slog.Logger) (*storage, error) {
	if path := c.Path(); path != "" {
		switch _, err := os.Stat(path); {
		case errors.Is(err, fs.ErrNotExist):
			return nil, fmt.Errorf("no store at %s: name the config of your bot with --config, or start it once with bot run: %w", path, fs.ErrNotExist)
		case err != nil:
			return nil, fmt.Errorf("open store: %w", err)
		}
	}
	ctx, cancel := context.WithTimeout(ctx, openLimit)
	defer cancel()
	return openStore(ctx, c, noPolicy, log)
}

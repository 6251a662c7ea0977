package app

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"

	"ltxbot/config"
	"ltxbot/core/archive"
)

// CopyStore copies everything from one store to another, which must hold
// nothing: else the error is archive.ErrInUse. It adds both up at the end. No
// bot may run on either meanwhile.
func CopyStore(ctx context.Context, from, to config.Store, log *slog.Logger) (report archive.Report, err error) {
	if path := from.Path(); path != "" {
		if _, err := os.Stat(path); err != nil {
			return report, fmt.Errorf("open store to copy from: %w", err)
		}
	}
	source, err := openArchive(ctx, from, log)
	if err != nil {
		return report, fmt.Errorf("store to copy from: %w", err)
	}
	defer func() { err = errors.Join(err, source.Close()) }()
	target, err := openArchive(ctx, to, log)
	if err != nil {
		return report, fmt.Errorf("store to copy to: %w", err)
	}
	defer func() { err = errors.Join(err, target.Close()) }()
	return archive.Copy(ctx, source, target)
}

// archived is a store that can be copied, and is closed afterwards.
type archived interface {
	archive.Store
	Close() error
}

func openArchive(ctx context.Context, c config.Store, log *slog.Logger) (archived, error) {
	ctx, cancel := context.WithTimeout(ctx, openLimit)
	defer cancel()
	s, err := openStore(ctx, c, log)
	if err != nil {
		return nil, err
	}
	a, ok := s.(archived)
	if !ok {
		return nil, errors.Join(fmt.Errorf("a store of kind %q can't be copied", c.Scheme()), s.Close())
	}
	return a, nil
}

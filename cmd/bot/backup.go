package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"ltxbot/app/admin"
	"ltxbot/store"
	"ltxbot/store/kv"
)

type jobsBackupCmd struct {
	botFlags
	File string `arg:"" type:"path" help:"File to write; it must not exist."`
}

// Run writes a backup.
func (c jobsBackupCmd) Run(ctx context.Context, term terminal) error {
	if _, err := os.Lstat(c.File); err == nil {
		return &exitError{2, fmt.Errorf("%s exists; name another file", c.File)}
	}
	size, err := c.save(ctx)
	if err == nil {
		_, err = fmt.Fprintf(term.out, "%s: %d bytes\n", c.File, size)
	}
	return err
}

// save writes the file, which appears when it is whole.
func (c jobsBackupCmd) save(ctx context.Context) (size int64, err error) {
	f, err := os.CreateTemp(filepath.Dir(c.File), ".ltxbot-backup-*") // for the owner's eyes only
	if err != nil {
		return 0, err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, f.Close(), os.Remove(f.Name()))
		}
	}()
	if err = c.write(ctx, f); err != nil {
		return 0, err
	}
	info, err := f.Stat()
	if err != nil {
		return 0, err
	}
	if err = f.Sync(); err != nil {
		return 0, err
	}
	return info.Size(), errors.Join(f.Close(), os.Rename(f.Name(), c.File))
}

func (c jobsBackupCmd) write(ctx context.Context, w io.Writer) error {
	return c.ask(
		ctx,
		func(bot *admin.Client) error {
			err := bot.Backup(ctx, w)
			var answer *admin.Error
			if errors.As(err, &answer) && answer.NotFound() {
				return kv.ErrNoBackup
			}
			return err
		},
		func(s *store.Store) error { return s.Backup(ctx, w) })
}

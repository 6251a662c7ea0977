package bolt

import (
	"bytes"
	"context"
	"fmt"
	"io"
)

// Setting reads a small value that another part of the bot keeps under name.
// It is nil when there is none.
func (s *Store) Setting(ctx context.Context, name string) ([]byte, error) {
	var value []byte
	err := s.view(ctx, func(v view) error {
		value = bytes.Clone(v.get(settingsBucket, name))
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("read setting %s: %w", name, err)
	}
	return value, nil
}

// PutSetting keeps value under name; nil removes it.
func (s *Store) PutSetting(ctx context.Context, name string, value []byte) error {
	err := checkNames(name)
	if err == nil {
		err = s.write(ctx, func(t *txn) error {
			if value == nil {
				return t.remove(settingsBucket, name)
			}
			return t.put(settingsBucket, name, value)
		})
	}
	if err != nil {
		return fmt.Errorf("write setting %s: %w", name, err)
	}
	return nil
}

// Backup writes a consistent copy of the store to w while it is in use. The
// copy is a store of its own. Writes go on meanwhile; only a file that doubles
// in size has to wait for the end of a backup.
func (s *Store) Backup(ctx context.Context, w io.Writer) error {
	err := s.view(ctx, func(v view) error {
		_, err := v.tx.WriteTo(&contextWriter{w: w, err: ctx.Err})
		return err
	})
	if err != nil {
		return fmt.Errorf("back up store: %w", err)
	}
	return nil
}

// contextWriter writes until err says otherwise.
type contextWriter struct {
	w   io.Writer
	err func() error
}

func (c *contextWriter) Write(p []byte) (int, error) {
	if err := c.err(); err != nil {
		return 0, err
	}
	return c.w.Write(p)
}

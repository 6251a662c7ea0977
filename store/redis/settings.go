package redis

import (
	"context"
	"errors"
	"fmt"

	goredis "github.com/redis/go-redis/v9"
)

// Setting reads a small value that another part of the bot keeps under name.
// It is nil when there is none.
func (s *Store) Setting(ctx context.Context, name string) ([]byte, error) {
	var value []byte
	err := s.try(ctx, func(ctx context.Context) error {
		var err error
		value, err = s.client.HGet(ctx, s.botKey("settings"), name).Bytes()
		return err
	})
	if errors.Is(err, goredis.Nil) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read setting %s: %w", name, err)
	}
	return value, nil
}

// PutSetting keeps value under name; nil removes it.
func (s *Store) PutSetting(ctx context.Context, name string, value []byte) error {
	err := checkNames(name)
	if err == nil {
		err = s.try(ctx, func(ctx context.Context) error {
			if value == nil {
				return s.client.HDel(ctx, s.botKey("settings"), name).Err()
			}
			return s.client.HSet(ctx, s.botKey("settings"), name, value).Err()
		})
	}
	if err != nil {
		return fmt.Errorf("write setting %s: %w", name, err)
	}
	return nil
}

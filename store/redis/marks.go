package redis

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"ltxbot/core/quota"
)

// takenTime is how long a mark that was taken is remembered with who took it:
// longer than any call is repeated.
const takenTime = time.Minute

// markKey is where a mark is kept.
func (s *Store) markKey(key string) string { return s.botKey("mark:" + key) }

// ClaimMark writes a mark if there is none.
func (s *Store) ClaimMark(ctx context.Context, key, value string, expires time.Time) (bool, error) {
	mine, err := s.mark(ctx, key, value, expires, true)
	if err != nil {
		return false, fmt.Errorf("claim mark: %w", err)
	}
	return mine, nil
}

// PutMark writes a mark whatever is under its key.
func (s *Store) PutMark(ctx context.Context, key, value string, expires time.Time) error {
	if _, err := s.mark(ctx, key, value, expires, false); err != nil {
		return fmt.Errorf("put mark: %w", err)
	}
	return nil
}

func (s *Store) mark(ctx context.Context, key, value string, expires time.Time, claim bool) (bool, error) {
	if key == "" || strings.ContainsRune(key, 0) {
		return false, errors.New("a key is not empty and has no zero byte")
	}
	now := s.now()
	keep := max(time.Millisecond, expires.Sub(now))
	reply, err := s.eval(ctx, markScript, []string{s.markKey(key)},
		value, expires.UnixMicro(), now.UnixMicro(), keep.Milliseconds(), callToken(), flagText(claim))
	n, _ := reply.(int64)
	return n == 1, err
}

// TakeMark removes a mark and returns its value.
func (s *Store) TakeMark(ctx context.Context, key string) (string, error) {
	reply, err := s.eval(ctx, takeScript, []string{s.markKey(key)}, s.now().UnixMicro(), callToken(), takenTime.Milliseconds())
	if err != nil {
		return "", fmt.Errorf("take mark: %w", err)
	}
	value, ok := reply.(string)
	if !ok {
		return "", quota.ErrNoMark
	}
	return value, nil
}

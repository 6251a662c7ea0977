package redis

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	goredis "github.com/redis/go-redis/v9"

	"ltxbot/core/generate"
	"ltxbot/core/quota"
)

// ErrUnavailable says that Redis did not answer in time. Whether it did what
// it was asked is not known.
var ErrUnavailable = errors.New("redis does not answer")

// limit bounds a call by the store's timeout, unless its context ends sooner.
// A person who waits for an answer is told soon that there is none now.
func (s *Store) limit(ctx context.Context) (context.Context, context.CancelFunc) {
	timeout := s.opts.Timeout
	if s.away.Load() {
		timeout /= 10
	}
	return context.WithTimeout(ctx, timeout)
}

// try calls op until it succeeds or fails for good, for the store's timeout at
// most. A broken connection does not tell whether the server has acted: op must
// have the same outcome when it is repeated.
func (s *Store) try(ctx context.Context, op func(context.Context) error) error {
	if err := ctx.Err(); err != nil {
		return stopped(err)
	}
	limited, cancel := s.limit(ctx)
	defer cancel()
	for n := 0; ; n++ {
		err := op(limited)
		switch {
		case err == nil, errors.Is(err, goredis.Nil):
			s.away.Store(false)
			return err
		case errors.Is(err, goredis.ErrClosed):
			return generate.ErrClosed
		case !temporary(err):
			return err
		case !pause(limited, backoff(n)):
			if ended := ctx.Err(); ended != nil {
				return stopped(ended)
			}
			s.away.Store(true)
			return fmt.Errorf("%w: %w", ErrUnavailable, err)
		}
	}
}

// stopped is the error of a call whose context has ended: when it was not
// called off but ran out of time, that was spent waiting for Redis.
func stopped(err error) error {
	if errors.Is(err, context.DeadlineExceeded) {
		return fmt.Errorf("%w: %w", ErrUnavailable, err)
	}
	return err
}

// passing are the errors of a server that is starting, failing over or moving
// its slots.
// https://redis.io/docs/latest/develop/reference/protocol-spec/#simple-errors
var passing = [...]string{"LOADING", "READONLY", "MASTERDOWN", "CLUSTERDOWN", "TRYAGAIN", "NOREPLICAS", "MISCONF", "BUSY "}

// temporary reports whether a call that failed may succeed when it is made
// again: the server has not answered, or said that it can't yet.
func temporary(err error) bool {
	if unfit := (*unfitError)(nil); errors.As(err, &unfit) {
		return false
	}
	if reply := goredis.Error(nil); !errors.As(err, &reply) {
		return true
	}
	for _, prefix := range passing {
		if goredis.HasErrorPrefix(err, prefix) {
			return true
		}
	}
	return false
}

// backoff is how long to wait before the n-th repetition, from 0.
func backoff(n int) time.Duration {
	const first, most = 2 * time.Millisecond, 500 * time.Millisecond
	d := min(first<<min(n, 10), most)
	return d/2 + rand.N(d) //nolint:gosec // spreads processes out, nothing more
}

// pause waits for d and reports whether ctx is still alive.
func pause(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return ctx.Err() == nil
	case <-ctx.Done():
		return false
	}
}

// outcome leaves the errors that callers act on as they are, and says of the
// others what could not be done.
func outcome(op, id string, err error) error {
	var refusal *quota.LimitError
	switch {
	case err == nil, errors.As(err, &refusal),
		errors.Is(err, generate.ErrExists), errors.Is(err, generate.ErrConflict), errors.Is(err, generate.ErrNoJob), errors.Is(err, generate.ErrClosed),
		errors.Is(err, quota.ErrNoHold):
		return err
	default:
		return fmt.Errorf("%s job %s: %w", op, id, err)
	}
}

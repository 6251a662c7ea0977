package redis

import (
	"context"
	"errors"
	"fmt"
	"time"

	goredis "github.com/redis/go-redis/v9"

	"ltxbot/internal/retry"
	"ltxbot/store/kv"
)

// ErrUnavailable says that Redis did not answer in time. Whether it did what
// it was asked is not known.
var ErrUnavailable = errors.New("redis does not answer")

// limit bounds a call by the engine's timeout, unless its context ends sooner.
// A person who waits for an answer is told soon that there is none now.
func (e *Engine) limit(ctx context.Context) (context.Context, context.CancelFunc) {
	timeout := e.opts.Timeout
	if e.away.Load() {
		timeout /= 10
	}
	return context.WithTimeout(ctx, timeout)
}

// try calls op until it succeeds or fails for good, for the engine's timeout at
// most. A broken connection does not tell whether the server has acted: op must
// have the same outcome when it is repeated.
func (e *Engine) try(ctx context.Context, op func(context.Context) error) error {
	if err := ctx.Err(); err != nil {
		return stopped(err)
	}
	if err := e.err(); err != nil && !e.leaving.Load() {
		return err
	}
	limited, cancel := e.limit(ctx)
	defer cancel()
	var cause error // the last one that was not the end of time
	for n := 1; ; n++ {
		err := op(limited)
		if cause == nil || !errors.Is(err, context.DeadlineExceeded) {
			cause = err
		}
		switch {
		case err == nil, errors.Is(err, goredis.Nil):
			e.away.Store(false)
			return err
		case errors.Is(err, goredis.ErrClosed):
			return kv.ErrClosed
		case !temporary(err):
			return err
		case !retry.Wait(limited, backoff.After(n)):
			if ended := ctx.Err(); ended != nil {
				return stopped(ended)
			}
			e.away.Store(true)
			return fmt.Errorf("%w: %w", ErrUnavailable, cause)
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
	if unfit := (*unfitError)(nil); errors.As(err, &unfit) || errors.Is(err, errNotSafe) {
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

// backoff is how long to wait before a call is made again: processes that lost
// the same server don't come back in step.
var backoff = retry.Backoff{First: 2 * time.Millisecond, Most: 500 * time.Millisecond, Spread: 1}

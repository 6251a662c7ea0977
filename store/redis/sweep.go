package redis

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"strconv"
	"time"

	goredis "github.com/redis/go-redis/v9"

	"ltxbot/core/quota"
)

// orphanAge is how old a hold without a job must be before it is released:
// longer than anybody needs to record the job after reserving for it.
const orphanAge = 10 * time.Minute

// sweepChunk is how many records one script of a sweep changes, so that
// commands that arrive meanwhile hardly wait.
const sweepChunk = 100

// Sweep releases the holds whose job is over or does not exist, and returns
// how many. It also forgets counters that no window includes any more and
// what closed holds have added to them.
func (s *Store) Sweep(ctx context.Context) (released int, err error) {
	now := s.now()
	for _, p := range s.parts {
		n, err := s.sweepHolds(ctx, p, now)
		released += n
		if err == nil {
			err = s.forgetCounters(ctx, p, now)
		}
		if err == nil {
			err = s.trimHolds(ctx, p, now)
		}
		if err != nil {
			return released, fmt.Errorf("sweep: %w", err)
		}
	}
	return released, nil
}

func (s *Store) sweepHolds(ctx context.Context, p partition, now time.Time) (released int, err error) {
	var jobs []string
	err = s.try(ctx, func(ctx context.Context) error {
		var err error
		jobs, err = s.client.SMembers(ctx, p.keys[heldKey]).Result()
		return err
	})
	if err != nil {
		return 0, err
	}
	for chunk := range slices.Chunk(jobs, sweepChunk) {
		args := []any{sortable(now), sortable(now.Add(-orphanAge))}
		for _, job := range chunk {
			args = append(args, job)
		}
		reply, err := s.call(ctx, p, sweepScript, args...)
		if err != nil {
			return released, err
		}
		n, _ := reply.(int64)
		released += int(n)
	}
	return released, nil
}

func (s *Store) forgetCounters(ctx context.Context, p partition, now time.Time) error {
	for {
		reply, err := s.call(ctx, p, forgetScript, now.Unix(), sweepChunk)
		if n, _ := reply.(int64); err != nil || n < sweepChunk {
			return err
		}
	}
}

// trimHolds makes the closed holds smaller whose counters have all expired.
func (s *Store) trimHolds(ctx context.Context, p partition, now time.Time) error {
	var jobs []string
	err := s.try(ctx, func(ctx context.Context) error {
		var err error
		jobs, err = s.client.ZRangeByScore(ctx, p.keys[expiringKey], &goredis.ZRangeBy{
			Min: "-inf", Max: strconv.FormatInt(now.Unix(), 10),
		}).Result()
		return err
	})
	if err != nil {
		return err
	}
	for chunk := range slices.Chunk(jobs, sweepChunk) {
		values := make([]*goredis.StringCmd, len(chunk))
		err := s.pipelined(ctx, func(ctx context.Context, pipe goredis.Pipeliner) {
			for i, job := range chunk {
				values[i] = pipe.HGet(ctx, p.keys[holdsKey], job)
			}
		})
		if err != nil {
			return err
		}
		for i, job := range chunk {
			trimmed, ok, err := trimmed(job, values[i].Val(), now)
			if err != nil {
				s.log.ErrorContext(ctx, "redis: hold can't be trimmed", slog.String("job", job), slog.Any("error", err))
				continue
			}
			if !ok {
				continue
			}
			if err := s.dropHold(ctx, p, job, values[i].Val()); err != nil {
				return err
			}
			if _, err := s.call(ctx, p, trimScript, job, values[i].Val(), trimmed); err != nil {
				return err
			}
		}
	}
	return nil
}

// trimmed is the hold of a job, as it is kept, without the entries that have
// expired by now. It reports false for a hold that is not closed.
func trimmed(job, value string, now time.Time) (string, bool, error) {
	h, err := decodeHold(job, value)
	if err != nil || h.State == quota.Held {
		return "", false, err
	}
	h.Entries = slices.DeleteFunc(h.Entries, func(e quota.Entry) bool {
		return !e.Expires.IsZero() && !now.Before(e.Expires)
	})
	return encodeHold(h), true, nil
}

package redis

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	goredis "github.com/redis/go-redis/v9"

	"ltxbot/core/generate"
	"ltxbot/core/quota"
)

var _ generate.Archive = (*Store)(nil)

// dropScript removes a job, its hold, or both.
var dropScript = onLine("drop")

// Remove removes a job that is over, with its index entries and its hold, in
// one script. A hold of which a counter still has a share is left to the
// sweep. A removal whose reply was lost is reported as ErrNoJob.
func (s *Store) Remove(ctx context.Context, j generate.Job) error {
	return outcome("remove", j.ID, s.remove(ctx, j))
}

func (s *Store) remove(ctx context.Context, j generate.Job) error {
	ctx, cancel := s.limit(ctx)
	defer cancel()
	p := s.of(j.Team)
	hold, err := s.unneeded(ctx, p, j.ID)
	if err != nil {
		return err
	}
	reply, err := s.call(ctx, p, dropScript, j.ID, strconv.FormatInt(j.Version, 10), hold)
	switch {
	case err != nil:
		return err
	case reply == "missing":
		return generate.ErrNoJob
	case reply == "conflict":
		return generate.ErrConflict
	}
	s.memory.forget(j.ID)
	return nil
}

// unneeded reads the hold of a job, as it is kept, if it is closed and no
// counter has a share of it any more; else it is "".
func (s *Store) unneeded(ctx context.Context, p partition, job string) (string, error) {
	var value string
	err := s.try(ctx, func(ctx context.Context) error {
		var err error
		value, err = s.client.HGet(ctx, p.keys[holdsKey], job).Result()
		return err
	})
	if errors.Is(err, goredis.Nil) {
		return "", nil
	}
	if err != nil {
		return "", fmt.Errorf("read hold: %w", err)
	}
	if !droppable(job, value, s.now()) {
		return "", nil
	}
	return value, nil
}

// droppable reports whether the books no longer need a hold. One that can't be
// read stays, for an audit to tell.
func droppable(job, value string, now time.Time) bool {
	h, err := decodeHold(job, value)
	return err == nil && h.State != quota.Held && !h.Counted(now)
}

// dropHold removes a hold if its job is gone and no counter has a share of it
// any more.
func (s *Store) dropHold(ctx context.Context, p partition, job, hold string) error {
	if !droppable(job, hold, s.now()) {
		return nil
	}
	_, err := s.call(ctx, p, dropScript, job, "", hold)
	return err
}

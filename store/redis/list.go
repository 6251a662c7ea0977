package redis

import (
	"cmp"
	"context"
	"fmt"
	"log/slog"
	"slices"
	"strings"

	goredis "github.com/redis/go-redis/v9"

	"ltxbot/core/generate"
)

// defaultLimit is how many jobs a Query without a limit selects at most.
const defaultLimit = 100

// Jobs lists jobs, newest first. One that can't be read is left out.
func (s *Store) Jobs(ctx context.Context, q generate.Query) ([]generate.Job, error) {
	if q.Limit <= 0 {
		q.Limit = defaultLimit
	}
	// What the index can't tell apart is left out after the jobs were read;
	// then more of them have to be looked at.
	for ask := q.Limit; ; ask *= 4 {
		found, more, err := s.indexed(ctx, q, ask)
		if err != nil {
			return nil, fmt.Errorf("list jobs: %w", err)
		}
		jobs, err := s.read(ctx, q, found)
		if err != nil {
			return nil, fmt.Errorf("list jobs: %w", err)
		}
		if len(jobs) >= q.Limit || !more {
			return jobs[:min(len(jobs), q.Limit)], nil
		}
	}
}

// found is a job that an index names.
type found struct {
	partition int
	name      string // time of creation and id
}

// id of the job.
func (f found) id() string {
	_, id, _ := strings.Cut(f.name, " ")
	return id
}

// indexed finds the newest n jobs that q may select, and reports whether there
// may be more.
func (s *Store) indexed(ctx context.Context, q generate.Query, n int) (jobs []found, more bool, err error) {
	key, prefix := indexFor(q)
	before := "(" + prefix + "~" // comes after every time
	if !q.Before.IsZero() {
		before = "(" + prefix + sortable(q.Before)
	}
	parts := s.parts[:]
	if q.Team != "" {
		parts = []partition{s.of(q.Team)}
	}
	names := make([]*goredis.StringSliceCmd, len(parts))
	err = s.pipelined(ctx, func(ctx context.Context, pipe goredis.Pipeliner) {
		for i, p := range parts {
			names[i] = pipe.ZRevRangeByLex(ctx, p.keys[key], &goredis.ZRangeBy{Max: before, Min: "[" + prefix, Count: int64(n)})
		}
	})
	if err != nil {
		return nil, false, err
	}
	for i, p := range parts {
		for _, name := range names[i].Val() {
			jobs = append(jobs, found{p.number, strings.TrimPrefix(name, prefix)})
		}
		more = more || len(names[i].Val()) == n
	}
	slices.SortFunc(jobs, func(a, b found) int { return cmp.Compare(b.name, a.name) })
	return jobs[:min(len(jobs), n)], more || len(jobs) > n, nil
}

// indexFor is an index with the jobs that q may select, and what their names
// there begin with: as few as it can tell.
func indexFor(q generate.Query) (key int, prefix string) {
	key = allJobs
	if q.Unfinished {
		key = openJobs
	}
	switch {
	case q.Member != "":
		return key, "m" + q.Member + sep
	case q.Team != "":
		return key, "t" + q.Team + sep
	default:
		return key, sep
	}
}

// read reads the jobs that were found and keeps those that q selects.
func (s *Store) read(ctx context.Context, q generate.Query, all []found) ([]generate.Job, error) {
	values := make([]*goredis.StringCmd, len(all))
	err := s.pipelined(ctx, func(ctx context.Context, pipe goredis.Pipeliner) {
		for i, f := range all {
			values[i] = pipe.HGet(ctx, s.parts[f.partition].keys[jobsKey], f.id())
		}
	})
	if err != nil {
		return nil, err
	}
	jobs := make([]generate.Job, 0, len(all))
	for i, v := range values {
		k, err := decodeJob(v.Val())
		if err != nil {
			s.log.WarnContext(ctx, "redis: job left out of a list", slog.String("job", all[i].id()), slog.Any("error", err))
			continue
		}
		if (q.Team == "" || k.job.Team == q.Team) && (!q.Unfinished || k.job.Unfinished()) {
			jobs = append(jobs, k.job)
		}
	}
	return jobs, nil
}

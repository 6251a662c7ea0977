package redis

import (
	"context"
	"fmt"
	"log/slog"
	"strconv"
	"strings"

	goredis "github.com/redis/go-redis/v9"
)

// Redis 6.2 has all commands that are used: XAUTOCLAIM is the newest.
// https://redis.io/docs/latest/commands/xautoclaim/
const needMajor, needMinor = 6, 2

// check looks at what each server must be like to keep money and jobs. Where
// it is not allowed to look, it says so and trusts the operator.
func (s *Store) check(ctx context.Context) error {
	if cluster, ok := s.client.(*goredis.ClusterClient); ok {
		return s.try(ctx, func(ctx context.Context) error { return cluster.ForEachMaster(ctx, s.checkServer) })
	}
	single, ok := s.client.(*goredis.Client)
	if !ok {
		return fmt.Errorf("client is a %T", s.client)
	}
	return s.try(ctx, func(ctx context.Context) error { return s.checkServer(ctx, single) })
}

func (s *Store) checkServer(ctx context.Context, server *goredis.Client) error {
	info, err := readInfo(ctx, server)
	if err != nil {
		if temporary(err) {
			return err
		}
		s.log.WarnContext(ctx, "redis: server does not say how it is set up; see that it persists and never evicts", slog.Any("error", err))
		return nil
	}
	if version := info["redis_version"]; tooOld(version) {
		return &unfitError{fmt.Sprintf("server is Redis %s, at least %d.%d is needed", version, needMajor, needMinor)}
	}
	if policy := info["maxmemory_policy"]; policy != "" && policy != "noeviction" {
		if !s.opts.AllowEviction {
			return &unfitError{"server has maxmemory-policy " + policy + ": it would forget jobs and money when its memory is full; set noeviction"}
		}
		s.log.WarnContext(ctx, "redis: server forgets keys when its memory is full", slog.String("maxmemory_policy", policy))
	}
	if info["aof_enabled"] == "0" {
		s.log.WarnContext(ctx, "redis: server writes no append-only file; jobs and quota since its last snapshot, or all, are lost when it ends; set appendonly yes")
	}
	if err := server.Publish(ctx, s.channel(), "").Err(); goredis.HasErrorPrefix(err, "NOPERM") {
		s.log.WarnContext(ctx, "redis: user may not publish; a pressed button is noticed seconds later; allow the channel",
			slog.String("acl", "&"+s.channel()))
	}
	return nil
}

// unfitError says why a server can't be used. Asking again does not help.
type unfitError struct{ why string }

func (e *unfitError) Error() string { return e.why }

// readInfo reads the fields of INFO that checkServer looks at.
func readInfo(ctx context.Context, server *goredis.Client) (map[string]string, error) {
	fields := map[string]string{}
	for _, section := range [...]string{"server", "memory", "persistence"} {
		text, err := server.Info(ctx, section).Result()
		if err != nil {
			return nil, err
		}
		for line := range strings.Lines(text) {
			if name, value, ok := strings.Cut(strings.TrimSpace(line), ":"); ok {
				fields[name] = value
			}
		}
	}
	return fields, nil
}

// tooOld reports whether a version such as "6.0.16" is older than what is
// needed. One that can't be read is trusted.
func tooOld(version string) bool {
	major, rest, _ := strings.Cut(version, ".")
	minor, _, _ := strings.Cut(rest, ".")
	a, errA := strconv.Atoi(major)
	b, errB := strconv.Atoi(minor)
	return errA == nil && errB == nil && (a < needMajor || a == needMajor && b < needMinor)
}

package redis

import (
	"context"
	"fmt"
	"log/slog"
	"maps"
	"strconv"
	"strings"

	goredis "github.com/redis/go-redis/v9"
)

// Redis 6.2 has all commands that are used: XAUTOCLAIM is the newest.
// https://redis.io/docs/latest/commands/xautoclaim/
const needMajor, needMinor = 6, 2

// check looks at what each server must be like to keep money and jobs. Where
// it is not allowed to look, it says so and trusts the operator.
func (e *Engine) check(ctx context.Context) error {
	if cluster, ok := e.client.(*goredis.ClusterClient); ok {
		return e.try(ctx, func(ctx context.Context) error { return cluster.ForEachMaster(ctx, e.checkServer) })
	}
	single, ok := e.client.(*goredis.Client)
	if !ok {
		return fmt.Errorf("client is a %T", e.client)
	}
	return e.try(ctx, func(ctx context.Context) error { return e.checkServer(ctx, single) })
}

func (e *Engine) checkServer(ctx context.Context, server *goredis.Client) error {
	info, err := readInfo(ctx, server)
	if err != nil {
		if temporary(err) {
			return err
		}
		e.log.WarnContext(ctx, "redis: server does not say how it is set up; allow INFO, else writes that a failover loses go unnoticed", slog.Any("error", err))
		return nil
	}
	if version := info["redis_version"]; tooOld(version) {
		return &unfitError{fmt.Sprintf("server is Redis %s, at least %d.%d is needed", version, needMajor, needMinor)}
	}
	if policy := info["maxmemory_policy"]; policy != "" && policy != "noeviction" {
		if !e.opts.AllowEviction {
			return &unfitError{"server has maxmemory-policy " + policy + ": it would forget jobs and money when its memory is full; set noeviction"}
		}
		e.log.WarnContext(ctx, "redis: server forgets keys when its memory is full", slog.String("maxmemory_policy", policy))
	}
	// https://redis.io/docs/latest/commands/waitaof/
	e.waitsForDisk.Store(info["aof_enabled"] == "1" && info["redis_version"] != "" && atLeast(info["redis_version"], 7, 2))
	if info["aof_enabled"] == "0" {
		e.log.WarnContext(ctx, "redis: server writes no append-only file; jobs and quota since its last snapshot, or all, are lost when it ends; set appendonly yes")
	}
	if err := server.Publish(ctx, e.channel(), "").Err(); goredis.HasErrorPrefix(err, "NOPERM") {
		e.log.WarnContext(ctx, "redis: user may not publish; a pressed button is noticed seconds later; allow the channel",
			slog.String("acl", "&"+e.channel()))
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
		maps.Copy(fields, parseInfo(text))
	}
	return fields, nil
}

// tooOld reports whether a version such as "6.0.16" is older than what is
// needed. One that can't be read is trusted.
func tooOld(version string) bool { return version != "" && !atLeast(version, needMajor, needMinor) }

// atLeast reports whether a version is so new. One that can't be read is.
func atLeast(version string, major, minor int) bool {
	first, rest, _ := strings.Cut(version, ".")
	second, _, _ := strings.Cut(rest, ".")
	a, errA := strconv.Atoi(first)
	b, errB := strconv.Atoi(second)
	return errA != nil || errB != nil || a > major || a == major && b >= minor
}

package redis

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"reflect"
	"slices"
	"strings"
	"time"

	goredis "github.com/redis/go-redis/v9"

	"ltxbot/core/quota"
)

// Amend changes what admins decided and keeps the record of it, in one script
// that is given up and made again when somebody else was quicker.
func (s *Store) Amend(ctx context.Context, team, member string, edit func(*quota.Standing) (quota.Record, error)) error {
	names := []string{team}
	if member != "" {
		names = append(names, member)
	}
	if err := checkNames(names...); err != nil {
		return fmt.Errorf("amend: %w", err)
	}
	refused, err := s.amend(ctx, team, member, edit)
	if refused != nil {
		return refused
	}
	if err != nil {
		return fmt.Errorf("amend standing of %s in %s: %w", member, team, err)
	}
	return nil
}

// amend returns the error of edit apart from those of the store.
func (s *Store) amend(ctx context.Context, team, member string, edit func(*quota.Standing) (quota.Record, error)) (refused, err error) {
	ctx, cancel := s.limit(ctx)
	defer cancel()
	d, _, err := s.decided(ctx, team, member, true)
	for err == nil {
		var next amendment
		if next, refused, err = d.amended(member, edit); refused != nil || err != nil {
			return refused, err
		}
		var reply list
		reply, err = s.callList(ctx, s.of(team), amendScript,
			seat(team, member), team, d.member, d.team, next.member, next.team, recordName(team, next.record)+next.text)
		switch {
		case err != nil:
		case reply.text(0) == "stale":
			d = decided{reply.text(1), reply.text(2)}
		default:
			s.standings.put(seat(team, member), decided{cmp.Or(next.member, d.member), cmp.Or(next.team, d.team)})
			return nil, nil
		}
	}
	return nil, err
}

// amendment is what becomes of a standing, as it is kept. What does not change
// is empty.
type amendment struct {
	member, team string
	record       quota.Record
	text         string // of the record
}

// amended is what edit makes of d. The member's part is left alone when there
// is none.
func (d decided) amended(member string, edit func(*quota.Standing) (quota.Record, error)) (next amendment, refused, err error) {
	before, err := d.standing()
	if err != nil {
		return amendment{}, nil, err
	}
	after, err := d.standing()
	if err != nil {
		return amendment{}, nil, err
	}
	if next.record, refused = edit(&after); refused != nil {
		return amendment{}, refused, nil
	}
	for _, part := range []struct {
		changed bool
		value   any
		into    *string
	}{
		{member != "" && !reflect.DeepEqual(before.Member, after.Member), after.Member, &next.member},
		{!reflect.DeepEqual(before.Team, after.Team), after.Team, &next.team},
		{true, next.record, &next.text},
	} {
		if !part.changed {
			continue
		}
		text, err := json.Marshal(part.value)
		if err != nil {
			return amendment{}, nil, fmt.Errorf("encode: %w", err)
		}
		*part.into = string(text)
	}
	return next, nil, nil
}

// recordName is the place of a record among those of its team. What follows it
// is the record itself.
func recordName(team string, r quota.Record) string {
	return team + sep + sortable(r.At) + " " + r.ID + sep
}

// Records lists the records of a team, newest first. One that can't be read is
// left out.
func (s *Store) Records(ctx context.Context, team string, limit int) ([]quota.Record, error) {
	if limit <= 0 {
		return nil, nil
	}
	var names []string
	err := s.try(ctx, func(ctx context.Context) error {
		var err error
		names, err = s.client.ZRevRangeByLex(ctx, s.of(team).keys[recordsKey], &goredis.ZRangeBy{
			Min: "[" + team + sep, Max: "(" + team + sep + "~", Count: int64(limit),
		}).Result()
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("list records of %s: %w", team, err)
	}
	records := make([]quota.Record, 0, len(names))
	for _, name := range names {
		r, err := decodeAmendment(name)
		if err != nil {
			s.log.WarnContext(ctx, "redis: record left out of the log", slog.String("team", team), slog.Any("error", err))
			continue
		}
		records = append(records, r)
	}
	return records, nil
}

// holdName begins the names of a team's holds of one instant in their index;
// hold_name of scripts is its twin.
func holdName(team string, at time.Time) string { return team + sep + sortable(at) }

// Holds lists the holds of a team by the time of their reservation, oldest
// first. One that can't be read is left out.
func (s *Store) Holds(ctx context.Context, team string, from, to time.Time) ([]quota.Hold, error) {
	p := s.of(team)
	var names []string
	err := s.try(ctx, func(ctx context.Context) error {
		var err error
		names, err = s.client.ZRangeByLex(ctx, p.keys[holdsByTeam], &goredis.ZRangeBy{
			Min: "[" + holdName(team, from), Max: "(" + holdName(team, to),
		}).Result()
		return err
	})
	var holds []quota.Hold
	for chunk := range slices.Chunk(names, sweepChunk) {
		if err == nil {
			err = s.readHolds(ctx, p, chunk, &holds)
		}
	}
	if err != nil {
		return nil, fmt.Errorf("list holds of %s: %w", team, err)
	}
	return holds, nil
}

// readHolds adds the holds that an index names to out, without their entries.
func (s *Store) readHolds(ctx context.Context, p partition, names []string, out *[]quota.Hold) error {
	values, jobs := make([]*goredis.StringCmd, len(names)), make([]string, len(names))
	for i, name := range names {
		_, jobs[i], _ = strings.Cut(name[strings.LastIndex(name, sep):], " ")
	}
	err := s.pipelined(ctx, func(ctx context.Context, pipe goredis.Pipeliner) {
		for i, job := range jobs {
			values[i] = pipe.HGet(ctx, p.keys[holdsKey], job)
		}
	})
	if err != nil {
		return err
	}
	for i, v := range values {
		h, err := decodeHold(jobs[i], v.Val())
		if err != nil {
			s.log.WarnContext(ctx, "redis: hold left out of a list", slog.String("hold", names[i]), slog.Any("error", err))
			continue
		}
		h.Entries = nil
		*out = append(*out, h)
	}
	return nil
}

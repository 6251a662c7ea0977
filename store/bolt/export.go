package bolt

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"ltxbot/core/archive"
	"ltxbot/core/generate"
	"ltxbot/core/quota"
)

var _ archive.Store = (*Store)(nil)

// Export lists everything of one commit.
func (s *Store) Export(ctx context.Context, emit func(archive.Item) error) error {
	var refused error
	err := s.view(ctx, func(v view) error {
		for _, list := range []func(view, func(archive.Item) error) error{
			exportJobs, exportHolds, exportStandings, exportBook, exportSettings,
		} {
			if err := list(v, func(i archive.Item) error {
				if err := ctx.Err(); err != nil {
					return err
				}
				refused = emit(i)
				return refused
			}); err != nil {
				return err
			}
		}
		return nil
	})
	if refused != nil {
		return refused
	}
	if err != nil {
		return fmt.Errorf("export: %w", err)
	}
	return nil
}

func exportJobs(v view, emit func(archive.Item) error) error {
	return each(v, jobsBucket, func(id string, j generate.Job) error {
		h, err := v.hold(id)
		switch {
		case errors.Is(err, quota.ErrNoHold):
			return emit(archive.Item{Job: &j})
		case err != nil:
			return err
		}
		return emit(archive.Item{Job: &j, Hold: &h})
	})
}

func exportHolds(v view, emit func(archive.Item) error) error {
	return each(v, holdsBucket, func(id string, h quota.Hold) error {
		if v.get(jobsBucket, id) != nil {
			return nil // came with its job
		}
		return emit(archive.Item{Hold: &h})
	})
}

func exportStandings(v view, emit func(archive.Item) error) error {
	err := each(v, membersBucket, func(key string, st quota.MemberStanding) error {
		team, member, _ := strings.Cut(key, sep)
		return emit(archive.Item{Member: &archive.Member{Team: team, Member: member, Standing: st}})
	})
	if err != nil {
		return err
	}
	return each(v, teamsBucket, func(team string, st quota.TeamStanding) error {
		return emit(archive.Item{Team: &archive.Team{Team: team, Standing: st}})
	})
}

func exportBook(v view, emit func(archive.Item) error) error {
	err := each(v, recordsBucket, func(_ string, r quota.Record) error { return emit(archive.Item{Record: &r}) })
	if err != nil {
		return err
	}
	return each(v, marksBucket, func(key string, m mark) error {
		return emit(archive.Item{Mark: &archive.Mark{Key: key, Value: m.Value, Expires: m.Expires}})
	})
}

func exportSettings(v view, emit func(archive.Item) error) error {
	c := v.cursor(settingsBucket)
	for k, value := c.First(); k != nil; k, value = c.Next() {
		s := archive.Setting{Name: string(k), Value: append([]byte{}, value...)}
		if err := emit(archive.Item{Setting: &s}); err != nil {
			return err
		}
	}
	return nil
}

// each decodes every record of a bucket.
func each[T any](v view, b bucket, do func(key string, record T) error) error {
	c := v.cursor(b)
	for k, data := c.First(); k != nil; k, data = c.Next() {
		var record T
		if err := json.Unmarshal(data, &record); err != nil {
			return &damagedError{bucket: b, key: string(k), err: err}
		}
		if err := do(string(k), record); err != nil {
			return err
		}
	}
	return nil
}

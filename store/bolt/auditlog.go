package bolt

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"reflect"
	"strings"

	"ltxbot/core/quota"
)

var _ quota.Book = (*Store)(nil)

// Amend changes what admins decided and writes the record of it.
func (s *Store) Amend(ctx context.Context, team, member string, edit func(*quota.Standing) (quota.Record, error)) error {
	names := []string{team}
	if member != "" {
		names = append(names, member)
	}
	if err := checkNames(names...); err != nil {
		return fmt.Errorf("amend: %w", err)
	}
	var refused error
	err := s.write(ctx, func(t *txn) error {
		before, err := t.standing(team, member)
		if err != nil {
			return err
		}
		after, err := t.standing(team, member)
		if err != nil {
			return err
		}
		var r quota.Record
		if r, refused = edit(&after); refused != nil {
			return refused
		}
		if member != "" && !reflect.DeepEqual(before.Member, after.Member) {
			if err := t.putRecord(membersBucket, memberKey(team, member), after.Member); err != nil {
				return err
			}
		}
		if !reflect.DeepEqual(before.Team, after.Team) {
			if err := t.putRecord(teamsBucket, team, after.Team); err != nil {
				return err
			}
		}
		return t.putRecord(recordsBucket, timeKey(team, r.At, r.ID), r)
	})
	if refused != nil && errors.Is(err, refused) {
		return refused
	}
	if err != nil {
		return fmt.Errorf("amend standing of %s in %s: %w", member, team, err)
	}
	return nil
}

// Records lists the records of a team, newest first. One that can't be read
// is left out.
func (s *Store) Records(ctx context.Context, team string, limit int) ([]quota.Record, error) {
	var records []quota.Record
	err := s.view(ctx, func(v view) error {
		records = nil
		prefix := namePrefix(team)
		c := v.cursor(recordsBucket)
		before := c.Prev
		if k, _ := c.Seek([]byte(prefix + strings.Repeat("\xff", timeLength+1))); k == nil {
			before = c.Last
		}
		k, value := before()
		for ; k != nil && bytes.HasPrefix(k, []byte(prefix)) && len(records) < limit; k, value = c.Prev() {
			var r quota.Record
			if err := json.Unmarshal(value, &r); err != nil {
				s.log.WarnContext(ctx, "bolt: record left out of the log", slog.String("team", team), slog.Any("error", err))
				continue
			}
			records = append(records, r)
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("list records of %s: %w", team, err)
	}
	return records, nil
}

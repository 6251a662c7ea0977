package store

import (
	"context"
	"errors"
	"log/slog"
	"reflect"

	"ltxbot/core/quota"
	"ltxbot/core/team"
	"ltxbot/store/kv"
)

type memberRecord struct {
	stamp
	quota.MemberState
}

type teamRecord struct {
	stamp
	quota.TeamState
}

type auditRecord struct {
	stamp
	team.Record
}

// adminState reads what admins decided about a member and its team.
func adminState(tx kv.Tx, team, member string) (quota.AdminState, error) {
	var m memberRecord
	var t teamRecord
	var memberErr error
	if member != "" {
		_, memberErr = load(tx, join(memberKey, team, member), &m)
	}
	_, teamErr := load(tx, join(teamKey, team), &t)
	return quota.AdminState{Member: m.MemberState, Team: t.TeamState}, errors.Join(memberErr, teamErr)
}

// AdminState returns what admins decided about a member and its team.
func (s *Store) AdminState(ctx context.Context, team, member string) (quota.AdminState, error) {
	var st quota.AdminState
	err := s.view(ctx, func(t *txn) error {
		var err error
		st, err = adminState(t, team, member)
		return err
	})
	return st, outcome("read admin state of "+member+" in "+team, err)
}

// PutMemberState replaces what admins decided about a member.
func (s *Store) PutMemberState(ctx context.Context, team, member string, st quota.MemberState) error {
	return s.amend(ctx, team, member, func(_ *txn, old *quota.AdminState) error { old.Member = st; return checkNames(member) })
}

// PutTeamState replaces what admins decided about a team.
func (s *Store) PutTeamState(ctx context.Context, team string, st quota.TeamState) error {
	return s.amend(ctx, team, "", func(_ *txn, old *quota.AdminState) error { old.Team = st; return nil })
}

// Amend changes what admins decided and writes the record of it.
func (s *Store) Amend(ctx context.Context, team, member string, edit func(*quota.AdminState) (team.Record, error)) error {
	return s.amend(ctx, team, member, func(t *txn, st *quota.AdminState) error {
		r, err := edit(st)
		if err != nil {
			return &refusedError{err}
		}
		return save(t, join(auditKey, team, stamped(r.At), r.ID), &auditRecord{v1, r})
	})
}

// refusedError is an error of a caller's own function, which it gets back.
type refusedError struct{ error }

// amend changes what admins decided, and admits whose turn has come by it.
func (s *Store) amend(ctx context.Context, team, member string, edit func(*txn, *quota.AdminState) error) error {
	if err := checkNames(team); err != nil {
		return outcome("amend", err)
	}
	var ofTeam bool
	err := s.updateLine(ctx, func(t *txn) error {
		before, err := adminState(t, team, member)
		if err != nil {
			return err
		}
		after, err := adminState(t, team, member) // edit may change what it points to
		if err != nil {
			return err
		}
		if err := edit(t, &after); err != nil {
			return err
		}
		ofTeam = !reflect.DeepEqual(before.Team, after.Team)
		ofMember := member != "" && !reflect.DeepEqual(before.Member, after.Member)
		if ofMember {
			err = errors.Join(err, save(t, join(memberKey, team, member), &memberRecord{v1, after.Member}))
		}
		if ofTeam {
			err = errors.Join(err, save(t, join(teamKey, team), &teamRecord{v1, after.Team}))
		}
		if err != nil || !ofTeam && !ofMember {
			return err
		}
		return t.admit(team, member)
	})
	if refused := (*refusedError)(nil); errors.As(err, &refused) {
		return refused.error
	}
	if err == nil && ofTeam {
		err = s.admitAll(ctx, join(lineOrderKey, team)+"/")
	}
	return outcome("amend admin state of "+member+" in "+team, err)
}

// Records lists the records of a team, newest first. One that can't be read
// is left out.
func (s *Store) Records(ctx context.Context, of string, limit int) ([]team.Record, error) {
	var records []team.Record
	err := s.view(ctx, func(t *txn) error {
		records = nil
		if limit <= 0 {
			return nil
		}
		for k, data := range t.ScanReverse(join(auditKey, of)+"/", "") {
			var r auditRecord
			if err := decode(k, data, &r); err != nil {
				s.log.WarnContext(ctx, "store: record left out of the audit log", slog.String("team", of), slog.Any("error", err))
				continue
			}
			if records = append(records, r.Record); len(records) == limit {
				break
			}
		}
		return nil
	})
	if err != nil {
		return nil, outcome("list records of "+of, err)
	}
	return records, nil
}

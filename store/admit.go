package store

import (
	"context"
	"log/slog"
	"slices"

	"ltxbot/core/generate"
)

// admit admits whose turn has come after a change of what a member or, with an
// empty member, a team may do.
func (t *txn) admit(team, member string) error {
	l, err := t.theLine()
	if err != nil {
		return err
	}
	l.touched[seat{team, member}] = true
	return l.admit()
}

// updateLine is update for what may make room in the line: it goes on until
// all that have room are admitted.
func (s *Store) updateLine(ctx context.Context, fn func(*txn) error) error {
	var more bool
	run := func(fn func(*txn) error) error {
		return s.update(ctx, func(t *txn) error {
			if err := fn(t); err != nil {
				return err
			}
			more = t.line != nil && t.line.more
			return nil
		})
	}
	if err := run(fn); err != nil {
		return err
	}
	for more {
		if err := run(func(t *txn) error {
			l, err := t.theLine()
			if err != nil {
				return err
			}
			return l.admit()
		}); err != nil {
			s.log.WarnContext(ctx, "store: jobs that have room are admitted later", slog.Any("error", err))
			return nil // what was asked for is done
		}
	}
	return nil
}

// Admit admits the jobs that have room under the limits of now. It is called
// after a change of the limits; a sweep calls it, too.
func (s *Store) Admit(ctx context.Context) error {
	return outcome("admit waiting jobs", s.admitAll(ctx, lineOrderKey))
}

// admitPage is how many members one transaction looks at.
const admitPage = 20

// admitAll looks at all members whose place begins with a prefix.
func (s *Store) admitAll(ctx context.Context, prefix string) error {
	return s.pages(ctx, prefix, "", func(keys []string, _ [][]byte) error {
		for chunk := range slices.Chunk(keys, admitPage) {
			err := s.updateLine(ctx, func(t *txn) error {
				l, err := t.theLine()
				if err != nil {
					return err
				}
				for _, k := range chunk {
					names := split(lineOrderKey, k)
					l.touched[seat{names[0], names[len(names)-1]}] = true
				}
				return l.admit()
			})
			if err != nil {
				return err
			}
		}
		return nil
	})
}

// Place is the place of a waiting job in its team's line: how many turns until
// it is admitted if slots become free one by one. Members take turns, so a job
// that has k jobs of its member before it follows at most k+1 jobs of each
// other member.
func (s *Store) Place(ctx context.Context, id string) (int, error) {
	place := 0
	err := s.view(ctx, func(t *txn) error {
		place = 0
		h, err := head(t, id)
		if err != nil || !h.job().Waiting() {
			return err
		}
		place, err = t.place(h.job())
		return err
	})
	return place, outcome("find the place of job "+id, err)
}

func (t *txn) place(j generate.Job) (int, error) {
	ahead := 0 // jobs of its own member
	for k := range t.Scan(join(lineWaitKey, j.Team, j.Member)+"/", "") {
		if parseNumber(last(k)) < j.Line.Seq {
			ahead++
		}
	}
	var m lineMember
	if _, err := load(t, join(lineMemberKey, j.Team, j.Member), &m); err != nil {
		return 0, err
	}
	var mine orderRecord
	if _, err := load(t, m.Place, &mine); err != nil || m.Place == "" {
		return 0, err
	}
	place := ahead + 1
	for k, data := range t.Scan(join(lineOrderKey, j.Team)+"/", "") {
		if k == m.Place {
			continue
		}
		var other orderRecord
		if err := decode(k, data, &other); err != nil {
			return 0, err
		}
		place += min(other.Jobs, ahead)
		turn := parseNumber(split(lineOrderKey, k)[2])
		if other.Jobs > ahead && (turn < m.Turn || turn == m.Turn && other.First < mine.First) {
			place++
		}
	}
	return place, nil
}

package redis

import (
	"context"
	"encoding/json"
	"fmt"
	"sync"

	"ltxbot/core/quota"
)

// decided is what admins decided about a member and its team, as it is kept.
// Scripts compare it with what is decided by then, so that an old one does no
// harm but costs another round.
type decided struct{ member, team string }

func (d decided) standing() (quota.Standing, error) {
	var st quota.Standing
	for _, part := range []struct {
		text string
		into any
	}{{d.member, &st.Member}, {d.team, &st.Team}} {
		if part.text == "" {
			continue
		}
		if err := json.Unmarshal([]byte(part.text), part.into); err != nil {
			return quota.Standing{}, fmt.Errorf("standing: %w: %w", errDamaged, err)
		}
	}
	return st, nil
}

// standings remembers what was decided, by seat.
type standings struct {
	mu    sync.Mutex
	seats map[string]decided
}

// maxStandings bounds the memory of standings; it begins anew when it is full.
const maxStandings = 1 << 14

func newStandings() *standings { return &standings{seats: map[string]decided{}} }

func (c *standings) get(seat string) (decided, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	d, ok := c.seats[seat]
	return d, ok
}

func (c *standings) put(seat string, d decided) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.seats) >= maxStandings {
		clear(c.seats)
	}
	c.seats[seat] = d
}

// decided returns what was decided about a member and its team: as this
// process remembers it, or as it is now if it doesn't or fresh is set.
func (s *Store) decided(ctx context.Context, team, member string, fresh bool) (d decided, remembered bool, err error) {
	if d, ok := s.standings.get(seat(team, member)); ok && !fresh {
		return d, true, nil
	}
	p := s.of(team)
	var texts list
	err = s.try(ctx, func(ctx context.Context) error {
		var err error
		texts, err = s.client.HMGet(ctx, p.keys[standingsKey], seat(team, member), team).Result()
		return err
	})
	if err != nil {
		return decided{}, false, err
	}
	d = decided{texts.text(0), texts.text(1)}
	s.standings.put(seat(team, member), d)
	return d, false, nil
}

// planned makes a reservation by plan. A refusal by what this process merely
// remembers is looked at again.
func (s *Store) planned(ctx context.Context, key quota.Key, plan quota.Plan) (quota.Reservation, decided, error) {
	for fresh := false; ; fresh = true {
		d, remembered, err := s.decided(ctx, key.Team, key.Member, fresh)
		if err != nil {
			return quota.Reservation{}, decided{}, err
		}
		st, err := d.standing()
		if err != nil {
			return quota.Reservation{}, decided{}, err
		}
		r, err := plan(st)
		if err != nil {
			if remembered {
				continue
			}
			return quota.Reservation{}, decided{}, &planError{err}
		}
		r.Job, r.Team, r.Member = key.Job, key.Team, key.Member
		return r, d, nil
	}
}

// planError is an error of a plan, as opposed to one of the store.
type planError struct{ err error }

func (e *planError) Error() string { return e.err.Error() }
func (e *planError) Unwrap() error { return e.err }

// Standing returns what admins decided about a member and its team.
func (s *Store) Standing(ctx context.Context, team, member string) (quota.Standing, error) {
	d, _, err := s.decided(ctx, team, member, true)
	var st quota.Standing
	if err == nil {
		st, err = d.standing()
	}
	if err != nil {
		return quota.Standing{}, fmt.Errorf("read standing of %s in %s: %w", member, team, err)
	}
	return st, nil
}

// PutMemberStanding replaces what admins decided about a member.
func (s *Store) PutMemberStanding(ctx context.Context, team, member string, st quota.MemberStanding) error {
	err := checkNames(team, member)
	if err == nil {
		err = s.putStanding(ctx, s.of(team), seat(team, member), st)
	}
	if err != nil {
		return fmt.Errorf("write standing of %s in %s: %w", member, team, err)
	}
	return nil
}

// PutTeamStanding replaces what admins decided about a team.
func (s *Store) PutTeamStanding(ctx context.Context, team string, st quota.TeamStanding) error {
	err := checkNames(team)
	if err == nil {
		err = s.putStanding(ctx, s.of(team), team, st)
	}
	if err != nil {
		return fmt.Errorf("write standing of %s: %w", team, err)
	}
	return nil
}

func (s *Store) putStanding(ctx context.Context, p partition, name string, st any) error {
	text, err := json.Marshal(st)
	if err != nil {
		return fmt.Errorf("encode: %w", err)
	}
	return s.try(ctx, func(ctx context.Context) error { return s.client.HSet(ctx, p.keys[standingsKey], name, text).Err() })
}

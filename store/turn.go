package store

import (
	"errors"
	"fmt"

	"ltxbot/core/generate"
)

// candidate is the first waiting job of a member that has room under the
// member's own limit, and the first of all. Their numbers are zero when there
// is none.
type candidate struct {
	job   string
	seq   int64
	first int64
}

func (l *line) candidate(at seat) (candidate, error) {
	var c candidate
	m, err := l.member(at)
	if err != nil {
		return c, err
	}
	for tiers := range m.Waiting {
		prefix := join(lineWaitKey, at.team, at.member, tiers) + "/"
		for k, data := range l.t.Scan(prefix, "") {
			var w waitRecord
			if err := decode(k, data, &w); err != nil {
				return c, err
			}
			seq := parseNumber(last(k))
			if c.first == 0 || seq < c.first {
				c.first = seq
			}
			limits, err := l.limits(at, w.Tiers)
			if err != nil {
				return c, err
			}
			if !full(m.Slots, limits.MemberMax) && (c.seq == 0 || seq < c.seq) {
				c.job, c.seq = w.Job, seq
			}
			break
		}
	}
	return c, nil
}

// placeMember puts a member where it belongs in its team's order.
func (l *line) placeMember(at seat) error {
	m, err := l.member(at)
	if err != nil {
		return err
	}
	jobs, err := l.waiting(at)
	if err != nil {
		return err
	}
	place := ""
	var c candidate
	if jobs > 0 {
		if c, err = l.candidate(at); err != nil {
			return err
		}
		state, seq := ready, c.seq
		if c.seq == 0 {
			state, seq = parked, c.first
		}
		place = join(lineOrderKey, at.team, state, number(m.Turn), number(seq), at.member)
	}
	if m.Place != "" && m.Place != place {
		l.t.Delete(m.Place)
	}
	m.Place = place
	if place == "" {
		return nil
	}
	var old orderRecord
	if ok, err := load(l.t, place, &old); err != nil || ok && old.Jobs == jobs && old.First == c.first {
		return err
	}
	return save(l.t, place, &orderRecord{v1, jobs, c.first})
}

// The states of a member in its team's order.
const (
	parked = "parked"
	ready  = "ready"
)

// placeTeam puts a team where it belongs in the bot's order.
func (l *line) placeTeam(team string) error {
	r, err := l.team(team)
	if err != nil {
		return err
	}
	isFull, err := l.teamFull(team)
	if err != nil {
		return err
	}
	place := ""
	if !isFull {
		if k := l.first(join(lineOrderKey, team, ready) + "/"); k != "" {
			names := split(lineOrderKey, k)
			place = join(lineNextKey, names[2], names[3], team)
		}
	}
	if r.Place == place {
		return nil
	}
	if r.Place != "" {
		l.t.Delete(r.Place)
	}
	if place != "" {
		mark(l.t, place)
	}
	r.Place = place
	return nil
}

// first is the first key with a prefix; empty if there is none.
func (l *line) first(prefix string) string {
	for k := range l.t.Scan(prefix, "") {
		return k
	}
	return ""
}

// settle brings the places of all that was touched up to date.
func (l *line) settle() error {
	teams := map[string]bool{}
	for at := range l.touched {
		teams[at.team] = true
		if at.member != "" {
			if err := l.placeMember(at); err != nil {
				return err
			}
		}
	}
	clear(l.touched)
	for team := range teams {
		if err := l.placeTeam(team); err != nil {
			return err
		}
	}
	return nil
}

// isNext reports whether a job that arrives now is the next to be admitted:
// there is room for it, and nobody who waits could go.
func (l *line) isNext(j generate.Job) (bool, error) {
	at := seat{j.Team, j.Member}
	m, err := l.member(at)
	if err != nil {
		return false, err
	}
	limits, err := l.limits(at, j.Tiers)
	if err != nil || len(m.Waiting) > 0 || full(m.Slots, limits.MemberMax) || l.botFull() {
		return false, err
	}
	if isFull, err := l.teamFull(j.Team); err != nil || isFull {
		return false, err
	}
	return l.first(lineNextKey) == "" && l.first(join(lineOrderKey, j.Team, ready)+"/") == "", nil
}

// admit gives free slots to the jobs whose turn has come.
func (l *line) admit() error {
	for range maxAdmit {
		if err := l.settle(); err != nil {
			return err
		}
		next := l.first(lineNextKey)
		if next == "" || l.botFull() {
			return nil
		}
		if err := l.admitFrom(last(next)); err != nil {
			return err
		}
	}
	if err := l.settle(); err != nil {
		return err
	}
	l.more = l.first(lineNextKey) != "" && !l.botFull()
	return nil
}

// admitFrom admits the next job of a team, if it still has room: limits may
// have changed since the team was placed.
func (l *line) admitFrom(team string) error {
	l.touched[seat{team: team}] = true
	isFull, err := l.teamFull(team)
	if err != nil || isFull {
		return err
	}
	first := l.first(join(lineOrderKey, team, ready) + "/")
	if first == "" {
		return nil
	}
	at := seat{team, last(first)}
	l.touched[at] = true
	c, err := l.candidate(at)
	if err != nil || c.seq == 0 {
		return err
	}
	if j := l.fresh[c.job]; j != nil {
		return l.give(j)
	}
	r, err := job(l.t, c.job)
	var damaged *DamagedError
	switch {
	case errors.As(err, &damaged), errors.Is(err, generate.ErrNoJob): // those behind it must not wait for it
		return l.t.discard(c.job, at)
	case err != nil:
		return fmt.Errorf("admit job %s: %w", c.job, err)
	}
	old := r.Job
	if err := l.give(&r.Job); err != nil {
		return err
	}
	r.Version++
	return l.t.putJob(old, r.Job, r.Run)
}

// give gives a waiting job its slot.
func (l *line) give(j *generate.Job) error {
	old := *j
	j.Admitted = true
	if err := l.move(old, *j); err != nil {
		return err
	}
	return l.turn(seat{j.Team, j.Member})
}

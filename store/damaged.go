package store

import (
	"errors"
	"log/slog"

	"ltxbot/core/generate"
)

// findSeat finds the team and member of an unfinished job that can't be read: it
// searches the indexes for the job. It reads many keys.
func (t *txn) findSeat(id string) seat {
	find := func(prefix string) string {
		for k := range t.Scan(prefix, "") {
			if last(k) == id {
				return split(prefix, k)[0]
			}
		}
		return ""
	}
	return seat{find(openByTeam), find(openByMember)}
}

// discard sets a job aside that can't be read, and frees its slot or its place in
// the line, since the job can't be ended. The caller then admits whose turn it is.
func (t *txn) discard(id string, at seat) error {
	t.s.log.Error("store: a job can't be read; its record is set aside, and its slot is free",
		slog.String("job", id), slog.String("team", at.team), slog.String("member", at.member))
	key := join(jobKey, id)
	if data := t.Get(key); data != nil { // for an operator to look at
		t.Put(damagedKey+key, append([]byte(nil), data...))
		t.Delete(key)
	}
	t.Retire(id)
	if at.team == "" || at.member == "" {
		return nil
	}
	l, err := t.theLine()
	if err != nil {
		return err
	}
	if err := l.unwait(id, at); err != nil {
		return err
	}
	return l.recount(id, at)
}

// unwait takes a job out of the line that can't be read.
func (l *line) unwait(id string, at seat) error {
	m, err := l.member(at)
	if err != nil {
		return err
	}
	l.touched[at] = true
	for k, data := range l.t.Scan(join(lineWaitKey, at.team, at.member)+"/", "") {
		var w waitRecord
		if err := decode(k, data, &w); err != nil {
			return err
		}
		if w.Job != id {
			continue
		}
		l.t.Delete(k)
		tiers := tiersKey(w.Tiers)
		if m.Waiting[tiers]--; m.Waiting[tiers] <= 0 {
			delete(m.Waiting, tiers)
		}
	}
	return nil
}

// recount counts the slots of a member without a job that can't be read, and
// takes that out of the lists of unfinished jobs.
func (l *line) recount(id string, at seat) error {
	slots := 0
	for _, j := range l.fresh {
		slots += one(j.HoldsSlot() && at == seat{j.Team, j.Member})
	}
	for k := range l.t.Scan(join(openByMember, at.member)+"/", "") {
		if names := split(openByMember, k); last(k) == id {
			l.t.Delete(k)
			l.t.Delete(join(openJobs, names[1], id))
			l.t.Delete(join(openByTeam, at.team, names[1], id))
			continue
		}
		if l.fresh[last(k)] != nil {
			continue
		}
		h, err := head(l.t, last(k))
		var damaged *DamagedError
		switch {
		case errors.Is(err, generate.ErrNoJob), errors.As(err, &damaged): // its turn to be set aside comes
			continue
		case err != nil:
			return err
		}
		slots += one(h.job().HoldsSlot() && h.Team == at.team)
	}
	m, err := l.member(at)
	if err != nil {
		return err
	}
	team, err := l.team(at.team)
	if err != nil {
		return err
	}
	leaked := m.Slots - slots
	l.bot.Slots, team.Slots, m.Slots = l.bot.Slots-leaked, team.Slots-leaked, slots
	return nil
}

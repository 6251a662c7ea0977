package bolt

import (
	"slices"

	"ltxbot/core/generate"
	"ltxbot/core/quota"
)

// line mirrors who waits for a turn and who holds a slot, so that the next
// job to admit is found without reading all of them. It follows the rule of
// generate.Next: between two calls of the committer no waiting job has room,
// so only what a change freed has to be looked at.
type line struct {
	slots  int // jobs that hold one
	capped int // waiting jobs with a limit on the jobs of all teams
	teams  map[string]*teamLine
	served map[string]int64 // by memberKey: the turn in which it was last admitted
	turn   int64            // the last turn
}

type teamLine struct {
	slots   int
	members map[string]*memberLine
}

type memberLine struct {
	slots   int
	waiting []waiter // by seq
}

// waiter is a job that waits for its turn.
type waiter struct {
	id     string
	limits quota.Line
}

func newLine() *line {
	return &line{teams: map[string]*teamLine{}, served: map[string]int64{}}
}

// memberKey names a member of a team, as generate.Next does in served.
func memberKey(team, member string) string { return team + sep + member }

// member is the part of the line where a member's jobs are; it is made if
// there is none.
func (l *line) member(team, member string) (*teamLine, *memberLine) {
	t := l.teams[team]
	if t == nil {
		t = &teamLine{members: map[string]*memberLine{}}
		l.teams[team] = t
	}
	m := t.members[member]
	if m == nil {
		m = &memberLine{}
		t.members[member] = m
	}
	return t, m
}

// add takes up j as it is in the file: waiting, with a slot, or neither.
func (l *line) add(j generate.Job) {
	switch {
	case j.HoldsSlot():
		t, m := l.member(j.Team, j.Member)
		l.slots++
		t.slots++
		m.slots++
	case j.Waiting():
		_, m := l.member(j.Team, j.Member)
		i, _ := slices.BinarySearchFunc(m.waiting, j.Line.Seq, func(w waiter, seq int64) int {
			return int(w.limits.Seq - seq)
		})
		m.waiting = slices.Insert(m.waiting, i, waiter{id: j.ID, limits: j.Line})
		l.capped += capped(j.Line)
	}
}

// drop undoes add.
func (l *line) drop(j generate.Job) {
	if !j.HoldsSlot() && !j.Waiting() {
		return
	}
	t, m := l.member(j.Team, j.Member)
	if j.HoldsSlot() {
		l.slots--
		t.slots--
		m.slots--
	} else {
		before := len(m.waiting)
		m.waiting = slices.DeleteFunc(m.waiting, func(w waiter) bool { return w.id == j.ID })
		if len(m.waiting) < before {
			l.capped -= capped(j.Line)
		}
	}
	if m.slots == 0 && len(m.waiting) == 0 {
		delete(t.members, j.Member)
	}
	if len(t.members) == 0 {
		delete(l.teams, j.Team)
	}
}

// serve notes that a member was admitted and returns its turn.
func (l *line) serve(team, member string) int64 {
	l.turn++
	l.served[memberKey(team, member)] = l.turn
	return l.turn
}

// waiting is how many jobs of a member wait.
func (l *line) waiting(team, member string) int {
	if t := l.teams[team]; t != nil && t.members[member] != nil {
		return len(t.members[member].waiting)
	}
	return 0
}

// room reports whether a job of a member with these limits can go at once.
func (l *line) room(team, member string, limits quota.Line) bool {
	if full(l.slots, limits.BotMax) {
		return false
	}
	t := l.teams[team]
	if t == nil {
		return true
	}
	if full(t.slots, limits.TeamMax) {
		return false
	}
	m := t.members[member]
	return m == nil || !full(m.slots, limits.MemberMax)
}

// next is the waiting job to admit now that something changed in team.
func (l *line) next(team string) (c candidate, ok bool) {
	if l.capped == 0 { // what team freed is of use to team only
		c = l.best(c, team)
		return c, c.id != ""
	}
	for name := range l.teams {
		c = l.best(c, name)
	}
	return c, c.id != ""
}

// candidate is a waiting job that has room.
type candidate struct {
	waiter
	team, member string
	served       int64 // its member's last turn
}

// forget takes c out of the line.
func (l *line) forget(c candidate) {
	l.drop(generate.Job{ID: c.id, Team: c.team, Member: c.member, State: generate.Accepted, Line: c.limits})
}

// best is the better of c and the best job of team that has room.
func (l *line) best(c candidate, team string) candidate {
	t := l.teams[team]
	if t == nil {
		return c
	}
	for name, m := range t.members {
		for i, w := range m.waiting {
			if i > 0 && sameLimits(w.limits, m.waiting[i-1].limits) {
				continue // no room either
			}
			if !l.room(team, name, w.limits) {
				continue
			}
			served := l.served[memberKey(team, name)]
			if c.id == "" || served < c.served || served == c.served && w.limits.Seq < c.limits.Seq {
				c = candidate{waiter: w, team: team, member: name, served: served}
			}
			break
		}
	}
	return c
}

// place is the place of a waiting job in its team's line, from 1: how many
// turns until it is admitted if slots become free one by one. Members take
// turns, so a job that has k jobs of its member before it follows at most k+1
// jobs of each other member.
func (l *line) place(j generate.Job) int {
	t := l.teams[j.Team]
	if t == nil || t.members[j.Member] == nil {
		return 0
	}
	mine := t.members[j.Member]
	k := slices.IndexFunc(mine.waiting, func(w waiter) bool { return w.id == j.ID })
	if k < 0 {
		return 0
	}
	place := k + 1
	for name, m := range t.members {
		if m == mine {
			continue
		}
		place += min(len(m.waiting), k)
		if len(m.waiting) > k && l.before(j.Team, name, m, j.Member, mine) {
			place++
		}
	}
	return place
}

// before reports whether the first job of member a goes before that of b.
func (l *line) before(team, a string, am *memberLine, b string, bm *memberLine) bool {
	x, y := l.served[memberKey(team, a)], l.served[memberKey(team, b)]
	return x < y || x == y && am.waiting[0].limits.Seq < bm.waiting[0].limits.Seq
}

func full(n, limit int) bool { return limit > 0 && n >= limit }

func capped(limits quota.Line) int {
	if limits.BotMax > 0 {
		return 1
	}
	return 0
}

// sameLimits reports whether two jobs of one member have room together.
func sameLimits(a, b quota.Line) bool {
	return a.MemberMax == b.MemberMax && a.TeamMax == b.TeamMax && a.BotMax == b.BotMax
}

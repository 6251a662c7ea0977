package store

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"ltxbot/core/generate"
	"ltxbot/core/quota"
)

// line is the part of the waiting line that a transaction needs: who waits for
// a turn, and who holds a slot. It follows the rule of generatetest.Next under the
// limits of now, and finds who is next by reading a few keys:
//
//   - Each member with waiting jobs has a place in its team's order, by its
//     last turn. It is "ready" there if it has room for one of them under its
//     own limit, else "parked".
//   - Each team with room under its limit, and a ready member, has a place in
//     the bot's order, by that of its first ready member.
//
// So the next job is the first team's first member's, if the bot has room.
// Places are brought up to date for whatever a transaction touches; where only
// the limits have changed, Admit does it.
type line struct {
	t       *txn
	bot     lineBot
	teams   map[string]*lineTeam
	members map[seat]*lineMember
	before  map[string]any // what was read, by key
	touched map[seat]bool
	more    bool // jobs have room that were not admitted yet
	admins  map[seat]quota.AdminState
	// fresh are jobs that the transaction writes itself, after the line.
	fresh map[string]*generate.Job
}

// seat is a member of a team.
type seat struct{ team, member string }

// lineBot is what all jobs share.
type lineBot struct {
	stamp

	Slots int   `json:"slots"` // jobs that hold one
	Turn  int64 `json:"turn"`  // the last turn that was given
	Seq   int64 `json:"seq"`   // number of the last job that arrived
}

type lineTeam struct {
	stamp

	Slots int    `json:"slots"`
	Place string `json:"place,omitempty"` // its key in the bot's order
}

type lineMember struct {
	stamp

	Slots   int            `json:"slots"`
	Turn    int64          `json:"turn,omitempty"`    // in which it was last admitted
	Waiting map[string]int `json:"waiting,omitempty"` // waiting jobs by tiers
	Place   string         `json:"place,omitempty"`   // its key in the team's order
}

// waitRecord is a waiting job, by team, member, tiers and order of arrival.
type waitRecord struct {
	stamp

	Job   string   `json:"job"`
	Tiers []string `json:"tiers,omitempty"`
}

// orderRecord is a member's place in its team's order.
type orderRecord struct {
	stamp

	Jobs  int   `json:"jobs"`  // that wait
	First int64 `json:"first"` // number of the first of them
}

// maxAdmit is how many jobs one transaction admits at most. More would read
// too many keys.
const maxAdmit = 24

// theLine reads what all need of the line.
func (t *txn) theLine() (*line, error) {
	if t.line != nil {
		return t.line, nil
	}
	l := &line{
		t: t, teams: map[string]*lineTeam{}, members: map[seat]*lineMember{}, before: map[string]any{},
		touched: map[seat]bool{}, admins: map[seat]quota.AdminState{}, fresh: map[string]*generate.Job{},
	}
	if _, err := load(t, lineBotKey, &l.bot); err != nil {
		return nil, err
	}
	l.bot.stamp = v1
	l.before[lineBotKey] = l.bot
	t.line = l
	return l, nil
}

func (l *line) team(team string) (*lineTeam, error) {
	if r := l.teams[team]; r != nil {
		return r, nil
	}
	r := &lineTeam{}
	key := join(lineTeamKey, team)
	if _, err := load(l.t, key, r); err != nil {
		return nil, err
	}
	r.stamp = v1
	l.before[key] = *r
	l.teams[team] = r
	return r, nil
}

func (l *line) member(at seat) (*lineMember, error) {
	if r := l.members[at]; r != nil {
		return r, nil
	}
	r := &lineMember{}
	key := join(lineMemberKey, at.team, at.member)
	if _, err := load(l.t, key, r); err != nil {
		return nil, err
	}
	r.stamp = v1
	before := *r
	before.Waiting = maps.Clone(r.Waiting)
	if r.Waiting == nil {
		r.Waiting = map[string]int{}
	}
	l.before[key] = before
	l.members[at] = r
	return r, nil
}

// write saves what has changed.
func (l *line) write() error {
	if l.before[lineBotKey] != any(l.bot) {
		if err := save(l.t, lineBotKey, &l.bot); err != nil {
			return err
		}
	}
	for team, r := range l.teams {
		key := join(lineTeamKey, team)
		if l.before[key] == any(*r) {
			continue
		}
		if err := save(l.t, key, r); err != nil {
			return err
		}
	}
	for at, r := range l.members {
		key := join(lineMemberKey, at.team, at.member)
		before, _ := l.before[key].(lineMember)
		if before.Slots == r.Slots && before.Turn == r.Turn && before.Place == r.Place && maps.Equal(before.Waiting, r.Waiting) {
			continue
		}
		if err := save(l.t, key, r); err != nil {
			return err
		}
	}
	return nil
}

// limits are those of a member in tiers at this moment.
func (l *line) limits(at seat, tiers []string) (quota.Line, error) {
	st, ok := l.admins[at]
	if !ok {
		var err error
		if st, err = adminState(l.t, at.team, at.member); err != nil {
			return quota.Line{}, err
		}
		l.admins[at] = st
	}
	return l.t.s.limits(at.team, at.member, tiers, st), nil
}

func (l *line) botFull() bool {
	return full(l.bot.Slots, l.t.s.limits("", "", nil, quota.AdminState{}).BotMax)
}

func (l *line) teamFull(team string) (bool, error) {
	r, err := l.team(team)
	if err != nil {
		return false, err
	}
	limits, err := l.limits(seat{team: team}, nil)
	return full(r.Slots, limits.TeamMax), err
}

func full(n, limit int) bool { return limit > 0 && n >= limit }

// number writes a number so that it sorts as a key.
func number(n int64) string { return fmt.Sprintf("%016d", n) }

func parseNumber(s string) int64 {
	n, _ := strconv.ParseInt(s, 10, 64)
	return n
}

func (l *line) waitKey(j generate.Job) string {
	return join(lineWaitKey, j.Team, j.Member, tiersKey(j.Tiers), number(j.Line.Seq))
}

// tiersKey names a set of tiers.
func tiersKey(tiers []string) string { return strings.Join(slices.Sorted(slices.Values(tiers)), ",") }

// move takes j from what it was to what it is: waiting, with a slot, or
// neither.
func (l *line) move(old, j generate.Job) error {
	at := seat{j.Team, j.Member}
	m, err := l.member(at)
	if err != nil {
		return err
	}
	team, err := l.team(j.Team)
	if err != nil {
		return err
	}
	slots := one(j.HoldsSlot()) - one(old.HoldsSlot())
	l.bot.Slots, team.Slots, m.Slots = l.bot.Slots+slots, team.Slots+slots, m.Slots+slots
	if old.Waiting() {
		l.t.Delete(l.waitKey(old))
		tiers := tiersKey(old.Tiers)
		if m.Waiting[tiers]--; m.Waiting[tiers] <= 0 {
			delete(m.Waiting, tiers)
		}
	}
	if j.Waiting() {
		m.Waiting[tiersKey(j.Tiers)]++
		if err := save(l.t, l.waitKey(j), &waitRecord{v1, j.ID, j.Tiers}); err != nil {
			return err
		}
	}
	l.touched[at] = true
	return nil
}

func one(b bool) int {
	if b {
		return 1
	}
	return 0
}

// turn notes that it is a member's turn.
func (l *line) turn(at seat) error {
	m, err := l.member(at)
	if err != nil {
		return err
	}
	l.bot.Turn++
	m.Turn = l.bot.Turn
	l.touched[at] = true
	return nil
}

// waiting is how many jobs of a member wait.
func (l *line) waiting(at seat) (int, error) {
	m, err := l.member(at)
	if err != nil {
		return 0, err
	}
	n := 0
	for _, of := range m.Waiting {
		n += of
	}
	return n, nil
}

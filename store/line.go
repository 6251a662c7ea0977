package store

import (
	"context"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"strconv"
	"strings"

	"ltxbot/core/generate"
	"ltxbot/core/quota"
)

// line is the part of the waiting line that a transaction needs: who waits for
// a turn, and who holds a slot. It follows the rule of generate.Next under the
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
	admins  map[seat]quota.Standing
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
		touched: map[seat]bool{}, admins: map[seat]quota.Standing{}, fresh: map[string]*generate.Job{},
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
		if st, err = standing(l.t, at.team, at.member); err != nil {
			return quota.Line{}, err
		}
		l.admins[at] = st
	}
	return l.t.s.limits(at.team, at.member, tiers, st), nil
}

func (l *line) botFull() bool {
	return full(l.bot.Slots, l.t.s.limits("", "", nil, quota.Standing{}).BotMax)
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

func parseNumber(s string) int64 {
	n, _ := strconv.ParseInt(s, 10, 64)
	return n
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
	if err != nil {
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
